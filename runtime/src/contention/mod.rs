//! Admission: in front of an attempt, before a session is taken, because backing off alone collapses where many want the same
//! rows. Here is decided who passes at once (everybody, until a unit's first conflict: one relaxed load), which gate an attempt
//! belongs to (per database, unit and key), and when a gate is forgotten. Who waits in which order is `gate`, how wide a gate is
//! `law`. Never asked of a thread that is inside a unit: it holds locks that those in line may want.

mod gate;
mod law;
#[cfg(test)]
mod model;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::error::ErrorKind;
use crate::fault::{Again, Failed, Undone};
use crate::label::Label;
use crate::options::Admission;
use gate::{Gate, Late, Width};
use law::Law;

pub(crate) use gate::Arrival;
pub(crate) use law::Ending;

/// The hash of a unit's `contention(key = …)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key(u64);

impl Key {
    pub(crate) fn of(value: &(impl Hash + ?Sized)) -> Self {
        Self(digest(value))
    }
}

/// All gates of a database.
#[derive(Debug)]
pub(crate) struct Gates {
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// By the digest of unit, key and way of admission. Two that shared one would only wait for each other.
    gates: HashMap<u64, Arc<Gate>>,
    swept: Instant,
}

/// A gate without a conflict for so long is forgotten when nobody uses it: what it has learned is worth more than what it costs,
/// when work comes in bursts.
const CALM: Duration = Duration::from_secs(60);
/// More gates than this are not kept: those whose last conflict is the longest ago go first. 4096 are about three megabytes.
const MOST: usize = 4096;

/// What an attempt asks with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking<'u> {
    pub(crate) unit: &'u Label,
    /// Whether the unit has, or had, a gate somewhere: read without a lock.
    pub(crate) gated: &'u AtomicBool,
    pub(crate) key: Option<Key>,
    pub(crate) admission: Admission,
    pub(crate) arrival: Arrival,
    /// What is left until the unit's deadline.
    pub(crate) within: Option<Duration>,
}

/// How an attempt was let in. To be told of its end.
#[derive(Debug)]
#[must_use = "an attempt that does not leave holds a place in its gate"]
pub(crate) enum Pass<'g> {
    /// Nobody watches.
    Open,
    /// There is no gate yet: a conflict makes one.
    Watched(&'g Gates, Asking<'g>),
    Through(Through<'g>),
}

/// A place in a gate; given back when dropped.
#[derive(Debug)]
pub(crate) struct Through<'g> {
    gate: Arc<Gate>,
    clock: &'g Arc<dyn Clock>,
    waited: Duration,
    began: Instant,
    ending: Ending,
}

impl Gates {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let kept = Kept { gates: HashMap::new(), swept: clock.now() };
        Self { clock, kept: Mutex::new(kept) }
    }

    /// Lets an attempt in, now or when it is its turn.
    ///
    /// # Errors
    /// `Timeout` when the deadline comes first.
    pub(crate) fn admit<'g>(&'g self, asking: Asking<'g>) -> Result<Pass<'g>, Failed> {
        let gate = match asking.admission {
            Admission::Open => return Ok(Pass::Open),
            Admission::Adaptive => match self.find_if_any(&asking) {
                Some(gate) => gate,
                None => return Ok(Pass::Watched(self, asking)),
            },
            Admission::Fixed(width) => {
                let width = usize::try_from(width.get()).unwrap_or(usize::MAX);
                self.find_or_make(&asking, || Width::Fixed(width))
            }
        };
        let came = self.clock.now();
        let began = gate.enter(asking.arrival, asking.within, &*self.clock).map_err(|late| too_late(&asking, late))?;
        let waited = began.saturating_duration_since(came);
        Ok(Pass::Through(Through { gate, clock: &self.clock, waited, began, ending: Ending::Other }))
    }

    /// Attempts that wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.kept().gates.values().map(|gate| gate.waiting()).sum()
    }

    /// One relaxed load where the unit never was in conflict. That another thread's first gate is seen a moment late does no harm.
    fn find_if_any(&self, asking: &Asking<'_>) -> Option<Arc<Gate>> {
        if asking.gated.load(Ordering::Relaxed) { self.find(asking.digest()) } else { None }
    }

    fn find(&self, digest: u64) -> Option<Arc<Gate>> {
        let now = self.clock.now();
        let mut kept = self.kept();
        kept.sweep(now);
        kept.gates.get(&digest).map(Arc::clone)
    }

    fn find_or_make(&self, asking: &Asking<'_>, width: impl FnOnce() -> Width) -> Arc<Gate> {
        let (now, digest) = (self.clock.now(), asking.digest());
        let mut kept = self.kept();
        kept.sweep(now);
        if kept.gates.len() >= MOST && !kept.gates.contains_key(&digest) {
            kept.forget_the_oldest();
        }
        let gate = kept.gates.entry(digest).or_insert_with(|| Arc::new(Gate::new(width(), now)));
        asking.gated.store(true, Ordering::Relaxed);
        Arc::clone(gate)
    }

    /// No user code runs under this lock.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Now and then.
    fn sweep(&mut self, now: Instant) {
        if now.saturating_duration_since(self.swept) < CALM {
            return;
        }
        self.swept = now;
        if let Some(limit) = now.checked_sub(CALM) {
            self.gates.retain(|_, gate| is_used(gate) || !gate.is_calm(limit));
        }
    }

    /// Half of them, so that it is not done for each that is new.
    fn forget_the_oldest(&mut self) {
        let mut conflicts: Vec<_> = self.gates.values().map(|gate| gate.last_conflict()).collect();
        let half = conflicts.len() / 2;
        let (_, median, _) = conflicts.select_nth_unstable(half);
        self.gates.retain(|_, gate| is_used(gate) || gate.last_conflict() > *median);
    }
}

