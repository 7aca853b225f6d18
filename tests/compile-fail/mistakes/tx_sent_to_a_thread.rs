//! A unit begins and ends on one thread.

use unit_of_work::{Error, Tx, unit_of_work};

fn on_another_thread(work: impl FnOnce() -> Result<(), Error> + Send) -> Result<(), Error> {
    std::thread::scope(|scope| scope.spawn(work).join()).unwrap_or(Ok(()))
}

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    on_another_thread(|| tx.exec_drop("DELETE FROM account", ()))
    //~^ RUSTC E0277
}

fn main() {
    let _ = transfer();
}
