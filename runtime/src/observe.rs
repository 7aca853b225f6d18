//! What the runtime tells whoever watches: `tracing` events, when the feature is on. Decides only what is worth saying and how
//! loud; without the feature, or without a subscriber, nothing is computed.

use std::time::Duration;

use crate::error::Error;
use crate::fault::Failed;
use crate::hooks::HookFailure;
use crate::label::Label;
use crate::outcome::Outcome;
use crate::pool::Closing;

#[cfg(feature = "tracing")]
macro_rules! tell {
    ($level:ident, $($field:tt)*) => { tracing::$level!(target: "unit_of_work", $($field)*) };
}
#[cfg(not(feature = "tracing"))]
macro_rules! tell {
    ($level:ident, $($name:ident = %$value:expr,)* $text:literal) => {{ $(let _ = &$value;)* }};
}

/// A connection was opened.
pub(crate) fn opened() {
    tell!(debug, "connection opened");
}

/// The server's settings can lose commits that it has confirmed.
pub(crate) fn at_risk(risk: &str) {
    tell!(warn, risk = %risk, "confirmed commits can be lost");
}

/// A connection was closed.
pub(crate) fn closed(why: Closing) {
    tell!(debug, why = %why, "connection closed");
}

/// An attempt failed and another will follow.
pub(crate) fn retrying(unit: &Label, error: &Error, after: Duration) {
    tell!(debug, unit = %unit, error = %error, after_us = %after.as_micros(), "attempt failed; the unit runs again");
}

/// COMMIT got no answer.
pub(crate) fn commit_unknown(error: &Error) {
    tell!(error, error = %error, "commit outcome unknown");
}

/// COMMIT got no answer, and the server is about to be asked what became of it.
pub(crate) fn resolving(unit: &Label) {
    tell!(warn, unit = %unit, "COMMIT was not answered; the server is asked what became of it");
}

/// It could not be said yet.
pub(crate) fn undecided(unit: &Label, tries: u32, why: &str) {
    tell!(warn, unit = %unit, tries = %tries, why = %why, "the outcome of COMMIT is still undecided");
}

/// It is decided.
pub(crate) fn resolved(unit: &Label, outcome: Outcome, tries: u32, after: Duration) {
    tell!(info, unit = %unit, outcome = %outcome, tries = %tries, after_us = %after.as_micros(), "the outcome of COMMIT was resolved");
}

/// ROLLBACK itself failed; the session is thrown away and the server undoes the transaction when it notices.
pub(crate) fn rollback_failed(unit: &Label, failed: &Failed) {
    tell!(warn, unit = %unit, error = %Error::from_failed(failed.clone()), "rollback failed; the session is thrown away");
}

/// Something of a unit that was rolled back stays in the database.
pub(crate) fn rollback_incomplete(error: &Error) {
    tell!(error, error = %error, "rollback incomplete");
}

/// A touched session could not be reset.
pub(crate) fn reset_failed(result: Result<(), Failed>) {
    if let Err(failed) = result {
        tell!(warn, error = %Error::from_failed(failed), "session could not be reset and is thrown away");
    }
}

/// What is left of a lost connection was ended, or could not be.
pub(crate) fn ghost(result: Result<(), Failed>) {
    if let Err(failed) = result {
        tell!(warn, error = %Error::from_failed(failed), "the server side of a lost connection could not be ended");
    }
}

/// A hook failed after the unit's end.
pub(crate) fn hook_failed(failure: &HookFailure) {
    tell!(error, unit = %failure.unit, message = %failure.message, "a hook failed after the unit had ended");
}
