//! A transaction that is over cannot be used.

use unit_of_work::{Error, Tx, unit_of_work};

type Later = Box<dyn FnOnce() -> Result<(), Error>>;

#[unit_of_work]
fn postponed(tx: &mut Tx<'_>) -> Result<Later, Error> {
    Ok(Box::new(move || tx.exec_drop("DELETE FROM account", ())))
    //~^ RUSTC lifetime may not live long enough
}

fn main() {
    let _ = postponed().map(|later| later());
}
