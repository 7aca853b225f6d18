//! The kinds of error, as a page each: what caused it, what is true now, what to do. Which failure is of which kind is decided where
//! it is seen (the servers' in `backend/mysql/faults`); a test of this file keeps a page from missing.

/// What went wrong. Each kind's page says what causes it, what is true now, and what to do.
///
/// What is true of one unit says its error: [`Error::outcome`](crate::Error::outcome), which is also the end of its message.
/// From there to what to do, for a service and in a body: [the guide](crate::guide::errors).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No database was named, entered or installed.
    ///
    /// **Cause:** the unit has no `db = …`, the thread is in no [`Database::enter`](crate::Database::enter), and nobody called
    /// [`Database::install`](crate::Database::install). What is entered holds for its thread alone: a thread that was started
    /// there does not have it.
    ///
    /// **What is true now:** nothing was begun; the body did not run.
    ///
    /// **What to do:** once at the start of the program:
    ///
    /// ```no_run
    /// # fn main() -> Result<(), unit_of_work::Error> {
    /// unit_of_work::Database::connect("mysql://app@127.0.0.1/bank")?.install()?;
    /// # Ok(()) }
    /// ```
    NoDatabase,
    /// A second `install` in the same process.
    ///
    /// **Cause:** two places call [`Database::install`](crate::Database::install), often two tests of one program.
    ///
    /// **What is true now:** nothing has changed: the first one is installed, and the second can be used as a value.
    ///
    /// **What to do:** install in `main` alone; reach others with `enter`, or with `db = …` in the attribute. Tests have
    /// `#[unit_of_work::test]`, or `enter`.
    AlreadyInstalled,
    /// A URL or a setting that cannot be used.
    ///
    /// **Cause:** a URL that cannot be read; settings that contradict each other or the unit; an `exactly_once` unit where its table
    /// is missing.
    ///
    /// **What is true now:** nothing was begun; of an `exactly_once` unit whose row could not be written nothing was committed.
    ///
    /// **What to do:** what the message says. No retry helps.
    Configuration,
    /// No connection could be opened.
    ///
    /// **Cause:** no server answers at this address, the name is not known, or it answers too slowly (`connect_timeout`).
    ///
    /// **What is true now:** nothing was begun, or an earlier attempt was rolled back: `outcome` tells. The unit was run again as its
    /// policy allows.
    ///
    /// **What to do:** look whether the server runs and whether host and port in the URL are right; later the program goes on by
    /// itself.
    Connect,
    /// No encrypted connection could be opened: the server offers none, or its certificate is not to be trusted.
    ///
    /// **Cause:** the certificate is expired, of another host or of an unknown authority, or the server has TLS switched off.
    ///
    /// **What is true now:** nothing was begun, and neither password nor statement was sent.
    ///
    /// **What to do:** mend the server's certificate, or name its authority with [`Tls::ca_file`](crate::Tls::ca_file). There is no
    /// switch to trust it all the same.
    Tls,
    /// The server does not let this user in, not to this database, or not do this.
    ///
    /// **Cause:** a wrong user or password, a host that the user may not come from, a database or table that is not granted to it.
    ///
    /// **What is true now:** nothing was begun; where a statement was refused it had no effect, and the unit was rolled back if its
    /// body returned the error.
    ///
    /// **What to do:** correct the URL, or `GRANT` the right. No retry helps.
    AccessDenied,
    /// The database handle was closed.
    ///
    /// **Cause:** [`Database::close`](crate::Database::close) was called, or the thread is ending and its destructors call units. Of
    /// `close` itself: units were still running at its end.
    ///
    /// **What is true now:** nothing was begun; units that were running when `close` gave up end as they would have.
    ///
    /// **What to do:** call units before, and give `close` the time that they need.
    Closed,
    /// No session became free in time.
    ///
    /// **Cause:** all of `max_connections` are held: by units that are slow, that wait for locks, or that call something slow inside;
    /// or a thread wants a second session (`requires_new`) while all others do too, which is told at once.
    ///
    /// **What is true now:** nothing was begun, or an earlier attempt was rolled back.
    ///
    /// **What to do:** the message names the units that hold sessions and for how long: shorten those, move slow work into
    /// `after_commit`, or raise `max_connections` (a thread that uses `requires_new` needs two).
    PoolTimeout,
    /// The server refused a statement; the transaction goes on.
    ///
    /// **Cause:** wrong SQL, a table or column that is not there, a constraint (duplicate key, foreign key, `NOT NULL`), a statement
    /// that was killed. [`code`](crate::Error::code) has the server's number.
    ///
    /// **What is true now:** the statement had no effect. The body decides: whoever returns the error has the unit rolled back,
    /// whoever handles it goes on in the same transaction.
    ///
    /// **What to do:** correct the statement, make the table with [`Database::session`](crate::Database::session), or handle the number:
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work]
    /// fn register(tx: &mut Tx, name: &str) -> Result<bool, Error> {
    ///     match tx.exec_drop("INSERT INTO user (name) VALUES (?)", (name,)) {
    ///         Err(error) if error.code() == Some(1062) => Ok(false), // the name is taken
    ///         inserted => inserted.map(|()| true),
    ///     }
    /// }
    /// ```
    Statement,
    /// A row or a parameter does not have the type that was asked for.
    ///
    /// **Cause:** a NULL read into what is no `Option`, a number that is too large or negative, more columns than the type has, or not
    /// as many parameters as the text has places for.
    ///
    /// **What is true now:** wrong parameters were not sent; of a row that does not fit the statement was carried out. The body decides
    /// what becomes of the unit. The values are not shown: they may be anybody's secret.
    ///
    /// **What to do:** ask for the column's type (`Option<T>` where it can be NULL), or convert it in the statement.
    Conversion,
    /// A statement that has no place in a unit; it was not sent.
    ///
    /// **Cause:** it would end the transaction or change the session: `COMMIT`, DDL, `SET`, `LOCK TABLES`, a second statement in the text …
    ///
    /// **What is true now:** nothing was sent, and the transaction is as it was.
    ///
    /// **What to do:** return `Err` to roll back; run DDL and administration with [`Database::session`](crate::Database::session).
    Refused,
    /// A statement larger than the server takes; it was not sent.
    ///
    /// **Cause:** text and parameters are more than the server's `max_allowed_packet`.
    ///
    /// **What is true now:** nothing was sent, and the transaction is as it was.
    ///
    /// **What to do:** send less at once, or raise `max_allowed_packet` on the server.
    TooLarge,
    /// The session is lent out: a connection guard or a row stream is still alive.
    ///
    /// **Cause:** a statement or an inner unit while [`Tx::connection`](crate::Tx::connection) is lent or the closure of `exec_each`
    /// runs; or a guard was leaked (`mem::forget`), which costs the connection.
    ///
    /// **What is true now:** the statement was not sent; both units go on. A unit with a leaked guard was rolled back.
    ///
    /// **What to do:** drop the guard first, or read the rows to their end.
    Busy,
    /// A write in a read-only transaction.
    ///
    /// **Cause:** the unit is declared `read_only`, or joined one that is; or the server itself takes no writes.
    ///
    /// **What is true now:** the statement had no effect; the body decides what becomes of the unit.
    ///
    /// **What to do:** leave `read_only` out, or the write.
    ReadOnly,
    /// The server could not serialize the transaction and rolled it back.
    ///
    /// **Cause:** a deadlock, or somebody else changed what was read: at `serializable` an everyday event.
    ///
    /// **What is true now:** the unit was rolled back. It is run again as its policy allows: who sees this kind has `retry = "never"`, or
    /// a unit inside that must not happen twice.
    ///
    /// **What to do:** let it run again; lock in one order, and at once what will be written (`SELECT … FOR UPDATE`).
    Serialization,
    /// The unit's deadline passed.
    ///
    /// **Cause:** its `timeout`, or that of a unit around it, was not enough for admission, session, body and attempts together. The
    /// [`source`](std::error::Error::source) is the last fault, if there was one.
    ///
    /// **What is true now:** the unit was rolled back, or was never begun: COMMIT is not sent after the deadline.
    ///
    /// **What to do:** find out what it waited for (locks, a session, the server), or give it more time.
    Timeout,
    /// A lock was not granted in time.
    ///
    /// **Cause:** somebody else holds a row or a table's definition for longer than the unit's `lock_wait`; where the message names a
    /// suspended unit, most likely that one.
    ///
    /// **What is true now:** the unit was rolled back as a whole; it is run again once.
    ///
    /// **What to do:** shorten the transaction that holds the lock (`SHOW ENGINE INNODB STATUS`, `sys.innodb_lock_waits`); raise
    /// `lock_wait` if it is right that it takes so long.
    LockTimeout,
    /// A lock was not free, and the statement asked not to wait.
    ///
    /// MySQL waits for a lock on the table's definition all the same: if that does not come in time, it is a `LockTimeout` there.
    ///
    /// **Cause:** `NOWAIT` met a row that somebody else holds.
    ///
    /// **What is true now:** the statement had no effect and the transaction goes on, unless the server has
    /// `innodb_rollback_on_timeout` switched on: then the unit was rolled back.
    ///
    /// **What to do:** what `NOWAIT` was written for: take another row (`SKIP LOCKED`), or say that it is taken.
    LockNotAvailable,
    /// The connection was lost or is out of step.
    ///
    /// **Cause:** the server went away or ended the connection, the network broke, or no answer came within `network_timeout`.
    ///
    /// **What is true now:** the unit was rolled back: a lost COMMIT is [`CommitUnknown`](Self::CommitUnknown). It is run again on another
    /// connection as its policy allows. Without a transaction each statement that was answered stands, and the last one may.
    ///
    /// **What to do:** nothing, if it happens when a server restarts. Else look into its log; raise `network_timeout` for slow statements.
    ConnectionLost,
    /// The server cannot serve for the moment.
    ///
    /// **Cause:** it shuts down, has no connection or memory left, became a replica, or lost its cluster.
    ///
    /// **What is true now:** the unit was rolled back, or never begun. It is run again as its policy allows.
    ///
    /// **What to do:** wait; if it stays so, its log says why. Too many connections: the sum of all programs' `max_connections` must be
    /// below the server's.
    Unavailable,
    /// Something inside the unit committed on its own.
    ///
    /// **Cause:** a procedure with a COMMIT or DDL in it was called; or it cannot be known whether one committed, because its connection
    /// was lost. Or somebody's KILL QUERY ended a write that was deferred into the packet of COMMIT, `MariaDB` answered it with OK all the
    /// same, and committed the rest.
    ///
    /// **What is true now:** torn: what was written before is, or may be, in the database. The unit was not run again.
    ///
    /// **What to do:** look for its rows; take the COMMIT out of the procedure, or call it outside of units with
    /// [`Database::session`](crate::Database::session). Of a deferred write the error says which one is missing.
    ImplicitCommit,
    /// The unit was rolled back, but changed a table that is not transactional: that is in the database still.
    ///
    /// **Cause:** a `MyISAM`, Aria or MEMORY table was written in the unit; the message names those that there are.
    ///
    /// **What is true now:** torn: what went to such tables stays, all else is rolled back. The unit was not run again.
    ///
    /// **What to do:** take out what stays, by hand; make the table `InnoDB`, or write to it outside of units.
    RollbackIncomplete,
    /// The unit ran again and again and met the limit of its retry policy.
    ///
    /// **Cause:** many units want the same rows, or the server was away for longer than the policy lasts. The
    /// [`source`](std::error::Error::source) is the last fault.
    ///
    /// **What is true now:** every attempt was rolled back; nothing of the unit is in the database.
    ///
    /// **What to do:** shorten the unit, write to fewer common rows, lock in one order; allow more (`retry(within = "30s")`); or tell the
    /// client to come back.
    RetriesExhausted,
    /// A joined unit failed and the outer one returned `Ok`.
    ///
    /// **Cause:** the outer body swallowed an inner unit's error; the message names the inner unit and its error.
    ///
    /// **What is true now:** the whole was rolled back.
    ///
    /// **What to do:** return the inner error (`?`), or let the inner unit fail alone: `propagation = "nested"`.
    Doomed,
    /// The unit was marked to be rolled back and returned `Ok`.
    ///
    /// **Cause:** [`Tx::set_rollback_only`](crate::Tx::set_rollback_only) was called, by the unit that the message names.
    ///
    /// **What is true now:** it was rolled back; without a transaction every statement stands.
    ///
    /// **What to do:** if it is meant so, return an error of your own, which the caller then gets; else leave the mark out.
    RollbackOnly,
    /// A `before_commit` hook refused.
    ///
    /// **Cause:** the hook returned an error, quoted in the message, or hooks registered hooks without an end.
    ///
    /// **What is true now:** the unit was rolled back.
    ///
    /// **What to do:** what the hook's error says.
    HookRefused,
    /// No unit is active on this thread.
    ///
    /// **Cause:** [`with_current`](crate::with_current) was called outside of any unit, or on another thread than the unit's.
    ///
    /// **What is true now:** nothing was done.
    ///
    /// **What to do:** call it from a unit, or make the caller one.
    NotInUnit,
    /// COMMIT was sent and not answered, and what became of it is not known; units that are `exactly_once` try to find out before.
    ///
    /// **Cause:** the connection was lost, or the server did not answer, between COMMIT and its confirmation.
    ///
    /// **What is true now:** unknown: all of the unit is in the database, or nothing. It was not run again; `on_unknown` hooks ran.
    ///
    /// **What to do:** look for its rows before it is run again, or declare it `exactly_once`, which does that.
    CommitUnknown,
    /// More isolation was asked for than the active unit has.
    ///
    /// **Cause:** a unit that says `isolation` (or `snapshot`) would join one that has less.
    ///
    /// **What is true now:** the inner body did not run; the outer one decides what becomes of the whole.
    ///
    /// **What to do:** raise the outer unit, or give the inner one a transaction of its own: `propagation = "requires_new"`.
    IsolationConflict,
    /// A unit that may write inside a read-only one.
    ///
    /// **Cause:** the inner unit does not say `read_only`, the outer one does.
    ///
    /// **What is true now:** the inner body did not run; the outer one decides what becomes of the whole.
    ///
    /// **What to do:** declare the inner one `read_only` if it only reads; else the outer one not.
    AccessConflict,
    /// The unit's propagation does not allow it to run here.
    ///
    /// **Cause:** `mandatory` outside of a transaction, `never` or `outermost` inside one, a savepoint where there is no transaction,
    /// `db.session` or [`forbid_in_unit`](crate::forbid_in_unit) inside a unit, what would leave a sandbox.
    ///
    /// **What is true now:** the body did not run, and nothing was sent.
    ///
    /// **What to do:** call it from elsewhere, or declare it otherwise; the message has both places.
    Propagation,
    /// What was given to `Database::run_blocking` panicked.
    ///
    /// **Cause:** a bug in the work, or in a unit that it called; the message has the panic's text, and the panic hook has run.
    ///
    /// **What is true now:** the unit that panicked was rolled back; units of the same work that had ended before stand. The thread, its
    /// connection and the program are as before.
    ///
    /// **What to do:** mend it. A caller who wants the payload itself catches it inside the work (`catch_unwind`).
    Panicked,
    /// `Database::run_blocking` was awaited where no tokio runtime runs.
    ///
    /// **Cause:** the future was polled outside of a tokio runtime (by another executor, say), or while the runtime is shutting down.
    ///
    /// **What is true now:** nothing was begun.
    ///
    /// **What to do:** await it in a task of a tokio runtime, or inside `Runtime::block_on`; where there is none, call the units directly.
    NoRuntime,
    /// Something that the library checks failed in a way that it cannot explain; please report it.
    ///
    /// **Cause:** not known, or the server answered what it must not.
    ///
    /// **What is true now:** what `outcome` says.
    ///
    /// **What to do:** report it with its message.
    Internal,
}

