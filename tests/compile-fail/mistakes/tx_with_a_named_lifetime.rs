//! No caller can say how long an attempt lives.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer<'t>(tx: &'t mut Tx<'_>) -> Result<(), Error> {
    //~^ ERROR the transaction lives as long as one attempt, which no caller can name: write `&mut Tx` or `&mut Tx<'_>`
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(())
}

fn main() {
    let _ = transfer();
}
