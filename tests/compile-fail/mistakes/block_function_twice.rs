//! In a block, too, a function is one unit.

use unit_of_work::{Error, Tx, unit_of_work};

struct Accounts;

#[unit_of_work]
impl Accounts {
    #[unit_of_work(read_only)]
    #[unit_of_work(isolation = "read committed")]
    //~^ ERROR this function is a unit of work already
    fn balance(&self, tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
        tx.exec_first("SELECT balance FROM account", ())
    }
}

fn main() {
    let _ = Accounts.balance();
}
