//! A function of a block has to be fit to be a unit; the others are.

use unit_of_work::{Error, Tx, unit_of_work};

struct Accounts;

#[unit_of_work]
impl Accounts {
    fn count(&self, tx: &mut Tx<'_>) -> u64 {
        //~^ ERROR a unit of work must return `Result<T, E>`, not `u64`
        let _ = tx;
        7
    }

    fn add(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        //~^ ERROR a second attempt would see what the first one left
        tx.exec_drop("INSERT INTO account VALUES (1)", ())
    }

    async fn open(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        //~^ ERROR a unit of work is bound to one thread and cannot be `async`
        tx.exec_drop("INSERT INTO account VALUES (1)", ())
    }

    fn close(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }
}

fn main() {
    let _ = (Accounts.count(), Accounts.add(), Accounts.close());
    drop(Accounts.open());
}
