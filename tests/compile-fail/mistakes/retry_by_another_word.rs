//! A policy has its parts; the one word is `never`.

use unit_of_work::{Error, Tx, unit_of_work};

#[unit_of_work(retry = "always")]
//~^ ERROR unknown retry policy `always`; expected `never`
fn word(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(retry = 3)]
//~^ ERROR `retry` is written `retry = "never"` or `retry(max_attempts = 5, within = "2s")`
fn number(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(retry)]
//~^ ERROR `retry` is written `retry = "never"` or `retry(max_attempts = 5, within = "2s")`
fn alone(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(retry(attempts = 3))]
//~^ ERROR unknown argument `attempts`; did you mean `max_attempts`?
fn part(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

fn main() {
    let _ = (word(), number(), alone(), part());
}
