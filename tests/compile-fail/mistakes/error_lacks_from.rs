//! The unit's own failures have to fit into the error type.

use unit_of_work::{Tx, unit_of_work};

#[derive(Debug)]
enum BankError {
    Insufficient,
}

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), BankError> {
    //~^ ERROR `BankError` cannot carry a unit-of-work failure: add `impl From<unit_of_work::Error> for BankError`
    let _ = tx;
    Err(BankError::Insufficient)
}

fn main() {
    let _ = transfer();
}
