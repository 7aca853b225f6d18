//! Two arguments that decide the same thing cannot both be right.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(read_only, access = "read write")]
//~^ ERROR `read_only` and `access` decide the same thing: keep one of them
fn balance(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let _ = tx;
    Ok(7)
}

#[unit_of_work(name = "a", name = "b")]
//~^ ERROR `name` is given twice: keep one of them
fn total(tx: &mut Tx<'_>) -> Result<i64, Error> {
    let _ = tx;
    Ok(7)
}

fn main() {
    let _ = (balance(), total());
}
