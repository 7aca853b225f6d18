//! When an attempt runs, and when it runs again. The library decides that itself for the variants that are its own; for the others
//! it runs one attempt a call, wide open, and the loop is here, so that nothing but the policy differs.

use std::thread;
use std::time::{Duration, Instant};

use unit_of_work::{Error, ErrorKind};

use crate::Failure;
use crate::hot::semaphore::Semaphore;
use crate::hot::units::Job;
use crate::slices::Done;
use crate::variants::jitter;

/// Who decides.
#[derive(Debug)]
pub(crate) enum Policy {
    /// The library.
    Library,
    /// The library, with a gate of its own for the hot row.
    Keyed,
    /// Again at once.
    AtOnce,
    /// Again after a sleep, as the library sleeps when its gate is open.
    Backoff,
    /// So many at a time; a failed attempt goes to the tail.
    Fixed(Semaphore),
}

impl Policy {
    /// Runs `job` until it is committed, or given up.
    pub(crate) fn run(&self, job: Job, give_up: Instant) -> Result<Done, Failure> {
        match self {
            Self::Library => library(job.run()),
            Self::Keyed => library(job.run_keyed()),
            Self::AtOnce => again(give_up, |_| {}, || Some(job.run())),
            Self::Backoff => again(give_up, |retries| sleep(retries, give_up), || Some(job.run())),
            Self::Fixed(semaphore) => again(
                give_up,
                |_| {},
                || {
                    let _permit = semaphore.acquire();
                    // Whoever still waits when the slice is over leaves the rest of the queue to those of the next one.
                    (Instant::now() < give_up).then(|| job.run())
                },
            ),
        }
    }
}

fn library(ended: Result<u32, Error>) -> Result<Done, Failure> {
    match ended {
        Ok(attempt) => Ok(Done::committed(attempt - 1)),
        Err(error) if error.kind() == ErrorKind::RetriesExhausted => Ok(Done::abandoned(error.attempts())),
        Err(error) => Err(error.into()),
    }
}

/// An attempt that is `None` was not made.
fn again(
    give_up: Instant,
    pause: impl Fn(u32),
    attempt: impl Fn() -> Option<Result<u32, Error>>,
) -> Result<Done, Failure> {
    let mut retries = 0;
    loop {
        match attempt() {
            Some(Ok(_first)) => return Ok(Done::committed(retries)),
            Some(Err(error)) if !is_conflict(&error) => return Err(error.into()),
            None => return Ok(Done::abandoned(retries)),
            Some(Err(_conflict)) if Instant::now() >= give_up => return Ok(Done::abandoned(retries)),
            Some(Err(_conflict)) => pause(retries),
        }
        retries += 1;
    }
}

fn is_conflict(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Serialization | ErrorKind::LockTimeout)
}

fn sleep(retries: u32, give_up: Instant) {
    let drawn: Duration = jitter::sleep(retries);
    thread::sleep(drawn.min(give_up.saturating_duration_since(Instant::now())));
}
