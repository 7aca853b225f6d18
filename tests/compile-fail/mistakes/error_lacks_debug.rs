//! An error that is swallowed further out is quoted there.

use unit_of_work::{Tx, unit_of_work};

struct BankError;

impl From<unit_of_work::Error> for BankError {
    fn from(_: unit_of_work::Error) -> Self {
        Self
    }
}

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), BankError> {
    //~^ ERROR `BankError` cannot be named in a unit's report: add `#[derive(Debug)]` to it
    let _ = tx;
    Err(BankError)
}

fn main() {
    let _ = transfer();
}
