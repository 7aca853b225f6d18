//! Units of work from async programs: one call, one blocking thread of tokio's, one connection for all of its units. Decides what
//! surrounds the work there and what its caller gets when there is no value; the thread is tokio's matter, the connection the pool's.

use std::any::Any;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;

use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};

use crate::backend::Backend;
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::hooks::panic_text;
use crate::label::Label;
use crate::observe;
use crate::registry;

impl<B: Backend> Database<B>
where
    B::Connector: Send + Sync,
{
    /// Runs `work`, which calls units, on a thread where blocking is allowed, and gives its result to the async caller.
    ///
    /// What surrounds it there:
    ///
    /// - This database is [entered](Database::enter): units that name no other run on it.
    /// - All units of the call have one connection, which is taken for the first of them and given back when the work ends: a
    ///   [scope](Database::scope) that costs nothing until a unit needs it. A call that runs no unit takes no connection.
    /// - The `tracing` span that the caller is in is the parent of what happens.
    /// - Nothing else of the caller's thread: no unit is active there, whatever the caller is in, and thread-locals are those of a thread
    ///   that has served other calls before. What the work needs moves into its closure. A unit's body that waits for such a call
    ///   waits for another transaction, which may want the rows that it has locked: call units directly there.
    ///
    /// # When the future is dropped
    ///
    /// A client that hangs up, a `select!` that another branch wins and a `timeout` drop the future. Work that has begun is done to its
    /// end, so no unit is torn; work that still waits for a thread is withdrawn, and nothing of it happens. Nobody is told which.
    /// To bound the units themselves, give them a `timeout` of their own.
    ///
    /// # How many at once
    ///
    /// tokio starts up to 512 blocking threads (`max_blocking_threads` of its runtime's builder); this database has
    /// [`max_connections`](crate::DatabaseBuilder::max_connections), 64 by default. Calls beyond the second number wait in the pool's
    /// line, each on a thread, and are refused after [`acquire_timeout`](crate::DatabaseBuilder::acquire_timeout) with
    /// [`PoolTimeout`](ErrorKind::PoolTimeout); calls beyond the first wait without a thread and without a limit. A semaphore with as
    /// many permits as there are connections keeps them from occupying threads that others need (tokio's own files and DNS are
    /// served by the same ones):
    ///
    /// ```
    /// use std::sync::Arc;
    /// use tokio::sync::Semaphore;
    /// use unit_of_work::{Database, Error, Tx, unit_of_work};
    ///
    /// #[unit_of_work]
    /// fn accounts(tx: &mut Tx) -> Result<u64, Error> {
    ///     Ok(tx.query_first("SELECT COUNT(*) FROM account")?.unwrap_or(0))
    /// }
    ///
    /// #[derive(Clone)]
    /// struct Bank {
    ///     db: Database,
    ///     places: Arc<Semaphore>, // `Semaphore::new(64)`: one for each connection
    /// }
    ///
    /// impl Bank {
    ///     async fn accounts(&self) -> Result<u64, Error> {
    ///         let place = Arc::clone(&self.places).acquire_owned().await.expect("it is never closed");
    ///         let work = move || {
    ///             let _until_the_work_ends = place; // and not only until its caller hangs up
    ///             accounts()
    ///         };
    ///         self.db.run_blocking(work).await
    ///     }
    /// }
    /// ```
    ///
    /// # When the program ends
    ///
    /// Dropping the runtime waits for work that has begun. `shutdown_timeout` and `shutdown_background` do not; if the program ends
    /// then, the server rolls back what was not committed.
    ///
    /// # Errors
    /// What `work` returns; [`Panicked`](ErrorKind::Panicked) when it panics (a unit that panics is rolled back first);
    /// [`NoRuntime`](ErrorKind::NoRuntime) when it is awaited outside of a tokio runtime, or in one that is shutting down;
    /// `Propagation` in a sandbox, which is its thread's alone.
    ///
    /// # Panics
    /// As `tokio::task::spawn_blocking`: when the operating system starts no thread, and tokio has none that it could wait for.
    ///
    /// ```no_run
    /// use unit_of_work::{Database, Error, Tx, unit_of_work};
    ///
    /// #[unit_of_work]
    /// fn balance(tx: &mut Tx, account: u64) -> Result<i64, Error> {
    ///     Ok(tx.exec_first("SELECT balance FROM account WHERE id = ?", (account,))?.unwrap_or(0))
    /// }
    ///
    /// async fn both(db: &Database, one: u64, other: u64) -> Result<i64, Error> {
    ///     db.run_blocking(move || Ok(balance(one)? + balance(other)?)).await
    /// }
    /// ```
    #[track_caller]
    pub fn run_blocking<T, E>(
        &self,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send>>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let caller = Location::caller();
        let label = Label::new("Database::run_blocking", caller.file(), caller.line());
        let database = self.clone();
        Box::pin(async move {
            if let Some(base) = registry::sandbox(database.pool()) {
                return Err(in_sandbox(&base.unit).into());
            }
            let runtime = Handle::try_current().map_err(|_nobody| no_runtime("it was awaited outside of any"))?;
            let around = observe::Around::now();
            let mut task = Task(runtime.spawn_blocking(move || around.run(|| database.call(&label, work))));
            (&mut task.0).await.unwrap_or_else(|error| Err(ended(error).into()))
        })
    }

    /// On the blocking thread.
    fn call<T, E: From<Error>>(&self, label: &Label, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let _entered = self.enter();
        let _one_connection = self.lazy_scope(label)?;
        work()
    }
}

/// Work on its way. Who drops it withdraws what no thread has begun; what has begun cannot be aborted.
struct Task<R>(JoinHandle<R>);

impl<R> Drop for Task<R> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Why there is no result.
fn ended(error: JoinError) -> Error {
    match error.try_into_panic() {
        Ok(payload) => panicked(&*payload),
        Err(_cancelled) => no_runtime("it is shutting down"),
    }
}

/// Which of its units had ended before nobody knows here, so no outcome is claimed.
fn panicked(payload: &(dyn Any + Send)) -> Error {
    let detail = format!(
        "the work panicked: {}; the unit that it was in was rolled back, units of it that had ended before stand",
        panic_text(payload)
    );
    Error::new(ErrorKind::Panicked, detail).while_running()
}

fn no_runtime(why: &str) -> Error {
    let detail = format!(
        "`run_blocking` needs a running tokio runtime, and {why}; nothing was begun; await it inside of one, or call the units \
         directly where blocking is allowed"
    );
    Error::new(ErrorKind::NoRuntime, detail)
}

fn in_sandbox(sandbox: &Label) -> Error {
    let detail = format!(
        "`run_blocking` was awaited in the sandbox {sandbox}, which is its thread's alone: what the work does on another thread would \
         outlive it; call the units directly, or test with a database of its own"
    );
    Error::new(ErrorKind::Propagation, detail)
}
