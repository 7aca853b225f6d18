//! An argument that nothing obeys is not passed over in silence.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(contention(key = from))]
//~^ ERROR `contention` is not built yet: leave it out
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
