//! Every argument in every form that it can be written in, and every kind of expression for a database.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use unit_of_work::{Access, Database, Error, Isolation, Tx, unit_of_work};

use super::assert_ran;

const LEVEL: Isolation = Isolation::RepeatableRead;
const PATIENCE: Duration = Duration::from_secs(60);
const TIMES: u32 = 7;

#[unit_of_work(
    isolation = "Read-Committed",
    access = "READ_ONLY",
    retry(max_attempts = 5, within = "2 s",),
    name = "a"
)]
fn words(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("SELECT id FROM account", ())
}

#[unit_of_work(isolation = Isolation::ReadUncommitted, access = Access::ReadWrite, retry(base = "1ms", cap = "1m"))]
fn paths(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(isolation = LEVEL, read_only, retry(max_attempts = TIMES, within = PATIENCE))]
fn constants(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("SELECT id FROM account", ())
}

#[unit_of_work(contention(key = (&name, u64::from(account))))]
fn keyed(tx: &mut Tx<'_>, name: String, account: u32) -> Result<(), Error> {
    tx.exec_drop("UPDATE account SET name = ? WHERE id = ?", (name, account))
}

struct Order(u64);

#[unit_of_work(retry = "never")]
fn moved(tx: &mut Tx<'_>, order: Order, orders: &mut Vec<Order>) -> Result<u64, Error> {
    tx.exec_drop("DELETE FROM account", ())?;
    let id = order.0;
    orders.push(order);
    Ok(id)
}

#[unit_of_work()]
fn none() -> Result<(), Error> {
    Ok(())
}

static LEDGER: LazyLock<Database> = LazyLock::new(|| unreachable!("no test asks this database for anything"));

struct Service {
    db: Database,
    shared: Arc<Database>,
}

impl Service {
    fn ledger(&self) -> &Database {
        &self.db
    }

    #[unit_of_work(db = self.db)]
    fn field(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }

    #[unit_of_work(db = self.shared, retry = "never")]
    fn shared(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("DELETE FROM account", ())
    }

    #[unit_of_work(db = self.ledger(), read_only)]
    fn call(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("SELECT id FROM account", ())
    }
}

#[unit_of_work(db = LEDGER)]
fn in_a_static(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[unit_of_work(db = db)]
fn argument(tx: &mut Tx<'_>, db: &Database) -> Result<(), Error> {
    let _ = db;
    tx.exec_drop("DELETE FROM account", ())
}

#[test]
fn options_are_read_in_every_form() {
    assert_ran(words(), "a");
    assert_ran(paths(), "compile_fail::accepted::options::paths");
    assert_ran(constants(), "compile_fail::accepted::options::constants");
    assert_ran(keyed("a".to_owned(), 1), "compile_fail::accepted::options::keyed");
    assert_ran(moved(Order(1), &mut Vec::new()), "compile_fail::accepted::options::moved");
    assert_ran(none(), "compile_fail::accepted::options::none");
}

#[test]
fn a_database_can_be_any_expression() {
    type Of<T> = fn(&T) -> Result<(), Error>;
    let _: [Of<Service>; 3] = [Service::field, Service::shared, Service::call];
    let _: Of<Database> = argument;
    let _: fn() -> Result<(), Error> = in_a_static;
}
