//! One name would be that of many units.

use unit_of_work::{Error, Tx, unit_of_work};

struct Accounts;

#[unit_of_work(name = "accounts")]
//~^ ERROR each function of the block is a unit of its own: put `name` on one of them
impl Accounts {
    fn open(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }
}

fn main() {
    let _ = Accounts.open();
}
