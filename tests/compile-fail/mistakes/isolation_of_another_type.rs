//! A path is a constant of the argument's own type.

use unit_of_work::{Error, Tx, unit_of_work};

const LEVEL: &str = "serializable";

#[unit_of_work(isolation = LEVEL)]
//~^ RUSTC E0308
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let _ = transfer();
}
