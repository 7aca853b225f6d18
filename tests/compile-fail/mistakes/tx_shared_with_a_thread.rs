//! Two threads cannot speak on one connection.

use unit_of_work::{Error, Tx, unit_of_work};

fn with_another_thread(work: impl Fn() + Sync) {
    work();
}

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    with_another_thread(|| drop(tx.attempt()));
    //~^ RUSTC E0277
    Ok(())
}

fn main() {
    let _ = transfer();
}
