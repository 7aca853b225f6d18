//! What a careful program without this library does after a conflict: the same errors are run again, after the same sleeps.

use std::time::Duration;

use unit_of_work::mysql;

const BASE: Duration = Duration::from_millis(1);
const CAP: Duration = Duration::from_millis(250);

/// Deadlock; lock wait timeout.
const RETRYABLE: [u16; 2] = [1213, 1205];

/// Runs `attempt` until it succeeds or fails with something else than a conflict; returns how often it was run again.
pub(super) fn retried(mut attempt: impl FnMut() -> mysql::Result<()>) -> mysql::Result<u32> {
    let mut retries = 0;
    loop {
        match attempt() {
            Ok(()) => return Ok(retries),
            Err(mysql::Error::MySqlError(error)) if RETRYABLE.contains(&error.code) => {
                std::thread::sleep(sleep(retries));
                retries += 1;
            }
            Err(error) => return Err(error),
        }
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
