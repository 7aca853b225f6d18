//! A hook runs when the body is over.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    let receipt = String::from("paid");
    tx.after_commit(|| println!("{receipt}"));
    //~^ RUSTC E0373
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let _ = transfer();
}
