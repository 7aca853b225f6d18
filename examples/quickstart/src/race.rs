//! Many threads run one unit of work again and again, and what became of each unit is counted. Which unit, and on which
//! database, is decided by the caller.

use std::panic::resume_unwind;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use unit_of_work::{Database, Error, ErrorKind};

/// How much is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) threads: usize,
    /// Units per thread.
    pub(crate) rounds: u64,
}

impl Load {
    pub(crate) fn units(self) -> u64 {
        self.rounds * self.threads as u64
    }
}

/// What became of the units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Returned `Ok`.
    pub(crate) acknowledged: u64,
    /// Met the limit of their retry policy.
    pub(crate) gave_up: u64,
    /// Runs of a body, beyond each unit's first.
    pub(crate) retries: u64,
}

impl Tally {
    fn note(&mut self, result: Result<u32, Error>) -> Result<(), Error> {
        let attempts = match result {
            Ok(attempts) => {
                self.acknowledged += 1;
                attempts
            }
            Err(error) if error.kind() == ErrorKind::RetriesExhausted => {
                self.gave_up += 1;
                error.attempts()
            }
            Err(error) => return Err(error),
        };
        self.retries += u64::from(attempts.saturating_sub(1));
        Ok(())
    }

    fn plus(self, other: Self) -> Self {
        Self {
            acknowledged: self.acknowledged + other.acknowledged,
            gave_up: self.gave_up + other.gave_up,
            retries: self.retries + other.retries,
        }
    }
}

/// Runs `unit` on `db` as often as `load` says. The first error that is not "gave up" ends the race and is returned.
pub(crate) fn race(
    db: &Database,
    unit: fn() -> Result<u32, Error>,
    load: Load,
    progress: &ProgressBar,
) -> Result<(Tally, Duration), Error> {
    let track = Track { start: Barrier::new(load.threads), called_off: AtomicBool::new(false), progress };
    let begun = Instant::now();
    let tally = thread::scope(|scope| {
        let runners: Vec<_> = (0..load.threads).map(|_| scope.spawn(|| track.run(db, unit, load.rounds))).collect();
        runners
            .into_iter()
            .map(|runner| runner.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .try_fold(Tally::default(), |sum, tally| tally.map(|tally| sum.plus(tally)))
    })?;
    Ok((tally, begun.elapsed()))
}

/// What the threads of a race share.
struct Track<'p> {
    /// They begin together, so that they do meet at the row.
    start: Barrier,
    called_off: AtomicBool,
    progress: &'p ProgressBar,
}

impl Track<'_> {
    fn run(&self, db: &Database, unit: fn() -> Result<u32, Error>, rounds: u64) -> Result<Tally, Error> {
        // From here on, units on this thread run on `db`: their callers pass no connection and no transaction.
        let _entered = db.enter();
        let mut tally = Tally::default();
        self.start.wait();
        for _ in 0..rounds {
            if self.called_off.load(Ordering::Relaxed) {
                break;
            }
            tally.note(unit()).inspect_err(|_| self.called_off.store(true, Ordering::Relaxed))?;
            self.progress.inc(1);
        }
        Ok(tally)
    }
}
