//! A value of the attempt is shared by whoever asks for it.

use unit_of_work::{Error, Tx, unit_of_work};

#[derive(Default)]
struct Journal(Vec<u64>);

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    let journal: &mut Journal = tx.local();
    //~^ RUSTC E0308
    journal.0.push(7);
    Ok(())
}

fn main() {
    let _ = transfer();
}
