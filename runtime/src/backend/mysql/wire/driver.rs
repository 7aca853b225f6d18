//! The driver's `Conn` behind the seam. Decides how an answer is read: every result set is walked to its end, because the
//! driver's own `query_drop` and `query_first` swallow the errors of all but the first.

use std::any::Any;
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use mysql::consts::SessionStateType;
use mysql::prelude::{Protocol, Queryable};
use mysql::session_state_change::SessionStateChange;
use mysql::{Conn, Params, QueryResult, Row, SessionStateInfo, Statement};
use nix::sys::socket::{Shutdown, shutdown};

use super::{Answer, Counts, Part, Request, SessionState, Tracked, Wire, Writes, joined, without_quotes};
use crate::backend::mysql::by_text::ByText;

/// "This command is not supported in the prepared statement protocol": MariaDB's bulk protocol takes only INSERT, UPDATE,
/// DELETE and REPLACE.
const NOT_IN_BULK: u16 = 1295;

pub(crate) struct DriverWire {
    conn: Conn,
    /// What is prepared. The driver's own cache, which is switched off, parses a text at each look-up.
    statements: ByText<Arc<Statement>>,
    /// Prepared for the request that follows.
    statement: Option<Arc<Statement>>,
    round_trips: u64,
}

impl DriverWire {
    /// `statement_cache`: how many statements are kept prepared, at least one.
    pub(crate) fn new(conn: Conn, statement_cache: usize) -> Self {
        Self { conn, statements: ByText::new(statement_cache), statement: None, round_trips: 0 }
    }
}

/// The driver's `Debug` shows its options, and with them the password.
impl fmt::Debug for DriverWire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DriverWire(connection {})", self.conn.connection_id())
    }
}

impl Wire for DriverWire {
    fn exchange(&mut self, request: Request<'_>, rows: &mut dyn FnMut(Row)) -> mysql::Result<Answer> {
        // No user code runs in here: what panics is the driver, at an answer that it does not expect.
        let asked = catch_unwind(AssertUnwindSafe(|| self.ask(request, rows)));
        asked.unwrap_or_else(|payload| Err(panicked(&*payload)))
    }

    fn packet(&mut self, statements: &[Part<'_>], results: &mut dyn FnMut(Answer)) -> mysql::Result<()> {
        self.round_trips += 1;
        let asked = catch_unwind(AssertUnwindSafe(|| self.several(&joined(statements), results)));
        asked.unwrap_or_else(|payload| Err(panicked(&*payload))).map_err(without_quotes)
    }

    fn prepare(&mut self, sql: &str) -> mysql::Result<()> {
        self.statement = Some(self.prepared(sql)?);
        Ok(())
    }

    fn statement(&mut self, sql: &str) -> mysql::Result<Statement> {
        self.prepared(sql).map(Arc::unwrap_or_clone)
    }

    fn close(&mut self, statement: Statement) -> mysql::Result<()> {
        self.statements.forget(|known| known.id() == statement.id());
        self.conn.close(statement)
    }

    fn conn(&mut self, _sql: &str) -> mysql::Result<&mut Conn> {
        self.round_trips += 1;
        Ok(&mut self.conn)
    }

    fn tracked(&self) -> Tracked {
        let changes = self.conn.session_state_changes().unwrap_or_default();
        Tracked {
            state: if changes.iter().any(changes_the_session) { SessionState::Changed } else { SessionState::AsBefore },
            writes: if changes.iter().any(writes_permanently) { Writes::Permanent } else { Writes::Undoable },
        }
    }

    fn round_trips(&self) -> u64 {
        self.round_trips
    }

    fn connection_id(&self) -> u32 {
        self.conn.connection_id()
    }

    fn stopper(&self) -> Box<dyn FnOnce() + Send> {
        let socket = self.conn.as_raw_fd();
        Box::new(move || stop(socket))
    }

    fn shut(&mut self) {
        stop(self.conn.as_raw_fd());
    }
}

/// By the version in its greeting: 10 or more, or 5.5.5, which it puts in front so that old replicas accept it.
/// <https://jira.mariadb.org/browse/MDEV-4088>
fn says_it_is_mariadb(version: (u16, u16, u16)) -> bool {
    version == (5, 5, 5) || version.0 >= 10
}

fn stop(socket: RawFd) {
    // It may be shut already, which is all that we want.
    let _already_shut = shutdown(socket, Shutdown::Both);
}

/// The driver panics at some answers that no server gives (28.0.4: an empty one), and where it finds two cryptographic
/// providers for `rustls` in the program and none of them chosen.
pub(in crate::backend::mysql) fn panicked(payload: &(dyn Any + Send)) -> mysql::Error {
    let formatted = payload.downcast_ref::<String>().map(String::as_str);
    let text = formatted.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("it did not say why");
    mysql::Error::IoError(io::Error::other(format!("the driver panicked: {text}")))
}

impl DriverWire {
    fn ask(&mut self, request: Request<'_>, rows: &mut dyn FnMut(Row)) -> mysql::Result<Answer> {
        self.round_trips += self.cost(&request);
        match request {
            Request::Query(sql) => self.query(sql, rows),
            Request::Secret(part) => self.query(part.text, rows).map_err(without_quotes),
            Request::Execute(sql, params) => self.execute(sql, params, rows),
            Request::Batch(sql, batch) => self.batch(sql, batch, rows),
            Request::Ping => self.conn.ping().map(|()| Answer::default()),
            Request::Reset => {
                self.statements.clear();
                self.statement = None;
                self.conn.reset().map(|()| Answer::default())
            }
        }
    }

