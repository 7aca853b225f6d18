//! Time, which is the server's: a point in UTC as its columns show it, so that clocks of several processes need not agree.

use serde::{Serialize, Serializer};
use unit_of_work::mysql::Value;
use unit_of_work::{Error, Tx};

/// `2026-01-31 18:30:00.000000`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(String);

impl Moment {
    /// Later than all others: when what is bought ends.
    pub(super) const NEVER: &str = "9999-12-31 23:59:59.000000";

    /// The server's clock at the begin of this statement.
    pub(crate) fn now(tx: &mut Tx<'_>) -> Result<Self, Error> {
        Ok(Self(tx.query_first("SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)")?.expect("one row is selected")))
    }

    /// One that was selected with `CAST(… AS CHAR)`.
    pub(super) fn known(text: String) -> Self {
        Self(text)
    }

    pub(super) fn is_never(&self) -> bool {
        self.0 == Self::NEVER
    }
}

impl From<&Moment> for Value {
    fn from(moment: &Moment) -> Self {
        Self::from(moment.0.as_str())
    }
}

impl Serialize for Moment {
    /// As RFC 3339 has it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}Z", self.0.replacen(' ', "T", 1)))
    }
}
