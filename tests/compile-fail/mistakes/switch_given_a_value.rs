//! Off is the only value that a switch can be given, where a block says it.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(snapshot = true)]
//~^ ERROR `snapshot` takes no value: write its name alone
fn export(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("SELECT 1", ())
}

#[unit_of_work(read_only(balance))]
//~^ ERROR `read_only` takes no value: write its name alone
fn report(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("SELECT 1", ())
}

fn main() {
    let _ = (export(), report());
}
