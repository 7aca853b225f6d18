//! A path to a policy is a policy of the database's builder, not of the attribute.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(retry = unit_of_work::Retry::NEVER)]
//~^ ERROR `retry` is written `retry = "never"` or `retry(max_attempts = 5, within = "2s")`
fn collect(tx: &mut Tx<'_>, into: &mut Vec<u64>) -> Result<(), Error> {
    into.push(1);
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let _ = collect(&mut Vec::new());
}
