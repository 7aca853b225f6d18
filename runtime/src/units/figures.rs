//! One unit's figures, and where they are found. Counted by any thread without a lock and without an allocation: in one of a few
//! shards, so that threads do not take the same cache line from each other. What fails is rare, and is counted under a lock.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::histogram::{BUCKETS, bucket};
use crate::error::{Error, ErrorKind};
use crate::label::Label;
use crate::options::Options;
use crate::outcome::Outcome;

/// What is known of a unit, in the whole process. It lives as long as the process does, like the functions that units are.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) label: Label,
    /// As it was declared; of one without the attribute, as it was first run.
    pub(crate) options: Options,
    shards: Box<[Shard; SHARDS]>,
    retries: Mutex<Vec<(Reason, u64)>>,
    /// 0 = there is none.
    gate: AtomicU32,
    /// Whether it has, or had, a gate in some database.
    pub(crate) gated: AtomicBool,
    #[cfg(feature = "metrics")]
    pub(crate) keys: crate::observe::meters::Keys,
}

const SHARDS: usize = 8;

/// What threads of one shard have counted. On cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    outcomes: [AtomicU64; Outcome::ALL.len()],
    joined: AtomicU64,
    durations: [AtomicU64; BUCKETS],
}

impl Default for Shard {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self { outcomes: std::array::from_fn(|_| zero()), joined: zero(), durations: std::array::from_fn(|_| zero()) }
    }
}

/// Why a unit ran again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The server said so, with this number.
    Code(u16),
    /// Nobody said a number.
    Kind(ErrorKind),
    /// The body's own error asked for it.
    Asked,
}

impl Reason {
    pub(crate) fn of(error: &Error) -> Self {
        error.code().map_or(Self::Kind(error.kind()), Self::Code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "{code}"),
            Self::Kind(kind) => write!(f, "{kind:?}"),
            Self::Asked => f.write_str("asked"),
        }
    }
}

thread_local! {
    static SHARD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS
    };
}

impl Figures {
    fn new(label: Label, options: Options) -> Self {
        Self {
            #[cfg(feature = "metrics")]
            keys: crate::observe::meters::Keys::default(),
            label,
            options,
            shards: Box::default(),
            retries: Mutex::default(),
            gate: AtomicU32::new(0),
            gated: AtomicBool::new(false),
        }
    }

    /// It ended on its own, after so long.
    pub(crate) fn ended(&self, outcome: Outcome, took: Duration) {
        let shard = self.shard();
        shard.outcomes[outcome.place()].fetch_add(1, Ordering::Relaxed);
        shard.durations[bucket(took)].fetch_add(1, Ordering::Relaxed);
    }

