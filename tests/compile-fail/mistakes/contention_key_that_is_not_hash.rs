//! A key is known by its hash.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(contention(key = share))]
//~^ ERROR `f64` cannot be a `contention` key: it is not `Hash`
fn pay(tx: &mut Tx<'_>, share: f64) -> Result<f64, Error> {
    let _ = tx;
    Ok(share)
}

fn main() {
    let _ = pay(0.5);
}
