//! The whole algorithm of a unit of work: which database, what is active, what to do about it; attempt after attempt until one
//! settles; hooks; the answer. Each step is somebody else's file; the order is decided here.

use std::rc::Rc;

use crate::attempt::{Ended, attempt, join};
use crate::backend::{Backend, Characteristics, Commits};
use crate::course::Course;
use crate::database::Database;
use crate::error::Error;
use crate::label::Label;
use crate::nested::nested;
use crate::options::{Options, Retry};
use crate::propagation::{Active, Asked, Plan, plan};
use crate::refusal::refused;
use crate::registry;
use crate::retry::Next;
use crate::settle::{BodySaid, Faulted, Settlement};
use crate::transaction::{Begun, Transaction};
use crate::tx::Tx;
use crate::unit::Unit;

/// What a body's value asks for.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It returned `Ok`.
    Commit,
    /// It returned an error, this one in its `Debug` form.
    Rollback(String),
}

/// Whether the body's arguments are needed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Another attempt may follow.
    Repeatable,
    /// None will.
    Final,
}

pub(crate) type Body<'b, B> = &'b mut dyn FnMut(&mut Tx<'_, B>, Turn) -> Verdict;

/// Runs what the attribute declared. `Ok` = the caller gets what the body returned last; `Err` = the caller gets this instead.
pub(crate) fn run<B: Backend>(
    unit: &'static Unit,
    body_type: fn() -> &'static str,
    on: Option<&Database<B>>,
    body: Body<'_, B>,
) -> Result<(), Error> {
    let label = unit.label(body_type);
    if let Some(database) = on {
        return run_on(database, &label, &unit.options, body);
    }
    let database = registry::current::<B>().map_err(|error| error.of_unit(&label))?;
    run_on(&database, &label, &unit.options, body)
}

/// The same for a unit that is described at run time.
pub(crate) fn run_on<B: Backend>(
    database: &Database<B>,
    unit: &Label,
    options: &Options,
    body: Body<'_, B>,
) -> Result<(), Error> {
    let active = registry::active(database.pool());
    let asked = Asked { propagation: options.propagation, isolation: options.isolation, access: options.access };
    let begin = |commits| Own { database, unit, options, commits, suspended: active.as_deref() };
    match (plan(asked, describe(active.as_deref())), &active) {
        (Plan::Begin | Plan::SuspendAndBegin, _) => begin(Commits::Together).run(body),
        (Plan::Plain | Plan::SuspendAndPlain, _) => begin(Commits::Each).run(body),
        (Plan::Join, Some(transaction)) => join(transaction, unit, body),
        (Plan::Savepoint, Some(transaction)) => nested(transaction, unit, body),
        (Plan::Join | Plan::Savepoint, None) => unreachable!("only what is active can be joined"),
        (Plan::Refuse(refusal), active) => Err(refused(refusal, unit, options, active.as_deref())),
    }
}

fn describe<B: Backend>(active: Option<&Transaction<B>>) -> Active {
    let Some(transaction) = active else { return Active::Nothing };
    let Characteristics { commits, isolation, access } = transaction.characteristics;
    match commits {
        Commits::Each => Active::Plain,
        Commits::Together => Active::Transaction { isolation, access },
    }
}

/// A unit with a session and an outcome of its own.
struct Own<'u, B: Backend> {
    database: &'u Database<B>,
    unit: &'u Label,
    options: &'u Options,
    commits: Commits,
    /// What waits on this thread until this unit has ended.
    suspended: Option<&'u Transaction<B>>,
}

impl<B: Backend> Own<'_, B> {
    fn run(&self, body: Body<'_, B>) -> Result<(), Error> {
        let place = self.database.place().ok_or_else(|| Error::torn_down().of_unit(self.unit))?;
        let around = registry::enclosing();
        let mut course = Course::begin(self.policy(), self.database.clock(), self.suspended.map(|outer| outer.until));
        loop {
            let (number, turn) = course.next_attempt();
            let ended = attempt(&place, self.begun(number, &course), turn, &mut *body);
            if let Some(around) = &around {
                around.absorb(&ended.ledger);
                around.record(self.unit, self.options, ended.outcome);
            }
            let ledger = Rc::clone(&ended.ledger);
            match Ended::conclude(ended, self.unit, self.database) {
                Settlement::Committed | Settlement::RolledBack(_) => return Ok(()),
                Settlement::Failed(error) => return Err(error),
                Settlement::Faulted(faulted) => match course.after(&faulted, self.unit, &ledger) {
                    Ok(Next::Again { after }) => self.database.clock().sleep(after),
                    Ok(Next::Return) => return returned(faulted),
                    Ok(Next::Exhausted) => return Err(course.exhausted(&faulted.error)),
                    Err(forbidden) => return Err(forbidden),
                },
            }
        }
    }

    /// Where every statement commits by itself, running again would do twice what was done.
    fn policy(&self) -> Retry {
        match self.commits {
            Commits::Together => self.options.retry.unwrap_or(self.database.retry()),
            Commits::Each => Retry::NEVER,
        }
    }

    fn begun(&self, attempt: u32, course: &Course) -> Begun<B> {
        Begun {
            database: self.database.clone(),
            unit: self.unit.clone(),
            characteristics: Characteristics {
                commits: self.commits,
                isolation: self.options.isolation.unwrap_or(self.database.isolation()),
                access: self.options.access,
            },
            attempt,
            suspends: self.suspended.map(|outer| outer.unit.clone()),
            until: course.until(),
        }
    }
}

/// A fault that is not retried: the body's own error if it returned one, else the fault.
fn returned(faulted: Faulted) -> Result<(), Error> {
    match faulted.body {
        BodySaid::Error => Ok(()),
        BodySaid::NoError => Err(faulted.error),
    }
}
