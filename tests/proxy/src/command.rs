//! What a command packet asks for: its kind, its text, and which prepared statement it executes.
//! It leaves the counting to `record` and knows of an answer only the identifier of a new prepared statement.

use std::collections::HashMap;

/// One command that a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The connection it came on: 1 for the first that the proxy passed on, then 2, …
    pub connection: u64,
    /// What it asks for.
    pub kind: Kind,
    /// The SQL of a query or a preparation; for an execution the SQL of the prepared statement; otherwise empty.
    /// Bytes that are not UTF-8 are replaced, and a text beyond 16 MiB is cut off where the first frame ends.
    pub text: String,
}

/// The kind of a command, from its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `COM_QUERY`: a statement, or several, as text.
    Query,
    /// `COM_STMT_PREPARE`.
    Prepare,
    /// `COM_STMT_EXECUTE`.
    Execute,
    /// `COM_STMT_CLOSE`. It has no answer.
    Close,
    /// `COM_PING`.
    Ping,
    /// `COM_RESET_CONNECTION`.
    Reset,
    /// `COM_QUIT`. It has no answer.
    Quit,
    /// `COM_INIT_DB`: another default database.
    InitDb,
    /// `COM_STMT_SEND_LONG_DATA`. It has no answer.
    LongData,
    /// Any other command, with its byte. All of these are answered.
    Other(u8),
}

const COM_CHANGE_USER: u8 = 0x11;

impl Kind {
    /// Whether the server answers a command of this kind, so that it is a round trip.
    pub fn is_round_trip(self) -> bool {
        match self {
            Self::Close | Self::LongData | Self::Quit => false,
            Self::Query | Self::Prepare | Self::Execute | Self::Ping | Self::Reset | Self::InitDb | Self::Other(_) => {
                true
            }
        }
    }

    fn of(byte: u8) -> Self {
        match byte {
            0x01 => Self::Quit,
            0x02 => Self::InitDb,
            0x03 => Self::Query,
            0x0e => Self::Ping,
            0x16 => Self::Prepare,
            0x17 => Self::Execute,
            0x18 => Self::LongData,
            0x19 => Self::Close,
            0x1f => Self::Reset,
            other => Self::Other(other),
        }
    }
}

/// The prepared statements of one connection: identifier to SQL.
#[derive(Debug, Default)]
pub(crate) struct Statements(HashMap<u32, String>);

impl Statements {
    /// Reads the command of the given first byte and rest, and forgets the statements that it ends.
    pub(crate) fn read(&mut self, connection: u64, byte: u8, body: &[u8]) -> Command {
        let kind = Kind::of(byte);
        let text = self.text(kind, body);
        self.forget_ended(kind, body);
        Command { connection, kind, text }
    }

    /// Remembers `sql` under the identifier in the first packet of the answer to its preparation; an error has none.
    pub(crate) fn learn(&mut self, sql: String, answer: &[u8]) {
        if let Some((&0x00, rest)) = answer.split_first()
            && let Some(id) = statement_id(rest)
        {
            self.0.insert(id, sql);
        }
    }

    fn text(&self, kind: Kind, body: &[u8]) -> String {
        match kind {
            Kind::Query | Kind::Prepare => String::from_utf8_lossy(body).into_owned(),
            Kind::Execute => statement_id(body).and_then(|id| self.0.get(&id)).cloned().unwrap_or_default(),
            Kind::Close | Kind::Ping | Kind::Reset | Kind::Quit | Kind::InitDb | Kind::LongData | Kind::Other(_) => {
                String::new()
            }
        }
    }

    fn forget_ended(&mut self, kind: Kind, body: &[u8]) {
        match (kind, statement_id(body)) {
            (Kind::Close, Some(id)) => drop(self.0.remove(&id)),
            (Kind::Reset | Kind::Other(COM_CHANGE_USER), _) => self.0.clear(),
            // Nothing else ends a statement.
            (_, _) => {}
        }
    }
}

fn statement_id(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|id| u32::from_le_bytes(*id))
}
