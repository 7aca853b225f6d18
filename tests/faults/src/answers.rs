//! What callers were told about their units. Whether it is true is the audit's business.

use std::fmt;

use serde::Serialize;
use unit_of_work::{Error, Outcome};

use crate::work::Number;

/// What the caller of one unit was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// It is in the database.
    Committed,
    /// It is not.
    Absent,
    /// Nobody knows.
    Unknown,
}

impl Answer {
    /// # Panics
    /// On an outcome that these units cannot have: they have no procedures, and all run in a transaction.
    pub(crate) fn of(told: &Result<(), Error>) -> Self {
        match told.as_ref().map_or_else(Error::outcome, |()| Some(Outcome::Committed)) {
            Some(Outcome::Committed) => Self::Committed,
            Some(Outcome::RolledBack | Outcome::NotStarted) => Self::Absent,
            Some(Outcome::Unknown) => Self::Unknown,
            outcome => panic!("a plain unit ended as {outcome:?}: {told:?}"),
        }
    }
}

/// Every unit of a run with its answer.
#[derive(Debug, Default)]
pub(crate) struct Answers(Vec<(Number, Answer)>);

impl Answers {
    pub(crate) fn note(&mut self, unit: Number, answer: Answer) {
        self.0.push((unit, answer));
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Number, Answer)> + '_ {
        self.0.iter().copied()
    }

    pub(crate) fn counts(&self) -> Counts {
        let count = |wanted| self.0.iter().filter(|(_, answer)| *answer == wanted).count() as u64;
        Counts {
            acknowledged: count(Answer::Committed),
            rolled_back: count(Answer::Absent),
            unknown: count(Answer::Unknown),
        }
    }
}

/// How many units had which answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// `Ok`.
    pub(crate) acknowledged: u64,
    /// An error that says that nothing of it is in the database.
    pub(crate) rolled_back: u64,
    /// `CommitUnknown`.
    pub(crate) unknown: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, rolled_back, unknown } = self;
        write!(f, "{acknowledged} acknowledged, {rolled_back} told to be rolled back, {unknown} unknown")
    }
}
