//! What can be seen of a program's run, the same for the library and for the model, so that both can be compared with `==`.

use std::fmt;

use unit_of_work::{ErrorKind, HookKind};

/// How a unit, a savepoint or a statement ended for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Value,
    /// An error of the program's own.
    Own(u32),
    /// An error of the library's.
    Work(ErrorKind),
    Panic(u32),
}

impl Said {
    pub(super) fn is_error(self) -> bool {
        matches!(self, Self::Own(_) | Self::Work(_))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value => f.write_str("a value"),
            Self::Own(number) => write!(f, "failure {number}"),
            Self::Work(kind) => write!(f, "{kind:?}"),
            Self::Panic(number) => write!(f, "it panicked: panic {number}"),
        }
    }
}

/// One line of what operations and hooks write down while they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Note {
    /// What an operation gave to the body around it.
    Saw(Said),
    /// The count in `tx.local`.
    Counted(u32),
    /// A hook ran, and whether a unit was active then.
    Ran { hook: u32, in_unit: bool },
    /// `on_hook_error` was told: the unit, which kind of hook, what it said.
    Reported(String, HookKind, String),
}

/// What a run of the program, an empty unit after it and a writing unit after that leave.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) said: Said,
    /// Of the empty and the writing unit.
    pub(super) next: [Said; 2],
    pub(super) diary: Vec<Note>,
    /// Statements with the numbers of their connections; nothing of a real server's.
    pub(super) log: Vec<(u32, String)>,
    /// Numbers that are in the table; nothing of a scripted server's.
    pub(super) rows: Vec<u64>,
    pub(super) figures: Figures,
    /// Transactions that a real server still has open for the pool's connections.
    pub(super) left_open: usize,
}

/// The pool's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) open: usize,
    pub(super) free: usize,
    pub(super) parked: usize,
    pub(super) in_use: usize,
}
