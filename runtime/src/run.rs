//! The whole algorithm of a unit of work: which database, what is active, join or begin; attempt after attempt until one
//! settles; hooks; the answer. Each step is somebody else's file; the order is decided here.

use std::panic::resume_unwind;
use std::rc::Rc;

use crate::attempt::{Ended, attempt, join};
use crate::backend::{Backend, Characteristics};
use crate::course::Course;
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::label::Label;
use crate::options::Options;
use crate::propagation::{Active, Asked, Plan, Refusal, plan};
use crate::registry::{self, Place};
use crate::retry;
use crate::settle::{BodySaid, Faulted, Settlement};
use crate::transaction::Transaction;
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
    let place = database.place().ok_or_else(|| Error::torn_down().of_unit(unit))?;
    let active = place.active();
    let asked = Asked { propagation: options.propagation, isolation: options.isolation, access: options.access };
    match (plan(asked, describe(active.as_deref())), active) {
        (Plan::Begin, _) => begin(database, &place, unit, options, body),
        (Plan::Join, Some(transaction)) => join(&transaction, unit, body),
        (Plan::Refuse(refusal), active) => Err(refused(refusal, unit, options, active.as_deref())),
        (Plan::Join | Plan::Savepoint | Plan::SuspendAndBegin | Plan::Plain | Plan::SuspendAndPlain, _) => {
            unreachable!("no unit can be declared with another propagation than `required` yet")
        }
    }
}

fn describe<B: Backend>(active: Option<&Transaction<B>>) -> Active {
    active.map_or(Active::Nothing, |transaction| Active::Transaction {
        isolation: transaction.characteristics.isolation,
        access: transaction.characteristics.access,
    })
}

fn begin<B: Backend>(
    database: &Database<B>,
    place: &Rc<Place<B>>,
    unit: &Label,
    options: &Options,
    body: Body<'_, B>,
) -> Result<(), Error> {
    let characteristics =
        Characteristics { isolation: options.isolation.unwrap_or(database.isolation()), access: options.access };
    let mut course = Course::begin(options.retry.unwrap_or(database.retry()), database.clock());
    loop {
        let number = course.next_attempt();
        let turn = if retry::is_last(course.policy(), number) { Turn::Final } else { Turn::Repeatable };
        let Ended { settlement, hooks, panic } = attempt(place, database, unit, characteristics, number, turn, body);
        Ended::run_hooks(hooks, &settlement, unit, database);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
        match settlement {
            Settlement::Committed | Settlement::RolledBack(_) => return Ok(()),
            Settlement::Failed(error) => return Err(error),
            Settlement::Faulted(faulted) => match course.after(&faulted, unit) {
                retry::Next::Again { after } => database.clock().sleep(after),
                retry::Next::Return => return returned(faulted),
                retry::Next::Exhausted => return Err(course.exhausted(&faulted.error)),
            },
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

fn refused<B: Backend>(refusal: Refusal, unit: &Label, options: &Options, active: Option<&Transaction<B>>) -> Error {
    let outer = active.map_or_else(|| "no unit".to_owned(), |transaction| format!("unit {}", transaction.unit));
    let (kind, detail) = match refusal {
        Refusal::StrongerIsolation => (
            ErrorKind::IsolationConflict,
            format!(
                "it asks for `{}`, but it would join {outer}, which runs at `{}`; raise the outer one, or give this one \
                 `propagation = \"requires_new\"`",
                options.isolation.unwrap_or_default(),
                active.map(|transaction| transaction.characteristics.isolation).unwrap_or_default(),
            ),
        ),
        Refusal::WritesInReadOnly => (
            ErrorKind::AccessConflict,
            format!(
                "it may write, but it would join {outer}, which is `read only`; declare this one `read_only`, or the outer one not"
            ),
        ),
        Refusal::NotOutermost => {
            (ErrorKind::Propagation, format!("it is declared `{}` but {outer} is active", options.propagation))
        }
        Refusal::NoTransaction => {
            (ErrorKind::Propagation, format!("it is declared `{}` but no transaction is active", options.propagation))
        }
        Refusal::TransactionActive => (
            ErrorKind::Propagation,
            format!("it is declared `{}` but the transaction of {outer} is active", options.propagation),
        ),
    };
    Error::new(kind, detail).of_unit(unit)
}
