//! One run of the unit: fresh state, a database of its own with at most one failure planned in it, and what is seen of it afterwards.

use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::clock::{Impatient, Visitor};
use super::useless;
use crate::backend::mysql::wire::failing::{Failures, Record, Way};
use crate::builder::DatabaseBuilder;
use crate::database::Database;
use crate::error::Error;
use crate::label::Label;
use crate::ledger::Ledger;
use crate::outcome::Outcome;
use crate::registry;

pub(super) type Rival = Arc<dyn Fn(&Database) -> Result<(), Error> + Send + Sync>;

/// What the user does with a database besides the unit.
pub(super) type Work<'a, T> = Box<dyn Fn(&Database) -> Result<T, Error> + 'a>;

/// How the user looks at what a unit has done.
pub(super) struct Looks<'a, T, U> {
    pub(super) rows: Work<'a, T>,
    pub(super) effects: Box<dyn Fn() -> U + 'a>,
    pub(super) at_rows: Looked,
    pub(super) at_effects: Looked,
}

/// Whether the user said how to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    Never,
    AfterEach,
}

/// All that a run needs.
pub(super) struct Stage<'s, R, T, U> {
    pub(super) builder: &'s DatabaseBuilder,
    /// For all but the unit.
    pub(super) side: Database,
    pub(super) set_up: &'s dyn Fn(&Database) -> Result<(), Error>,
    pub(super) looks: &'s Looks<'s, T, U>,
    pub(super) rival: Option<&'s Rival>,
    pub(super) unit: &'s dyn Fn(&Database) -> Said<R>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    pub(super) round_trip: u64,
    pub(super) way: Way,
    pub(super) times: u32,
}

/// If there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RivalComes {
    Never,
    First,
    BetweenAttempts,
}

/// How the call of the unit ended.
#[derive(Debug, PartialEq)]
pub(super) enum Said<R> {
    Returned(R),
    /// In its `Debug` form.
    Failed(String),
    Panicked(String),
}

impl<R, E: Debug> From<Result<R, E>> for Said<R> {
    fn from(result: Result<R, E>) -> Self {
        result.map_or_else(|error| Self::Failed(format!("{error:?}")), Self::Returned)
    }
}

/// What is there to be seen.
#[derive(Debug)]
pub(super) struct State<T, U> {
    pub(super) rows: T,
    pub(super) effects: U,
}

/// What was seen of a run.
#[derive(Debug)]
pub(super) struct Seen<R, T, U> {
    pub(super) before: State<T, U>,
    pub(super) said: Said<R>,
    pub(super) after: State<T, U>,
    pub(super) record: Record,
    pub(super) rival_came: bool,
    /// Of the unit, and of those that it is followed by.
    pub(super) attempts: u32,
    /// Of all units that stand.
    pub(super) outcomes: Vec<Outcome>,
    /// A unit inside that forbids to repeat the one around it.
    pub(super) in_the_way: Option<Label>,
}

impl<R, T, U> Stage<'_, R, T, U> {
    pub(super) fn play(&self, fault: Option<Fault>, rival: RivalComes) -> Result<Seen<R, T, U>, Error> {
        self.aside(|side| (self.set_up)(side)).map_err(|error| failed("`set_up`", &error))?;
        if let (RivalComes::First, Some(visit)) = (rival, self.rival) {
            self.aside(|side| visit(side)).map_err(|error| failed("the rival", &error))?;
        }
        let before = self.look()?;
        let clock = Impatient::with(self.visitor(rival));
        let failures = Failures::new();
        let db = self.builder.clone().clock(clock.clone()).failures(&failures).connect()?;
        match fault {
            Some(Fault { round_trip, way, times }) => failures.plan_in_a_row(round_trip, way, times),
            None => failures.plan_in_a_row(1, Way::LostBefore, 0),
        }
        let ledger = Rc::new(Ledger::default());
        let said = watched(&db, &ledger, self.unit);
        let record = failures.record();
        // What is left of it is of no interest: its connections are closed.
        let _left = db.close(Duration::ZERO);
        let rival_came = came(&clock)?;
        let after = self.look()?;
        let (attempts, outcomes, in_the_way) = (ledger.attempts(), ledger.outcomes(), ledger.in_the_way());
        Ok(Seen { before, said, after, record, rival_came, attempts, outcomes, in_the_way })
    }

    fn look(&self) -> Result<State<T, U>, Error> {
        let rows = self.aside(|side| (self.looks.rows)(side)).map_err(|error| failed("`observe`", &error))?;
        Ok(State { rows, effects: (self.looks.effects)() })
    }

    /// No failure is planned there.
    fn aside<V>(&self, work: impl FnOnce(&Database) -> V) -> V {
        let _entered = self.side.enter();
        work(&self.side)
    }

    fn visitor(&self, rival: RivalComes) -> Visitor {
        match (rival, self.rival) {
            (RivalComes::BetweenAttempts, Some(rival)) => {
                let (rival, side) = (Arc::clone(rival), self.side.clone());
                Visitor::Waiting(Box::new(move || {
                    let _has_nothing_to_do_with_us = registry::hide();
                    let _entered = side.enter();
                    rival(&side)
                }))
            }
            (RivalComes::Never | RivalComes::First | RivalComes::BetweenAttempts, _) => Visitor::Nobody,
        }
    }
}

/// Runs the unit as the first on this thread; how it and others end is written into the ledger.
fn watched<R>(db: &Database, ledger: &Rc<Ledger>, unit: &dyn Fn(&Database) -> Said<R>) -> Said<R> {
    let _entered = db.enter();
    let _watched = registry::hide_from_hooks(Some(Rc::<Ledger>::clone(ledger)));
    catch_unwind(AssertUnwindSafe(|| unit(db))).unwrap_or_else(|payload| Said::Panicked(words(&*payload)))
}

fn words(payload: &(dyn Any + Send)) -> String {
    let formatted = payload.downcast_ref::<String>().cloned();
    formatted.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

fn came(clock: &Impatient) -> Result<bool, Error> {
    match clock.visitor() {
        Visitor::Nobody | Visitor::Waiting(_) => Ok(false),
        Visitor::Came(Ok(())) => Ok(true),
        Visitor::Came(Err(error)) => Err(failed("the rival", &error)),
    }
}

fn failed(who: &str, error: &Error) -> Error {
    useless(&format!("{who} failed: {error}"))
}
