//! Other libraries in the same run, each written as its own documentation writes it. Decides what their threads or tasks share;
//! what each of them sends is decided in the file of its name.

mod diesel;
mod r2d2;
mod sqlx;
mod tasks;

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use unit_of_work::mysql::Opts;

use self::diesel::Diesel;
use self::r2d2::{Lent, R2d2};
use self::sqlx::Sqlx;
use self::tasks::Task;
use super::Runner;
use crate::Failure;

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    R2d2,
    Sqlx,
    Diesel,
}

impl Peer {
    pub(crate) const ALL: [Self; 3] = [Self::R2d2, Self::Sqlx, Self::Diesel];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::R2d2 => "r2d2",
            Self::Sqlx => "sqlx",
            Self::Diesel => "diesel",
        }
    }
}

/// What the threads share.
pub(super) struct Peers {
    runtime: Arc<Runtime>,
    r2d2: R2d2,
    sqlx: Sqlx,
    diesel: Diesel,
}

impl Peers {
    pub(super) fn connect(url: &str, opts: &Opts, threads: u32) -> Result<Self, Failure> {
        let runtime = Arc::new(Builder::new_multi_thread().enable_all().build()?);
        let sqlx = runtime.block_on(Sqlx::connect(url, threads))?;
        let diesel = Diesel::connect(url, usize::try_from(threads)?)?;
        Ok(Self { r2d2: r2d2::connect(opts, threads)?, sqlx, diesel, runtime })
    }

    pub(super) fn runner(&self, peer: Peer) -> Box<dyn Runner> {
        let runtime = Arc::clone(&self.runtime);
        match peer {
            Peer::R2d2 => Box::new(Lent { pool: self.r2d2.clone() }),
            Peer::Sqlx => Box::new(Task { runtime, library: self.sqlx.clone() }),
            Peer::Diesel => Box::new(Task { runtime, library: self.diesel.clone() }),
        }
    }
}
