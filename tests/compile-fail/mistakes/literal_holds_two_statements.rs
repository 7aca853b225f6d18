//! What follows the first statement would be read by nobody.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop("DELETE FROM account; DELETE FROM customer")
    //~^ ERROR a unit of work cannot send this: the text holds a second statement
}

fn main() {
    let _ = transfer();
}
