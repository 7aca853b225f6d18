//! The library under another name, by every kind of path.

use renamed::{Error, Isolation, Tx};

mod facade {
    pub(crate) use ::renamed as persistence;
}

#[renamed::unit_of_work(crate = renamed, isolation = "serializable", propagation = "nested")]
fn by_name(tx: &mut Tx<'_>, id: u64) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account WHERE id = ?", (id,))
}

#[renamed::unit_of_work(crate = ::renamed, isolation = Isolation::Serializable)]
fn by_absolute_path(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

#[facade::persistence::unit_of_work(crate = crate::facade::persistence, retry = "never")]
fn by_way_of_a_module(tx: &mut facade::persistence::Tx<'_>) -> Result<(), Error> {
    tx.exec_drop("DELETE FROM account", ())
}

struct Accounts;

#[renamed::unit_of_work(crate = ::renamed)]
impl Accounts {
    fn open(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        tx.exec_drop("INSERT INTO account VALUES (1)", ())
    }

    #[renamed::unit_of_work(read_only)]
    fn count(&self, tx: &mut Tx<'_>) -> Result<Option<u64>, Error> {
        tx.exec_first("SELECT COUNT(*) FROM account", ())
    }
}

fn main() {
    let _ = (by_name(1).is_err(), by_absolute_path().is_err(), by_way_of_a_module().is_err());
    let _ = (Accounts.open().is_err(), Accounts.count().is_err());
}
