//! What each statement committed would be done twice.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(propagation = "not_supported", retry_on(_))]
//~^ ERROR with this `propagation` the unit has no transaction of its own that could run again: leave `retry_on` out
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
