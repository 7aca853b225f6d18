//! A semicolon too many is told as in any function.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    //~^ RUSTC E0308
    tx.exec_drop("DELETE FROM account", ());
}

fn main() {
    let _ = transfer();
}
