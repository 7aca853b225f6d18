//! Outside of a block there is nothing to be left out of.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(skip)]
//~^ ERROR `skip` leaves one function of an `impl` block alone when the block carries the attribute
fn log(tx: &mut Tx<'_>, what: &str) -> Result<(), Error> {
    tx.exec_drop("INSERT INTO log VALUES (?)", (what,))
}

fn main() {
    let _ = log("open");
}
