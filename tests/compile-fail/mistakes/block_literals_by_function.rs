//! Each function of a block is read by what it says itself and by what the block says.

use unit_of_work::{Error, Tx, unit_of_work};

struct Accounts;

#[unit_of_work(read_only)]
impl Accounts {
    fn tidy(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
        //~^ ERROR this writes, and the unit is `read_only`, so the server would refuse it
    }

    #[unit_of_work(access = "read write")]
    fn close(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }

    #[unit_of_work(skip)]
    fn helper(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }
}

fn main() {
    let _ = (Accounts.tidy(), Accounts.close());
    let _: fn(&Accounts, &mut Tx<'_>) -> Result<(), Error> = Accounts::helper;
}
