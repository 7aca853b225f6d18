//! The transfer of `unit`, with updates whose answers nobody waits for: they go out in the packet of COMMIT.

use unit_of_work::{Database, Entered, Error, Tx, unit_of_work};

use super::Runner;
use crate::Failure;
use crate::bank::{SELECT, Transfer, UPDATE};

#[derive(Debug)]
pub(super) struct UnitDeferred {
    _entered: Entered,
}

impl UnitDeferred {
    /// Makes `database` the calling thread's.
    pub(super) fn on(database: &Database) -> Self {
        Self { _entered: database.enter() }
    }
}

impl Runner for UnitDeferred {
    fn transfer(&mut self, transfer: Transfer) -> Result<u32, Failure> {
        Ok(move_money(transfer)? - 1)
    }
}

/// Returns the number of the attempt that succeeded.
#[unit_of_work(isolation = "serializable", retry(within = "60s"))]
fn move_money(tx: &mut Tx<'_>, Transfer { lower, higher, amount }: Transfer) -> Result<u32, Error> {
    let first: i64 = tx.exec_first(SELECT, (lower,))?.expect("accounts are never deleted");
    let second: i64 = tx.exec_first(SELECT, (higher,))?.expect("accounts are never deleted");
    tx.defer(UPDATE, (first - amount, lower))?;
    tx.defer(UPDATE, (second + amount, higher))?;
    Ok(tx.attempt())
}
