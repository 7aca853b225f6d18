//! The seam: all that a session needs of a connection. One request, its whole answer. Behind it are the driver's `Conn`, a
//! script (`testing::Script`) and planned failures around either; above it nobody can tell which.

mod driver;
#[cfg(feature = "testing")]
pub(crate) mod failing;
#[cfg(feature = "testing")]
pub(crate) mod recording;
#[cfg(feature = "testing")]
pub(crate) mod scripted;

use std::fmt::{self, Debug};

use mysql::{Conn, Params, Row, Statement};

pub(crate) use driver::DriverWire;
pub(in crate::backend::mysql) use driver::{panicked, walk};

/// Between the statements of a packet whose results are counted. The line break ends a comment that the first one may end with:
/// without it the comment would swallow the rest.
pub(crate) const SEPARATOR: &str = "\n;\n";

/// One thing to ask of the server. All but `Execute` and `Batch` make exactly one round trip; those one more for a text that
/// this connection has not prepared yet.
#[derive(Debug, Clone)]
pub(crate) enum Request<'a> {
    /// A text, as it is.
    Query(&'a str),
    /// A text that holds values, which are nobody's business.
    Secret(Part<'a>),
    /// A prepared statement.
    Execute(&'a str, Params),
    /// A prepared statement with many rows of parameters.
    Batch(&'a str, Vec<Params>),
    /// Are you there?
    Ping,
    /// Forget what this session has set.
    Reset,
}

impl<'a> Request<'a> {
    /// The SQL as it may be shown, or the name of the command.
    pub(crate) fn text(&self) -> &'a str {
        match self {
            Self::Query(sql) | Self::Execute(sql, _) | Self::Batch(sql, _) => sql,
            Self::Secret(part) => part.shown,
            Self::Ping => "PING",
            Self::Reset => "RESET CONNECTION",
        }
    }
}

/// What came back besides rows; the figures are the last result set's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) affected_rows: u64,
    pub(crate) last_insert_id: u64,
    pub(crate) warnings: u16,
    pub(crate) tracked: Tracked,
    pub(crate) counts: Counts,
}

/// Whether an UPDATE was answered with its counts ("Rows matched: 1  Changed: 1  Warnings: 0"), as each that was carried out is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Counts {
    #[default]
    Told,
    /// Nothing was said, and no row is said to be changed.
    Missing,
}

/// What the server's trackers said: hints, because they do not see everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tracked {
    pub(crate) state: SessionState,
    pub(crate) writes: Writes,
}

/// About the session. Not seen: `SELECT @x := 1`, `GET_LOCK`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SessionState {
    /// Nothing.
    #[default]
    AsBefore,
    /// The statement changed something that outlives the transaction.
    Changed,
}

/// About the transaction. Not seen: what a function did in a SELECT.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Writes {
    /// Nothing that a ROLLBACK would leave.
    #[default]
    Undoable,
    /// A table that is not transactional was locked for writing since the transaction began.
    Permanent,
}

/// One statement of a packet.
#[derive(Clone, Copy)]
pub(crate) struct Part<'s> {
    /// As it is sent, values included.
    pub(crate) text: &'s str,
    /// As it may be shown: without values.
    pub(crate) shown: &'s str,
}

/// Its values are the user's secret.
impl Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Part").field(&self.shown).finish()
    }
}

/// What is sent when they go out together.
pub(crate) fn joined(statements: &[Part<'_>]) -> String {
    statements.iter().map(|part| part.text).collect::<Vec<_>>().join(SEPARATOR)
}

/// `ER_PARSE_ERROR` and `ER_SYNTAX_ERROR`: they quote the text from where it was not understood, and what follows it in its packet.
const QUOTING: [u16; 2] = [1064, 1149];

/// The error without what it quotes of a text that holds values.
pub(in crate::backend::mysql) fn without_quotes(error: mysql::Error) -> mysql::Error {
    match error {
        mysql::Error::MySqlError(mut error) if QUOTING.contains(&error.code) => {
            let words = error.message.split('\'').next().unwrap_or_default();
            error.message = format!("{words}… (not shown here, because values stand there; `exec_drop` shows where)");
            mysql::Error::MySqlError(error)
        }
        error => error,
    }
}

/// One connection to a server, or what stands for it in a test.
pub(crate) trait Wire: Debug + Send {
    /// Sends the request and reads the whole answer, every result set of it; each row goes to `rows`.
    fn exchange(&mut self, request: Request<'_>, rows: &mut dyn FnMut(Row)) -> mysql::Result<Answer>;

    /// Sends several statements in one packet and reads all results, whose rows are dropped; each goes to `results` when it was read, so
    /// that it is known how many came before an error. What the trackers said is known of the last one only.
    fn packet(&mut self, statements: &[Part<'_>], results: &mut dyn FnMut(Answer)) -> mysql::Result<()>;

    /// Prepares the text of an `Execute` or `Batch` that follows at once, so that a refusal leaves its parameters with the caller.
    /// Costs nothing where it is prepared already.
    fn prepare(&mut self, sql: &str) -> mysql::Result<()>;

    /// A prepared statement, for a guard that streams; the connection keeps it as it keeps those of `prepare`.
    fn statement(&mut self, sql: &str) -> mysql::Result<Statement>;

    /// Closes what a guard has prepared.
    fn close(&mut self, statement: Statement) -> mysql::Result<()>;

    /// The driver's connection, for a guard that streams. `Err` = there is none behind this wire, or it was planned to fail.
    fn conn(&mut self, sql: &str) -> mysql::Result<&mut Conn>;

    /// What the trackers said with the last answer, for who uses the driver's connection directly.
    fn tracked(&self) -> Tracked;

    /// How often it waited for an answer so far. Of a guard that streams each use of the driver's connection counts once.
    fn round_trips(&self) -> u64;

    /// The connection's number as the handshake told it.
    fn connection_id(&self) -> u32;

    /// What shuts the socket from another thread, while this one is blocked on it.
    fn stopper(&self) -> Box<dyn FnOnce() + Send>;

    /// Shuts the socket, so that not even the driver's destructor can send.
    fn shut(&mut self);
}
