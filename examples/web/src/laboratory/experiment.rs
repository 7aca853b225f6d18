//! Runs one experiment: threads that sell until somebody says stop, the time is up, or the tables have grown enough; and a look at
//! their tally and at the rows every so often. Has a database value, and so connections, of its own: the office's requests
//! wait for none of them. What a unit does is `sales`, what is seen of it `samples`.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use unit_of_work::{Database, Error, ErrorKind};

use super::sales::{self, Audit};
use super::samples::{Sample, Sampler, Tally, Totals};
use super::settings::{Gate, Settings};

/// Why an experiment is over.
#[derive(Debug)]
pub(crate) enum Ending {
    Stopped,
    TimeIsUp,
    /// As many units as [`Limits::units`].
    Enough,
    /// A unit failed with what is not a conflict.
    Failed(Error),
}

/// How long an experiment may take if nobody stops it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) time: Duration,
    /// What is sold stays in the tables, and is counted again for each sample.
    pub(crate) units: u64,
    /// From sample to sample.
    pub(crate) every: Duration,
}

impl Limits {
    pub(crate) const DEFAULT: Self =
        Self { time: Duration::from_secs(120), units: 1_000_000, every: Duration::from_millis(500) };
}

/// With its tables empty and its connection open.
#[derive(Debug)]
pub(crate) struct Experiment {
    floor: Floor,
    told: Receiver<Ending>,
}

/// Ends an experiment from elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Remote(Sender<Ending>);

impl Remote {
    /// It may have ended by itself meanwhile.
    pub(crate) fn stop(&self) {
        self.0.send(Ending::Stopped).ok();
    }
}

/// A unit that is slow is what the page shows; the log need not say so thousands of times.
const NOT_SLOW: Duration = Duration::from_secs(3600);

/// What is running when an experiment ends has its statements answered within this.
const CLOSING: Duration = Duration::from_secs(10);

impl Experiment {
    /// Empties the tables of the experiment in the database at `url`.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses the tables.
    pub(crate) fn prepare(url: &str, settings: Settings, limits: Limits) -> Result<Self, Error> {
        let threads = usize::try_from(settings.threads).expect("at most 64");
        let db = Database::builder()
            .url(url)
            // One to look at the rows.
            .max_connections(threads + 1)
            .slow_unit(NOT_SLOW)
            .idle_in_transaction(NOT_SLOW)
            .connect()?;
        sales::reset(&db, &settings)?;
        let (tell, told) = channel();
        Ok(Self { floor: Floor::new(db, settings, limits, tell), told })
    }

    pub(crate) fn remote(&self) -> Remote {
        Remote(self.floor.tell.clone())
    }

    /// Until it is over. `seen` gets every sample with the totals up to it; the last one is taken when no unit runs any more, so that
    /// the samples' sum is what is in the rows.
    pub(crate) fn run(self, mut seen: impl FnMut(Sample, Totals)) -> Ending {
        let Self { floor, told } = self;
        let mut watch = Watch { began: Instant::now(), floor: &floor, sampler: Sampler::default() };
        let ending = thread::scope(|scope| {
            let _at_its_end = EndOnDrop(&floor.over);
            for _ in 0..floor.settings.threads {
                scope.spawn(|| floor.sell());
            }
            watch.until_told(&told, &mut seen).unwrap_or_else(Ending::Failed)
        });
        let looked = watch.look(&mut seen);
        // What is still open then is closed when it ends.
        floor.db.close(CLOSING).ok();
        match looked {
            Ok(()) => ending,
            Err(error) => Ending::Failed(error),
        }
    }
}

/// What all threads of an experiment share.
#[derive(Debug)]
struct Floor {
    db: Database,
    settings: Settings,
    limits: Limits,
    tell: Sender<Ending>,
    over: AtomicBool,
    begun: AtomicU64,
    tally: Mutex<Tally>,
    in_conflict: AtomicBool,
}

/// Ends the experiment when dropped, also if this thread panics, as it does when the system has no more threads: the scope waits for
/// those that it has.
struct EndOnDrop<'f>(&'f AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Why a unit came to nothing.
#[derive(Debug)]
enum NotDone {
    /// The experiment was over before its next attempt.
    Over,
    Work(Error),
}

