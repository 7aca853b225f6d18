//! A constant of the body is read where it is declared, and told once.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    const END: &str = "COMMIT";
    //~^ ERROR a unit of work cannot send this: `COMMIT` would end the transaction; the unit commits by itself when its body returns `Ok`
    tx.query_drop(END)?;
    tx.query_drop(END)
}

fn main() {
    let _ = transfer();
}
