//! Threads that settle lanes until there are none left. What one of them cannot do stops them all at their next chunk: the rest is
//! for the next run, which goes on where each lane is.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use unit_of_work::Database;

use crate::chunk::{Chunk, settle};
use crate::ledger;
use crate::night::Night;
use crate::progress::{Progress, Watch};
use crate::rules::Directory;
use crate::source::{Line, Payments};
use crate::trouble::Trouble;

/// How a night is worked on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crew {
    pub(crate) threads: usize,
    /// Lines of a chunk at most.
    pub(crate) chunk: usize,
    pub(crate) peace: Peace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peace {
    Undisturbed,
    /// Connections are killed.
    Disturbed,
}

/// Settles what is left of a night.
pub(crate) fn settle_all(db: &Database, night: &Night, payments: &Payments, crew: Crew) -> Result<(), Trouble> {
    let known = {
        let _entered = db.enter();
        crate::night::directory()?
    };
    let progress = Progress::of(payments.count(), night.done.iter().sum());
    let work = Work {
        night,
        known: &known,
        lanes: Mutex::new(lanes(night, payments)),
        called_off: AtomicBool::new(false),
        crew,
    };
    let settled = disturbed(db, crew.peace, || work.on_threads(db, &progress));
    progress.clear();
    settled
}

/// A lane with something left to do.
#[derive(Debug)]
struct Lane<'p> {
    number: u64,
    done: u64,
    lines: &'p [Line],
}

/// Taken from the end: the longest first, so that no thread is left alone with it.
fn lanes<'p>(night: &Night, payments: &'p Payments) -> Vec<Lane<'p>> {
    let all = (0..).zip(&night.done).zip(&payments.lanes);
    let mut lanes: Vec<_> = all.map(|((number, &done), lines)| Lane { number, done, lines }).collect();
    lanes.retain(|lane| lane.left() > 0);
    lanes.sort_by_key(Lane::left);
    lanes
}

impl Lane<'_> {
    fn left(&self) -> u64 {
        (self.lines.len() as u64).saturating_sub(self.done)
    }
}

struct Work<'n> {
    night: &'n Night,
    known: &'n Directory,
    lanes: Mutex<Vec<Lane<'n>>>,
    called_off: AtomicBool,
    crew: Crew,
}

impl Work<'_> {
    fn on_threads(&self, db: &Database, progress: &Progress) -> Result<(), Trouble> {
        thread::scope(|scope| {
            let watches = (1..=self.crew.threads).map(|number| progress.worker(number));
            let crew: Vec<_> = watches.map(|watch| scope.spawn(move || self.on_one(db, &watch))).collect();
            let joined = crew.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
            // All are waited for, and the first trouble is told.
            joined.fold(Ok(()), Result::and)
        })
    }

    fn on_one(&self, db: &Database, watch: &Watch) -> Result<(), Trouble> {
        let _entered = db.enter();
        while let Some(lane) = self.next() {
            self.settle(&lane, watch).inspect_err(|_| self.called_off.store(true, Ordering::Relaxed))?;
        }
        watch.finish();
        Ok(())
    }

    fn next(&self) -> Option<Lane<'_>> {
        let next = || self.lanes.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if self.called_off.load(Ordering::Relaxed) { None } else { next() }
    }

    fn settle(&self, lane: &Lane<'_>, watch: &Watch) -> Result<(), Trouble> {
        watch.lane(lane.number, lane.lines.len() as u64, lane.done);
        let done = usize::try_from(lane.done).unwrap_or(usize::MAX).min(lane.lines.len());
        let mut first = lane.done;
        for lines in lane.lines[done..].chunks(self.crew.chunk) {
            if self.called_off.load(Ordering::Relaxed) {
                return Ok(());
            }
            settle(Chunk { night: self.night, lane: lane.number, first, lines }, self.known, watch)?;
            first += lines.len() as u64;
        }
        Ok(())
    }
}

/// How long a connection may live, at most, in milliseconds.
const BETWEEN_KILLS: std::ops::Range<u64> = 10..60;

/// Does the work; while it lasts, somebody kills connections if there is no peace.
fn disturbed<R>(db: &Database, peace: Peace, work: impl FnOnce() -> R) -> R {
    match peace {
        Peace::Undisturbed => work(),
        Peace::Disturbed => thread::scope(|scope| {
            let (working, ended) = mpsc::channel::<()>();
            scope.spawn(move || disturb(db, &ended));
            let done = work();
            drop(working);
            done
        }),
    }
}

/// Until the other end of the channel is dropped.
fn disturb(db: &Database, ended: &mpsc::Receiver<()>) {
    let mut random = fastrand::Rng::new();
    while ended.recv_timeout(Duration::from_millis(random.u64(BETWEEN_KILLS))) == Err(mpsc::RecvTimeoutError::Timeout) {
        // A disturbance that fails is none.
        _ = ledger::kill_one(db, &mut random);
    }
}
