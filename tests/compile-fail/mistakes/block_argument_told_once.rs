//! A mistake in a block's arguments is the block's, however many functions it has.

use unit_of_work::{Error, Tx, unit_of_work};

struct Accounts;

#[unit_of_work(isolaton = "serializable")]
//~^ ERROR unknown argument `isolaton`; did you mean `isolation`?
impl Accounts {
    fn open(&self, tx: &mut Tx<'_>, into: &mut Vec<u64>) -> Result<(), Error> {
        into.push(1);
        tx.exec_drop("DELETE FROM account", ())
    }

    fn close(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }
}

fn main() {
    let _ = (Accounts.open(&mut Vec::new()), Accounts.close());
}
