//! The transfer with the driver's pool and the driver's transaction, at their default settings, and a loop around it.

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::mysql::{self, IsolationLevel, Pool, TxOpts};

use super::{Runner, jitter};
use crate::Failure;
use crate::bank::{SELECT, Transfer, UPDATE};

#[derive(Debug)]
pub(super) struct Pooled {
    pool: Pool,
}

impl Pooled {
    pub(super) fn on(pool: &Pool) -> Self {
        Self { pool: pool.clone() }
    }

    /// A transaction that is dropped is rolled back, so a failed attempt needs no more than `?`.
    fn attempt(&self, Transfer { lower, higher, amount }: Transfer) -> mysql::Result<()> {
        let level = TxOpts::default().set_isolation_level(Some(IsolationLevel::Serializable));
        let mut tx = self.pool.start_transaction(level)?;
        let first: i64 = tx.exec_first(SELECT, (lower,))?.expect("accounts are never deleted");
        let second: i64 = tx.exec_first(SELECT, (higher,))?.expect("accounts are never deleted");
        tx.exec_drop(UPDATE, (first - amount, lower))?;
        tx.exec_drop(UPDATE, (second + amount, higher))?;
        tx.commit()
    }
}

impl Runner for Pooled {
    fn transfer(&mut self, transfer: Transfer) -> Result<u32, Failure> {
        Ok(jitter::retried(|| self.attempt(transfer))?)
    }
}
