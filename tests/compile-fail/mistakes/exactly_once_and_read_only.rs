//! What only reads cannot be done twice.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(exactly_once, read_only)]
//~^ ERROR a unit that is read only has nothing that could be committed twice: leave `exactly_once` out
fn report(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("SELECT 1", ())
}

fn main() {
    let _ = report();
}
