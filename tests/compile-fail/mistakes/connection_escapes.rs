//! The connection is lent as the transaction is.

use std::any::Any;

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn lend(tx: &mut Tx<'_>) -> Result<Box<dyn Any>, Error> {
    let connection = tx.connection()?;
    Ok(Box::new(connection))
    //~^ RUSTC lifetime may not live long enough
}

fn main() {
    let _ = lend().is_ok();
}
