//! Without a transaction each statement sees what is there when it runs.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(propagation = "never", snapshot)]
//~^ ERROR with this `propagation` the unit begins no transaction: leave `snapshot` out
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
