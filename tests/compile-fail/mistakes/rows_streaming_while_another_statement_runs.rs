//! One connection answers one question at a time.

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn names(tx: &mut Tx<'_>) -> Result<(), Error> {
    let mut connection = tx.connection()?;
    let rows = connection.query_iter("SELECT name FROM customer").expect("the server answers");
    tx.exec_drop("DELETE FROM account", ())?;
    //~^ RUSTC E0499
    drop(rows);
    Ok(())
}

fn main() {
    let _ = names();
}
