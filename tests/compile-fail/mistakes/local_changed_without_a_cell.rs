//! What is shared within an attempt changes through a cell of its own.

use unit_of_work::{Error, Tx, unit_of_work};

#[derive(Default)]
struct Journal(Vec<u64>);

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.local::<Journal>().0.push(7);
    //~^ RUSTC E0596
    Ok(())
}

fn main() {
    let _ = transfer();
}
