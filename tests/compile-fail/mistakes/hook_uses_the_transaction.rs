//! When a hook after the end runs there is no transaction.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.after_commit(|| tx.exec_drop("DELETE FROM account", ()));
    //~^ RUSTC E0521
    //~^^ ALLOWED E0501
    //~^^^ ALLOWED E0500
    //~^^^^ ALLOWED E0499
    Ok(())
}

fn main() {
    let _ = transfer();
}
