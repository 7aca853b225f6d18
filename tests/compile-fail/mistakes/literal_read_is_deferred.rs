//! Nobody would see its rows.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn look(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.defer("SELECT balance FROM account WHERE id = ?", (1,))
    //~^ ERROR only INSERT, UPDATE, DELETE and REPLACE can be deferred
}

fn main() {
    let _ = look();
}
