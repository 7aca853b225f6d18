//! The table in which units that are `exactly_once` leave the truth about their COMMIT, and how it is asked afterwards. Decides
//! the texts, and what an answer of the server proves. When and how often it is asked is `resolution`'s.
//!
//! An attempt writes its key as `committed` in the packet of its COMMIT. Whoever wants to know inserts the same key as
//! `tombstone`. The key is unique, so exactly one of the two is ever there: if the tombstone goes in, the attempt's own row, and
//! with it everything that is committed with it, never can; as long as the attempt is undecided, the tombstone waits for it. A
//! plain SELECT would be wrong: it says "not there" of a COMMIT that is still on its way.

use std::time::Duration;

use mysql::Row;

use super::MySql;
use super::connection::{Ghost, MySqlConnection};
use super::deferred::Write;
use super::opening::OPENED;
use super::wire::Request;
use crate::backend::{Characteristics, Commits, Connection, LockWait, Standing};
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::fault::{Again, AtCommit, Failed, Undone};
use crate::observe;
use crate::options::Topology;
use crate::resolution::{Fate, Key, LONGEST};

/// UTC, because a `TIMESTAMP` ends in 2038. Another engine than `InnoDB` would keep the rows of units that are rolled back.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS unit_of_work_outcome (\
    id BINARY(16) NOT NULL PRIMARY KEY, \
    state ENUM('committed', 'tombstone') NOT NULL, \
    at DATETIME NOT NULL COMMENT 'UTC', \
    KEY at (at)) ENGINE=InnoDB";

const ENGINE: &str = "SELECT engine FROM information_schema.tables \
    WHERE table_schema = DATABASE() AND table_name = 'unit_of_work_outcome'";

/// At another level the rows' neighbours would be locked too, and units could not write theirs.
const PURGING: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;\
    SET SESSION innodb_lock_wait_timeout=1, lock_wait_timeout=1";

/// Rows per statement, so that its locks are gone soon.
const BATCH: u64 = 500;
/// A row may be asked for until its unit's resolution ends.
const YOUNGEST: Duration = Duration::from_secs(24 * 3600);
const _: () = assert!(LONGEST.as_secs() < YOUNGEST.as_secs());

/// A century: servers' dates do not reach back for as long as a `Duration` may last.
const OLDEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The index that makes a key exclude all others. Without it the tombstone would go in beside the unit's own row.
const UNIQUE: &str = "SELECT index_name FROM information_schema.statistics \
    WHERE table_schema = DATABASE() AND table_name = 'unit_of_work_outcome' AND non_unique = 0 \
    GROUP BY index_name HAVING COUNT(*) = 1 AND MAX(column_name) = 'id' AND MAX(sub_part) IS NULL";

/// "Duplicate entry": somebody has the key.
const TAKEN: u16 = 1062;
/// "No database selected".
const NO_DATABASE: u16 = 1046;
/// "SELECT with locking clause command denied".
const LOCKING_DENIED: u16 = 1142;

fn insert(key: &Key, state: &str) -> String {
    // Hexadecimal literals mean the same in every `sql_mode`.
    format!("INSERT INTO unit_of_work_outcome (id, state, at) VALUES (X'{key}', '{state}', UTC_TIMESTAMP())")
}

impl MySqlConnection {
    /// Commits together with the row that says so, in one packet. If it comes late, after the tombstone, the row is refused and the
    /// server does not go on to COMMIT.
    pub(super) fn commit_with(&mut self, writes: &[Write], key: &Key) -> Result<(), Failed> {
        self.commit_behind(writes, Some(&insert(key, "committed")))
            .map_err(|cut| if cut.at < writes.len() { cut.failed } else { about_the_table(cut.failed) })
    }

