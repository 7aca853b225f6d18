//! A variant without its enum's name would match every error.

use unit_of_work::{Error, Tx, unit_of_work};

#[derive(Debug)]
enum BankError {
    Frozen,
    Work(Error),
}

impl From<Error> for BankError {
    fn from(error: Error) -> Self {
        Self::Work(error)
    }
}

#[unit_of_work(commit_on(Frozen))]
//~^ RUSTC E0170
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, BankError> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
