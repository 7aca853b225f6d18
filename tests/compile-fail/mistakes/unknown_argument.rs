//! A misspelt argument is not ignored.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(isolaton = "serializable")]
//~^ ERROR unknown argument `isolaton`; did you mean `isolation`?
fn transfer(tx: &mut Tx<'_>, from: u64) -> Result<u64, Error> {
    let _ = tx;
    Ok(from)
}

fn main() {
    let _ = transfer(1);
}
