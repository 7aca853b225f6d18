//! A savepoint's transaction ends with it.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    let mut kept = None;
    tx.savepoint(|inner| {
        kept = Some(inner);
        //~^ RUSTC borrowed data escapes
        Ok::<_, Error>(())
    })?;
    drop(kept);
    Ok(())
}

fn main() {
    let _ = transfer();
}
