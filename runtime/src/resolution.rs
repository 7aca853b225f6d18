//! What became of a COMMIT that was not answered, for units that are `exactly_once`. Decides how often and for how long the
//! server is asked, and says in words what was found. How it is asked, and why the answer is the truth, is the engine's matter
//! (`mysql/outcomes.rs`); what follows from it is `settle`'s.

use std::fmt;
use std::time::{Duration, Instant};

use crate::backend::{Backend, Connection, Connector};
use crate::database::Database;
use crate::fault::Failed;
use crate::label::Label;
use crate::observe;
use crate::outcome::Outcome;

/// Names one attempt in the table of outcomes. No two attempts of anybody have the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key([u8; 16]);

impl Key {
    /// Of the system's random bytes: a generator that is seeded with fewer bits would repeat itself between processes.
    pub(crate) fn fresh() -> Self {
        let mut bytes = [0; 16];
        if getrandom::fill(&mut bytes).is_err() {
            // A system without any. A key that exists already is refused at COMMIT, so the unit would fail, not lie.
            fastrand::fill(&mut bytes);
        }
        Self(bytes)
    }
}

/// In hexadecimal digits.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a server says about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The attempt was committed.
    Committed,
    /// It was not, and never will be: its key is taken.
    RolledBack,
    /// This is another server, which may not know.
    Elsewhere {
        /// The one that was sent COMMIT.
        asked: String,
        /// This one.
        here: String,
    },
}

/// A COMMIT without an answer.
#[derive(Debug)]
pub(crate) struct Lost<B: Backend> {
    pub(crate) key: Key,
    /// The connection that it was sent on.
    pub(crate) connection: <B::Connection as Connection>::Ghost,
}

/// What was found out.
#[derive(Debug)]
pub(crate) enum Resolution {
    Committed,
    RolledBack {
        /// What was done and what is true now.
        how: String,
    },
    Undecided {
        /// What was tried and what to do.
        why: String,
    },
}

/// Asks until it is decided, until `deadline`, or as long as the database says where there is none; at least once.
pub(crate) fn resolve<B: Backend>(
    database: &Database<B>,
    unit: &Label,
    lost: &Lost<B>,
    deadline: Option<Instant>,
) -> Resolution {
    observe::resolving(unit);
    let inquiry = Inquiry { database, unit, lost, began: database.clock().now() };
    let resolution = inquiry.run(deadline);
    let counters = database.pool().counters();
    match &resolution {
        Resolution::Committed => counters.resolved_committed.count(),
        Resolution::RolledBack { .. } => counters.resolved_rolled_back.count(),
        Resolution::Undecided { .. } => counters.unresolved.count(),
    }
    resolution
}

struct Inquiry<'i, B: Backend> {
    database: &'i Database<B>,
    unit: &'i Label,
    lost: &'i Lost<B>,
    began: Instant,
}

impl<B: Backend> Inquiry<'_, B> {
    fn run(&self, deadline: Option<Instant>) -> Resolution {
        let clock = self.database.clock();
        let until = deadline.or_else(|| self.began.checked_add(self.database.resolve_within()));
        // From there on the row of a unit that was committed may be gone, and "not there" would say nothing.
        let until = [until, self.began.checked_add(LONGEST)].into_iter().flatten().min();
        for tries in 1.. {
            let why = match self.ask() {
                Ok(Fate::Committed) => return self.committed(tries),
                Ok(Fate::RolledBack) => return self.rolled_back(tries),
                Ok(Fate::Elsewhere { asked, here }) => return self.elsewhere(&asked, &here),
                Err(failed) => failed.detail,
            };
            observe::undecided(self.unit, tries, &why);
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(clock.now()));
            if left.is_zero() {
                return self.undecided(tries, &why);
            }
            clock.sleep(pause(tries).mul_f64(1.0 - fastrand::f64() / 2.0).min(left));
        }
        unreachable!("there is a try after each that leaves it undecided")
    }

    /// On a connection of its own: those of the pool may all be held by units that wait for this one's locks.
    fn ask(&self) -> Result<Fate, Failed> {
        let mut side = self.database.pool().connector().connect()?;
        let fate = side.decide(&self.lost.key, &self.lost.connection, self.database.topology());
        if fate.is_err() {
            // The driver would still write when it is dropped.
            side.shut();
        }
        fate
    }

    fn committed(&self, tries: u32) -> Resolution {
        observe::resolved(self.unit, Outcome::Committed, tries, self.elapsed());
        Resolution::Committed
    }

    fn rolled_back(&self, tries: u32) -> Resolution {
        let after = self.elapsed();
        observe::resolved(self.unit, Outcome::RolledBack, tries, after);
        let how = format!(
            "COMMIT was sent and not answered; asked on a connection of its own ({}), the server let the tombstone have the \
             unit's key, so it was not committed and never will be; the fault was",
            times(tries, after)
        );
        Resolution::RolledBack { how }
    }

    fn elsewhere(&self, asked: &str, here: &str) -> Resolution {
        let why = format!(
            "COMMIT was sent to {asked} and not answered, and now {here} answers at this address, which may lack what the other \
             had committed: so the unit may or may not be in the database; it was not run again; {}, or declare the servers \
             `Topology::Synchronous` if they are; the fault was",
            self.by_hand()
        );
        Resolution::Undecided { why }
    }

    fn undecided(&self, tries: u32, why: &str) -> Resolution {
        let why = format!(
            "COMMIT was sent and not answered, and the server could not say what became of it ({}, the last time: {why}): so the \
             unit may or may not be in the database; it was not run again; {}; the fault was",
            times(tries, self.elapsed()),
            self.by_hand()
        );
        Resolution::Undecided { why }
    }

    /// What the runtime would do, for people.
    fn by_hand(&self) -> String {
        format!(
            "before you do, and before a purge takes its row away (24 hours), say on the server that has the data: INSERT INTO \
             unit_of_work_outcome VALUES (X'{}', 'tombstone', UTC_TIMESTAMP()): if it goes in, the unit was rolled back; if the \
             key is there already, its row says `committed` or `tombstone`",
            self.lost.key
        )
    }

    fn elapsed(&self) -> Duration {
        self.database.clock().now().saturating_duration_since(self.began)
    }
}

fn times(tries: u32, time: Duration) -> String {
    match tries {
        1 => format!("once, within {time:.1?}"),
        tries => format!("{tries} times within {time:.1?}"),
    }
}

/// Half of the time that rows are kept for at least, by the server's clock.
pub(crate) const LONGEST: Duration = Duration::from_secs(12 * 3600);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The upper end of the pause after so many tries; half of it is drawn, so that those who lost the same server do not all come
/// back at once.
fn pause(tries: u32) -> Duration {
    let factor = 1_u32.checked_shl(tries - 1).unwrap_or(u32::MAX);
    FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_are_written_in_32_digits() {
        let (one, other) = (Key::fresh(), Key::fresh());
        assert_ne!(one, other);
        assert_eq!(one.to_string().len(), 32);
        assert_eq!(Key([0x0f; 16]).to_string(), "0f".repeat(16));
    }

    #[test]
    fn pauses_double_up_to_a_second() {
        let pauses: Vec<_> = (1..=9).map(|tries| pause(tries).as_millis()).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
