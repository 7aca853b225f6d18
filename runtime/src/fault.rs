//! What a failure means for the transaction it happened in: what the server undid, whether the unit may run again, and what
//! it says when it answers a COMMIT. Which error means what is the engine's table (`mysql/faults.rs`); what follows is `retry`.

use std::error::Error as StdError;
use std::sync::Arc;

use crate::error::ErrorKind;

/// What is gone after the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undone {
    /// Nothing had begun.
    Nothing,
    /// The statement alone; the transaction is as it was before it.
    Statement,
    /// The statement, but what is left must not be committed: half a unit.
    Doomed,
    /// The whole transaction.
    Transaction,
    /// The connection, and with it the transaction as soon as the server notices.
    Connection,
}

/// Whether running the whole unit again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// It would fail again, or somebody asked to stop.
    Never,
    /// As often as the unit's policy says.
    Yes,
    /// Once: each try may cost a full lock wait (50 s by default).
    Once,
}

/// What is true of a transaction whose COMMIT was answered with this error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtCommit {
    /// It was rolled back.
    RolledBack,
    /// Nobody knows.
    Unknown,
    /// It was committed, or may have been, without a write of the unit that went out in the same packet.
    Torn,
}

/// The meaning of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    pub(crate) undone: Undone,
    pub(crate) again: Again,
    pub(crate) at_commit: AtCommit,
}

/// A failure of the engine: its meaning and what the driver or the server said.
#[derive(Debug, Clone)]
pub struct Failed {
    pub(crate) fault: Fault,
    pub(crate) code: Option<u16>,
    pub(crate) sqlstate: Option<Arc<str>>,
    /// What to tell the user, the server's words included.
    pub(crate) detail: Arc<str>,
    pub(crate) cause: Option<Arc<dyn StdError + Send + Sync>>,
    /// The statement that it is about, where that is not the one that was asked for: it had been deferred.
    pub(crate) statement: Option<Arc<str>>,
}

impl Failed {
    /// A failure of our own making, without a driver's error behind it.
    pub(crate) fn of(kind: ErrorKind, undone: Undone, again: Again, detail: impl Into<Arc<str>>) -> Self {
        let fault = Fault { kind, undone, again, at_commit: AtCommit::RolledBack };
        Self { fault, code: None, sqlstate: None, detail: detail.into(), cause: None, statement: None }
    }

    /// The same, and what had been said before it.
    pub(crate) fn after(mut self, first: &Self) -> Self {
        self.detail = format!("{}; it had failed with {}", self.detail, first.detail).into();
        self.code = first.code;
        self.sqlstate.clone_from(&first.sqlstate);
        self.cause.clone_from(&first.cause);
        self
    }

    /// Whether the transaction can go on after it.
    pub(crate) fn dooms(&self) -> bool {
        match self.fault.undone {
            Undone::Nothing | Undone::Statement => false,
            Undone::Doomed | Undone::Transaction | Undone::Connection => true,
        }
    }
}
