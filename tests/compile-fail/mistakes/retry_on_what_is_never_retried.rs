//! One of the two cannot be meant.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(retry = "never", retry_on(_))]
//~^ ERROR `retry = "never"` permits no other attempt: leave `retry_on` out, or `retry`
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
