//! A wire around another one that writes down what goes over it, for people who ask why a test failed. Texts and what came of
//! them, never a parameter's value: a test's output is read by many. (What the server says of an error is kept as it is, and may repeat
//! one.) The opening of connections is left out, as in `failing`.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mysql::{Conn, Params, Row, Statement, Value};

use super::{Answer, Part, Request, Tracked, Wire};
use crate::backend::mysql::faults;
use crate::label::Label;
use crate::outcome::Outcome;
use crate::shown;

/// More lines are not kept: the last ones tell what happened.
const KEPT: usize = 200;

/// What was sent to the server and what came of it, to be given to
/// [`DatabaseBuilder::record`](crate::DatabaseBuilder::record). Clones are the same record; its `Display` is a table for people.
///
/// Values of parameters are not in it. But the server's own words are, and those may repeat a value (1062: `Duplicate entry 'Ada' for
/// key …`).
///
/// ```
/// # fn main() -> Result<(), unit_of_work::Error> {
/// use unit_of_work::Database;
/// use unit_of_work::testing::{Record, Script};
///
/// let record = Record::new();
/// let db = Database::builder().script(&Script::new()).record(&record).connect()?;
/// db.unit("greet").run(|tx| tx.exec_drop("INSERT INTO guest (name) VALUES (?)", ("Ada",)))?;
/// let text = record.to_string();
/// assert!(text.contains("INSERT INTO guest (name) VALUES (?)  [3 bytes]"), "{text}");
/// assert!(!text.contains("Ada"), "values are nobody's business");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Record(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<Line>,
    /// Lines that are not kept any more.
    gone: usize,
}

#[derive(Debug)]
enum Line {
    Sent { connection: u32, text: Arc<str>, parameters: String, answer: String },
    Ended { unit: Label, attempt: u32, outcome: Outcome },
}

impl Record {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets what was written so far.
    pub fn clear(&self) {
        *self.lock() = Kept::default();
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.lock().lines.is_empty()
    }

    pub(crate) fn ended(&self, unit: &Label, attempt: u32, outcome: Outcome) {
        self.push(Line::Ended { unit: unit.clone(), attempt, outcome });
    }

    fn push(&self, line: Line) {
        let mut kept = self.lock();
        if kept.lines.len() == KEPT {
            kept.lines.pop_front();
            kept.gone += 1;
        }
        kept.lines.push_back(line);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.lock();
        if kept.gone > 0 {
            writeln!(f, "  … {} lines before", kept.gone)?;
        }
        kept.lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent { connection, text, parameters, answer } => {
                write!(f, "connection {connection}: {text}{parameters} -> {answer}")
            }
            Self::Ended { unit, attempt, outcome } => write!(f, "unit {unit}, attempt {attempt}: {outcome}"),
        }
    }
}

#[derive(Debug)]
pub(crate) struct RecordingWire {
    inner: Box<dyn Wire>,
    record: Record,
    opened: Opened,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opened {
    NotYet,
    Yes,
}

impl RecordingWire {
    pub(crate) fn new(inner: Box<dyn Wire>, record: Record) -> Self {
        Self { inner, record, opened: Opened::NotYet }
    }

    fn write(&mut self, text: &str, parameters: String, answer: String) {
        let opening = text.contains("session_track_state_change");
        match self.opened {
            Opened::NotYet if opening => self.opened = Opened::Yes,
            Opened::NotYet => {}
            Opened::Yes => {
                let (connection, text) = (self.inner.connection_id(), shown::statement(text));
                self.record.push(Line::Sent { connection, text, parameters, answer });
            }
        }
    }
}

impl Wire for RecordingWire {
    fn exchange(&mut self, request: Request<'_>, rows: &mut dyn FnMut(Row)) -> mysql::Result<Answer> {
        let (text, parameters) = (request.text(), parameters(&request));
        let mut read = 0;
        let answer = self.inner.exchange(request, &mut |row| {
            read += 1;
            rows(row);
        });
        let told = match &answer {
            Ok(_) if read > 0 => format!("{read} rows"),
            Ok(answer) => format!("OK, {} rows affected", answer.affected_rows),
            Err(error) => faults::words(error).unwrap_or_else(|| "a value that cannot be told".to_owned()),
        };
        self.write(text, parameters, told);
        answer
    }

    /// A line for each statement that was answered, and one for what came instead.
    fn packet(&mut self, statements: &[Part<'_>], results: &mut dyn FnMut(Answer)) -> mysql::Result<()> {
        let mut told = Vec::with_capacity(statements.len());
        let sent = self.inner.packet(statements, &mut |answer| {
            told.push(format!("OK, {} rows affected", answer.affected_rows));
            results(answer);
        });
        told.extend(sent.as_ref().err().map(|error| faults::words(error).unwrap_or_default()));
        for (part, told) in statements.iter().zip(told) {
            self.write(part.shown, "  [in a packet]".to_owned(), told);
        }
        sent
    }

    fn prepare(&mut self, sql: &str) -> mysql::Result<()> {
        let prepared = self.inner.prepare(sql);
        if let Err(error) = &prepared {
            let told = faults::words(error).unwrap_or_default();
            self.write(sql, String::new(), told);
        }
        prepared
    }

    fn statement(&mut self, sql: &str) -> mysql::Result<Statement> {
        let prepared = self.inner.statement(sql);
        let told =
            prepared.as_ref().map_or_else(|error| faults::words(error).unwrap_or_default(), |_| "prepared".to_owned());
        self.write(sql, String::new(), told);
        prepared
    }

    fn close(&mut self, statement: Statement) -> mysql::Result<()> {
        self.inner.close(statement)
    }

    fn conn(&mut self, sql: &str) -> mysql::Result<&mut Conn> {
        self.write(sql, String::new(), "read by the driver itself".to_owned());
        self.inner.conn(sql)
    }

    fn tracked(&self) -> Tracked {
        self.inner.tracked()
    }

    fn connection_id(&self) -> u32 {
        self.inner.connection_id()
    }

    fn round_trips(&self) -> u64 {
        self.inner.round_trips()
    }

    fn stopper(&self) -> Box<dyn FnOnce() + Send> {
        self.inner.stopper()
    }

    fn shut(&mut self) {
        self.inner.shut();
    }
}

/// What kind of values went along.
fn parameters(request: &Request<'_>) -> String {
    match request {
        Request::Execute(_, Params::Positional(values)) => kinds(values.iter()),
        Request::Execute(_, Params::Named(values)) => kinds(values.values()),
        Request::Batch(_, rows) => format!("  [{} rows of parameters]", rows.len()),
        Request::Execute(_, Params::Empty)
        | Request::Query(_)
        | Request::Secret(_)
        | Request::Ping
        | Request::Reset => String::new(),
    }
}

fn kinds<'v>(values: impl Iterator<Item = &'v Value>) -> String {
    let kinds: Vec<String> = values.map(kind).collect();
    format!("  [{}]", kinds.join(", "))
}

fn kind(value: &Value) -> String {
    match value {
        Value::NULL => "NULL".to_owned(),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Value::Int(_) | Value::UInt(_) => "integer".to_owned(),
        Value::Float(_) | Value::Double(_) => "float".to_owned(),
        Value::Date(..) => "date".to_owned(),
        Value::Time(..) => "time".to_owned(),
    }
}
