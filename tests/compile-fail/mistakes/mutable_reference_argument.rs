//! What the body changes outside the transaction is not rolled back with it.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn collect(tx: &mut Tx<'_>, into: &mut Vec<u64>) -> Result<(), Error> {
    //~^ ERROR a second attempt would see what the first one left: take the value by `&`, change a clone of it in the body
    let _ = tx;
    into.push(1);
    Ok(())
}

fn main() {
    let _ = collect(&mut Vec::new());
}
