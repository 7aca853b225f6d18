//! The one clock of the runtime: what time it is, and how to wait. Nothing else reads the time or sleeps, so a test that
//! replaces the clock decides both.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Tells the time and sleeps.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Instant;
    /// Blocks the calling thread for `time`.
    fn sleep(&self, time: Duration);
}

/// The nearer of two limits, which need not be there.
#[inline]
pub(crate) fn nearer<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The machine's monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
