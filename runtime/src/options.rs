//! What a unit may ask for: isolation, access, propagation, and how it is retried. Plain values that are built in constant
//! expressions, so that the attribute can keep them in a static. What they lead to is decided elsewhere: `propagation`, `retry`.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// How far a transaction is shielded from others; the four levels of the SQL standard.
///
/// Only [`Serializable`](Isolation::Serializable) prevents lost updates and write skew on MySQL and MariaDB, and it does so by
/// failing one of those in conflict: which is why a unit of work is retried.
/// What each lets through, in pictures: [the guide](crate::guide::isolation). Source: the servers' manuals, "Transaction Isolation
/// Levels", and measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Isolation {
    /// Reads may see what other transactions have not committed.
    ReadUncommitted,
    /// Each statement sees what was committed when it began.
    ReadCommitted,
    /// All reads see one snapshot; a read followed by a write can still overwrite somebody else's update.
    RepeatableRead,
    /// As if the units ran one after another. The default.
    #[default]
    Serializable,
}

impl Isolation {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::ReadUncommitted => "read uncommitted",
            Self::ReadCommitted => "read committed",
            Self::RepeatableRead => "repeatable read",
            Self::Serializable => "serializable",
        }
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Whether a unit may write. The server enforces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Access {
    /// Reads and writes. The default.
    #[default]
    ReadWrite,
    /// The server refuses writes (error 1792), except into temporary tables.
    ReadOnly,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadWrite => "read write",
            Self::ReadOnly => "read only",
        })
    }
}

/// What a unit does when the thread already is in a unit of the same database, and when it is not. When to choose which:
/// [the guide](crate::guide::nesting).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Propagation {
    /// Joins the active transaction, or begins one. The default. (Spring: REQUIRED. Django: `atomic(savepoint=False)`.)
    ///
    /// What joins sends no statement of its own. Its failure dooms the whole: an outer unit that swallows it and returns `Ok` gets
    /// [`Doomed`](crate::ErrorKind::Doomed), with the inner unit's name, place and error.
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work]
    /// fn debit(tx: &mut Tx, account: u64, amount: i64) -> Result<(), Error> {
    ///     tx.exec_drop("UPDATE account SET balance = balance - ? WHERE id = ?", (amount, account))
    /// }
    ///
    /// #[unit_of_work]
    /// fn pay(tx: &mut Tx, account: u64, amount: i64) -> Result<(), Error> {
    ///     debit(account, amount)?; // part of this transaction
    ///     tx.exec_drop("INSERT INTO payment (account, amount) VALUES (?, ?)", (account, amount))
    /// }
    /// ```
    #[default]
    Required,
    /// Begins one; refuses inside another unit. Only such a unit can promise its caller that `Ok` means committed.
    ///
    /// (Django: `atomic(durable=True)`.)
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work(propagation = "outermost")]
    /// fn place_order(tx: &mut Tx, item: u64) -> Result<u64, Error> {
    ///     tx.exec_drop("INSERT INTO orders (item) VALUES (?)", (item,))?;
    ///     Ok(tx.last_insert_id().unwrap_or_default()) // whoever gets this number can rely on the row
    /// }
    /// ```
    Outermost,
    /// Suspends what is active and begins another on a second session.
    ///
    /// Its outcome is its own: it stays committed when the outer unit rolls back. So the outer one is not run again after it has
    /// committed, unless it is declared `repeatable`. (Spring: `REQUIRES_NEW`.)
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work(propagation = "requires_new", repeatable)]
    /// fn log_attempt(tx: &mut Tx, what: &str) -> Result<(), Error> {
    ///     tx.exec_drop("INSERT INTO attempt (what) VALUES (?)", (what,)) // kept, whatever becomes of the caller
    /// }
    /// ```
    RequiresNew,
    /// A savepoint in the active transaction, or a transaction of its own.
    ///
    /// Its `Err` undoes what it did and no more. (Spring: NESTED. Django: a nested `atomic`.) In place:
    /// [`Tx::savepoint`](crate::Tx::savepoint).
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work(propagation = "nested")]
    /// fn import_row(tx: &mut Tx, id: u64) -> Result<(), Error> {
    ///     tx.exec_drop("INSERT INTO item (id) VALUES (?)", (id,))
    /// }
    ///
    /// #[unit_of_work]
    /// fn import(_tx: &mut Tx, ids: &[u64]) -> Result<usize, Error> {
    ///     Ok(ids.iter().filter(|id| import_row(**id).is_ok()).count()) // bad rows are left out
    /// }
    /// ```
    Nested,
    /// Joins; refuses when nothing is active.
    ///
    /// (Spring: MANDATORY.)
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work(propagation = "mandatory")]
    /// fn lock_account(tx: &mut Tx, id: u64) -> Result<i64, Error> {
    ///     // alone it would give the lock back before the caller could use it
    ///     Ok(tx.exec_first("SELECT balance FROM account WHERE id = ? FOR UPDATE", (id,))?.unwrap_or_default())
    /// }
    /// ```
    Mandatory,
    /// Joins; runs without a transaction when nothing is active.
    ///
    /// Without a transaction every statement commits by itself and nothing is run again. (Spring: SUPPORTS.)
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work(propagation = "supports", read_only)]
    /// fn owner(tx: &mut Tx, id: u64) -> Result<Option<String>, Error> {
    ///     tx.exec_first("SELECT owner FROM account WHERE id = ?", (id,))
    /// }
    /// ```
    Supports,
    /// Suspends what is active and runs without a transaction.
    ///
    /// (Spring: `NOT_SUPPORTED`.)
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work(propagation = "not_supported")]
    /// fn progress(tx: &mut Tx, percent: u8) -> Result<(), Error> {
    ///     tx.exec_drop("UPDATE job SET percent = ?", (percent,)) // seen by others at once
    /// }
    /// ```
    NotSupported,
    /// Runs without a transaction; refuses inside one.
    ///
    /// (Spring: NEVER.)
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work(propagation = "never")]
    /// fn purge(tx: &mut Tx) -> Result<(), Error> {
    ///     while { tx.query_drop("DELETE FROM log WHERE at < NOW() - INTERVAL 1 DAY LIMIT 1000")?; tx.affected_rows() > 0 } {}
    ///     Ok(()) // in one transaction these locks would be held to the end
    /// }
    /// ```
    Never,
}

