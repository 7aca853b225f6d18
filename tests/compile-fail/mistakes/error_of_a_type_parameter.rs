//! Both of the bounds that are missing are named.

use unit_of_work::{Tx, unit_of_work};

#[unit_of_work]
fn transfer<E>(tx: &mut Tx<'_>) -> Result<(), E> {
    //~^ ERROR `E` cannot carry a unit-of-work failure
    //~^^ ERROR `E` cannot be named in a unit's report
    let _ = tx;
    Ok(())
}

fn main() {
    let _ = transfer::<unit_of_work::Error>();
}
