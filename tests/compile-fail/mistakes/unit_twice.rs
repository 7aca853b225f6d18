//! A function is one unit.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(read_only)]
#[unit_of_work(isolation = "read committed")]
//~^ ERROR this function is a unit of work already
fn balance(tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
    tx.exec_first("SELECT balance FROM account", ())
}

fn main() {
    let _ = balance();
}
