//! One unit has one transaction.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>, other: &mut Tx<'_>) -> Result<(), Error> {
    //~^ ERROR a unit of work has one transaction, its first parameter: remove this one
    let _ = other;
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let _ = transfer();
}
