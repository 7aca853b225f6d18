//! The transfer with the driver's pool and the driver's transaction, at their default settings, and a loop around it.

use unit_of_work::mysql::Pool;

use super::{Runner, by_hand, jitter};
use crate::Failure;
use crate::bank::Transfer;

#[derive(Debug)]
pub(super) struct Pooled {
    pool: Pool,
}

impl Pooled {
    pub(super) fn on(pool: &Pool) -> Self {
        Self { pool: pool.clone() }
    }
}

impl Runner for Pooled {
    fn transfer(&mut self, transfer: Transfer) -> Result<u32, Failure> {
        let attempt = || by_hand::transfer(self.pool.start_transaction(by_hand::serializable())?, transfer);
        Ok(jitter::retried(attempt)?)
    }
}
