//! A `?` in the body has its own error beside ours.

use unit_of_work::{Tx, unit_of_work};

#[unit_of_work]
fn balance(tx: &mut Tx<'_>) -> Option<i64> {
    //~^ ERROR a unit of work must return `Result<T, E>`, not `Option<i64>`
    let balance: Option<i64> = tx.exec_first("SELECT balance FROM account", ())?;
    //~^ ALLOWED E0277
    balance
}

fn main() {
    let _: Option<i64> = balance();
}
