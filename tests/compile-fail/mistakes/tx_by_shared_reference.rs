//! A statement needs the transaction for itself.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &Tx<'_>) -> Result<(), Error> {
    //~^ ERROR statements need the transaction for themselves: write `&mut Tx`
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(())
}

fn main() {
    let _ = transfer();
}
