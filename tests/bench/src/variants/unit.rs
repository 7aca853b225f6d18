//! The transfer as a user of this library writes it.

use unit_of_work::{Database, Entered, Error, Tx, unit_of_work};

use super::Runner;
use crate::Failure;
use crate::bank::{SELECT, Transfer, UPDATE};

#[derive(Debug)]
pub(super) struct Unit {
    _entered: Entered,
}

impl Unit {
    /// Makes `database` the calling thread's.
    pub(super) fn on(database: &Database) -> Self {
        Self { _entered: database.enter() }
    }
}

impl Runner for Unit {
    fn transfer(&mut self, transfer: Transfer) -> Result<u32, Failure> {
        Ok(move_money(transfer)? - 1)
    }
}

/// Returns the number of the attempt that succeeded. The limit is wide because a benchmark of hot rows measures how long units
/// take, and has no use for those that gave up.
#[unit_of_work(isolation = "serializable", retry(within = "60s"))]
pub(crate) fn move_money(tx: &mut Tx<'_>, Transfer { lower, higher, amount }: Transfer) -> Result<u32, Error> {
    let first: i64 = tx.exec_first(SELECT, (lower,))?.expect("accounts are never deleted");
    let second: i64 = tx.exec_first(SELECT, (higher,))?.expect("accounts are never deleted");
    tx.exec_drop(UPDATE, (first - amount, lower))?;
    tx.exec_drop(UPDATE, (second + amount, higher))?;
    Ok(tx.attempt())
}
