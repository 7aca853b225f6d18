//! What is done about a COMMIT whose answer is lost: the two ways in which every soak runs its units.

use unit_of_work::{Database, MySql, UnitBuilder};

/// How the units of a run are declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As they are by default: a COMMIT without an answer is `CommitUnknown`.
    Plain,
}

impl Mode {
    pub(crate) const ALL: [Self; 1] = [Self::Plain];

    /// A unit of this mode.
    pub(crate) fn unit<'d>(self, db: &'d Database, name: &'static str) -> UnitBuilder<'d, MySql> {
        let unit = db.unit(name);
        match self {
            Self::Plain => unit,
        }
    }

    /// How the packet begins with which such a unit commits.
    pub(crate) fn commit(self) -> &'static str {
        match self {
            Self::Plain => "COMMIT",
        }
    }

    pub(crate) fn is_exactly_once(self) -> bool {
        match self {
            Self::Plain => false,
        }
    }
}
