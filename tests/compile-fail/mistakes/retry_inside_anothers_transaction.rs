//! Only who began the transaction can run it again.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(propagation = "mandatory", retry(max_attempts = 3))]
//~^ ERROR with this `propagation` the unit has no transaction of its own that could run again: leave `retry` out
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