    /// Round trips that a request makes, without those for preparing it.
    fn cost(&self, request: &Request<'_>) -> u64 {
        match request {
            // MariaDB takes all rows at once; to others the driver sends one after the other.
            Request::Batch(_, rows) if !says_it_is_mariadb(self.conn.server_version()) => rows.len() as u64,
            Request::Batch(..)
            | Request::Query(_)
            | Request::Secret(_)
            | Request::Execute(..)
            | Request::Ping
            | Request::Reset => 1,
        }
    }

    fn query(&mut self, sql: &str, rows: &mut dyn FnMut(Row)) -> mysql::Result<Answer> {
        let answer = walk(self.conn.query_iter(sql)?, rows)?;
        Ok(self.with_remarks(answer))
    }

    fn several(&mut self, packet: &str, results: &mut dyn FnMut(Answer)) -> mysql::Result<()> {
        let mut last = None;
        let walked = walk_each(self.conn.query_iter(packet)?, &mut drop, &mut |answer| {
            if let Some(before) = last.replace(answer) {
                results(before);
            }
        });
        if let Some(answer) = last {
            // After an error the driver knows of no trackers.
            let tracked = if walked.is_ok() { self.tracked() } else { Tracked::default() };
            results(Answer { tracked, ..answer });
        }
        walked
    }

    fn prepared(&mut self, sql: &str) -> mysql::Result<Arc<Statement>> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(Arc::clone(statement));
        }
        self.round_trips += 1;
        let prepared = catch_unwind(AssertUnwindSafe(|| self.conn.prep(sql)));
        let statement = Arc::new(prepared.unwrap_or_else(|payload| Err(panicked(&*payload)))?);
        if let Some(displaced) = self.statements.insert(sql, Arc::clone(&statement)) {
            self.conn.close(Arc::unwrap_or_clone(displaced))?;
        }
        Ok(statement)
    }

    fn expected(&mut self, sql: &str) -> mysql::Result<Arc<Statement>> {
        self.statement.take().map_or_else(|| self.prepared(sql), Ok)
    }

    fn execute(&mut self, sql: &str, params: Params, rows: &mut dyn FnMut(Row)) -> mysql::Result<Answer> {
        let statement = self.expected(sql)?;
        let answer = walk(self.conn.exec_iter(&*statement, params)?, rows)?;
        Ok(self.with_remarks(answer))
    }

    fn batch(&mut self, sql: &str, batch: Vec<Params>, rows: &mut dyn FnMut(Row)) -> mysql::Result<Answer> {
        let statement = self.expected(sql)?;
        match self.conn.exec_batch(&*statement, batch.iter().cloned()) {
            Ok(()) => Ok(self.with_remarks(Answer {
                affected_rows: self.conn.affected_rows(),
                last_insert_id: self.conn.last_insert_id(),
                ..Answer::default()
            })),
            Err(mysql::Error::MySqlError(error)) if error.code == NOT_IN_BULK => {
                batch.into_iter().try_fold(Answer::default(), |_, params| self.execute(sql, params, rows))
            }
            Err(error) => Err(error),
        }
    }

    fn with_remarks(&self, answer: Answer) -> Answer {
        let counts = counts(answer.affected_rows, self.conn.info_ref());
        Answer { warnings: self.conn.warnings(), tracked: self.tracked(), counts, ..answer }
    }
}

/// Told by its type alone: decoding it fails in the driver's library (`mysql_common` 0.37).
fn changes_the_session(change: &SessionStateInfo<'_>) -> bool {
    matches!(change.data_type(), SessionStateType::SESSION_TRACK_STATE_CHANGE | SessionStateType::SESSION_TRACK_SCHEMA)
}

/// The fourth of eight letters, as in `I_RwWsS_`: `w`, "one or more nontransactional tables were written".
/// <https://dev.mysql.com/doc/refman/8.4/en/session-state-tracking.html>
fn writes_permanently(change: &SessionStateInfo<'_>) -> bool {
    const PLACE: usize = 3;
    match change.data_type() {
        SessionStateType::SESSION_TRACK_TRANSACTION_STATE => matches!(
            change.decode(),
            Ok(SessionStateChange::TransactionState(letters)) if letters.as_bytes().get(PLACE) == Some(&b'w')
        ),
        _ => false,
    }
}

pub(in crate::backend::mysql) fn walk<T: Protocol>(
    result: QueryResult<'_, '_, '_, T>,
    rows: &mut dyn FnMut(Row),
) -> mysql::Result<Answer> {
    let mut last = Answer::default();
    walk_each(result, rows, &mut |answer| last = answer)?;
    Ok(last)
}

/// Each result goes to `results` when its last row was read.
fn walk_each<T: Protocol>(
    mut result: QueryResult<'_, '_, '_, T>,
    rows: &mut dyn FnMut(Row),
    results: &mut dyn FnMut(Answer),
) -> mysql::Result<()> {
    while let Some(set) = result.iter() {
        let answer = Answer {
            affected_rows: set.affected_rows(),
            last_insert_id: set.last_insert_id().unwrap_or_default(),
            warnings: set.warnings(),
            counts: counts(set.affected_rows(), set.info_ref()),
            ..Answer::default()
        };
        for row in set {
            rows(row?);
        }
        results(answer);
    }
    Ok(())
}

fn counts(affected_rows: u64, info: &[u8]) -> Counts {
    if affected_rows == 0 && info.is_empty() { Counts::Missing } else { Counts::Told }
}
