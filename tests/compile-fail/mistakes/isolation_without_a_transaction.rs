//! A level that nothing obeys would be a promise not kept.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(propagation = "supports", isolation = "serializable")]
//~^ ERROR with this `propagation` the unit begins no transaction: leave `isolation` out
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
