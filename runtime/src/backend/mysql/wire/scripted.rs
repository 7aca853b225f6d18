//! A server that exists only as a queue of answers and a log of what it was asked: every rule above the seam can be tested
//! with it, on users' own functions. What is not scripted succeeds, with no rows. What it says while connections are opened is
//! `opening`.

mod opening;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mysql::consts::ColumnType;
use mysql::{Column, Conn, MySqlError, Params, Row, Statement, Value};
use mysql_common::row::new_row;

use super::{Answer, Counts, Part, Request, Tracked, Wire, Writes, joined, without_quotes};
use opening::About;

/// What a scripted server answers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Reply {
    /// Success; so many rows were changed.
    Done {
        /// Rows.
        affected_rows: u64,
        /// The first `AUTO_INCREMENT` value made, or 0.
        last_insert_id: u64,
    },
    /// Success, with so many warnings.
    Warned(u16),
    /// Success of a statement that changed a table that is not transactional, as the server's tracker tells.
    NotTransactional,
    /// Rows: column names, then the values of each row.
    Rows(Vec<String>, Vec<Vec<Value>>),
    /// Success, but only so many results come of the whole packet that the statement begins, or stands in: as if a comment had
    /// swallowed the rest of it.
    Fewer(usize),
    /// Success, without the counts of an UPDATE: what MariaDB can answer to one that KILL QUERY ended.
    KilledInSilence,
    /// An error of the server's: number, SQLSTATE, message.
    Error(u16, String, String),
    /// The connection is lost before the server did anything.
    LostBefore,
    /// The server did it, and the connection is lost before the answer arrives.
    LostAfter,
}

/// A scripted server. A packet of several statements is logged as one text; each statement of it is answered by itself. Clones are the
/// same server; hand one to
/// [`DatabaseBuilder::script`](crate::DatabaseBuilder::script) and keep one to look at.
///
/// ```
/// use unit_of_work::testing::{Reply, Script};
/// use unit_of_work::{Database, Error, Tx};
///
/// # fn main() -> Result<(), Error> {
/// let server = Script::new();
/// let db = Database::builder().script(&server).connect()?;
/// server.answer("UPDATE", Reply::error(1213, "40001", "Deadlock found"));
///
/// db.unit("twice").run(|tx: &mut Tx| tx.query_drop("UPDATE account SET balance = 0"))?;
/// assert_eq!(
///     server.take_log(),
///     [
///         "UPDATE account SET balance = 0",
///         "ROLLBACK AND NO CHAIN NO RELEASE",
///         "UPDATE account SET balance = 0",
///         "COMMIT AND NO CHAIN NO RELEASE",
///     ]
/// );
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    connections: u32,
    log: Vec<Sent>,
    answers: VecDeque<(String, Reply)>,
    standing: Vec<(String, Reply)>,
    about: About,
    refusing: Option<Reply>,
    notes: Notes,
}

/// Whether what is asked is written down and looked up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Notes {
    #[default]
    Taken,
    None,
}

/// One thing that a scripted server was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// On which connection, counted from 1.
    pub connection: u32,
    /// The SQL, or `PING`, `RESET CONNECTION`, `CONNECT`, `SHUT`.
    pub text: String,
}

impl Reply {
    /// Success; no row was changed. So everything is answered that is not scripted.
    pub fn done() -> Self {
        Self::changed(0)
    }

    /// Success; so many rows were changed.
    pub fn changed(rows: u64) -> Self {
        Self::Done { affected_rows: rows, last_insert_id: 0 }
    }

    /// Success; one row was inserted and got this `AUTO_INCREMENT` value.
    pub fn inserted(id: u64) -> Self {
        Self::Done { affected_rows: 1, last_insert_id: id }
    }

    /// One row of one column.
    pub fn value(column: &str, value: impl Into<Value>) -> Self {
        Self::Rows(vec![column.to_owned()], vec![vec![value.into()]])
    }

    /// Rows, each a tuple with a value for each of `columns`.
    ///
    /// # Panics
    /// When a row has more values than there are columns, or fewer.
    ///
    /// ```
    /// use unit_of_work::testing::{Reply, Script};
    /// use unit_of_work::{Database, Error};
    ///
    /// # fn main() -> Result<(), Error> {
    /// let server = Script::new();
    /// server.answer("SELECT", Reply::rows(&["id", "owner"], [(1, "Ada"), (2, "Grace")]));
    /// let db = Database::builder().script(&server).connect()?;
    /// let owners = db.unit("owners").run::<_, Error>(|tx| tx.query::<(u64, String), _>("SELECT id, owner FROM account"))?;
    /// assert_eq!(owners, [(1, "Ada".to_owned()), (2, "Grace".to_owned())]);
    /// # Ok(()) }
    /// ```
    pub fn rows<R: Into<Params>>(columns: &[&str], rows: impl IntoIterator<Item = R>) -> Self {
        let rows = rows.into_iter().map(|row| match row.into() {
            Params::Positional(values) if values.len() == columns.len() => values,
            other => panic!("{other:?} is not a row with a value for each of {columns:?}"),
        });
        Self::Rows(columns.iter().map(ToString::to_string).collect(), rows.collect())
    }

