//! A text has no room for what went wrong.

use unit_of_work::{Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), String> {
    //~^ ERROR `String` cannot carry a unit-of-work failure
    let _ = tx;
    Err("insufficient funds".to_owned())
}

fn main() {
    let _ = transfer();
}
