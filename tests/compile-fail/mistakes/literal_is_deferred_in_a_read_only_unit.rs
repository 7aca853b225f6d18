//! `allow(write)` is for temporary tables, and a deferred write to one is none that is known to be.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(read_only, allow(write))]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.defer("UPDATE account SET balance = 0 WHERE id = ?", (1,))
    //~^ ERROR a unit that is `read_only` defers no writes
}

fn main() {
    let _ = transfer();
}