    /// An error of the server's.
    pub fn error(code: u16, sqlstate: &str, message: &str) -> Self {
        Self::Error(code, sqlstate.to_owned(), message.to_owned())
    }

    /// The server found a deadlock and rolled the transaction back (1213).
    pub fn deadlock() -> Self {
        Self::error(1213, "40001", "Deadlock found when trying to get lock; try restarting transaction")
    }

    /// A lock was not granted in time (1205).
    pub fn lock_timeout() -> Self {
        Self::error(1205, "HY000", "Lock wait timeout exceeded; try restarting transaction")
    }

    /// The row is there already (1062).
    pub fn duplicate_key() -> Self {
        Self::error(1062, "23000", "Duplicate entry '1' for key 'PRIMARY'")
    }
}

impl Script {
    /// A server that answers everything with success.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers the next statement that begins with `start` (any case) with `reply`, once. Answers wait in order; one that
    /// does not fit stays for later.
    pub fn answer(&self, start: &str, reply: Reply) {
        self.state().answers.push_back((start.to_lowercase(), reply));
    }

    /// Answers every statement that begins with `start` (any case) with `reply`, unless an [`answer`](Script::answer) for it is
    /// waiting. Of several that fit, the one that was said last.
    pub fn always(&self, start: &str, reply: Reply) {
        self.state().standing.push((start.to_lowercase(), reply));
    }

    /// Forgets all answers, those of [`always`](Script::always) included.
    pub fn forget_answers(&self) {
        let mut state = self.state();
        state.answers.clear();
        state.standing.clear();
    }

    /// From now on connecting fails with `reply`; `None` = it succeeds again.
    pub fn refuse_connections(&self, reply: Option<Reply>) {
        self.state().refusing = reply;
    }

    /// From now on everything is answered with success, as one row changed, and nothing is written down or looked up: for who
    /// measures what runs above the script.
    pub fn write_nothing_down(&self) {
        self.state().notes = Notes::None;
    }

    /// What was asked since the last call, without the opening of connections.
    pub fn take_log(&self) -> Vec<String> {
        self.take_sent().into_iter().map(|sent| sent.text).filter(|text| text != "CONNECT" && text != "SHUT").collect()
    }

    /// The same with connections, and with their opening as `CONNECT` and their shutting as `SHUT`.
    pub fn take_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.state().log)
    }

    /// Connections opened so far.
    pub fn connections(&self) -> u32 {
        self.state().connections
    }

    pub(crate) fn connect(&self) -> mysql::Result<ScriptedWire> {
        let mut state = self.state();
        if let Some(reply) = state.refusing.clone() {
            return Err(reply.error_to("CONNECT").unwrap_or_else(lost));
        }
        state.connections += 1;
        let id = state.connections;
        state.log.push(Sent { connection: id, text: "CONNECT".into() });
        let handshake = state.about.handshake(id);
        Ok(ScriptedWire { script: self.clone(), id, handshake, lost: Lost::No, round_trips: 0 })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Script({} connections)", self.connections())
    }
}

impl Reply {
    fn error_to(&self, _text: &str) -> Option<mysql::Error> {
        match self {
            Self::Error(code, state, message) => Some(mysql::Error::MySqlError(MySqlError {
                code: *code,
                state: state.clone(),
                message: message.clone(),
            })),
            Self::LostBefore | Self::LostAfter => Some(lost()),
            Self::Done { .. }
            | Self::Warned(_)
            | Self::NotTransactional
            | Self::Rows(..)
            | Self::Fewer(_)
            | Self::KilledInSilence => None,
        }
    }
}

fn lost() -> mysql::Error {
    mysql::Error::IoError(std::io::Error::new(std::io::ErrorKind::BrokenPipe, "server disconnected"))
}

fn no_driver() -> mysql::Error {
    let what = "a scripted server has no driver connection to lend";
    mysql::Error::IoError(std::io::Error::new(std::io::ErrorKind::Unsupported, what))
}

/// One connection to a script.
#[derive(Debug)]
pub(crate) struct ScriptedWire {
    script: Script,
    id: u32,
    handshake: u32,
    lost: Lost,
    round_trips: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    No,
    Yes,
}

