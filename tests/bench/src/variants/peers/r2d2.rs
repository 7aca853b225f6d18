//! The transfer with `r2d2_mysql`: a pool as its README builds it, and the driver's transaction on what it lends.

use r2d2_mysql::r2d2::{Error, Pool};
use r2d2_mysql::{MySqlConnectionManager, mysql};
use unit_of_work::mysql::{Opts, OptsBuilder};

use super::super::jitter::{self, Retryable};
use super::super::{Runner, by_hand};
use crate::Failure;
use crate::bank::Transfer;

pub(crate) type R2d2 = Pool<MySqlConnectionManager>;

pub(super) fn connect(opts: &Opts, threads: u32) -> Result<R2d2, Failure> {
    let manager = MySqlConnectionManager::new(OptsBuilder::from_opts(opts.clone()));
    Ok(Pool::builder().max_size(threads).build(manager)?)
}

#[derive(Debug)]
pub(super) struct Lent {
    pub(super) pool: R2d2,
}

impl Lent {
    fn attempt(&self, transfer: Transfer) -> Result<(), Fault> {
        let mut conn = self.pool.get().map_err(Fault::Pool)?;
        let tx = conn.start_transaction(by_hand::serializable()).map_err(Fault::Driver)?;
        by_hand::transfer(tx, transfer).map_err(Fault::Driver)
    }
}

impl Runner for Lent {
    fn transfer(&mut self, transfer: Transfer) -> Result<u32, Failure> {
        jitter::retried(|| self.attempt(transfer)).map_err(Failure::from)
    }
}

enum Fault {
    Pool(Error),
    Driver(mysql::Error),
}

impl Retryable for Fault {
    fn number(&self) -> Option<u16> {
        match self {
            Self::Pool(_) => None,
            Self::Driver(error) => error.number(),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Pool(error) => error.into(),
            Fault::Driver(error) => error.into(),
        }
    }
}