impl From<Error> for NotDone {
    fn from(error: Error) -> Self {
        Self::Work(error)
    }
}

impl Floor {
    fn new(db: Database, settings: Settings, limits: Limits, tell: Sender<Ending>) -> Self {
        let (over, in_conflict) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { db, settings, limits, tell, over, begun: AtomicU64::new(0), tally: Mutex::default(), in_conflict }
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// What a thread does.
    fn sell(&self) {
        while !self.is_over() {
            if self.begun.fetch_add(1, Ordering::Relaxed) >= self.limits.units {
                return self.end(Ending::Enough);
            }
            self.sell_one();
        }
    }

    fn sell_one(&self) {
        let Settings { isolation, shows, gate, .. } = self.settings;
        let show = fastrand::u32(1..=shows);
        let began = Instant::now();
        let sold = sales::unit(&self.db, isolation, gate).run(|tx| {
            self.attempt(tx.attempt())?;
            let seen = sales::look(tx, show)?;
            Ok(sales::act(tx, seen)?)
        });
        match sold {
            Ok(done) => self.tally().done(done, began.elapsed()),
            Err(NotDone::Over) => {}
            Err(NotDone::Work(error)) if error.kind() == ErrorKind::RetriesExhausted => self.tally().gave_up(),
            Err(NotDone::Work(error)) => self.end(Ending::Failed(error)),
        }
    }

    /// Counted when it happens: in a storm a unit may take seconds, and its retries are what is to be seen meanwhile.
    fn attempt(&self, number: u32) -> Result<(), NotDone> {
        if self.is_over() {
            return Err(NotDone::Over);
        }
        if number > 1 {
            self.in_conflict.store(true, Ordering::Relaxed);
            self.tally().runs_again();
        }
        Ok(())
    }

    /// The first who says so is heard.
    fn end(&self, why: Ending) {
        self.over.store(true, Ordering::Relaxed);
        self.tell.send(why).expect("the experiment waits for its threads");
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the gate lets in at once; none where all are let in.
    fn width(&self) -> Option<u32> {
        let Settings { isolation, gate, .. } = self.settings;
        match gate {
            Gate::Open => None,
            Gate::Fixed(width) => Some(width),
            // The table of units is the process's: before its own first conflict it shows an earlier experiment's gate.
            Gate::Adaptive if !self.in_conflict.load(Ordering::Relaxed) => None,
            Gate::Adaptive => unit_of_work::units().named(sales::name(isolation)).and_then(|unit| unit.gate_width),
        }
    }
}

/// Who looks.
struct Watch<'f> {
    began: Instant,
    floor: &'f Floor,
    sampler: Sampler,
}

impl Watch<'_> {
    fn until_told(&mut self, told: &Receiver<Ending>, seen: &mut impl FnMut(Sample, Totals)) -> Result<Ending, Error> {
        let Limits { time, every, .. } = self.floor.limits;
        let mut next = every;
        while next < time {
            match told.recv_timeout(self.until(next)) {
                Ok(ending) => return Ok(ending),
                Err(RecvTimeoutError::Timeout) => self.look(seen)?,
                Err(RecvTimeoutError::Disconnected) => unreachable!("the floor holds a sender"),
            }
            // After a slow look the next one waits, so that no rate is of a moment. A sample says itself when it was taken.
            next = (next + every).max(self.began.elapsed() + every / 2);
        }
        Ok(told.recv_timeout(self.until(time)).unwrap_or(Ending::TimeIsUp))
    }

    fn until(&self, time: Duration) -> Duration {
        (self.began + time).saturating_duration_since(Instant::now())
    }

    fn look(&mut self, seen: &mut impl FnMut(Sample, Totals)) -> Result<(), Error> {
        let rows: Audit = sales::audit(&self.floor.db)?;
        let counted = mem::take(&mut *self.floor.tally());
        let sample = self.sampler.sample(self.began.elapsed(), &counted, rows, self.floor.width());
        seen(sample, self.sampler.totals(rows));
        Ok(())
    }
}
