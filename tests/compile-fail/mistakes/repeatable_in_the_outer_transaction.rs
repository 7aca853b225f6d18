//! What ends with the outer transaction is undone with it, and needs no permission to run again.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(repeatable)]
//~^ ERROR inside another unit this one never ends on its own: leave `repeatable` out, or add `propagation = "requires_new"`
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
