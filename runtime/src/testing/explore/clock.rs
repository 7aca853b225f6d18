//! The clock of a run: the machine's, but nobody sleeps. What is to happen between two attempts happens where one would: there the
//! unit holds nothing.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::error::Error;

pub(super) type Visit = Box<dyn FnOnce() -> Result<(), Error> + Send>;

/// Who comes between two attempts.
pub(super) enum Visitor {
    Nobody,
    Waiting(Visit),
    Came(Result<(), Error>),
}

/// Clones are the same clock.
#[derive(Debug, Clone)]
pub(super) struct Impatient(Arc<Mutex<State>>);

struct State {
    skipped: Duration,
    visitor: Visitor,
}

impl Impatient {
    pub(super) fn with(visitor: Visitor) -> Self {
        Self(Arc::new(Mutex::new(State { skipped: Duration::ZERO, visitor })))
    }

    /// Whoever came, and how it went.
    pub(super) fn visitor(&self) -> Visitor {
        std::mem::replace(&mut self.lock().visitor, Visitor::Nobody)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for Impatient {
    fn now(&self) -> Instant {
        Instant::now() + self.lock().skipped
    }

    fn sleep(&self, time: Duration) {
        self.lock().skipped += time;
        // Taken out first: a visitor is user code, and no lock is held while it runs.
        let visitor = self.visitor();
        let visitor = match visitor {
            Visitor::Waiting(visit) => Visitor::Came(visit()),
            visitor @ (Visitor::Nobody | Visitor::Came(_)) => visitor,
        };
        self.lock().visitor = visitor;
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("skipped", &self.skipped).finish_non_exhaustive()
    }
}