    /// What [`Connection::decide`] promises, on a connection that does nothing else.
    pub(super) fn ask_fate(&mut self, key: &Key, lost: &Ghost, topology: Topology) -> Result<Fate, Failed> {
        let (asked, here) = (&lost.server.identity, &self.server().identity);
        match topology {
            Topology::Asynchronous if !here.has_the_same_data(asked) => {
                return Ok(Fate::Elsewhere { asked: asked.to_string(), here: here.to_string() });
            }
            Topology::Asynchronous | Topology::Synchronous => {}
        }
        self.expect(Characteristics { commits: Commits::Each, lock_wait: LockWait::Exactly(1), ..OPENED });
        self.begin()?;
        self.end(lost)?;
        // Committed in so many words: an INSERT that only seems to commit by itself, because something in between did not pass the
        // setting on, would be gone with this connection, and a COMMIT that is late would find nothing in its way.
        match self.commit_behind(&[], Some(&insert(key, "tombstone"))).map_err(|cut| cut.failed) {
            Ok(()) => Ok(Fate::RolledBack),
            Err(failed) if failed.code == Some(TAKEN) => self.read_fate(key),
            Err(failed) => Err(failed),
        }
    }

    /// The old connection may hold its locks for long, and what is left of the unit with them. Where it cannot be ended the
    /// tombstone decides all the same.
    fn end(&mut self, lost: &Ghost) -> Result<(), Failed> {
        if !lost.can_be_ended() {
            return Ok(());
        }
        let ended = self.lay(lost).map(drop);
        match self.standing() {
            Standing::Broken => ended,
            Standing::Clean | Standing::Touched => {
                observe::ghost(ended);
                Ok(())
            }
        }
    }

    /// Whose row it is. A tombstone is ours: its own answer was lost the time before.
    fn read_fate(&mut self, key: &Key) -> Result<Fate, Failed> {
        match self.read_state(key)?.as_deref() {
            Some("committed") => Ok(Fate::Committed),
            Some("tombstone") => Ok(Fate::RolledBack),
            other => {
                let detail = format!("the row of its key was there, and now says {other:?}");
                Err(Failed::of(ErrorKind::Internal, Undone::Statement, Again::Yes, detail))
            }
        }
    }

    /// With a lock, because a plain read may show an older state. For the stronger one MySQL wants the right to UPDATE or DELETE
    /// too; the other is refused by TiDB, unless it is told to take what it does not have.
    ///
    /// <https://dev.mysql.com/doc/refman/8.4/en/innodb-locking-reads.html>
    fn read_state(&mut self, key: &Key) -> Result<Option<String>, Failed> {
        let read = format!("SELECT state FROM unit_of_work_outcome WHERE id = X'{key}'");
        match self.first_of(&format!("{read} FOR UPDATE")) {
            Err(failed) if failed.code == Some(LOCKING_DENIED) => self.first_of(&format!("{read} LOCK IN SHARE MODE")),
            answer => answer,
        }
    }

    fn first_of(&mut self, sql: &str) -> Result<Option<String>, Failed> {
        let mut first = None;
        self.exchange(Request::Query(sql), &mut |row: Row| first = row.get(0))?;
        Ok(first)
    }
}

/// COMMIT itself names nothing that could be missing or forbidden: so it is the table.
fn about_the_table(mut failed: Failed) -> Failed {
    let about_a_name = failed.sqlstate.as_deref().is_some_and(|state| state.starts_with("42"))
        && matches!(failed.fault.kind, ErrorKind::Statement | ErrorKind::AccessDenied);
    if about_a_name || failed.code == Some(NO_DATABASE) {
        failed.fault.kind = ErrorKind::Configuration;
        failed.fault.again = Again::Never;
        failed.fault.at_commit = AtCommit::RolledBack;
        failed.detail = format!(
            "the row that `exactly_once` needs could not be written, so nothing was committed; call \
             `Database::create_outcome_table` once for this database, and let this user INSERT into and SELECT from \
             `unit_of_work_outcome`: {}",
            failed.detail
        )
        .into();
    }
    failed
}

