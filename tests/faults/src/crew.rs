//! Threads that run one unit after another until they are told to stop, while somebody else breaks things. What is broken is
//! decided by the soak; how often a unit runs again, by the library.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use unit_of_work::Error;

use crate::answers::{Answer, Answers};
use crate::failure::Failure;
use crate::work::{Movement, Number, Work};

/// How long a crew may make no progress before service counts as not resumed.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// What units failed with.
#[derive(Debug, Default)]
struct Failed {
    counts: BTreeMap<String, u64>,
    /// For the message when nothing goes on.
    last: Option<Error>,
}

impl Failed {
    fn note(&mut self, error: Error) {
        let code = error.code().map(|code| format!(" {code}")).unwrap_or_default();
        let outcome = error.outcome().map(|outcome| format!(", {outcome}")).unwrap_or_default();
        *self.counts.entry(format!("{:?}{code}{outcome}", error.kind())).or_default() += 1;
        self.last = Some(error);
    }
}

/// Who works, and how far they are.
#[derive(Debug)]
pub(crate) struct Crew<'w> {
    work: &'w Work,
    movement: fn(u32) -> Movement,
    accounts: u32,
    stop: AtomicBool,
    acknowledged: AtomicU64,
    failed: Mutex<Failed>,
}

impl<'w> Crew<'w> {
    pub(crate) fn new(work: &'w Work, movement: fn(u32) -> Movement, accounts: u32) -> Self {
        Self {
            work,
            movement,
            accounts,
            stop: AtomicBool::new(false),
            acknowledged: AtomicU64::new(0),
            failed: Mutex::default(),
        }
    }

    /// Lets `writers` threads work while `disturb` runs, then stops them and gathers what they were told.
    pub(crate) fn while_running<T>(
        &self,
        writers: u32,
        disturb: impl FnOnce(&Self) -> Result<T, Failure>,
    ) -> Result<(T, Answers), Failure> {
        thread::scope(|scope| {
            let threads: Vec<_> = (1..=writers).map(|writer| scope.spawn(move || self.write(writer))).collect();
            let disturbed = disturb(self);
            self.stop.store(true, Ordering::Relaxed);
            let mut answers = Answers::default();
            for thread in threads {
                answers.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
            Ok((disturbed?, answers))
        })
    }

    /// Units acknowledged so far.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until this many more units were acknowledged than were at `from`.
    ///
    /// # Errors
    /// [`Failure::Stuck`] when that does not happen.
    pub(crate) fn until(&self, from: u64, more: u64, when: &'static str) -> Result<(), Failure> {
        let (mut seen, mut since) = (self.acknowledged(), Instant::now());
        while self.acknowledged() < from + more {
            if self.acknowledged() > seen {
                (seen, since) = (self.acknowledged(), Instant::now());
            }
            if since.elapsed() > PATIENCE {
                return Err(self.stuck(when));
            }
            thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// What units failed with, and how often.
    pub(crate) fn errors(&self) -> BTreeMap<String, u64> {
        self.failed().counts.clone()
    }

    fn failed(&self) -> MutexGuard<'_, Failed> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stuck(&self, when: &'static str) -> Failure {
        let last = self.failed().last.clone();
        let last = last.map_or_else(|| "no unit failed either".to_owned(), |error| format!("the last error: {error}"));
        Failure::Stuck { seconds: PATIENCE.as_secs(), when, last }
    }

    fn write(&self, writer: u32) -> Answers {
        let mut answers = Answers::default();
        for sequence in 1.. {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let unit = Number::new(writer, sequence);
            answers.note(unit, self.run(unit));
        }
        answers
    }

    fn run(&self, unit: Number) -> Answer {
        let told = self.work.run(unit, (self.movement)(self.accounts));
        let answer = Answer::of(&told);
        match told {
            Ok(()) => drop(self.acknowledged.fetch_add(1, Ordering::Relaxed)),
            Err(error) => self.failed().note(error),
        }
        answer
    }
}
