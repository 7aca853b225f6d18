//! A pattern for something else than the unit's error is the compiler's to refuse, where it was written.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(commit_on(Some(_)))]
//~^ RUSTC E0308
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
