//! What is done about a COMMIT whose answer is lost: the two ways in which every soak runs its units.

use unit_of_work::{Database, Error, MySql, UnitBuilder};

use crate::answers::Counts;

/// How the units of a run are declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As they are by default: a COMMIT without an answer is `CommitUnknown`.
    Plain,
    /// A COMMIT without an answer is resolved.
    ExactlyOnce,
}

impl Mode {
    pub(crate) const ALL: [Self; 2] = [Self::Plain, Self::ExactlyOnce];

    /// A unit of this mode.
    pub(crate) fn unit<'d>(self, db: &'d Database, name: &'static str) -> UnitBuilder<'d, MySql> {
        let unit = db.unit(name);
        match self {
            Self::Plain => unit,
            Self::ExactlyOnce => unit.exactly_once(),
        }
    }

    /// Makes what such units need.
    pub(crate) fn prepare(self, db: &Database) -> Result<(), Error> {
        match self {
            Self::Plain => Ok(()),
            Self::ExactlyOnce => db.create_outcome_table(),
        }
    }

    /// How the packet begins with which such a unit commits.
    pub(crate) fn commit(self) -> &'static str {
        match self {
            Self::Plain => "COMMIT",
            Self::ExactlyOnce => "INSERT INTO unit_of_work_outcome",
        }
    }

    pub(crate) fn is_exactly_once(self) -> bool {
        self == Self::ExactlyOnce
    }
}

/// In words, what a run broke whose server could be asked in time: nobody who asked to be told may be left without an answer.
pub(crate) fn undecided(exactly_once: bool, counts: Counts) -> Option<String> {
    (exactly_once && counts.unknown > 0).then(|| format!("{} units stayed unknown though exactly_once", counts.unknown))
}
