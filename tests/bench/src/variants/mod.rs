//! The ways to run a transfer that are compared. Decides who they are and what they share: the engines that all threads use.
//! What each of them sends is decided in the file of its name; how often and when, in `slices`.

mod bare;
pub(crate) mod jitter;
mod pool;
mod unit;

use unit_of_work::mysql::{Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};
use unit_of_work::{Database, Isolation};

use self::bare::Bare;
use self::pool::Pooled;
use self::unit::Unit;
use crate::Failure;
use crate::bank::Transfer;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// This library.
    Unit,
    /// The driver's pool and transaction, by hand.
    Pool,
    /// The fewest packets there can be, on a connection per thread.
    Bare,
}

impl Variant {
    pub(crate) const ALL: [Self; 3] = [Self::Unit, Self::Pool, Self::Bare];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Pool => "pool",
            Self::Bare => "bare",
        }
    }
}

/// One thread's way to run transfers.
pub(crate) trait Runner {
    /// Runs one transfer until it is committed, and returns how often it had to be run again.
    fn transfer(&mut self, transfer: Transfer) -> Result<u32, Failure>;
}

/// What the threads share.
#[derive(Debug)]
pub(crate) struct Engines {
    database: Database,
    pool: Pool,
    opts: Opts,
}

impl Engines {
    /// Connects every engine to `url`, for so many threads.
    pub(crate) fn connect(url: &str, threads: u32) -> Result<Self, Failure> {
        let threads = usize::try_from(threads)?;
        let database =
            Database::builder().url(url).isolation(Isolation::Serializable).max_connections(threads).connect()?;
        // Left to itself the driver would move from TCP to the server's socket, and nobody could be compared any more.
        let opts: Opts = OptsBuilder::from_opts(Opts::from_url(url)?).prefer_socket(false).into();
        let constraints = PoolConstraints::new(threads, threads).ok_or("a pool needs a thread")?;
        let pool_opts = PoolOpts::default().with_constraints(constraints);
        let pool = Pool::new(OptsBuilder::from_opts(opts.clone()).pool_opts(pool_opts))?;
        Ok(Self { database, pool, opts })
    }

    /// What the calling thread runs transfers with.
    pub(crate) fn runner(&self, variant: Variant) -> Result<Box<dyn Runner>, Failure> {
        Ok(match variant {
            Variant::Unit => Box::new(Unit::on(&self.database)),
            Variant::Pool => Box::new(Pooled::on(&self.pool)),
            Variant::Bare => Box::new(Bare::connect(&self.opts)?),
        })
    }
}
