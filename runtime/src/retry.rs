//! Whether a unit runs again after a fault, and after which sleep. Pure: the caller passes what happened, the time that went
//! by and a random fraction; nothing here reads a clock, sleeps or touches a server.

use std::time::Duration;

use crate::fault::Again;
use crate::options::Retry;

/// What happened so far, the attempt that just failed included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Past {
    /// Attempts made.
    pub(crate) attempts: u32,
    /// Attempts that failed with a fault that is retried once only.
    pub(crate) once: u32,
    /// Time since the first attempt began.
    pub(crate) elapsed: Duration,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Sleep, then run the unit again.
    Again {
        /// The sleep.
        after: Duration,
    },
    /// The fault is not one to retry, or the unit never is: return it as it is.
    Return,
    /// The policy's limit is reached.
    Exhausted,
}

/// Decides what follows a fault. `fraction` is a random number from 0 (inclusive) to 1 (exclusive).
pub(crate) fn next(policy: &Retry, again: Again, past: Past, fraction: f64) -> Next {
    if policy.max_attempts == 1 || !allows(again, past.once) {
        return Next::Return;
    }
    let after = ceiling(policy, past.attempts - 1).mul_f64(fraction);
    if past.attempts >= policy.max_attempts || past.elapsed.saturating_add(after) > policy.within {
        return Next::Exhausted;
    }
    Next::Again { after }
}

/// Whether attempt number `attempt` is the last that the policy's count permits, whatever the time.
pub(crate) fn is_last(policy: &Retry, attempt: u32) -> bool {
    attempt >= policy.max_attempts
}

fn allows(again: Again, once: u32) -> bool {
    match again {
        Again::Never => false,
        Again::Yes => true,
        Again::Once => once <= 1,
    }
}

/// min(cap, base · 2^failures): the upper end of the sleep after `failures` earlier failures.
fn ceiling(policy: &Retry, failures: u32) -> Duration {
    let factor = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
    policy.base.saturating_mul(factor).min(policy.cap)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(attempts: u32) -> Past {
        Past { attempts, once: 0, elapsed: Duration::ZERO }
    }

    fn millis(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let ceilings: Vec<_> = (0..10).map(|k| ceiling(&Retry::DEFAULT, k)).collect();
        assert_eq!(ceilings, [1, 2, 4, 8, 16, 32, 64, 128, 250, 250].map(millis));
        assert_eq!(ceiling(&Retry::DEFAULT, 500), millis(250));
    }

    #[test]
    fn a_sleep_lies_between_zero_and_the_ceiling() {
        assert_eq!(next(&Retry::DEFAULT, Again::Yes, past(4), 0.0), Next::Again { after: millis(0) });
        assert_eq!(next(&Retry::DEFAULT, Again::Yes, past(4), 0.5), Next::Again { after: millis(4) });
    }

    #[test]
    fn limits_end_the_retry() {
        let three = Retry::DEFAULT.max_attempts(3);
        assert!(matches!(next(&three, Again::Yes, past(2), 0.5), Next::Again { .. }));
        assert_eq!(next(&three, Again::Yes, past(3), 0.5), Next::Exhausted);
        let late = Past { elapsed: Duration::from_secs(11), ..past(2) };
        assert_eq!(next(&Retry::DEFAULT, Again::Yes, late, 0.0), Next::Exhausted);
    }

    #[test]
    fn a_sleep_that_would_pass_the_limit_is_not_begun() {
        let short = Retry::DEFAULT.within(millis(10)).base(millis(8)).cap(millis(8));
        let now = Past { elapsed: millis(5), ..past(1) };
        assert_eq!(next(&short, Again::Yes, now, 0.9), Next::Exhausted);
        assert_eq!(next(&short, Again::Yes, now, 0.5), Next::Again { after: millis(4) });
    }

    #[test]
    fn what_is_not_retryable_comes_back_as_it_is() {
        assert_eq!(next(&Retry::DEFAULT, Again::Never, past(1), 0.5), Next::Return);
        assert_eq!(next(&Retry::NEVER, Again::Yes, past(1), 0.5), Next::Return);
        assert!(matches!(next(&Retry::DEFAULT, Again::Once, Past { once: 1, ..past(1) }, 0.5), Next::Again { .. }));
        assert_eq!(next(&Retry::DEFAULT, Again::Once, Past { once: 2, ..past(2) }, 0.5), Next::Return);
    }
}
