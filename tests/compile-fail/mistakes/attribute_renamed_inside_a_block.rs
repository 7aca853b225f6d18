//! A block knows the attribute of its functions by its name: macros are not told what it was imported as.

use unit_of_work::unit_of_work as unit;
use unit_of_work::{Error, Tx, unit_of_work};

struct Accounts;

#[unit_of_work]
impl Accounts {
    #[unit(read_only)]
    //~^ ERROR this function is a unit of work already, by another attribute or by that of its `impl` block
    fn balance(&self, tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
        tx.exec_first("SELECT balance FROM account", ())
    }
}

fn main() {
    let _ = Accounts.balance();
}
