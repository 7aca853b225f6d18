//! A condition may look at an argument, but the body has taken it over.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(retry_on(_ if names.is_empty()))]
//~^ RUSTC E0382
fn rename(tx: &mut Tx<'_>, names: Vec<String>) -> Result<(), Error> {
    tx.exec_drop("UPDATE customer SET name = ?", (names.concat(),))
}

fn main() {
    let _ = rename(Vec::new());
}