impl Wire for ScriptedWire {
    fn exchange(&mut self, request: Request<'_>, rows: &mut dyn FnMut(Row)) -> mysql::Result<Answer> {
        if self.lost == Lost::Yes {
            return Err(lost());
        }
        self.round_trips += 1;
        let (about, notes) = {
            let state = self.script.state();
            (state.about, state.notes)
        };
        if notes == Notes::None {
            return Ok(Answer { affected_rows: 1, ..Answer::default() });
        }
        if let Some(answer) = about.opening(self.id, &request, rows) {
            return Ok(answer);
        }
        self.log(request.text());
        self.reply(self.look_up(request.text()), request.text(), rows)
    }

    fn packet(&mut self, statements: &[Part<'_>], results: &mut dyn FnMut(Answer)) -> mysql::Result<()> {
        if self.lost == Lost::Yes {
            return Err(lost());
        }
        self.round_trips += 1;
        if self.script.state().notes == Notes::None {
            for _ in statements {
                results(Answer::default());
            }
            return Ok(());
        }
        self.log(&joined(statements));
        for (at, Part { text, .. }) in statements.iter().enumerate() {
            match self.look_up(text) {
                Reply::Fewer(fewer) => {
                    (at..fewer).for_each(|_| results(Answer::default()));
                    return Ok(());
                }
                reply => results(self.reply(reply, text, &mut drop).map_err(without_quotes)?),
            }
        }
        Ok(())
    }

    /// What a script answers it answers to the execution.
    fn prepare(&mut self, _sql: &str) -> mysql::Result<()> {
        Ok(())
    }

    fn statement(&mut self, _sql: &str) -> mysql::Result<Statement> {
        Err(no_driver())
    }

    fn close(&mut self, _statement: Statement) -> mysql::Result<()> {
        Err(no_driver())
    }

    fn conn(&mut self, _sql: &str) -> mysql::Result<&mut Conn> {
        Err(no_driver())
    }

    /// Nobody has the driver's connection.
    fn tracked(&self) -> Tracked {
        Tracked::default()
    }

    fn round_trips(&self) -> u64 {
        self.round_trips
    }

    fn connection_id(&self) -> u32 {
        self.handshake
    }

    /// Nobody is ever blocked on a script.
    fn stopper(&self) -> Box<dyn FnOnce() + Send> {
        Box::new(|| {})
    }

    fn shut(&mut self) {
        self.lost = Lost::Yes;
        self.script.state().log.push(Sent { connection: self.id, text: "SHUT".into() });
    }
}

impl ScriptedWire {
    fn log(&self, text: &str) {
        self.script.state().log.push(Sent { connection: self.id, text: text.to_owned() });
    }

    fn reply(&mut self, reply: Reply, text: &str, rows: &mut dyn FnMut(Row)) -> mysql::Result<Answer> {
        if matches!(reply, Reply::LostBefore | Reply::LostAfter) {
            self.lost = Lost::Yes;
        }
        match reply.error_to(text) {
            Some(error) => Err(error),
            None => Ok(reply.give(rows)),
        }
    }

    fn look_up(&self, text: &str) -> Reply {
        let mut state = self.script.state();
        state.reply(&text.to_lowercase())
    }
}

impl State {
    /// `text` is in lower case.
    fn reply(&mut self, text: &str) -> Reply {
        let fits = |start: &String| text.starts_with(start.as_str());
        let waiting = self.answers.iter().position(|(start, _)| fits(start));
        if let Some((_, reply)) = waiting.and_then(|at| self.answers.remove(at)) {
            return reply;
        }
        let standing = self.standing.iter().rev().find(|(start, _)| fits(start));
        standing.map_or_else(Reply::done, |(_, reply)| reply.clone())
    }
}

impl Reply {
    fn give(self, rows: &mut dyn FnMut(Row)) -> Answer {
        let answer = Answer::default();
        match self {
            Self::Done { affected_rows, last_insert_id } => Answer { affected_rows, last_insert_id, ..answer },
            Self::Warned(warnings) => Answer { warnings, ..answer },
            Self::NotTransactional => {
                let tracked = Tracked { writes: Writes::Permanent, ..Tracked::default() };
                Answer { affected_rows: 1, tracked, ..answer }
            }
            Self::Rows(columns, values) => {
                for values in values {
                    rows(row(&columns, values));
                }
                answer
            }
            Self::KilledInSilence => Answer { counts: Counts::Missing, ..answer },
            Self::Fewer(_) | Self::Error(..) | Self::LostBefore | Self::LostAfter => answer,
        }
    }
}

fn row(columns: &[String], values: Vec<Value>) -> Row {
    let column = |name: &String| Column::new(ColumnType::MYSQL_TYPE_VAR_STRING).with_name(name.as_bytes());
    new_row(values, columns.iter().map(column).collect())
}
