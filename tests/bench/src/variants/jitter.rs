//! What a careful program without this library does after a conflict: the same errors are run again, after the same sleeps.

use std::time::{Duration, Instant};

use unit_of_work::mysql;

const BASE: Duration = Duration::from_millis(1);
const CAP: Duration = Duration::from_millis(250);

/// Deadlock; lock wait timeout.
const RETRYABLE: [u16; 2] = [1213, 1205];

/// After this time since the first attempt no other is begun. It is as wide as that of `unit`, for the same reason.
const WITHIN: Duration = Duration::from_secs(60);

/// An error of which the policy needs to know one thing.
pub(super) trait Retryable {
    /// The server's number, if the server said no.
    fn number(&self) -> Option<u16>;
}

impl Retryable for mysql::Error {
    fn number(&self) -> Option<u16> {
        match self {
            Self::MySqlError(error) => Some(error.code),
            _ => None,
        }
    }
}

/// Runs `attempt` until it succeeds or fails with something else than a conflict; returns how often it was run again.
pub(super) fn retried<E: Retryable>(mut attempt: impl FnMut() -> Result<(), E>) -> Result<u32, E> {
    let mut jitter = Jitter::new();
    while let Err(error) = attempt() {
        std::thread::sleep(jitter.after(error)?);
    }
    Ok(jitter.retries)
}

/// The policy as steps, for those who sleep in a way of their own.
#[derive(Debug)]
pub(super) struct Jitter {
    began: Instant,
    pub(super) retries: u32,
}

impl Jitter {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), retries: 0 }
    }

    /// How long to sleep before the next attempt, or `error` again, if there is to be none.
    pub(super) fn after<E: Retryable>(&mut self, error: E) -> Result<Duration, E> {
        let conflict = error.number().is_some_and(|number| RETRYABLE.contains(&number));
        if !conflict || self.began.elapsed() > WITHIN {
            return Err(error);
        }
        let sleep = sleep(self.retries);
        self.retries += 1;
        Ok(sleep)
    }
}

/// How long to sleep after so many earlier retries: drawn anew each time.
pub(crate) fn sleep(retries: u32) -> Duration {
    ceiling(retries).mul_f64(fastrand::f64())
}

/// The upper end of the sleep after so many earlier retries.
fn ceiling(retries: u32) -> Duration {
    BASE.saturating_mul(1_u32.checked_shl(retries).unwrap_or(u32::MAX)).min(CAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeps_are_those_of_the_library() {
        let millis: Vec<_> = (0..10).chain([500]).map(|retries| ceiling(retries).as_millis()).collect();
        assert_eq!(millis, [1, 2, 4, 8, 16, 32, 64, 128, 250, 250, 250]);
    }

    #[test]
    fn only_conflicts_are_run_again() {
        let server =
            |code| mysql::Error::MySqlError(mysql::MySqlError { state: String::new(), message: String::new(), code });
        let mut answers = vec![Ok(()), Err(server(1205)), Err(server(1213))];
        assert_eq!(retried(|| answers.pop().expect("three attempts")).expect("the third succeeds"), 2);
        let mut answers = vec![Ok(()), Err(server(1062))];
        assert!(retried(|| answers.pop().expect("one attempt")).is_err());
    }
}