impl fmt::Display for Propagation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Required => "required",
            Self::Outermost => "outermost",
            Self::RequiresNew => "requires_new",
            Self::Nested => "nested",
            Self::Mandatory => "mandatory",
            Self::Supports => "supports",
            Self::NotSupported => "not_supported",
            Self::Never => "never",
        })
    }
}

/// When a unit whose transaction the server could not serialize runs again: attempts, time, and the backoff between them.
///
/// The default sets no limit of attempts: no attempt begins later than 10 s after the first, and the sleep after the *k*th
/// failure is drawn evenly from 0 to min(250 ms, 1 ms · 2^(*k* − 1)) ("full jitter", as measured in
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>). What that asks of a body:
/// [the guide](crate::guide::retry).
///
/// ```
/// use std::time::Duration;
/// use unit_of_work::Retry;
///
/// const PATIENT: Retry = Retry::DEFAULT.within(Duration::from_secs(60)).max_attempts(100);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    pub(crate) max_attempts: u32,
    pub(crate) within: Duration,
    pub(crate) base: Duration,
    pub(crate) cap: Duration,
}

impl Retry {
    /// 10 s, full jitter from 1 ms, at most 250 ms between attempts, any number of attempts.
    pub const DEFAULT: Self = Self {
        max_attempts: u32::MAX,
        within: Duration::from_secs(10),
        base: Duration::from_millis(1),
        cap: Duration::from_millis(250),
    };

    /// One attempt: the fault comes back as it is.
    pub const NEVER: Self = Self { max_attempts: 1, ..Self::DEFAULT };

