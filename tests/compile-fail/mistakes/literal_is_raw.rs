//! A raw string is a literal too.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop(r#"START TRANSACTION"#, ())
    //~^ ERROR a unit of work cannot send this: `START TRANSACTION` would end the transaction; the unit commits by itself when its body returns `Ok`
}

fn main() {
    let _ = transfer();
}
