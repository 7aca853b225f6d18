//! Seconds are not guessed.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(timeout = "2", lock_wait = 5)]
//~^ ERROR `2` is no length of time: write a whole number and `ms`, `s`, `m` or `h`, such as `"750ms"`
//~^^ ERROR `lock_wait` is written `lock_wait = "5s"`
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
