//! A session outside of any unit, with autocommit on: the place for DDL and administration, which have none in a unit. Texts
//! are not read here, and the session is reset before a unit sees it again.

use mysql::Row;

use super::MySql;
use super::connection::MySqlConnection;
use super::opening::OPENED;
use super::vocabulary::Speaks;
use super::wire::{Answer, Request};
use crate::backend::{Characteristics, Commits, Connection};
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::fault::Failed;
use crate::label::Label;
use crate::outcome::Outcome;
use crate::pool::{self, Holding};
use crate::registry::{self, Place};

/// A session outside of any unit: what [`Database::session`] gives its closure.
#[derive(Debug)]
pub struct Session<'s> {
    connection: &'s mut MySqlConnection,
    last: Answer,
}

impl Database<MySql> {
    /// Runs `work` with a session outside of any unit: each statement commits by itself, and every statement is allowed.
    ///
    /// The session is reset afterwards, whatever was set on it; nothing is run again. A statement that takes longer than the
    /// [`network_timeout`](crate::DatabaseBuilder::network_timeout) (30 s by default) costs its connection and is ended at the
    /// server: for DDL on large tables connect with a longer one.
    ///
    /// # Errors
    /// What `work` returns; `Propagation` inside a unit, where it would wait for itself or tear the unit, and in a sandbox; what
    /// the pool and the server say when no session can be had.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), unit_of_work::Error> {
    /// # let db = unit_of_work::Database::connect("mysql://app@127.0.0.1/bank")?;
    /// db.session(|session| session.query_drop("CREATE TABLE IF NOT EXISTS account (id BIGINT PRIMARY KEY, balance BIGINT)"))?;
    /// # Ok(()) }
    /// ```
    pub fn session<R>(&self, work: impl FnOnce(&mut Session<'_>) -> Result<R, Error>) -> Result<R, Error> {
        let place = self.place().ok_or_else(Error::torn_down)?;
        if let Some(active) = registry::active(self.pool()) {
            return Err(inside(&active.unit));
        }
        if let Some(base) = registry::sandbox(self.pool()) {
            return Err(in_sandbox(&base.unit));
        }
        let mut held = Held::acquire(self, &place).map_err(outside)?;
        held.wake().map_err(outside)?;
        let connection = held.connection();
        connection.leaves_something();
        // Whatever the unit before asked for: a session is as it was opened, but for autocommit.
        connection.expect(Characteristics { commits: Commits::Each, ..OPENED });
        connection.begin().map_err(outside)?;
        work(&mut Session { connection, last: Answer::default() })
    }
}

impl Speaks for Session<'_> {
    fn speak(&mut self, request: Request<'_>, rows: &mut dyn FnMut(Row)) -> Result<Answer, Error> {
        let sql = request.text();
        match self.connection.exchange(request, rows) {
            Ok(answer) => {
                self.last = answer;
                Ok(answer)
            }
            Err(failed) => Err(self.blame(failed, sql)),
        }
    }

    fn blame(&self, failed: Failed, sql: &str) -> Error {
        outside(failed).on_statement(sql)
    }

    fn last(&self) -> Answer {
        self.last
    }
}

fn outside(failed: Failed) -> Error {
    Error::from_failed(failed).with_outcome(Outcome::Untransacted)
}

/// A session that goes back by itself, also on unwinding.
struct Held<'d> {
    database: &'d Database<MySql>,
    place: &'d Place<MySql>,
    session: Option<crate::session::Session<MySql>>,
    _named: Holding<'d, MySql>,
}

impl<'d> Held<'d> {
    fn acquire(database: &'d Database<MySql>, place: &'d Place<MySql>) -> Result<Self, Failed> {
        let label = Label::new("Database::session", file!(), line!());
        let (session, named) = database.pool().acquire(&place.slot, &label, None, database.clock().now())?;
        Ok(Self { database, place, session: Some(session), _named: named })
    }

    /// A connection that died while idle is replaced: nothing was sent on it yet.
    fn wake(&mut self) -> Result<(), Failed> {
        if self.connection().reassure().is_err()
            && let Some(dead) = self.session.take()
        {
            // The dead one counts as held.
            let request = pool::Request { holds: self.place.slot.holds().saturating_sub(1), within: None };
            self.session = Some(self.database.pool().exchange(dead, request)?);
        }
        Ok(())
    }

    fn connection(&mut self) -> &mut MySqlConnection {
        &mut self.session.as_mut().expect("the session is held until the guard drops").connection
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.database.pool().release(session, &self.place.slot);
        }
    }
}

fn inside(unit: &Label) -> Error {
    let detail = format!(
        "`db.session` was called inside unit {unit}: what it runs commits by itself and would tear the unit; call it outside"
    );
    Error::new(ErrorKind::Propagation, detail)
}

fn in_sandbox(sandbox: &Label) -> Error {
    let detail = format!(
        "`db.session` was called in the sandbox {sandbox}: what it runs commits by itself and would outlive the sandbox; call it \
         before, or give the test a database of its own"
    );
    Error::new(ErrorKind::Propagation, detail)
}
