//! A future moves between threads, a transaction does not.

use unit_of_work::{Error, Tx, unit_of_work};

async fn rate() -> i64 {
    2
}

#[unit_of_work]
async fn transfer(tx: &mut Tx<'_>, amount: i64) -> Result<i64, Error> {
    //~^ ERROR a unit of work is bound to one thread and cannot be `async`: write a plain `fn`
    tx.exec_drop("DELETE FROM account", ())?;
    Ok(amount * rate().await)
}

async fn caller() -> Result<i64, Error> {
    transfer(1).await
}

fn main() {
    drop(caller());
}
