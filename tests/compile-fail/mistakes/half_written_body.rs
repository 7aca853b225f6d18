//! What is still being written has the compiler's own errors, and no other.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    let amount: u64 = "7";
    //~^ RUSTC E0308
    tx.exec_dorp("DELETE FROM account", (amount,))
    //~^ RUSTC E0599
}

fn main() {
    let _ = transfer();
}
