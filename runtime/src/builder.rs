//! Settings of a database, with the defaults in one place. What they mean is decided where they are used.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::mysql::connector::{MySqlConnector, Network};
#[cfg(feature = "testing")]
use crate::backend::mysql::wire::{failing::Failures, recording::Record, scripted::Script};
use crate::backend::mysql::{MySql, Tls};
use crate::clock::{Clock, SystemClock};
use crate::contention::Gates;
use crate::database::{Database, Inner, OnHookError};
use crate::error::{Error, ErrorKind};
use crate::hooks::HookFailure;
use crate::observe::Thresholds;
use crate::options::{Admission, Isolation, Retry, Topology};
use crate::pool::{Limits, Pool};

/// Settings of a [`Database`], made by [`Database::builder`]. Setters commute.
///
/// ```no_run
/// use std::time::Duration;
/// use unit_of_work::{Database, Isolation};
///
/// # fn main() -> Result<(), unit_of_work::Error> {
/// let db = Database::builder()
///     .url("mysql://app:secret@db.example/bank")
///     .isolation(Isolation::RepeatableRead)
///     .max_connections(16)
///     .acquire_timeout(Duration::from_secs(5))
///     .connect()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct DatabaseBuilder {
    source: Source,
    tls: Option<Tls>,
    network: Network,
    limits: Limits,
    isolation: Isolation,
    lock_wait: Option<Duration>,
    retry: Retry,
    resolve_within: Duration,
    topology: Topology,
    admission: Admission,
    clock: Arc<dyn Clock>,
    on_hook_error: Option<OnHookError>,
    watch: Thresholds,
    #[cfg(feature = "testing")]
    failures: Option<Failures>,
    #[cfg(feature = "testing")]
    record: Option<Record>,
}

#[derive(Clone)]
enum Source {
    None,
    Url(String),
    #[cfg(feature = "testing")]
    Script(Script),
}

impl DatabaseBuilder {
    pub(crate) fn new() -> Self {
        Self {
            source: Source::None,
            tls: None,
            network: Network {
                connect_timeout: Duration::from_secs(5),
                timeout: Duration::from_secs(30),
                statement_cache: 256,
            },
            limits: Limits {
                max_connections: 64,
                min_idle: 0,
                idle_timeout: Duration::from_secs(10 * 60),
                acquire_timeout: Duration::from_secs(30),
                ping_after: Duration::from_secs(30),
                max_lifetime: Duration::from_secs(30 * 60),
            },
            isolation: Isolation::Serializable,
            lock_wait: None,
            retry: Retry::DEFAULT,
            resolve_within: Duration::from_secs(30),
            topology: Topology::default(),
            admission: Admission::default(),
            clock: Arc::new(SystemClock),
            on_hook_error: None,
            watch: Thresholds { slow: Duration::from_secs(1), idle: Duration::from_secs(1) },
            #[cfg(feature = "testing")]
            failures: None,
            #[cfg(feature = "testing")]
            record: None,
        }
    }

