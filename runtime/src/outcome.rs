//! How a unit ended. One cell per attempt, shared with every error that the attempt gave to the body: so an error that the
//! body wrapped in its own type still says, afterwards, what became of the unit.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// What is true of a unit's writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// COMMIT was confirmed.
    Committed,
    /// Nothing of it is in the database.
    RolledBack,
    /// The body did not run, or nothing of it reached a transaction.
    NotStarted,
    /// COMMIT was sent and not answered: it may or may not have happened.
    Unknown,
    /// Part of it is in the database: something inside committed on its own.
    Torn,
    /// It ran without a transaction: each statement stands for itself.
    Untransacted,
}

impl Outcome {
    pub(crate) const ALL: [Self; 6] =
        [Self::Committed, Self::RolledBack, Self::NotStarted, Self::Unknown, Self::Torn, Self::Untransacted];

    /// Where it stands in [`ALL`](Self::ALL).
    pub(crate) const fn place(self) -> usize {
        match self {
            Self::Committed => 0,
            Self::RolledBack => 1,
            Self::NotStarted => 2,
            Self::Unknown => 3,
            Self::Torn => 4,
            Self::Untransacted => 5,
        }
    }

    /// In one word, for figures and traces.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::RolledBack => "rolled_back",
            Self::NotStarted => "not_started",
            Self::Unknown => "unknown",
            Self::Torn => "torn",
            Self::Untransacted => "untransacted",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Committed => "the unit was committed",
            Self::RolledBack => "the unit was rolled back",
            Self::NotStarted => "nothing was begun",
            Self::Unknown => "it is not known whether the unit was committed",
            Self::Torn => "part of the unit may be in the database",
            Self::Untransacted => "the unit ran without a transaction",
        })
    }
}

/// How an attempt ended, as the attempt itself knows it. The cell that it shares with errors is made for the first of them.
#[derive(Debug, Default)]
pub(crate) struct Settling {
    outcome: Cell<Option<Outcome>>,
    told: OnceCell<Settled>,
}

impl Settling {
    /// The first word stands: an attempt ends once.
    pub(crate) fn settle(&self, outcome: Outcome) {
        let stands = self.outcome.get().unwrap_or(outcome);
        self.outcome.set(Some(stands));
        if let Some(told) = self.told.get() {
            told.settle(stands);
        }
    }

    pub(crate) fn get(&self) -> Option<Outcome> {
        self.outcome.get()
    }

    /// What an error keeps, to know the outcome when there is one.
    pub(crate) fn told(&self) -> &Settled {
        self.told.get_or_init(|| self.outcome.get().map_or_else(Settled::default, Settled::as_of))
    }
}

/// Written once, when the attempt has ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settled(Arc<OnceLock<Outcome>>);

impl Settled {
    pub(crate) fn as_of(outcome: Outcome) -> Self {
        Self(Arc::new(OnceLock::from(outcome)))
    }

    /// The first word stands: an attempt ends once.
    pub(crate) fn settle(&self, outcome: Outcome) {
        let _ended_before = self.0.set(outcome);
    }

    pub(crate) fn get(&self) -> Option<Outcome> {
        self.0.get().copied()
    }
}
