//! The unit's own failures have to fit into the error type.

use unit_of_work::Database;

#[derive(Debug)]
struct BankError;

fn transfer(db: &Database) -> Result<(), BankError> {
    db.unit("transfer").run::<_, BankError>(|_| Err(BankError))
    //~^ ERROR `BankError` cannot carry a unit-of-work failure: add `impl From<unit_of_work::Error> for BankError`
}

fn main() {
    let _: fn(&Database) -> Result<(), BankError> = transfer;
}
