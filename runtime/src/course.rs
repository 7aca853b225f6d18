//! The course of one unit over its attempts: it counts them, watches the time, draws the jitter, asks `retry` what follows, and
//! lets no attempt follow one inside which something ended on its own.

use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::fault::Again;
use crate::label::Label;
use crate::ledger::{Independent, Ledger};
use crate::observe;
use crate::options::Retry;
use crate::outcome::Outcome;
use crate::retry::{self, Next, Past, next};
use crate::run::Turn;
use crate::settle::{BodySaid, Faulted};

/// A limit beyond what the clock can say is none; a year is as good.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

#[derive(Debug)]
pub(crate) struct Course<'c> {
    policy: Retry,
    clock: &'c dyn Clock,
    began: Instant,
    attempts: u32,
    once: u32,
    deadline: Option<Instant>,
    /// When the last attempt of the unit around begins.
    around: Option<Instant>,
    nearest: Nearest,
    /// The fault of the attempt before.
    last: Option<Error>,
}

impl<'c> Course<'c> {
    #[inline]
    pub(crate) fn begin(policy: Retry, clock: &'c dyn Clock) -> Self {
        Self {
            policy,
            began: clock.now(),
            clock,
            attempts: 0,
            once: 0,
            deadline: None,
            around: None,
            nearest: Nearest::Policy,
            last: None,
        }
    }

    /// `last_begin`: no attempt of the unit around begins later, so none of this one may. `deadline`: nothing is done later.
    #[inline]
    pub(crate) fn within(mut self, last_begin: Option<Instant>, deadline: Option<Instant>) -> Self {
        (self.around, self.deadline) = (last_begin, deadline);
        self.limit(self.policy.within);
        self
    }

    /// No attempt begins later after the unit than its policy says, and none later than what is not the policy's to say.
    fn limit(&mut self, within: Duration) {
        let left = |limit: Instant| limit.saturating_duration_since(self.began);
        let within = self.around.map_or(within, |around| within.min(left(around)));
        (self.policy.within, self.nearest) = match self.deadline.map(left) {
            Some(deadline) if deadline < within => (deadline, Nearest::Deadline),
            Some(_) | None => (within, Nearest::Policy),
        };
    }

    /// The attempt begins, after it was held back at its gate for so long: now. The time of the policy is counted from the begin of the
    /// first one; where nothing held that back it is the unit's, and the clock is not looked at again.
    #[inline]
    pub(crate) fn begins(&mut self, held_back: Duration) -> Instant {
        match (self.attempts, held_back) {
            (1, Duration::ZERO) => self.began,
            (1, _) => {
                self.limit(self.policy.within.saturating_add(held_back));
                self.clock.now()
            }
            _ => self.clock.now(),
        }
    }

    /// The next attempt's number, from 1, and whether another can follow it.
    #[inline]
    pub(crate) fn next_attempt(&mut self) -> (u32, Turn) {
        self.attempts = self.attempts.saturating_add(1);
        let last = retry::is_last(&self.policy, self.attempts);
        (self.attempts, if last { Turn::Final } else { Turn::Repeatable })
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// When the last attempt may begin; `None` = there is only one.
    #[inline]
    pub(crate) fn until(&self) -> Option<Instant> {
        if self.policy.max_attempts == 1 {
            return None;
        }
        Some(self.began + self.policy.within.min(FAR))
    }

    /// What follows a fault. `Err` = the caller gets this.
    pub(crate) fn after(&mut self, faulted: Faulted, unit: &Label, ledger: &Ledger) -> Result<Step, Error> {
        let Faulted { again, error, body } = faulted;
        let error = self.in_sight_of_the_earlier(error);
        match self.next(again) {
            Next::Again { after } => {
                if let Some(independent) = ledger.forbids() {
                    return Err(forbidden(&independent, &error));
                }
                observe::retrying(unit, self.attempts, &error, after);
                self.last = Some(error);
                Ok(Step::RunAgain(after))
            }
            Next::Exhausted => Err(self.exhausted(&error)),
            Next::Return if error.kind() == ErrorKind::Timeout => Err(self.timed_out(error)),
            // A fault that is not retried: the body's own error if it returned one, else the fault.
            Next::Return => match body {
                BodySaid::Error => Ok(Step::Return),
                BodySaid::NoError => Err(error),
            },
        }
    }

    /// That the last attempt could not even begin says little of a unit of which an earlier one was rolled back.
    fn in_sight_of_the_earlier(&self, error: Error) -> Error {
        match (self.last.as_ref().and_then(Error::outcome), error.outcome()) {
            (Some(Outcome::RolledBack), Some(Outcome::NotStarted)) => error.with_outcome(Outcome::RolledBack),
            (Some(_) | None, _) => error,
        }
    }

    /// What follows an error of the body that asks for another attempt: it is returned when there cannot be one.
    pub(crate) fn asked(&mut self, ledger: &Ledger) -> Step {
        match self.next(Again::Yes) {
            Next::Again { after } if ledger.forbids().is_none() => Step::RunAgain(after),
            Next::Again { .. } | Next::Return | Next::Exhausted => Step::Return,
        }
    }

    fn next(&mut self, again: Again) -> Next {
        self.once += u32::from(again == Again::Once);
        let past = Past { attempts: self.attempts, once: self.once, elapsed: self.elapsed() };
        next(&self.policy, again, past, fastrand::f64())
    }

    fn exhausted(&self, last: &Error) -> Error {
        let (kind, detail) = match self.nearest {
            Nearest::Deadline if self.attempts < self.policy.max_attempts => {
                (ErrorKind::Timeout, "no further attempt could begin before the deadline; the last one failed with")
            }
            Nearest::Deadline | Nearest::Policy => (ErrorKind::RetriesExhausted, gave_up(last.kind())),
        };
        Error::because_of(kind, detail, last).after(self.attempts, self.elapsed())
    }

    /// The fault of an earlier attempt says more than the deadline does.
    fn timed_out(&self, error: Error) -> Error {
        match &self.last {
            Some(last) => {
                let detail = "the deadline passed in an attempt that followed one that had failed with";
                Error::because_of(ErrorKind::Timeout, detail, last).after(self.attempts, self.elapsed())
            }
            None => error,
        }
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().saturating_duration_since(self.began)
    }
}

fn gave_up(last: ErrorKind) -> &'static str {
    match last {
        ErrorKind::Serialization | ErrorKind::LockTimeout => {
            "gave up; many want the same rows: shorten the unit, lock them in one order and at once (`FOR UPDATE`), or allow more \
             with `retry(within = …)`; the last attempt failed with"
        }
        _ => "gave up; the last attempt failed with",
    }
}

/// Which limit of time comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nearest {
    Policy,
    Deadline,
}

/// What the loop does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Sleep, then run again.
    RunAgain(Duration),
    /// Return what the body returned.
    Return,
}

fn forbidden(independent: &Independent, last: &Error) -> Error {
    let Independent { unit, outcome, .. } = independent;
    let ended = match outcome {
        Outcome::Unknown => "ended with an unknown outcome",
        Outcome::Untransacted => "ran without a transaction",
        Outcome::Torn => "was torn",
        Outcome::Committed | Outcome::RolledBack | Outcome::NotStarted => "committed on its own",
    };
    let detail = format!(
        "it was not run again, because unit {unit} {ended} inside it and would be done twice (declare that one `repeatable` if \
         it may be); the attempt failed with"
    );
    Error::because_of(last.kind(), &detail, last)
}
