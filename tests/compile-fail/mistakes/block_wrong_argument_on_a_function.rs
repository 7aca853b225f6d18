//! A mistake in a function's own arguments is told there, and the rest of the block stands.

use unit_of_work::{Error, Tx, unit_of_work};

struct Accounts;

#[unit_of_work(isolation = "serializable")]
impl Accounts {
    #[unit_of_work(acess = "read only")]
    //~^ ERROR unknown argument `acess`; did you mean `access`?
    fn balance(&self, tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
        tx.exec_first("SELECT balance FROM account", ())
    }

    fn close(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }
}

fn main() {
    let _ = (Accounts.balance(), Accounts.close());
}
