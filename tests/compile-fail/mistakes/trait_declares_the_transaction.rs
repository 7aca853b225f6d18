//! The trait's method is what callers see: without the transaction.

use unit_of_work::{Error, Tx, unit_of_work};

trait Accounts {
    fn balance(&self, tx: &mut Tx<'_>) -> Result<Option<i64>, Error>;
}

struct Table;

impl Accounts for Table {
    #[unit_of_work]
    fn balance(&self, tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
        //~^ RUSTC E0050
        tx.exec_first("SELECT balance FROM account", ())
    }
}

fn main() {}
