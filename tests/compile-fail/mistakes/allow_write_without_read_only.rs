//! Whoever may write anyway needs no permission.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(allow(write))]
//~^ ERROR `allow(write)` is for a unit that is `read_only` and writes temporary tables: add `read_only`, or leave it out
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let _ = transfer();
}