    /// At most `attempts` runs in total, the first included.
    ///
    /// # Panics
    /// When `attempts` is 0: a unit runs at least once. In a constant (the attribute's case) that is a compile error.
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        assert!(attempts > 0, "a unit runs at least once: `max_attempts` is at least 1");
        self.max_attempts = attempts;
        self
    }

    /// No attempt begins later than `limit` after the first.
    pub const fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }

    /// The upper end of the first sleep; it doubles with each attempt.
    pub const fn base(mut self, sleep: Duration) -> Self {
        self.base = sleep;
        self
    }

    /// The most that the upper end of a sleep grows to.
    pub const fn cap(mut self, sleep: Duration) -> Self {
        self.cap = sleep;
        self
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What an error of the body asks for: for [`UnitBuilder::on_error`](crate::UnitBuilder::on_error), and what `commit_on` and
/// `retry_on` of the attribute mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnError {
    /// Roll back and return the error. The default.
    #[default]
    RollBack,
    /// Commit all the same, and return the error.
    Commit,
    /// Roll back and run again, as after a serialization failure; return the error when the policy allows no further attempt.
    RunAgain,
}

/// What other servers behind the same address know of a transaction that one of them has not answered: for
/// [`DatabaseBuilder::topology`](crate::DatabaseBuilder::topology). More: [the guide](crate::guide::clusters).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Topology {
    /// Perhaps nothing: a replica that was promoted may lack what the old primary had committed. The default.
    #[default]
    Asynchronous,
    /// All that the old one had committed, and none of them commits what another one would refuse: Galera, or one server behind
    /// changing names. Not semi-synchronous replication: a replica may have received what it has not executed yet.
    Synchronous,
}

/// How many attempts of a unit may run at once: for [`DatabaseBuilder::admission`](crate::DatabaseBuilder::admission) and
/// [`UnitBuilder::admission`](crate::UnitBuilder::admission).
///
/// Where many threads want the same rows, most attempts end in conflict, and backing off alone collapses. So attempts of a unit
/// pass a gate, first come first served, those that failed before all others. A thread that is inside a unit, or has a scope, is never
/// kept waiting. Gates are of one process: several of them on the same rows each have their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Admission {
    /// As many as conflicts permit: all, as long as there are none. The default.
    #[default]
    Adaptive,
    /// All, always.
    Open,
    /// At most so many; see [`fixed`](Self::fixed).
    Fixed(NonZeroU32),
}

impl Admission {
    /// At most `attempts` of a unit at once.
    ///
    /// # Panics
    /// When `attempts` is 0: nothing would ever run.
    ///
    /// ```
    /// use unit_of_work::Admission;
    ///
    /// const ONE_AT_A_TIME: Admission = Admission::fixed(1);
    /// ```
    pub const fn fixed(attempts: u32) -> Self {
        match NonZeroU32::new(attempts) {
            Some(attempts) => Self::Fixed(attempts),
            None => panic!("at most no attempt at all: a unit would never run"),
        }
    }
}

/// Everything that a unit was declared with. `None` = what the database says.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) isolation: Option<Isolation>,
    pub(crate) access: Access,
    pub(crate) propagation: Propagation,
    pub(crate) retry: Option<Retry>,
    pub(crate) replay: Replay,
    pub(crate) snapshot: Snapshot,
    pub(crate) timeout: Option<Duration>,
    pub(crate) lock_wait: Option<Duration>,
    pub(crate) lost_commit: LostCommit,
    pub(crate) admission: Option<Admission>,
}

/// What is done about a COMMIT without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LostCommit {
    /// It is an error of its own kind.
    #[default]
    Reported,
    /// `exactly_once`: the server is asked until it is decided.
    Resolved,
}

/// When a transaction's read view is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Snapshot {
    /// At its first read.
    #[default]
    AtFirstRead,
    /// At its begin: `WITH CONSISTENT SNAPSHOT`.
    AtBegin,
}

/// Whether a unit that ends on its own inside another's attempt may do so again when that one runs again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Replay {
    /// Running it twice would do its work twice: the outer unit is not run again once this one has committed.
    #[default]
    Once,
    /// `repeatable`.
    Repeatable,
}

impl Options {
    pub(crate) const NONE: Self = Self {
        isolation: None,
        access: Access::ReadWrite,
        propagation: Propagation::Required,
        retry: None,
        replay: Replay::Once,
        snapshot: Snapshot::AtFirstRead,
        timeout: None,
        lock_wait: None,
        lost_commit: LostCommit::Reported,
        admission: None,
    };
}
