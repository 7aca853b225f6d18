//! The transaction is over when the caller gets the result.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn name(tx: &mut Tx<'_>) -> Result<&str, Error> {
    //~^ ERROR a unit's result cannot borrow from its transaction, which is over when the caller gets it
    let _ = tx;
    Ok("name")
}

fn main() {}
