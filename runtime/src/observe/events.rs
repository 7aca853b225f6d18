//! Single events: what is worth saying, and how loud. Without the feature `tracing`, or without a subscriber, nothing is computed.
//! Each also counts, where it is a metric (`meters`).

use std::time::Duration;

use super::meters;
use crate::backend::Peer;
use crate::error::Error;
use crate::fault::{Again, Failed};
use crate::hooks::HookFailure;
use crate::label::Label;
use crate::outcome::Outcome;
use crate::pool::Closing;
use crate::transaction::Mark;
use crate::units::{Figures, Reason};

#[cfg(feature = "tracing")]
macro_rules! tell {
    ($level:ident, $($field:tt)*) => { tracing::$level!(target: "unit_of_work", $($field)*) };
}
#[cfg(not(feature = "tracing"))]
macro_rules! tell {
    ($level:ident, $($($name:ident).+ = $(%)? $value:expr,)* $text:literal) => {{ $(if false { let _ = &$value; })* }};
}

/// A connection was opened.
pub(crate) fn opened(number: u64, peer: &Peer<'_>, took: Duration) {
    meters::opened(took);
    tell!(
        debug,
        connection = number,
        db.system.name = peer.system,
        db.namespace = peer.namespace,
        server.address = peer.address.as_deref(),
        server.port = peer.port,
        took_us = micros(took),
        "connection opened"
    );
}

/// The server's settings can lose commits that it has confirmed.
pub(crate) fn at_risk(risk: &str) {
    tell!(warn, risk = %risk, "confirmed commits can be lost");
}

/// A connection was closed.
pub(crate) fn closed(number: u64, peer: &Peer<'_>, why: Closing) {
    meters::closed(why);
    tell!(
        debug,
        connection = number,
        why = %why,
        db.system.name = peer.system,
        db.namespace = peer.namespace,
        server.address = peer.address.as_deref(),
        server.port = peer.port,
        "connection closed"
    );
}

/// The first fault after which an attempt cannot be committed any more. That the unit runs again then is nothing to worry about.
#[cfg_attr(not(feature = "tracing"), expect(clippy::match_same_arms, reason = "levels are of traces"))]
pub(crate) fn doomed(figures: &'static Figures, unit: &Label, attempt: u32, error: &Error, again: Again) {
    meters::doomed(figures, Reason::of(error));
    match again {
        Again::Yes | Again::Once => tell!(
            debug,
            unit = unit.name(),
            place = %unit.at(),
            attempt = attempt,
            fault.code = error.code(),
            error = %error,
            "the attempt is doomed"
        ),
        Again::Never => tell!(
            warn,
            unit = unit.name(),
            place = %unit.at(),
            attempt = attempt,
            fault.code = error.code(),
            error = %error,
            "the attempt is doomed"
        ),
    }
}

/// Somebody inside wants the whole, or a savepoint, rolled back.
pub(crate) fn marked(unit: &Label, attempt: u32, mark: &Mark) {
    match mark {
        Mark::RollbackOnly { by } => tell!(
            debug,
            unit = unit.name(),
            place = %unit.at(),
            attempt = attempt,
            by = by.name(),
            by.place = %by.at(),
            "the attempt was marked to be rolled back"
        ),
        Mark::Failed { unit: by, text } => tell!(
            debug,
            unit = unit.name(),
            place = %unit.at(),
            attempt = attempt,
            by = by.name(),
            by.place = %by.at(),
            error = %text,
            "a joined unit failed, and the attempt cannot be committed any more"
        ),
    }
}

/// An attempt failed and another will follow.
pub(crate) fn retrying(unit: &Label, attempt: u32, error: &Error, after: Duration) {
    tell!(
        debug,
        unit = unit.name(),
        place = %unit.at(),
        attempt = attempt,
        fault.code = error.code(),
        error = %error,
        after_us = micros(after),
        "attempt failed; the unit runs again"
    );
}

/// The body's own error asked for another attempt, which will follow.
pub(super) fn asked(unit: &Label, attempt: u32, after: Duration) {
    tell!(
        debug,
        unit = unit.name(),
        place = %unit.at(),
        attempt = attempt,
        after_us = micros(after),
        "the body asked for another attempt; the unit runs again"
    );
}

/// A unit took longer than the database's threshold.
pub(super) fn slow(figures: &'static Figures, unit: &Label, took: Duration, seen: &super::Seen) {
    meters::slow(figures);
    tell!(
        warn,
        unit = unit.name(),
        place = %unit.at(),
        took_us = micros(took),
        attempt = seen.attempts,
        outcome = seen.outcome.word(),
        waited.admission = micros(seen.waited_admission),
        waited.pool = micros(seen.waited_pool),
        round_trips = seen.round_trips,
        "the unit was slow"
    );
}

/// A transaction kept its server waiting.
pub(crate) fn idled(figures: &'static Figures, unit: &Label, attempt: u32, idle: Duration, until: &str) {
    meters::idled(figures, idle);
    tell!(
        warn,
        unit = unit.name(),
        place = %unit.at(),
        attempt = attempt,
        idle_us = micros(idle),
        until = %until,
        "the transaction was idle, with its locks held"
    );
}

/// COMMIT got no answer.
pub(crate) fn commit_unknown(error: &Error) {
    tell!(error, error = %error, "commit outcome unknown");
}

/// COMMIT got no answer, and the server is about to be asked what became of it.
pub(crate) fn resolving(unit: &Label) {
    tell!(warn, unit = unit.name(), place = %unit.at(), "COMMIT was not answered; the server is asked what became of it");
}

/// It could not be said yet.
pub(crate) fn undecided(unit: &Label, tries: u32, why: &str) {
    tell!(
        warn,
        unit = unit.name(),
        place = %unit.at(),
        tries = tries,
        why = %why,
        "the outcome of COMMIT is still undecided"
    );
}

/// It is decided.
pub(crate) fn resolved(unit: &Label, outcome: Outcome, tries: u32, after: Duration) {
    meters::resolved(outcome);
    tell!(
        info,
        unit = unit.name(),
        place = %unit.at(),
        outcome = outcome.word(),
        tries = tries,
        after_us = micros(after),
        "the outcome of COMMIT was resolved"
    );
}

/// ROLLBACK itself failed; the session is thrown away and the server undoes the transaction when it notices.
pub(crate) fn rollback_failed(unit: &Label, failed: &Failed) {
    tell!(
        warn,
        unit = unit.name(),
        place = %unit.at(),
        error = %Error::from_failed(failed.clone()),
        "rollback failed; the session is thrown away"
    );
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
    meters::hook_failed(failure);
    tell!(
        error,
        unit = failure.unit.as_str(),
        hook = failure.hook.word(),
        error = %failure.message,
        "a hook failed after the unit had ended"
    );
}

/// Whether anybody would be told that a transaction is idle: if nobody, the clock is left alone.
pub(crate) fn wants_to_know_of_idling() -> bool {
    cfg!(feature = "metrics") || hears_warnings()
}

#[cfg(feature = "tracing")]
fn hears_warnings() -> bool {
    tracing::enabled!(target: "unit_of_work", tracing::Level::WARN)
}

#[cfg(not(feature = "tracing"))]
fn hears_warnings() -> bool {
    false
}

/// As numbers in traces are given.
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
