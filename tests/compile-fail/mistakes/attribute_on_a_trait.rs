//! A trait's methods are implemented elsewhere.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
//~^ ERROR `#[unit_of_work]` belongs on a function, a method or an `impl` block
trait Accounts {
    fn balance(&self, tx: &mut Tx<'_>) -> Result<i64, Error>;
}

struct Table;

impl Accounts for Table {
    fn balance(&self, tx: &mut Tx<'_>) -> Result<i64, Error> {
        let _ = tx;
        Ok(7)
    }
}

fn main() {
    let _: fn(&Table, &mut Tx<'_>) -> Result<i64, Error> = Table::balance;
}
