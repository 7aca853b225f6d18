//! The body does not own the transaction: it cannot end it.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: Tx<'_>) -> Result<(), Error> {
    //~^ ERROR the transaction is lent to the unit, which ends it when the body returns: write `&mut Tx`
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(())
}

fn main() {
    let _ = transfer();
}