impl Database<MySql> {
    /// Makes the table `unit_of_work_outcome` in the connection's default database, which units that are
    /// [`exactly_once`](crate::UnitBuilder::exactly_once) need; does nothing if it is there.
    ///
    /// It has a row for each of their COMMITs (16 random bytes, `committed` or `tombstone`, the time in UTC) until
    /// [`purge_outcomes`](Self::purge_outcomes) takes it away. Units need the rights to INSERT and SELECT there.
    ///
    /// # Errors
    /// `Configuration` when a table of this name is there that would not undo a unit's row with the unit (its engine is not
    /// `InnoDB`), or would take a key twice (`id` is not unique); `Propagation` inside a unit; what the server says.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), unit_of_work::Error> {
    /// # let db = unit_of_work::Database::connect("mysql://app@127.0.0.1/bank")?;
    /// db.create_outcome_table()?;
    /// # Ok(()) }
    /// ```
    pub fn create_outcome_table(&self) -> Result<(), Error> {
        self.session(|session| {
            session.query_drop(CREATE)?;
            match session.query_first::<String, _>(ENGINE)? {
                Some(engine) if engine.eq_ignore_ascii_case("InnoDB") => {}
                engine => return Err(would_lie(&not_transactional(&engine.unwrap_or_default()))),
            }
            match session.query_first::<String, _>(UNIQUE)? {
                Some(_index) => Ok(()),
                None => {
                    Err(would_lie("has no unique key of `id` alone, and would take a tombstone beside a unit's row"))
                }
            }
        })
    }

    /// Takes rows away that are older than `older_than`, and never those of the last 24 hours, whatever `older_than` says: a unit
    /// may still ask for them. Returns how many.
    ///
    /// It deletes at most 500 rows at a time at READ COMMITTED and waits at most a second for a lock, so that units that write
    /// theirs are not held up. To be called now and then, by one of the processes.
    ///
    /// # Errors
    /// `LockTimeout` when somebody else holds such rows, `Propagation` inside a unit, what the server says; what was deleted until
    /// then stays so.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # fn main() -> Result<(), unit_of_work::Error> {
    /// # let db = unit_of_work::Database::connect("mysql://app@127.0.0.1/bank")?;
    /// let rows = db.purge_outcomes(Duration::from_secs(7 * 24 * 3600))?;
    /// # Ok(()) }
    /// ```
    pub fn purge_outcomes(&self, older_than: Duration) -> Result<u64, Error> {
        let seconds = older_than.clamp(YOUNGEST, OLDEST).as_secs();
        self.session(|session| {
            session.query_drop(PURGING)?;
            // One moment for all batches, so that there is an end to them.
            let cutoff = format!("SELECT UTC_TIMESTAMP() - INTERVAL {seconds} SECOND");
            let cutoff: String = session.query_first(cutoff)?.unwrap_or_default();
            let old = format!("FROM unit_of_work_outcome WHERE at < '{cutoff}' ORDER BY at LIMIT");
            let mut gone = 0;
            // Counted first, by a read without locks: one row too many would be one that a unit is just writing, and waited for.
            while let Some(rows @ 1..) =
                session.query_first::<u64, _>(format!("SELECT COUNT(*) FROM (SELECT 1 {old} {BATCH}) old"))?
            {
                session.query_drop(format!("DELETE {old} {rows}"))?;
                gone += session.affected_rows();
            }
            Ok(gone)
        })
    }
}

fn not_transactional(engine: &str) -> String {
    format!("has the engine `{engine}` and not `InnoDB`, and would keep the rows of units that are rolled back")
}

fn would_lie(why: &str) -> Error {
    let detail = format!(
        "the table `unit_of_work_outcome` {why}; drop it when no unit needs it, and have it made by `create_outcome_table`"
    );
    Error::new(ErrorKind::Configuration, detail)
}
