//! What contradicts in a block's own arguments is told there, not at its functions.

use unit_of_work::{Error, Tx, unit_of_work};

struct Accounts;

#[unit_of_work(propagation = "never", isolation = "serializable")]
//~^ ERROR with this `propagation` the unit begins no transaction: leave `isolation` out
impl Accounts {
    fn open(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }
}

fn main() {
    let _ = Accounts.open();
}
