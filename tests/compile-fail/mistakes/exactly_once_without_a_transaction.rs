//! Where there is no COMMIT no outcome of one can be found out.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(propagation = "supports", exactly_once)]
//~^ ERROR with this `propagation` the unit begins no transaction: leave `exactly_once` out
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

struct Accounts;

#[unit_of_work(exactly_once)]
impl Accounts {
    #[unit_of_work(read_only)]
    fn balance(&self, tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
        //~^ ERROR a unit that is read only has nothing that could be committed twice: the block says `exactly_once`
        tx.exec_first("SELECT balance FROM account", ())
    }

    #[unit_of_work(read_only, exactly_once = false)]
    fn sum(&self, tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
        tx.exec_first("SELECT SUM(balance) FROM account", ())
    }
}

fn main() {
    let _ = (transfer(), Accounts.balance(), Accounts.sum());
}
