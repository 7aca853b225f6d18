//! Rows that stream hold the connection, which goes back when the unit ends.

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn names(tx: &mut Tx<'_>) -> Result<impl Iterator<Item = String>, Error> {
    let mut connection = tx.connection()?;
    let rows = connection.query_iter("SELECT name FROM customer").expect("the server answers");
    Ok(rows.map(|row| unit_of_work::mysql::from_row(row.expect("a row"))))
    //~^ RUSTC E0515
    //~^^ ALLOWED lifetime may not live long enough
}

fn main() {
    let _ = names().is_ok();
}