    /// Where the server is: `mysql://user:password@host:port/database`.
    ///
    /// `?ssl-mode=REQUIRED` asks for TLS as [`tls`](Self::tls) does, `root_cert_path=` names a CA file. The driver's other
    /// parameters are accepted, but for those that would switch the verification of certificates off.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.source = Source::Url(url.into());
        self
    }

    /// Encrypts all connections, and verifies who answers. Adds to what the URL says. Default: as the URL says, else plain text.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The isolation of units that ask for none. Default: `serializable`.
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// How long units that do not say it themselves wait for locks: whole seconds, rounded up, at least one. Default: as the
    /// server is configured, but at most 5 s.
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = Some(wait);
        self
    }

    /// How units are retried that do not say it themselves. Default: [`Retry::DEFAULT`].
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// How long the server is asked what became of a COMMIT that it did not answer, for units that are `exactly_once` and have no
    /// deadline of their own; at least once. Default: 30 s, which is longer than most restarts take.
    pub fn resolve_within(mut self, time: Duration) -> Self {
        self.resolve_within = time;
        self
    }

    /// What another server behind the same address knows of a COMMIT that was not answered. Default:
    /// [`Topology::Asynchronous`]: of another server it is not asked.
    pub fn topology(mut self, topology: Topology) -> Self {
        self.topology = topology;
        self
    }

    /// How many attempts of a unit may run at once, for units that do not say it themselves. Default:
    /// [`Admission::Adaptive`], which lets all run until they get into each other's way.
    pub fn admission(mut self, admission: Admission) -> Self {
        self.admission = admission;
        self
    }

    /// The most connections that are open at once. Default: 64.
    ///
    /// # Panics
    /// When `connections` is 0.
    pub fn max_connections(mut self, connections: usize) -> Self {
        assert!(connections > 0, "`max_connections` is at least 1");
        self.limits.max_connections = connections;
        self
    }

    /// How long a unit waits for a connection. Default: 30 s.
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.limits.acquire_timeout = timeout;
        self
    }

    /// How long the network may take to open a connection. Default: 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.network.connect_timeout = timeout;
        self
    }

    /// How long the server may take to answer before the connection is given up. Default: 30 s.
    pub fn network_timeout(mut self, timeout: Duration) -> Self {
        self.network.timeout = timeout;
        self
    }

    /// A connection idle for longer is checked before its next statement. Default: 30 s.
    pub fn ping_after(mut self, idle: Duration) -> Self {
        self.limits.ping_after = idle;
        self
    }

    /// Connections that are opened at once and stay open however long they are idle. Default: 0.
    pub fn min_idle(mut self, connections: usize) -> Self {
        self.limits.min_idle = connections;
        self
    }

    /// A connection idle for longer is closed, when the pool is next asked for one. Default: 10 min.
    pub fn idle_timeout(mut self, idle: Duration) -> Self {
        self.limits.idle_timeout = idle;
        self
    }

    /// A connection older than this is replaced when it comes back. Default: 30 min.
    pub fn max_lifetime(mut self, age: Duration) -> Self {
        self.limits.max_lifetime = age;
        self
    }

    /// Prepared statements kept per connection, at least one. Default: 256.
    ///
    /// A program with more of them works, slower: the one used longest ago is closed, and prepared again when it is needed. So
    /// does one whose server has no room for further ones (`max_prepared_stmt_count`, for all of its clients together): what
    /// units cannot prepare is sent as a text.
    pub fn statement_cache(mut self, statements: usize) -> Self {
        self.network.statement_cache = statements;
        self
    }

    /// Is told of hooks that fail after their unit has ended. Default: an error event of `tracing`.
    pub fn on_hook_error(mut self, listener: impl Fn(&HookFailure) + Send + Sync + 'static) -> Self {
        self.on_hook_error = Some(Arc::new(listener));
        self
    }

    /// A unit that takes at least this long, all attempts, waiting and hooks included, is told of as slow: see
    /// [`observe`](crate::observe). Default: 1 s.
    pub fn slow_unit(mut self, time: Duration) -> Self {
        self.watch.slow = time;
        self
    }

    /// A transaction that keeps its server waiting for the next statement for at least this long, with all its locks, is told of
    /// as idle: see [`observe`](crate::observe). Default: 1 s.
    pub fn idle_in_transaction(mut self, time: Duration) -> Self {
        self.watch.idle = time;
        self
    }

    /// Opens a first connection, so that wrong settings are found here and not in the first unit.
    ///
    /// # Errors
    /// As [`Database::connect`].
    pub fn connect(self) -> Result<Database<MySql>, Error> {
        let connector = self.connector()?;
        let pool = Pool::new(connector, self.limits, Arc::clone(&self.clock));
        pool.open_first().map_err(Error::from_failed)?;
        Ok(Database::new(Inner {
            pool: Arc::new(pool),
            isolation: self.isolation,
            retry: self.retry,
            network_timeout: self.network.timeout,
            lock_wait: self.lock_wait,
            resolve_within: self.resolve_within,
            topology: self.topology,
            admission: self.admission,
            gates: Gates::new(Arc::clone(&self.clock)),
            clock: self.clock,
            on_hook_error: self.on_hook_error,
            watch: self.watch,
            #[cfg(feature = "testing")]
            record: self.record,
        }))
    }

    fn connector(&self) -> Result<MySqlConnector, Error> {
        let connector = match &self.source {
            Source::None => {
                let detail = "no server was named: call `.url(\"mysql://user:password@host:3306/database\")`";
                return Err(Error::new(ErrorKind::Configuration, detail));
            }
            Source::Url(url) => MySqlConnector::to_server(url, self.tls.as_ref(), self.network)?,
            #[cfg(feature = "testing")]
            Source::Script(script) => MySqlConnector::to_script(script.clone()),
        };
        #[cfg(feature = "testing")]
        let connector = connector.failing(self.failures.clone()).recording(self.record.clone());
        Ok(connector)
    }
}

/// For tests.
#[cfg(feature = "testing")]
impl DatabaseBuilder {
    /// Talks to a scripted server instead of a real one.
    pub fn script(mut self, script: &Script) -> Self {
        self.source = Source::Script(script.clone());
        self
    }

    /// Fails round trips as planned, in front of whatever server.
    pub fn failures(mut self, failures: &Failures) -> Self {
        self.failures = Some(failures.clone());
        self
    }

    /// Writes down what is sent, and how units end.
    pub fn record(mut self, record: &Record) -> Self {
        self.record = Some(record.clone());
        self
    }

    /// Another clock than the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

/// The URL holds the password.
impl fmt::Debug for DatabaseBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseBuilder")
            .field("tls", &self.tls)
            .field("network", &self.network)
            .field("limits", &self.limits)
            .field("isolation", &self.isolation)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
