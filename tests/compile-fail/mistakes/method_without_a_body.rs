//! A trait's method that has no body has nothing to run.

use unit_of_work::{Error, Tx, unit_of_work};

trait Accounts {
    #[unit_of_work]
    fn balance(&self, tx: &mut Tx<'_>, account: u64) -> Result<i64, Error>;
    //~^ ERROR a unit of work needs a body: put `#[unit_of_work]` on the method where it is implemented
}

struct Table;

impl Accounts for Table {
    #[unit_of_work]
    fn balance(&self, tx: &mut Tx<'_>, account: u64) -> Result<i64, Error> {
        let _ = (tx, account);
        Ok(7)
    }
}

fn main() {
    let _ = Table.balance(1);
}
