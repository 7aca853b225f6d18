//! A session outside of any unit, with autocommit on: the place for DDL and administration, which have none in a unit. Texts
//! are not read here, and the session is reset before a unit sees it again.

use mysql::Row;

use super::MySql;
use super::connection::MySqlConnection;
use super::vocabulary::Speaks;
use super::wire::{Answer, Request};
use crate::backend::Connection;
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::fault::Failed;
use crate::label::Label;
use crate::outcome::Outcome;
use crate::registry;

/// A session outside of any unit: what [`Database::session`] gives its closure.
#[derive(Debug)]
pub struct Session<'s> {
    connection: &'s mut MySqlConnection,
    last: Answer,
}

impl Database<MySql> {
    /// Runs `work` with a session outside of any unit: each statement commits by itself, and every statement is allowed.
    ///
    /// The session is reset afterwards, whatever was set on it; nothing is run again.
    ///
    /// # Errors
    /// What `work` returns; `Propagation` inside a unit, where it would wait for itself or tear the unit; what the pool and
    /// the server say when no session can be had.
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
        let mut held = self.pool().hold(&place.slot).map_err(outside)?;
        let connection = held.connection();
        connection.reassure().map_err(outside)?;
        connection.leaves_something();
        connection.send("SET SESSION autocommit=1").map_err(outside)?;
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

fn inside(unit: &Label) -> Error {
    let detail = format!(
        "`db.session` was called inside unit {unit}: what it runs commits by itself and would tear the unit; call it outside"
    );
    Error::new(ErrorKind::Propagation, detail)
}
