//! The engine that all threads share: what a program connects once and clones freely. Holds the pool and the defaults of its
//! units; decides nothing about either.

use std::fmt;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::Backend;
use crate::backend::mysql::MySql;
use crate::builder::DatabaseBuilder;
use crate::clock::Clock;
use crate::contention::Gates;
use crate::error::{Error, ErrorKind};
use crate::hooks::HookFailure;
use crate::label::Label;
use crate::observe::{self, Thresholds};
use crate::options::{Admission, Isolation, Retry, Topology};
use crate::pool::{Pool, Stats};
use crate::registry::{self, Entered, Place};

/// A database that units of work run on: shared by all threads, cheap to clone. From an empty folder to a program:
/// [the guide](crate::guide::first_unit).
///
/// ```no_run
/// use unit_of_work::{Database, unit_of_work, Error, Tx};
///
/// #[unit_of_work]
/// fn accounts(tx: &mut Tx) -> Result<u64, Error> {
///     Ok(tx.query_first("SELECT COUNT(*) FROM account")?.unwrap_or(0))
/// }
///
/// fn main() -> Result<(), Error> {
///     Database::connect("mysql://app@127.0.0.1/bank")?.install()?;
///     println!("{} accounts", accounts()?);
///     Ok(())
/// }
/// ```
pub struct Database<B: Backend = MySql>(Arc<Inner<B>>);

pub(crate) struct Inner<B: Backend> {
    pub(crate) pool: Arc<Pool<B>>,
    pub(crate) isolation: Isolation,
    pub(crate) retry: Retry,
    pub(crate) network_timeout: Duration,
    pub(crate) lock_wait: Option<Duration>,
    pub(crate) resolve_within: Duration,
    pub(crate) topology: Topology,
    pub(crate) admission: Admission,
    pub(crate) gates: Gates,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) on_hook_error: Option<OnHookError>,
    pub(crate) watch: Thresholds,
    #[cfg(feature = "testing")]
    pub(crate) record: Option<crate::testing::Record>,
}

/// What is told of hooks that fail.
pub(crate) type OnHookError = Arc<dyn Fn(&HookFailure) + Send + Sync>;

impl Database<MySql> {
    /// Connects to MySQL or MariaDB with default settings.
    ///
    /// `url` is `mysql://user:password@host:port/database`; parts that are not given are the driver's defaults.
    ///
    /// # Errors
    /// `Configuration` for a URL that cannot be read, `Connect` when no server answers, `AccessDenied` for a wrong user or
    /// password, or a database that does not exist. The password is in none of them.
    pub fn connect(url: &str) -> Result<Self, Error> {
        Self::builder().url(url).connect()
    }

    /// Settings other than the defaults.
    pub fn builder() -> DatabaseBuilder {
        DatabaseBuilder::new()
    }
}

impl<B: Backend> Database<B> {
    pub(crate) fn new(inner: Inner<B>) -> Self {
        observe::describe();
        Self(Arc::new(inner))
    }

    /// Makes this the process's database: the one that units use that name no other.
    ///
    /// # Errors
    /// `AlreadyInstalled` when there is one.
    pub fn install(&self) -> Result<(), Error>
    where
        B::Connector: Send + Sync,
    {
        registry::install(self.clone())
    }

    /// Makes this the calling thread's database until the guard is dropped; guards nest. So a test can run against a database
    /// of its own while others run.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), unit_of_work::Error> {
    /// # let test = unit_of_work::Database::connect("mysql://root@127.0.0.1/test")?;
    /// let _entered = test.enter();
    /// // units on this thread run on `test`
    /// # Ok(()) }
    /// ```
    pub fn enter(&self) -> Entered {
        registry::enter(self.clone())
    }

    /// Ends the use of this database: no unit begins any more, idle connections are closed, and units that are running may end
    /// within `timeout`. A second call is harmless.
    ///
    /// # Errors
    /// `Closed` when connections are still in use after `timeout`; they are closed as soon as their units end.
    pub fn close(&self, timeout: Duration) -> Result<(), Error> {
        self.0.pool.close(timeout).map_err(|left| Error::new(ErrorKind::Closed, left))
    }

