//! There is one thing that can be allowed.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(read_only, allow(writes))]
//~^ ERROR `allow` knows no `writes`; did you mean `write`?
fn report(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("CREATE TEMPORARY TABLE sums (id INT)", ())
}

#[unit_of_work(read_only, allow)]
//~^ ERROR `allow` is written `allow(write)`
fn export(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("CREATE TEMPORARY TABLE sums (id INT)", ())
}

fn main() {
    let _ = (report(), export());
}
