//! Each text has its own error.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop("BEGIN")?;
    //~^ ERROR a unit of work cannot send this: `BEGIN` would end the transaction; the unit commits by itself when its body returns `Ok`
    tx.exec_drop("DELETE FROM account", ())?;
    tx.query_drop("COMMIT")
    //~^ ERROR a unit of work cannot send this: `COMMIT` would end the transaction; the unit commits by itself when its body returns `Ok`
}

fn main() {
    let _ = transfer();
}
