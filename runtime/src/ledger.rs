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

/// Those of one attempt.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Made for the first of them: few units have any.
    lists: RefCell<Option<Box<Lists>>>,
    attempts: Cell<u32>,
}

/// In the order of their ends.
#[derive(Debug, Default)]
struct Lists {
    own: Vec<Independent>,
    /// Inside attempts of its own ones.
    inside: Vec<Independent>,
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
                let independent = Independent { unit: unit.clone(), outcome, replay: replay(options) };
                self.lists.borrow_mut().get_or_insert_default().own.push(independent);
            }
        }
    }

    /// What stands inside an attempt stands inside the one around it too.
    pub(crate) fn absorb(&self, inner: &Self) {
        let Some(inner) = &*inner.lists.borrow() else { return };
        let below = inner.inside.iter().chain(&inner.own).cloned();
        self.lists.borrow_mut().get_or_insert_default().inside.extend(below);
    }

    /// The list itself, when the attempt has ended.
    #[inline]
    pub(crate) fn take(&self) -> Self {
        Self { lists: RefCell::new(self.lists.take()), attempts: Cell::new(self.attempts.take()) }
    }

    /// The first unit that forbids another attempt.
    pub(crate) fn forbids(&self) -> Option<Independent> {
        let lists = self.lists.borrow();
        let mut all = lists.iter().flat_map(|lists| lists.inside.iter().chain(&lists.own));
        all.find(|independent| independent.forbids()).cloned()
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
        let lists = self.lists.borrow();
        let all = lists.iter().flat_map(|lists| lists.inside.iter().chain(&lists.own));
        all.map(|independent| independent.outcome).collect()
    }

    /// The unit inside an attempt that forbids to repeat it.
    pub(crate) fn in_the_way(&self) -> Option<Label> {
        let lists = self.lists.borrow();
        let mut inside = lists.iter().flat_map(|lists| &lists.inside);
        inside.find(|independent| independent.forbids()).map(|independent| independent.unit.clone())
    }
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
