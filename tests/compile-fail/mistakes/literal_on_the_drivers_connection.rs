//! The driver's own connection is the same connection.

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.connection()?.query_drop("SAVEPOINT here").expect("the server answers");
    //~^ ERROR a unit of work cannot send this: `SAVEPOINT` would undo or remove savepoints that the unit relies on
    Ok(())
}

fn main() {
    let _ = transfer();
}
