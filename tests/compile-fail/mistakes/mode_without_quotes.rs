//! A word is not taken for a path.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(propagation = not_supported)]
//~^ ERROR a word stands in quotes: `propagation = "not_supported"`
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
