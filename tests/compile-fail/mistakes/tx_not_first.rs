//! The transaction is found by its position.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(from: u64, tx: &mut Tx<'_>) -> Result<u64, Error> {
    //~^ ERROR the transaction is the first parameter of a unit of work (after `self`): move it there
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(7);
}
