//! The alternatives of a pattern are written as in a `match`.

use unit_of_work::{Error, Tx, unit_of_work};

#[derive(Debug)]
enum BankError {
    Blocked(u64),
    Frozen,
    Work(Error),
}

impl From<Error> for BankError {
    fn from(error: Error) -> Self {
        Self::Work(error)
    }
}

#[unit_of_work(commit_on(BankError::Blocked(_), BankError::Frozen))]
//~^ ERROR the pattern ends here: write `|` between alternatives, and one `if` with its condition behind the last
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, BankError> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
