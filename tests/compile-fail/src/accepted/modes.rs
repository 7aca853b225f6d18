//! Every mode of propagation, with what may stand beside it.

use std::time::Duration;

use unit_of_work::{Database, Error, ErrorKind, Propagation, Tx, unit_of_work};

use super::assert_ran;

const PATIENCE: Duration = Duration::from_secs(5);
const MODE: Propagation = Propagation::Nested;

/// Not `Clone`: it is there for one attempt.
struct Order;

#[unit_of_work(propagation = "required", isolation = "serializable", retry(max_attempts = 3))]
fn required(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(propagation = "Outermost", snapshot, timeout = "2s", lock_wait = "5s")]
fn outermost(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(propagation = "REQUIRES-NEW", repeatable, retry_on(error if error.kind() == ErrorKind::Doomed))]
fn requires_new(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(propagation = "nested", snapshot, isolation = "repeatable read", lock_wait = PATIENCE)]
fn nested(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(propagation = "mandatory", isolation = "read committed", commit_on(_))]
fn mandatory(tx: &mut Tx<'_>, order: Order, orders: &mut Vec<Order>) -> Result<(), Error> {
    orders.push(order);
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(propagation = "supports", read_only, repeatable)]
fn supports(tx: &mut Tx<'_>, order: Order, orders: &mut Vec<Order>) -> Result<(), Error> {
    orders.push(order);
    tx.exec_drop("SELECT id FROM account", ())
}

#[unit_of_work(propagation = "not supported", timeout = PATIENCE, retry = "never")]
fn not_supported(tx: &mut Tx<'_>, order: Order, orders: &mut Vec<Order>) -> Result<(), Error> {
    orders.push(order);
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(propagation = "never", repeatable)]
fn never(tx: &mut Tx<'_>, order: Order, orders: &mut Vec<Order>) -> Result<(), Error> {
    orders.push(order);
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(propagation = Propagation::Supports, isolation = "serializable", retry_on(_), repeatable)]
fn path(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(propagation = MODE)]
fn constant(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(db = db, repeatable)]
fn on_another_database(tx: &mut Tx<'_>, db: &Database) -> Result<(), Error> {
    let _ = db;
    tx.exec_drop("DELETE FROM account", ())
}

#[test]
fn every_mode_is_accepted_with_what_goes_with_it() {
    let ran = |result, unit| assert_ran(result, &format!("compile_fail::accepted::modes::{unit}"));
    ran(required(), "required");
    ran(outermost(), "outermost");
    ran(requires_new(), "requires_new");
    ran(nested(), "nested");
    ran(mandatory(Order, &mut Vec::new()), "mandatory");
    ran(supports(Order, &mut Vec::new()), "supports");
    ran(not_supported(Order, &mut Vec::new()), "not_supported");
    ran(never(Order, &mut Vec::new()), "never");
    ran(path(), "path");
    ran(constant(), "constant");
    let _: fn(&Database) -> Result<(), Error> = on_another_database;
}
