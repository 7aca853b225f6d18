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
    /// Each 1152 bytes, made when the first of its threads counts: most units that are named at run time are called by one thread.
    shards: [OnceLock<Box<Shard>>; SHARDS],
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
            shards: [const { OnceLock::new() }; SHARDS],
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
        self.shards[SHARD.with(|shard| *shard)].get_or_init(Box::default)
    }

    fn made(&self) -> impl Iterator<Item = &Shard> {
        self.shards.iter().filter_map(OnceLock::get).map(|shard| &**shard)
    }

    pub(crate) fn count(&self, outcome: Outcome) -> u64 {
        self.made().map(|shard| shard.outcomes[outcome.place()].load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn count_joined(&self) -> u64 {
        self.made().map(|shard| shard.joined.load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn durations(&self) -> [u64; BUCKETS] {
        std::array::from_fn(|at| self.made().map(|shard| shard.durations[at].load(Ordering::Relaxed)).sum())
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

/// Units without the attribute have no static to keep their figures in: they are found here by name and place.
static NAMED: Named = Named::new();

/// A table that only grows, and is read without a lock. When it is full the rest is counted together, so that names made up at run
/// time do not fill the memory: 4096 of them, each called by one thread, are 7 MB; by eight and more, 40 MB.
#[derive(Debug)]
struct Named {
    slots: [OnceLock<&'static Figures>; NAMES],
    others: OnceLock<&'static Figures>,
}

/// A power of two.
const NAMES: usize = 4096;

/// How far from its own place in the table a unit may be.
const PROBES: usize = 16;

/// What units are called together that have no place in the table.
const MORE: &str = "(more units)";

pub(crate) fn named(label: &Label, options: &Options) -> &'static Figures {
    NAMED.find(label, options)
}

/// A unit's name where there may only be so many: names that have no place in the table are [`MORE`].
#[cfg(feature = "metrics")]
pub(crate) fn listed(name: &str) -> &'static str {
    all().into_iter().map(|figures| figures.label.name()).find(|listed| *listed == name).unwrap_or(MORE)
}

impl Named {
    #[expect(clippy::large_stack_arrays, reason = "it is evaluated by the compiler, for a static")]
    const fn new() -> Self {
        Self { slots: [const { OnceLock::new() }; NAMES], others: OnceLock::new() }
    }

    fn find(&self, label: &Label, options: &Options) -> &'static Figures {
        let from = usize::try_from(label.digest() % NAMES as u64).expect("less than NAMES");
        for at in 0..PROBES {
            let slot = &self.slots[(from + at) & (NAMES - 1)];
            let figures = slot.get_or_init(|| register(label.clone(), *options));
            if figures.label == *label {
                return figures;
            }
        }
        self.others.get_or_init(|| register(Label::new(MORE, file!(), line!()), Options::NONE))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
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
        static TABLE: Named = Named::new();
        let find = |label: Label| TABLE.find(&label, &Options::NONE);
        let label = |line| Label::new("found", "src/bank.rs", line);
        let first = find(label(1));
        let again = thread::spawn(move || find(label(1))).join().expect("no panic");
        assert!(std::ptr::eq(first, again));
        assert!(!std::ptr::eq(first, find(label(2))));
        let made = || Label::new("found".to_owned(), "src/bank.rs", 3);
        assert!(std::ptr::eq(find(made()), find(made())));
    }

    #[test]
    fn names_that_are_made_up_fill_the_table_and_not_the_memory() {
        static TABLE: Named = Named::new();
        let mut found = BTreeMap::new();
        for number in 0..10 * NAMES {
            let name = format!("made up {number}");
            let figures = TABLE.find(&Label::new(name.clone(), "src/jobs.rs", 1), &Options::NONE);
            figures.ended(Outcome::Committed, Duration::ZERO);
            assert_eq!(figures.made().count(), 1, "one thread");
            found.insert(figures.label.name(), name);
        }
        assert!(found.len() <= NAMES + 1, "{}", found.len());
        let last = &found[MORE];
        #[cfg(feature = "metrics")]
        assert_eq!(listed(last), MORE, "no name of its own, for whoever counts by name");
        assert!(size_of::<Shard>() == 1152 && !last.is_empty());
    }

    #[test]
    #[cfg(feature = "metrics")]
    fn a_unit_that_is_listed_is_counted_by_its_name() {
        register(Label::new("listed", "src/bank.rs", 1), Options::NONE);
        assert_eq!(listed("listed"), "listed");
        assert_eq!(listed("never seen"), MORE);
    }
}