/// Whether somebody has it in hand. Handed out only under the lock of all gates, so that a forgotten one has nobody inside.
fn is_used(gate: &Arc<Gate>) -> bool {
    Arc::strong_count(gate) > 1
}

impl Asking<'_> {
    fn digest(&self) -> u64 {
        digest(&(self.unit, self.key, self.admission))
    }
}

fn digest(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Pass<'_> {
    /// What it waited for its turn.
    pub(crate) fn waited(&self) -> Duration {
        match self {
            Self::Open | Self::Watched(..) => Duration::ZERO,
            Self::Through(through) => through.waited,
        }
    }

    /// The attempt has ended, its session is given back. How many may run now, where there is a gate that limits them.
    pub(crate) fn leave(self, ending: Ending) -> Option<u32> {
        match self {
            Self::Open => None,
            Self::Watched(gates, asking) => {
                if ending == Ending::Conflict {
                    gates.find_or_make(&asking, || Width::Learned(Box::new(Law::new())));
                }
                None
            }
            Self::Through(mut through) => {
                through.ending = ending;
                let gate = Arc::clone(&through.gate);
                drop(through);
                u32::try_from(gate.width()).ok()
            }
        }
    }
}

impl Drop for Through<'_> {
    fn drop(&mut self) {
        let now = self.clock.now();
        self.gate.leave(self.ending, now.saturating_duration_since(self.began), now);
    }
}

fn too_late(asking: &Asking<'_>, late: Late) -> Failed {
    let Late { running, waiting } = late;
    let detail = format!(
        "the deadline passed while it waited for its turn: units in conflict run a few at a time, {running} of {} ran and {waiting} \
         more waited; give it more time, or have less of them at once",
        asking.unit
    );
    Failed::of(ErrorKind::Timeout, Undone::Nothing, Again::Never, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn s97_a_million_keys_leave_no_more_than_a_few_thousand_gates() {
        let gates = Gates::new(Arc::new(SystemClock));
        let unit = Label::new("pay", "src/bank.rs", 3);
        let flag = AtomicBool::new(false);
        let asking = |key: u32| Asking {
            unit: &unit,
            gated: &flag,
            key: Some(Key::of(&key)),
            admission: Admission::Adaptive,
            arrival: Arrival::First,
            within: None,
        };
        let held = gates.find_or_make(&asking(0), || Width::Fixed(1));
        for key in 1..1_000_000 {
            let pass = gates.admit(asking(key)).expect("nobody waits");
            let _width = pass.leave(Ending::Conflict);
        }
        assert!(gates.kept().gates.len() <= MOST);
        let kept = gates.find(asking(0).digest()).expect("a gate that somebody has in hand is not forgotten");
        assert!(Arc::ptr_eq(&held, &kept));
    }

    #[test]
    fn units_keys_and_ways_of_admission_have_gates_of_their_own() {
        let units = [Label::new("pay", "src/bank.rs", 3), Label::new("pay", "src/bank.rs", 4)];
        let gated = &AtomicBool::new(false);
        let mut digests: Vec<u64> = Vec::new();
        for unit in &units {
            for key in [None, Some(Key::of(&1)), Some(Key::of(&2))] {
                for admission in [Admission::Adaptive, Admission::fixed(1), Admission::fixed(2)] {
                    digests
                        .push(Asking { unit, gated, key, admission, arrival: Arrival::First, within: None }.digest());
                }
            }
        }
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 18);
    }
}
