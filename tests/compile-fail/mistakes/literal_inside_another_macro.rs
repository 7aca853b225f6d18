//! What other macros are given is read as well.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    println!("{:?}", tx.query_drop("LOCK TABLES account WRITE"));
    //~^ ERROR a unit of work cannot send this: `LOCK` would commit the transaction
    Ok(())
}

fn main() {
    let _ = transfer();
}
