//! A misspelt level is not taken for the default.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(isolation = "serialisable")]
//~^ ERROR unknown isolation level `serialisable`; did you mean `serializable`?
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
