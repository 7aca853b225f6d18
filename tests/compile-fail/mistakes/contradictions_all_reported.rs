//! Nobody shall have to build twice to learn of the second contradiction.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(propagation = "never", isolation = "serializable", snapshot, retry_on(_))]
//~^ ERROR the unit begins no transaction: leave `isolation` out
//~^^ ERROR the unit begins no transaction: leave `snapshot` out
//~^^^ ERROR no transaction of its own that could run again: leave `retry_on` out
fn collect(tx: &mut Tx<'_>, into: &mut Vec<u64>) -> Result<(), Error> {
    let _ = tx;
    into.push(1);
    Ok(())
}

fn main() {
    let _ = collect(&mut Vec::new());
}
