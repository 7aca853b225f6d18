//! The private server: starting it out of its parts, and everything that its user does with it.
//!
//! Where the program comes from, what its options are, where its directory lies and how that is removed is decided in
//! the files named so; here is the order in which they are asked.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mysql::Conn;

use crate::builder::Builder;
use crate::cache::Cache;
use crate::database::{self, DATABASE_PREFIX, Database};
use crate::directory::{self, Directory};
use crate::error::{Attempt, Error};
use crate::find;
use crate::flavour::Flavour;
use crate::launch::{self, Launch, Ready};
use crate::process::Process;
use crate::supervisor::Supervisor;
use crate::template;

/// How long a clean shutdown may take.
const SHUTDOWN: Duration = Duration::from_secs(60);

/// Numbers the databases of this process.
static DATABASES: AtomicU64 = AtomicU64::new(1);

/// A private MariaDB or MySQL server. It runs until this value is dropped or the process ends, however that ends.
///
/// All methods take `&self`; threads can share a server.
#[derive(Debug)]
pub struct Server {
    // Fields are dropped in this order: the supervisor removes the directory, then the owner's lock is released.
    process: Mutex<Process>,
    supervisor: Mutex<Supervisor>,
    _directory: Directory,
    launch: Launch,
    port: u16,
    version: String,
}

impl Server {
    /// Starts a MariaDB server with [`Profile::Fast`](crate::Profile::Fast) and returns when it answers.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::start`].
    pub fn start() -> Result<Self, Error> {
        Self::builder().start()
    }

    /// A server whose flavour, profile, options or places are yet to be chosen.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn start_with(builder: Builder) -> Result<Self, Error> {
        let cache = Cache::open(builder.cache.as_deref())?;
        let installation = find::server(builder.flavour, builder.source, &cache)?;
        let template = template::of(&installation, &cache)?;
        let base = match builder.directory {
            Some(base) => base.canonicalize().attempt("use the directory", &base)?,
            None => directory::base(builder.profile, &cache),
        };
        let directory = Directory::claim(&base)?;
        let supervisor = Supervisor::watch(directory.path())?;
        template::copy(&template, &launch::data(directory.path()))?;
        let launch = Launch::new(installation, directory.path(), builder.profile, builder.options);
        let Ready { process, port, version } = launch.on_free_port()?;
        let (process, supervisor) = (Mutex::new(process), Mutex::new(supervisor));
        Ok(Self { process, supervisor, _directory: directory, launch, port, version })
    }

    /// The TCP port on 127.0.0.1. It stays the same over [`restart`](Self::restart).
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The unix socket. It stays the same over [`restart`](Self::restart).
    pub fn socket(&self) -> &Path {
        self.launch.socket()
    }

    /// Which server it is.
    pub fn flavour(&self) -> Flavour {
        self.launch.flavour()
    }

    /// What the server answers to `SELECT VERSION()`, for example `10.11.6-MariaDB`, or `9.7.4`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The id of the server's process, or of its last one if it is not running.
    pub fn pid(&self) -> u32 {
        self.process().pid()
    }

    /// The server's error log up to now.
    pub fn log(&self) -> String {
        self.launch.log()
    }

    /// `mysql://root@127.0.0.1:PORT/DATABASE`. The password is empty.
    pub fn url(&self, database: &str) -> String {
        database::url(self.port, database)
    }

    /// A new connection as root, over TCP, without a database.
    ///
    /// # Errors
    ///
    /// [`Error::Sql`] if the server does not answer, for example after [`kill`](Self::kill).
    pub fn conn(&self) -> Result<Conn, Error> {
        let attempt = || format!("connect to the private server on port {}", self.port);
        Conn::new(database::root(self.port)).map_err(|error| Error::sql(attempt(), error))
    }

    /// Creates a database with a fresh name; it is dropped with the returned value.
    ///
    /// # Panics
    ///
    /// If the server does not answer or refuses, for example after [`kill`](Self::kill).
    pub fn database(&self) -> Database {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("{DATABASE_PREFIX}{}_{number}", std::process::id());
        Database::create(name, self.port).unwrap_or_else(|error| {
            panic!("could not create a database on the private server on port {}: {error}", self.port)
        })
    }

    /// Ends the server with `SIGKILL`, as a crash would, and keeps its data for [`restart`](Self::restart). Does
    /// nothing if it is not running.
    pub fn kill(&self) {
        self.process().kill();
    }

    /// Shuts the server down cleanly and keeps its data for [`restart`](Self::restart). Does nothing if it is not
    /// running; resumes it first if it is paused.
    ///
    /// # Errors
    ///
    /// [`Error::Shutdown`] if it is still running after a minute.
    pub fn stop(&self) -> Result<(), Error> {
        self.stop_process(&mut self.process())
    }

    /// Starts the server again on the same data, port and socket, after [`kill`](Self::kill), [`stop`](Self::stop) or
    /// a crash; stops it cleanly first if it is running.
    ///
    /// # Errors
    ///
    /// [`Error::Startup`] if the server does not come up again, for example because its port was taken meanwhile;
    /// [`Error::Shutdown`] if it was running and did not stop; [`Error::Io`] if its process cannot be started.
    pub fn restart(&self) -> Result<(), Error> {
        let mut process = self.process();
        self.stop_process(&mut process)?;
        lock(&self.supervisor).revive()?;
        *process = self.launch.on_port(self.port)?.process;
        Ok(())
    }

    /// Halts the server with `SIGSTOP` and returns when it stands still: connections stay open, nothing answers.
    ///
    /// # Panics
    ///
    /// If the server is not running.
    pub fn pause(&self) {
        assert!(self.process().pause(), "a server that is not running cannot be paused\n{}", launch::tail(&self.log()));
    }

    /// Lets a paused server go on (`SIGCONT`).
    ///
    /// # Panics
    ///
    /// If the server is not running.
    pub fn resume(&self) {
        assert!(self.process().resume(), "a server that is not running cannot go on\n{}", launch::tail(&self.log()));
    }

    fn stop_process(&self, process: &mut Process) -> Result<(), Error> {
        if process.stop(SHUTDOWN) {
            return Ok(());
        }
        Err(Error::Shutdown { pid: process.pid(), seconds: SHUTDOWN.as_secs(), log: launch::tail(&self.log()) })
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        lock(&self.process)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Reaped here, so that no zombie stays behind; the supervisor removes the rest.
        self.kill();
    }
}

/// A panic elsewhere leaves the process and its supervisor as they were: whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
