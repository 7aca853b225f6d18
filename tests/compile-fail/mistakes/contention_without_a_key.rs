//! A gate of its own has a key.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(contention)]
//~^ ERROR `contention` is written `contention(key = from)`
fn alone(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(contention())]
//~^ ERROR `contention` is written `contention(key = from)`
fn empty(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(contention(kye = 1))]
//~^ ERROR unknown argument `kye`; expected `key`
fn misspelt(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let _ = (alone(), empty(), misspelt());
}
