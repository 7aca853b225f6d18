//! A misspelt mode is not taken for the default.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(propagation = "require_new")]
//~^ ERROR unknown propagation `require_new`; did you mean `requires_new`?
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