    /// Its connections, and who waits for what, at this moment.
    pub fn stats(&self) -> Stats {
        Stats { held_back: self.0.gates.waiting(), ..self.0.pool.stats() }
    }

    /// Keeps one session for the calling thread until the guard is dropped: all units of a request, say, run on it, and nobody
    /// can take it over in between. Scopes nest, and those of several databases are independent.
    ///
    /// # Errors
    /// As a unit that cannot get a session.
    ///
    /// ```no_run
    /// # fn handle() {}
    /// # fn main() -> Result<(), unit_of_work::Error> {
    /// # let db = unit_of_work::Database::connect("mysql://app@127.0.0.1/bank")?;
    /// let _one_connection_per_request = db.scope()?;
    /// handle();
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn scope(&self) -> Result<Scope<B>, Error> {
        let caller = Location::caller();
        let label = Label::new("Database::scope", caller.file(), caller.line());
        let place = self.place().ok_or_else(Error::torn_down)?;
        self.pool().keep(&place.slot, &label).map_err(Error::from_failed)?;
        Ok(Scope { database: self.clone(), place })
    }

    /// A scope that takes no session before a unit needs one.
    ///
    /// # Errors
    /// `Closed` when the thread is ending.
    #[cfg(feature = "tokio")]
    pub(crate) fn lazy_scope(&self, label: &Label) -> Result<Scope<B>, Error> {
        let place = self.place().ok_or_else(Error::torn_down)?;
        self.pool().keep_the_next(&place.slot, label);
        Ok(Scope { database: self.clone(), place })
    }

    pub(crate) fn pool(&self) -> &Arc<Pool<B>> {
        &self.0.pool
    }

    pub(crate) fn place(&self) -> Option<Rc<Place<B>>> {
        registry::place(&self.0.pool)
    }

    pub(crate) fn network_timeout(&self) -> Duration {
        self.0.network_timeout
    }

    pub(crate) fn lock_wait(&self) -> Option<Duration> {
        self.0.lock_wait
    }

    pub(crate) fn resolve_within(&self) -> Duration {
        self.0.resolve_within
    }

    pub(crate) fn topology(&self) -> Topology {
        self.0.topology
    }

    pub(crate) fn admission(&self) -> Admission {
        self.0.admission
    }

    pub(crate) fn gates(&self) -> &Gates {
        &self.0.gates
    }

    pub(crate) fn isolation(&self) -> Isolation {
        self.0.isolation
    }

    pub(crate) fn retry(&self) -> Retry {
        self.0.retry
    }

    /// From when on something takes long.
    pub(crate) fn watch(&self) -> &Thresholds {
        &self.0.watch
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Writes down how an attempt ended, where somebody keeps a record.
    #[cfg(feature = "testing")]
    pub(crate) fn note_end(&self, unit: &Label, attempt: u32, outcome: crate::Outcome) {
        if let Some(record) = &self.0.record {
            record.ended(unit, attempt, outcome);
        }
    }

    /// Tells who wants to know that a hook failed. Who listens is user code, so what it panics with is dropped: the unit has
    /// ended, and its value is on the way to the caller.
    pub(crate) fn report(&self, failure: &HookFailure) {
        observe::hook_failed(failure);
        if let Some(listener) = &self.0.on_hook_error {
            let _panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| listener(failure)));
        }
    }
}

/// One session kept for the thread, until dropped. Made by [`Database::scope`].
#[must_use = "the session is the thread's only while this guard lives"]
#[derive(Debug)]
pub struct Scope<B: Backend = MySql> {
    database: Database<B>,
    place: Rc<Place<B>>,
}

impl<B: Backend> Drop for Scope<B> {
    fn drop(&mut self) {
        self.database.pool().unkeep(&self.place.slot);
    }
}

impl<B: Backend> Clone for Database<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// What a panic can leave half done is a unit, and that is rolled back.
impl<B: Backend> UnwindSafe for Database<B> {}
impl<B: Backend> RefUnwindSafe for Database<B> {}

impl<B: Backend> fmt::Debug for Database<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({:?}, {})", self.0.pool.connector(), self.0.isolation)
    }
}