    /// It was part of another unit's transaction.
    pub(crate) fn joined(&self) {
        self.shard().joined.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn runs_again(&self, reason: Reason) {
        let mut retries = self.retries.lock().unwrap_or_else(PoisonError::into_inner);
        match retries.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, times)) => *times += 1,
            None => retries.push((reason, 1)),
        }
    }

    /// How many attempts of it are let in at once; `None` = there is no gate.
    pub(crate) fn gate_is(&self, width: u32) {
        self.gate.store(width, Ordering::Relaxed);
    }

    fn shard(&self) -> &Shard {
        &self.shards[SHARD.with(|shard| *shard)]
    }

    pub(crate) fn count(&self, outcome: Outcome) -> u64 {
        self.shards.iter().map(|shard| shard.outcomes[outcome.place()].load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn count_joined(&self) -> u64 {
        self.shards.iter().map(|shard| shard.joined.load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn durations(&self) -> [u64; BUCKETS] {
        std::array::from_fn(|at| self.shards.iter().map(|shard| shard.durations[at].load(Ordering::Relaxed)).sum())
    }

    pub(crate) fn retries(&self) -> Vec<(Reason, u64)> {
        self.retries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn gate(&self) -> Option<u32> {
        Some(self.gate.load(Ordering::Relaxed)).filter(|width| *width > 0)
    }

    pub(crate) fn runs(&self) -> u64 {
        Outcome::ALL.iter().map(|outcome| self.count(*outcome)).sum()
    }
}

/// Every unit that was called, in order of the first calls.
static ALL: Mutex<Vec<&'static Figures>> = Mutex::new(Vec::new());

pub(crate) fn all() -> Vec<&'static Figures> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The figures of a unit that is called for the first time.
pub(crate) fn register(label: Label, options: Options) -> &'static Figures {
    let figures = Box::leak(Box::new(Figures::new(label.kept(), options)));
    ALL.lock().unwrap_or_else(PoisonError::into_inner).push(figures);
    figures
}

/// Units without the attribute have no static to keep their figures in: they are found here by name and place. A table that only
/// grows, and is read without a lock. When it is full the rest is counted together, so that names made up at run time do not fill
/// the memory.
static NAMED: [OnceLock<&'static Figures>; NAMES] = [const { OnceLock::new() }; NAMES];
static OTHERS: OnceLock<&'static Figures> = OnceLock::new();

/// A power of two.
const NAMES: usize = 4096;

/// How far from its own place in the table a unit may be.
const PROBES: usize = 16;

pub(crate) fn named(label: &Label, options: &Options) -> &'static Figures {
    let from = usize::try_from(label.digest() % NAMES as u64).expect("less than NAMES");
    for at in 0..PROBES {
        let slot = &NAMED[(from + at) & (NAMES - 1)];
        let figures = slot.get_or_init(|| register(label.clone(), *options));
        if figures.label == *label {
            return figures;
        }
    }
    OTHERS.get_or_init(|| register(Label::new("(more units)", file!(), line!()), Options::NONE))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn nothing_that_threads_count_is_lost() {
        const THREADS: u64 = 2 * SHARDS as u64;
        const TIMES: u64 = 10_000;
        let figures = register(Label::new("counted", "src/bank.rs", 1), Options::NONE);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for micros in 0..TIMES {
                        let outcome = if micros % 4 == 0 { Outcome::RolledBack } else { Outcome::Committed };
                        figures.ended(outcome, Duration::from_micros(micros));
                        figures.joined();
                        if micros % 100 == 0 {
                            figures.runs_again(Reason::Code(1213));
                        }
                    }
                });
            }
        });
        let all = THREADS * TIMES;
        assert_eq!(figures.count(Outcome::RolledBack), all / 4);
        assert_eq!(figures.count(Outcome::Committed), all - all / 4);
        assert_eq!((figures.runs(), figures.count_joined()), (all, all));
        assert_eq!(figures.durations().iter().sum::<u64>(), all);
        assert_eq!(figures.retries(), [(Reason::Code(1213), all / 100)]);
    }

    #[test]
    fn a_unit_is_found_again_by_name_and_place_by_whichever_thread() {
        let label = |line| Label::new("found", "src/bank.rs", line);
        let first = named(&label(1), &Options::NONE);
        let again = thread::spawn(move || named(&label(1), &Options::NONE)).join().expect("no panic");
        assert!(std::ptr::eq(first, again));
        assert!(!std::ptr::eq(first, named(&label(2), &Options::NONE)));
        let made = || Label::new("found".to_owned(), "src/bank.rs", 3);
        assert!(std::ptr::eq(named(&made(), &Options::NONE), named(&made(), &Options::NONE)));
    }

    #[test]
    fn names_that_are_made_up_fill_the_table_and_not_the_memory() {
        for number in 0..10 * NAMES {
            let label = Label::new(format!("made up {number}"), "src/jobs.rs", 1);
            let _counted = named(&label, &Options::NONE);
        }
        let listed = all();
        assert!(listed.len() < 2 * NAMES, "{}", listed.len());
        assert!(listed.iter().any(|figures| figures.label.name() == "(more units)"));
    }
}
