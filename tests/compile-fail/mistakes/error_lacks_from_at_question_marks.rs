//! Each `?` says what the signature was told.

use unit_of_work::{Tx, unit_of_work};

#[derive(Debug)]
enum BankError {
    Insufficient,
}

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), BankError> {
    //~^ ERROR `BankError` cannot carry a unit-of-work failure: add `impl From<unit_of_work::Error> for BankError`
    tx.exec_drop("DELETE FROM account", ())?;
    //~^ ALLOWED E0277
    Err(BankError::Insufficient)
}

fn main() {
    let _ = transfer();
}
