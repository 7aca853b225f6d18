//! The server would refuse it at run time.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(read_only)]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("UPDATE account SET balance = 0 WHERE id = ?", (1,))
    //~^ ERROR this writes, and the unit is `read_only`, so the server would refuse it
}

fn main() {
    let _ = transfer();
}
