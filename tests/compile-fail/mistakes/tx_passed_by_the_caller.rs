//! Callers pass no transaction: the runtime does.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn log(tx: &mut Tx<'_>, what: &str) -> Result<(), Error> {
    tx.exec_drop("INSERT INTO log VALUES (?)", (what,))
}

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    log(tx, "transfer")
    //~^ RUSTC E0061
}

fn main() {
    let _ = transfer();
}
