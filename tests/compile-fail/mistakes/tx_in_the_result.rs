//! A result may borrow from an argument, but the transaction is none.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn lend<'a>(tx: &mut Tx<'_>, name: &'a str) -> Result<(&'a mut Tx<'a>, &'a str), Error> {
    Ok((tx, name))
    //~^ RUSTC lifetime may not live long enough
}

fn main() {
    let _ = lend("Ada");
}
