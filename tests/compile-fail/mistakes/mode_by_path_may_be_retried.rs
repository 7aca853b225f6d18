//! What a path stands for is not known when the signature is checked.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(propagation = unit_of_work::Propagation::Never)]
fn collect(tx: &mut Tx<'_>, into: &mut Vec<u64>) -> Result<(), Error> {
    //~^ ERROR a second attempt would see what the first one left: take the value by `&`, change a clone of it in the body
    let _ = tx;
    into.push(1);
    Ok(())
}

fn main() {
    let _ = collect(&mut Vec::new());
}
