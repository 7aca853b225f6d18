//! A pattern that is not there matches nothing.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(commit_on())]
//~^ ERROR `commit_on` is written `commit_on(BankError::Blocked(_))`
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(retry_on = "deadlock")]
//~^ ERROR `retry_on` is written `retry_on(BankError::Outdated(_))`
fn collect(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let _ = (transfer(), collect());
}
