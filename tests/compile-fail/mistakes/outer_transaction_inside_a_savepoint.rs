//! Inside a savepoint only the inner transaction speaks.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.savepoint(|_| tx.exec_drop("DELETE FROM account", ()))
    //~^ RUSTC E0501
    //~^^ ALLOWED E0500
    //~^^^ ALLOWED E0499
}

fn main() {
    let _ = transfer();
}
