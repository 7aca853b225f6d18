//! A statement that commits by itself would tear the unit in two.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop("CREATE TABLE account (id INT)")
    //~^ ERROR a unit of work cannot send this: `CREATE` would commit the transaction before the unit has ended
}

fn main() {
    let _ = transfer();
}
