//! What `concat!` makes of literals is known when it is compiled.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop(concat!("SET ", "autocommit = ", 1), ())
    //~^ ERROR a unit of work cannot send this: `SET` of anything but user variables would change the session
}

fn main() {
    let _ = transfer();
}
