//! What a caller lends is gone when a hook runs.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>, name: &str) -> Result<(), Error> {
    tx.after_commit(move || println!("{name}"));
    //~^ RUSTC E0521
    Ok(())
}

fn main() {
    let _ = transfer("Ada");
}
