//! No other thread may reach a transaction, not even through a lock.

use unit_of_work::{Error, Tx, unit_of_work};

use std::sync::Mutex;

static KEPT: Mutex<Option<Tx<'static>>> = Mutex::new(None);
//~^ RUSTC E0277

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let _ = (transfer(), KEPT.lock().is_ok());
}
