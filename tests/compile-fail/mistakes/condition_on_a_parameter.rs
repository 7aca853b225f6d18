//! A parameter that is there only sometimes could not be passed on.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>, #[cfg(unix)] from: u64) -> Result<(), Error> {
    //~^ ERROR a unit of work passes each of its parameters on: put the condition on the whole function
    let _ = from;
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let _ = transfer(1);
}
