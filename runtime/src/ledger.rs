//! Which units ended on their own inside an attempt: on a second session, without a transaction, or on another database. They
//! stand whatever becomes of the attempt; so it decides whether the attempt may be followed by another.

use std::cell::RefCell;

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
pub(crate) struct Ledger(RefCell<Vec<Independent>>);

impl Ledger {
    /// Writes down how a unit ended, if that is something that stands.
    pub(crate) fn record(&self, unit: &Label, options: &Options, outcome: Outcome) {
        match outcome {
            Outcome::NotStarted | Outcome::RolledBack => {}
            Outcome::Committed | Outcome::Unknown | Outcome::Torn | Outcome::Untransacted => {
                self.0.borrow_mut().push(Independent { unit: unit.clone(), outcome, replay: replay(options) });
            }
        }
    }

    /// What stands inside an attempt stands inside the one around it too.
    pub(crate) fn absorb(&self, inner: &Self) {
        self.0.borrow_mut().extend(inner.0.borrow().iter().cloned());
    }

    /// The first unit that forbids another attempt.
    pub(crate) fn forbids(&self) -> Option<Independent> {
        self.0.borrow().iter().find(|independent| independent.forbids()).cloned()
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
