//! A constant is computed without a database.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
const fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    //~^ ERROR a unit of work talks to a database and cannot be `const`: remove `const`
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(())
}

fn main() {
    let _ = transfer();
}
