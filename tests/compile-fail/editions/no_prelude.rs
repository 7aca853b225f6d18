//! Without any prelude every name that the attribute needs is its own.

#![no_implicit_prelude]

use ::unit_of_work::{Error, Tx, unit_of_work};

struct Accounts;

#[unit_of_work(isolation = "serializable", retry(max_attempts = 3, within = "1s"), timeout = "2s")]
fn open(tx: &mut Tx<'_>, id: u64, names: &[&str]) -> ::std::result::Result<u64, Error> {
    tx.exec_drop("INSERT INTO account VALUES (?, ?)", (id, names.len()))?;
    ::std::result::Result::Ok(id)
}

#[unit_of_work(commit_on(error if error.is_locked()), retry_on(Refused::Busy))]
fn close(tx: &mut Tx<'_>, id: u64) -> ::std::result::Result<(), Refused> {
    ::std::mem::drop(tx.exec_drop("DELETE FROM account WHERE id = ?", (id,)));
    ::std::result::Result::Err(Refused::Busy)
}

#[unit_of_work(read_only)]
impl Accounts {
    fn count(&self, tx: &mut Tx<'_>) -> ::std::result::Result<::std::option::Option<u64>, Error> {
        tx.exec_first("SELECT COUNT(*) FROM account", ())
    }
}

#[derive(::std::fmt::Debug)]
enum Refused {
    Locked,
    Busy,
}

impl Refused {
    fn is_locked(&self) -> bool {
        ::std::matches!(self, Refused::Locked)
    }
}

impl ::std::convert::From<Error> for Refused {
    fn from(_: Error) -> Self {
        Refused::Locked
    }
}

fn main() {
    let _ = (open(1, &[]).is_err(), close(1).is_err(), Accounts.count().is_err());
}
