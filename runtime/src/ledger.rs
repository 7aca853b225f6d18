//! Which units ended on their own inside an attempt: on a second session, without a transaction, or on another database. They
//! stand whatever becomes of the attempt; so it decides whether the attempt may be followed by another.

use std::cell::{Cell, RefCell};

use crate::label::Label;
use crate::options::{Access, Options, Replay};
use crate::outcome::Outcome;

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Independent {
    pub(crate) unit: Label,
    pub(crate) outcome: Outcome,
    replay: Replay,
}

/// Those of one attempt, in the order of their ends.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    own: RefCell<Vec<Independent>>,
    /// Inside attempts of its own ones.
    inside: RefCell<Vec<Independent>>,
    attempts: Cell<u32>,
}

/// Who keeps a list: an attempt, or who watches from outside.
pub(crate) trait Keeper {
    fn ledger(&self) -> &Ledger;
}

#[cfg(feature = "testing")]
impl Keeper for Ledger {
    fn ledger(&self) -> &Ledger {
        self
    }
}

impl Ledger {
    /// Writes down how a unit ended, if that is something that stands.
    pub(crate) fn record(&self, unit: &Label, options: &Options, outcome: Outcome) {
        self.attempts.set(self.attempts.get().saturating_add(1));
        match outcome {
            Outcome::NotStarted | Outcome::RolledBack => {}
            Outcome::Committed | Outcome::Unknown | Outcome::Torn | Outcome::Untransacted => {
                self.own.borrow_mut().push(Independent { unit: unit.clone(), outcome, replay: replay(options) });
            }
        }
    }

    /// What stands inside an attempt stands inside the one around it too.
    pub(crate) fn absorb(&self, inner: &Self) {
        let mut inside = self.inside.borrow_mut();
        inside.extend(inner.inside.borrow().iter().cloned());
        inside.extend(inner.own.borrow().iter().cloned());
    }

    /// The list itself, when the attempt has ended.
    pub(crate) fn take(&self) -> Self {
        Self {
            own: RefCell::new(self.own.take()),
            inside: RefCell::new(self.inside.take()),
            attempts: Cell::new(self.attempts.take()),
        }
    }

    /// The first unit that forbids another attempt.
    pub(crate) fn forbids(&self) -> Option<Independent> {
        first_forbidding(&self.inside).or_else(|| first_forbidding(&self.own))
    }
}

/// For who watches a unit from outside.
#[cfg(feature = "testing")]
impl Ledger {
    /// Attempts of units directly under it.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.get()
    }

    /// Outcomes of all of them.
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        self.inside.borrow().iter().chain(self.own.borrow().iter()).map(|independent| independent.outcome).collect()
    }

    /// The unit inside an attempt that forbids to repeat it.
    pub(crate) fn in_the_way(&self) -> Option<Label> {
        first_forbidding(&self.inside).map(|independent| independent.unit)
    }
}

fn first_forbidding(units: &RefCell<Vec<Independent>>) -> Option<Independent> {
    units.borrow().iter().find(|independent| independent.forbids()).cloned()
}

impl Independent {
    /// After an unknown end nobody knows what another attempt would find; after any other it would be done twice.
    fn forbids(&self) -> bool {
        self.outcome == Outcome::Unknown || self.replay == Replay::Once
    }
}

/// The server keeps a read-only unit from doing anything twice.
fn replay(options: &Options) -> Replay {
    match options.access {
        Access::ReadOnly => Replay::Repeatable,
        Access::ReadWrite => options.replay,
    }
}
