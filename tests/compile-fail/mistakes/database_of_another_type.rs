//! `db` is a database, or something that dereferences to one.

use unit_of_work::{Error, Tx, unit_of_work};

static LEDGER: &str = "mysql://app@127.0.0.1/ledger";

#[unit_of_work(db = LEDGER)]
//~^ RUSTC E0308
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let _ = transfer();
}
