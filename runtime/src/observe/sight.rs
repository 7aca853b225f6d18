//! One unit as it is watched from its begin to its end: what its attempts cost, how it ended, and to whom that is told. What it is
//! told as is `span`, `events`, `meters` and `units`.

use std::fmt;
use std::time::{Duration, Instant};

use super::span::{OwnSpan, PartSpan, Within};
use super::{events, meters};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::label::Label;
use crate::outcome::Outcome;
use crate::units::{Figures, Reason};

/// From when on something takes long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thresholds {
    /// Of a unit.
    pub(crate) slow: Duration,
    /// Of a transaction, between two statements.
    pub(crate) idle: Duration,
}

/// What was seen of a unit so far.
#[derive(Debug)]
pub(crate) struct Seen {
    /// So many began.
    pub(crate) attempts: u32,
    /// Of the last one.
    pub(crate) outcome: Outcome,
    /// What ended the last attempt that was ended by something.
    pub(crate) last: Option<Reason>,
    /// What it failed with.
    pub(crate) failed: Option<Failure>,
    /// At the gate; all attempts together, as all that follow.
    pub(crate) waited_admission: Duration,
    /// For sessions: in line, or while one was opened.
    pub(crate) waited_pool: Duration,
    pub(crate) round_trips: u64,
    /// As of the last attempt's [`Spent`].
    pub(crate) until: Option<Instant>,
}

/// What the caller gets that is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// An error of ours.
    Kind(ErrorKind),
    /// The body's own error.
    Body,
    Panic,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(f, "{kind:?}"),
            Self::Body => f.write_str("body"),
            Self::Panic => f.write_str("panic"),
        }
    }
}

/// What one attempt cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// For a session.
    pub(crate) waited: Duration,
    /// On its session, its end included.
    pub(crate) round_trips: u64,
    /// When its session was parked, if nothing of the user's follows: then the clock is not looked at again.
    pub(crate) until: Option<Instant>,
}

/// A unit that is watched until this drops.
#[derive(Debug)]
pub(crate) struct Sight<'u> {
    pub(crate) figures: &'static Figures,
    pub(crate) unit: &'u Label,
    pub(crate) clock: &'u dyn Clock,
    pub(crate) slow: Duration,
    pub(crate) began: Instant,
    pub(crate) span: OwnSpan,
    pub(crate) seen: Seen,
}

impl Seen {
    pub(crate) const NOTHING: Self = Self {
        attempts: 0,
        outcome: Outcome::NotStarted,
        last: None,
        failed: None,
        waited_admission: Duration::ZERO,
        waited_pool: Duration::ZERO,
        round_trips: 0,
        until: None,
    };
}

impl Sight<'_> {
    /// An attempt was let in at the gate after so long.
    pub(crate) fn admitted(&mut self, waited: Duration) {
        self.seen.waited_admission += waited;
    }

    /// An attempt ended.
    #[inline]
    pub(crate) fn attempt(
        &mut self,
        number: u32,
        outcome: Outcome,
        spent: Spent,
        (why, failed): (Option<Reason>, Option<Failure>),
    ) {
        let seen = &mut self.seen;
        seen.attempts = number;
        seen.outcome = outcome;
        seen.failed = failed;
        seen.waited_pool += spent.waited;
        seen.round_trips += spent.round_trips;
        seen.until = spent.until;
        if why.is_some() {
            seen.last = why;
        }
    }

    /// Another attempt follows.
    pub(crate) fn runs_again(&self, after: Duration) {
        let Some(reason) = self.seen.last else { return };
        self.figures.runs_again(reason);
        meters::runs_again(self.figures, reason);
        match reason {
            Reason::Asked => events::asked(self.unit, self.seen.attempts, after),
            Reason::Code(_) | Reason::Kind(_) => {}
        }
    }

    /// The caller gets this.
    pub(crate) fn returns(&mut self, result: &Result<(), Error>) {
        if let Err(error) = result {
            self.seen.failed = Some(Failure::Kind(error.kind()));
        }
    }
}

/// Also when the body's panic goes on.
impl Drop for Sight<'_> {
    fn drop(&mut self) {
        let until = self.seen.until.unwrap_or_else(|| self.clock.now());
        let took = until.saturating_duration_since(self.began);
        self.figures.ended(self.seen.outcome, took);
        meters::ended(self.figures, took, &self.seen);
        self.span.end(&self.seen);
        if took >= self.slow {
            events::slow(self.figures, self.unit, took, &self.seen);
        }
    }
}

/// A unit that takes part in another, until this drops.
#[derive(Debug)]
pub(crate) struct Part {
    _span: PartSpan,
}

impl Part {
    pub(crate) fn begin(figures: &Figures, unit: &Label, within: Within) -> Self {
        figures.joined();
        Self { _span: PartSpan::open(unit, within) }
    }
}
