//! The course of one unit over its attempts: it counts them, watches the time, draws the jitter, asks `retry` what follows, and
//! lets no attempt follow one inside which something ended on its own.

use std::sync::Arc;
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
use crate::settle::Faulted;

#[derive(Debug)]
pub(crate) struct Course {
    policy: Retry,
    clock: Arc<dyn Clock>,
    began: Instant,
    attempts: u32,
    once: u32,
}

impl Course {
    /// `limit`: when the last attempt of the unit around may begin; no attempt of this one begins later.
    pub(crate) fn begin(mut policy: Retry, clock: &Arc<dyn Clock>, limit: Option<Instant>) -> Self {
        let began = clock.now();
        if let Some(limit) = limit {
            policy.within = policy.within.min(limit.saturating_duration_since(began));
        }
        Self { policy, began, clock: Arc::clone(clock), attempts: 0, once: 0 }
    }

    /// The next attempt's number, from 1, and whether another can follow it.
    pub(crate) fn next_attempt(&mut self) -> (u32, Turn) {
        self.attempts = self.attempts.saturating_add(1);
        let last = retry::is_last(&self.policy, self.attempts);
        (self.attempts, if last { Turn::Final } else { Turn::Repeatable })
    }

    /// No attempt begins later.
    pub(crate) fn until(&self) -> Instant {
        // A limit beyond what the clock can say is none; a year is as good.
        const FAR: Duration = Duration::from_secs(365 * 24 * 3600);
        self.began + self.policy.within.min(FAR)
    }

    /// What follows a fault.
    ///
    /// # Errors
    /// When the policy would allow another attempt and a unit that ended on its own inside this one forbids it.
    pub(crate) fn after(&mut self, faulted: &Faulted, unit: &Label, ledger: &Ledger) -> Result<Next, Error> {
        self.once += u32::from(faulted.again == Again::Once);
        let past = Past { attempts: self.attempts, once: self.once, elapsed: self.elapsed() };
        let next = next(&self.policy, faulted.again, past, fastrand::f64());
        if let Next::Again { after } = next {
            if let Some(independent) = ledger.forbids() {
                return Err(forbidden(&independent, &faulted.error));
            }
            observe::retrying(unit, &faulted.error, after);
        }
        Ok(next)
    }

    pub(crate) fn exhausted(&self, last: &Error) -> Error {
        Error::because_of(ErrorKind::RetriesExhausted, "gave up; the last attempt failed with", last)
            .after(self.attempts, self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().saturating_duration_since(self.began)
    }
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
