//! Deferred writes: what `tx.defer` takes, what it refuses, and the queue that waits for the next statement or for COMMIT. Values become
//! literals when they are queued, so that the whole queue is one packet; what cannot be written so is not queued but sent. How packets
//! go out, and what an answer to one means, is `connection/packets`.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use mysql::Params;
use unit_of_work_sql::{Class, Reading, Touches, Verdict, Wait};

use super::MySql;
use super::wire::SEPARATOR;
use crate::error::{Error, ErrorKind};
use crate::fault::{Again, Failed, Undone};
use crate::options::Access;
use crate::shown;
use crate::tx::Tx;

/// Bytes of one packet of deferred writes. The answer of a larger one takes longer than the round trip that it saves, and what waits
/// here is memory: as much per session at most.
const LARGEST: u64 = 1 << 20;
/// Bytes for what follows the queue in its packet: the row of `exactly_once` and COMMIT, or a savepoint.
const TAIL: u64 = 256;

impl Tx<'_, MySql> {
    /// Queues an INSERT, UPDATE, DELETE or REPLACE whose answer the body does not need: it goes out with the next statement's round trip
    /// saved, or in the packet of COMMIT.
    ///
    /// What was deferred is sent in its order before the next statement of the unit, before a savepoint is set, before the connection
    /// is lent and before a unit with a session of its own begins inside; what is still there at the end goes out with COMMIT in one
    /// packet. A savepoint or an attempt that is rolled back takes along what was not sent. `params` is what
    /// [`exec_drop`](Self::exec_drop) takes, and arrives as there.
    ///
    /// A write that cannot wait is sent at once, after what was deferred before it: one with a float, a time of day, or bytes that are no
    /// UTF-8 text among its values (`UNHEX(?)` takes those as text); with a text outside of ASCII (its values may be anything); with a
    /// place for a value behind ORDER BY, GROUP BY or OFFSET; above a megabyte, for which texts count twice, because they are written in
    /// hexadecimal (so much memory waits here at most); and every one in a unit without a transaction.
    ///
    /// A unit with a [`timeout`](crate::UnitBuilder::timeout) sends what is there at the end in a packet before COMMIT, one round trip
    /// more: nothing can end a wait for locks in the packet of COMMIT.
    ///
    /// [`affected_rows`](Self::affected_rows) and [`last_insert_id`](Self::last_insert_id) stay those of the last statement that was
    /// not deferred. What a trigger of a deferred write leaves on the session (a user variable) is not noticed.
    ///
    /// # Errors
    /// `Refused` for any other statement and `ReadOnly` in a unit that is `read_only`, without dooming the unit; `TooLarge`,
    /// `Conversion` likewise. When a deferred write fails, whatever sent it fails with its error, which names this call and dooms
    /// the unit.
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work]
    /// fn transfer(tx: &mut Tx, from: u64, to: u64, amount: i64) -> Result<bool, Error> {
    ///     let balance: Option<i64> = tx.exec_first("SELECT balance FROM account WHERE id = ?", (from,))?;
    ///     let enough = balance.is_some_and(|balance| balance >= amount);
    ///     if enough {
    ///         tx.defer("UPDATE account SET balance = balance - ? WHERE id = ?", (amount, from))?;
    ///         tx.defer("UPDATE account SET balance = balance + ? WHERE id = ?", (amount, to))?;
    ///     }
    ///     Ok(enough) // two round trips in all: the SELECT, then both updates and COMMIT
    /// }
    /// ```
    #[track_caller]
    pub fn defer<S, P>(&mut self, statement: S, params: P) -> Result<(), Error>
    where
        S: AsRef<str>,
        P: Into<Params>,
    {
        let at = Location::caller();
        let (sql, params) = (statement.as_ref(), params.into());
        let mut loan = self.transaction.lend()?;
        let commits = self.transaction.characteristics.commits;
        let deferred = loan.connection().defer(sql, params, commits, at);
        deferred.map_err(|failed| self.transaction.note(failed, sql))
    }
}

/// Why a text cannot be deferred, if it cannot.
pub(super) fn judge(reading: &Reading, access: Access) -> Result<(), Failed> {
    let (kind, why) = match (&reading.verdict, reading.class, access) {
        (Verdict::Refused(refusal), _, _) => (ErrorKind::Refused, refusal.to_string()),
        (Verdict::Plain, Class::DataChange, Access::ReadWrite) => return Ok(()),
        (Verdict::Plain, Class::DataChange, Access::ReadOnly) => {
            (ErrorKind::ReadOnly, "a write in a read-only unit; declare it without `read_only`".to_owned())
        }
        (Verdict::Plain | Verdict::Bracketed, _, _) => (
            ErrorKind::Refused,
            "only INSERT, UPDATE, DELETE and REPLACE can be deferred; run this with `tx.exec_drop` or its like"
                .to_owned(),
        ),
    };
    Err(Failed::of(kind, Undone::Statement, Again::Never, format!("not sent: {why}")))
}

/// A write that waits.
pub(super) struct Write {
    /// As it was given, with places for its values: for messages.
    pub(super) sql: Box<str>,
    /// As it is sent.
    pub(super) text: String,
    pub(super) at: &'static Location<'static>,
    pub(super) touches: Touches,
    pub(super) wait: Wait,
}

impl Write {
    /// Bytes in a packet.
    fn size(&self) -> u64 {
        (self.text.len() + SEPARATOR.len()) as u64
    }

    /// The failure as one of this write, after which the unit is not what its body believes.
    pub(super) fn blame(&self, mut failed: Failed) -> Failed {
        failed = dooming(failed);
        failed.detail = format!("deferred at {}:{}: {}", self.at.file(), self.at.line(), failed.detail).into();
        failed.statement = Some(Arc::from(&*self.sql));
        failed
    }
}

/// Its values are the user's secret.
impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Write({})", shown::statement(&self.sql))
    }
}

/// A body that defers a write does not look whether it failed.
pub(super) fn dooming(mut failed: Failed) -> Failed {
    if !failed.dooms() {
        failed.fault.undone = Undone::Doomed;
    }
    failed
}

/// The writes that wait, at most one packet of them.
#[derive(Debug, Default)]
pub(super) struct Queue {
    writes: Vec<Write>,
    bytes: u64,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn take(&mut self) -> Vec<Write> {
        std::mem::take(self).writes
    }

    pub(super) fn push(&mut self, write: Write) {
        self.bytes += write.size();
        self.writes.push(write);
    }

    /// Whether it stays one packet with this one, for a server that takes `largest` bytes.
    pub(super) fn has_room_for(&self, write: &Write, largest: u64) -> bool {
        self.bytes + write.size() <= room(largest)
    }
}

/// Whether a write can wait at all.
pub(super) fn can_wait(write: &Write, largest: u64) -> bool {
    write.size() <= room(largest)
}

fn room(largest: u64) -> u64 {
    largest.min(LARGEST).saturating_sub(TAIL)
}
