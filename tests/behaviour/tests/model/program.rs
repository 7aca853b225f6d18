//! What a program is: one outermost unit with units, savepoints, hooks, errors and panics inside, and the faults that a scripted
//! server has in store. How programs are made up is `random`'s, how they are made smaller is `smaller`'s; what one does is for
//! `reference` to say and for `real` to find out.

mod random;
mod smaller;

use unit_of_work::{Access, Isolation, OnError, Propagation};

/// Which kind of server a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// Answers everything with success, but for the planned faults.
    Scripted,
    /// Has a table with a primary key, and enforces `read only`.
    Real,
}

#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) unit: Unit,
    pub(super) faults: Vec<Planned>,
    /// The pool's `max_connections`.
    pub(super) connections: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) id: u32,
    pub(super) mode: Propagation,
    pub(super) isolation: Option<Isolation>,
    pub(super) access: Access,
    /// At most so many: 1 or 2.
    pub(super) attempts: u32,
    pub(super) replay: Replay,
    /// What each error of the body asks for.
    pub(super) on_error: OnError,
    pub(super) body: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replay {
    Once,
    Repeatable,
}

/// One operation; the numbers tell those apart that can be seen.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Inserts a fresh number.
    Write(Reaction),
    /// Inserts the number 0, which a real server has already.
    Duplicate(Reaction),
    Unit(Unit, Reaction),
    /// `tx.savepoint`.
    Savepoint(Vec<Step>, Reaction),
    /// `set_rollback_only`.
    Mark,
    /// Counts in `tx.local` and notes the count.
    Count,
    Hook(Hook),
    /// Returns an error of the program's own.
    Fail(u32),
    Panic(u32),
}

/// What is done about the failure of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    PassOn,
    /// Errors are forgotten, panics go on.
    Swallow,
    /// Both are forgotten.
    Catch,
}

#[derive(Debug, Clone)]
pub(super) enum Hook {
    /// Works inside the transaction.
    BeforeCommit(u32, Vec<Step>),
    After(u32, Event, Then),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Commit,
    Rollback,
    Unknown,
}

/// What a hook does after it has noted that it ran.
#[derive(Debug, Clone)]
pub(super) enum Then {
    Nothing,
    Fail(u32),
    Panic(u32),
    Unit(Box<Unit>),
}

/// The `nth` statement of a kind is answered so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) sql: Sql,
    pub(super) nth: usize,
    pub(super) way: Way,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sql {
    Insert,
    Characteristics,
    Savepoint,
    Release,
    RollbackTo,
    Commit,
    Rollback,
    Kill,
    Ping,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// 1213.
    Deadlock,
    /// 1205.
    LockTimeout,
    /// 1062.
    Refused,
    LostBefore,
    LostAfter,
}

impl Sql {
    pub(super) const ALL: [Self; 9] = [
        Self::Insert,
        Self::Characteristics,
        Self::Savepoint,
        Self::Release,
        Self::RollbackTo,
        Self::Commit,
        Self::Rollback,
        Self::Kill,
        Self::Ping,
    ];

    /// How its text begins; no other's begins so.
    pub(super) fn start(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Characteristics => "SET SESSION",
            Self::Savepoint => "SAVEPOINT",
            Self::Release => "RELEASE",
            Self::RollbackTo => "ROLLBACK TO",
            Self::Commit => "COMMIT",
            Self::Rollback => "ROLLBACK AND",
            Self::Kill => "KILL",
            Self::Ping => "PING",
        }
    }

    /// Servers do not say to these what they say to statements that touch rows.
    pub(super) fn can_only_be_lost(self) -> bool {
        matches!(self, Self::Characteristics | Self::Kill | Self::Ping)
    }
}

impl Unit {
    pub(super) fn name(&self) -> String {
        format!("u{}", self.id)
    }

    /// Of one mode, the rest as it is by default.
    pub(super) fn plain(id: u32, mode: Propagation, body: Vec<Step>) -> Self {
        Self {
            id,
            mode,
            isolation: None,
            access: Access::ReadWrite,
            attempts: 2,
            replay: Replay::Once,
            on_error: OnError::RollBack,
            body,
        }
    }
}

impl Program {
    /// No faults, and sessions enough.
    pub(super) fn of(unit: Unit) -> Self {
        Self { unit, faults: Vec::new(), connections: 64 }
    }
}
