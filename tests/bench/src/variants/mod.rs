//! The ways to run a transfer that are compared. Decides who they are and what they share: the engines that all threads use.
//! What each of them sends is decided in the file of its name; how often and when, in `slices`.

mod bare;
mod by_hand;
pub(crate) mod jitter;
mod own;
#[cfg(feature = "peers")]
mod peers;
mod pool;
mod unit;
mod unit_deferred;

use std::sync::Arc;

use unit_of_work::mysql::{Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};
use unit_of_work::{Database, Isolation};

use self::bare::Bare;
use self::own::Own;
#[cfg(feature = "peers")]
use self::peers::{Peer, Peers};
use self::pool::Pooled;
use self::unit::Unit;
pub(crate) use self::unit::move_money;
use self::unit_deferred::UnitDeferred;
use crate::Failure;
use crate::bank::{Bank, Transfer};
use crate::slices::{Done, Slice};
use crate::tally::Tally;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// This library.
    Unit,
    /// The driver's pool and transaction, by hand.
    Pool,
    /// The driver's transaction, by hand, on a connection per thread.
    Own,
    /// The fewest packets there can be, on a connection per thread.
    Bare,
    /// This library, with writes that go out with COMMIT.
    UnitDeferred,
    /// Another library.
    #[cfg(feature = "peers")]
    Peer(Peer),
}

impl Variant {
    /// Everybody who is there.
    pub(crate) fn all() -> Vec<Self> {
        let ours = [Self::Unit, Self::Pool, Self::Own, Self::Bare, Self::UnitDeferred].into_iter();
        #[cfg(feature = "peers")]
        let ours = ours.chain(Peer::ALL.map(Self::Peer));
        ours.collect()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Pool => "pool",
            Self::Own => "own",
            Self::Bare => "bare",
            Self::UnitDeferred => "unit_deferred",
            #[cfg(feature = "peers")]
            Self::Peer(peer) => peer.name(),
        }
    }
}

/// One thread's way to run transfers.
pub(crate) trait Runner {
    /// Runs one transfer until it is committed, and returns how often it had to be run again.
    fn transfer(&mut self, transfer: Transfer) -> Result<u32, Failure>;

    /// Runs transfers for the length of a slice.
    fn play(&mut self, slice: &Slice, bank: &Arc<Bank>) -> Result<Tally, Failure> {
        slice.fill(|_| Ok(Done::committed(self.transfer(bank.draw())?)))
    }
}

/// What the threads share.
pub(crate) struct Engines {
    database: Database,
    pool: Pool,
    opts: Opts,
    #[cfg(feature = "peers")]
    peers: Peers,
}

impl Engines {
    /// Connects every engine to `url`, for so many threads.
    pub(crate) fn connect(url: &str, threads: u32) -> Result<Self, Failure> {
        let sessions = usize::try_from(threads)?;
        let database =
            Database::builder().url(url).isolation(Isolation::Serializable).max_connections(sessions).connect()?;
        // Left to itself the driver would move from TCP to the server's socket, and nobody could be compared any more.
        let opts: Opts = OptsBuilder::from_opts(Opts::from_url(url)?).prefer_socket(false).into();
        let constraints = PoolConstraints::new(sessions, sessions).ok_or("a pool needs a thread")?;
        let pool_opts = PoolOpts::default().with_constraints(constraints);
        let pool = Pool::new(OptsBuilder::from_opts(opts.clone()).pool_opts(pool_opts))?;
        Ok(Self {
            #[cfg(feature = "peers")]
            peers: Peers::connect(url, &opts, threads)?,
            database,
            pool,
            opts,
        })
    }

    /// What the calling thread runs transfers with.
    pub(crate) fn runner(&self, variant: Variant) -> Result<Box<dyn Runner>, Failure> {
        Ok(match variant {
            Variant::Unit => Box::new(Unit::on(&self.database)),
            Variant::Pool => Box::new(Pooled::on(&self.pool)),
            Variant::Own => Box::new(Own::connect(&self.opts)?),
            Variant::Bare => Box::new(Bare::connect(&self.opts)?),
            Variant::UnitDeferred => Box::new(UnitDeferred::on(&self.database)),
            #[cfg(feature = "peers")]
            Variant::Peer(peer) => self.peers.runner(peer),
        })
    }
}
