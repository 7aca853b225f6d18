//! Type arguments stand between a call and its text.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    let _: Option<u64> = tx.query_first::<u64, &str>("ROLLBACK")?;
    //~^ ERROR a unit of work cannot send this: `ROLLBACK` would end the transaction; the unit commits by itself when its body returns `Ok`
    Ok(())
}

fn main() {
    let _ = transfer();
}
