//! A clock that tests move. Whatever waits on it has waited at once, and the test sees for how long.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Clock;

/// A clock that stands still until it is moved. Sleeping moves it and is written down. Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use unit_of_work::testing::{Clock, VirtualClock};
///
/// let clock = VirtualClock::new();
/// let began = clock.now();
/// clock.sleep(Duration::from_secs(3600));
/// assert_eq!(clock.now() - began, Duration::from_secs(3600));
/// assert_eq!(clock.slept(), [Duration::from_secs(3600)]);
/// ```
#[derive(Debug, Clone)]
pub struct VirtualClock(Arc<Mutex<Moment>>);

#[derive(Debug)]
struct Moment {
    now: Instant,
    slept: Vec<Duration>,
}

impl VirtualClock {
    /// A clock at some moment.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Moment { now: Instant::now(), slept: Vec::new() })))
    }

    /// Moves it.
    pub fn advance(&self, time: Duration) {
        self.lock().now += time;
    }

    /// Every sleep so far.
    pub fn slept(&self) -> Vec<Duration> {
        self.lock().slept.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Moment> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        self.lock().now
    }

    fn sleep(&self, time: Duration) {
        let mut moment = self.lock();
        moment.now += time;
        moment.slept.push(time);
    }
}