impl ErrorKind {
    /// Whether it means that part of the unit is, or may be, in the database.
    pub(crate) fn tears(self) -> bool {
        matches!(self, Self::ImplicitCommit | Self::RollbackIncomplete)
    }
}

#[cfg(test)]
mod tests {
    /// What each page has, in this order.
    const LEADS: [&str; 3] = ["**Cause:** ", "**What is true now:** ", "**What to do:** "];

    #[test]
    fn every_kind_has_a_page() {
        let (_, variants) = include_str!("kind.rs").split_once("pub enum ErrorKind {\n").expect("it is here");
        let (variants, _) = variants.split_once("\n}\n").expect("it ends");
        let mut page = String::new();
        let mut kinds = 0;
        for line in variants.lines().map(str::trim) {
            if let Some(text) = line.strip_prefix("///") {
                page.push_str(text.trim_start());
                page.push('\n');
                continue;
            }
            let parts: Vec<Option<usize>> = LEADS.iter().map(|lead| page.find(&format!("\n\n{lead}"))).collect();
            assert!(parts.iter().all(Option::is_some) && parts.is_sorted(), "{line} has no {LEADS:?}:\n{page}");
            page.clear();
            kinds += 1;
        }
        assert!(kinds >= 32, "only {kinds} were found");
    }
}
