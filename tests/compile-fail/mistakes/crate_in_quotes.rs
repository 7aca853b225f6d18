//! The library's place is a path, not a text.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(crate = "unit_of_work")]
//~^ ERROR `crate` is written `crate = ::unit_of_work`
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let _ = transfer();
}
