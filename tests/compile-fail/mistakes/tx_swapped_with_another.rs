//! Two transactions cannot change places.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    unit_of_work::with_current(|other: &mut Tx<'_>| std::mem::swap(tx, other))
    //~^ RUSTC E0521
}

fn main() {
    let _ = transfer();
}
