//! The course of one unit over its attempts: it counts them, watches the time, draws the jitter, and asks `retry` what follows.

use std::sync::Arc;
use std::time::Instant;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::fault::Again;
use crate::label::Label;
use crate::observe;
use crate::options::Retry;
use crate::retry::{Next, Past, next};
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
    pub(crate) fn begin(policy: Retry, clock: &Arc<dyn Clock>) -> Self {
        Self { policy, began: clock.now(), clock: Arc::clone(clock), attempts: 0, once: 0 }
    }

    pub(crate) fn policy(&self) -> &Retry {
        &self.policy
    }

    /// Counts from 1.
    pub(crate) fn next_attempt(&mut self) -> u32 {
        self.attempts = self.attempts.saturating_add(1);
        self.attempts
    }

    pub(crate) fn after(&mut self, faulted: &Faulted, unit: &Label) -> Next {
        self.once += u32::from(faulted.again == Again::Once);
        let elapsed = self.clock.now().saturating_duration_since(self.began);
        let past = Past { attempts: self.attempts, once: self.once, elapsed };
        let next = next(&self.policy, faulted.again, past, fastrand::f64());
        if let Next::Again { after } = next {
            observe::retrying(unit, &faulted.error, after);
        }
        next
    }

    pub(crate) fn exhausted(&self, last: &Error) -> Error {
        let elapsed = self.clock.now().saturating_duration_since(self.began);
        Error::because_of(ErrorKind::RetriesExhausted, "gave up; the last attempt failed with", last)
            .after(self.attempts, elapsed)
    }
}
