//! The server would ignore the snapshot, or the unit the level.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(snapshot, isolation = "serializable")]
//~^ ERROR `snapshot` implies `repeatable read`, and servers ignore it elsewhere: leave `isolation` out, or `snapshot`
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
