//! A closure that changes something would change it again.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn each(tx: &mut Tx<'_>, mut work: impl FnMut(u64)) -> Result<(), Error> {
    //~^ RUSTC E0277
    let _ = tx;
    work(7);
    Ok(())
}

fn main() {
    let mut sum = 0;
    let _ = each(|n| sum += n);
}
