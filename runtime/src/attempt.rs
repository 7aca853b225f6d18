//! One run of the body in a transaction of its own: take a session, run, settle, hooks. Everything it bound to the thread is
//! unbound before the hooks run, and a panic goes on with its own payload when all is done.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use crate::backend::{Backend, Characteristics};
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::fault::Failed;
use crate::hooks::{Cause, Hooks, panic_text};
use crate::label::Label;
use crate::registry::Place;
use crate::run::{Body, Turn, Verdict};
use crate::settle::{BodySaid, Ending, Faulted, Settlement, settle};
use crate::transaction::{Mark, Transaction};
use crate::tx::Tx;

/// The end of an attempt, its hooks still to be run.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) settlement: Settlement,
    pub(crate) hooks: Hooks,
    pub(crate) panic: Option<Box<dyn Any + Send>>,
}

/// Runs the body once.
pub(crate) fn attempt<B: Backend>(
    place: &Rc<Place<B>>,
    database: &Database<B>,
    unit: &Label,
    characteristics: Characteristics,
    number: u32,
    turn: Turn,
    body: Body<'_, B>,
) -> Ended {
    let session = match database.pool().acquire(&place.slot) {
        Ok(session) => session,
        Err(failed) => return Ended::before_it_began(unit, failed),
    };
    let transaction = Transaction::new(database.clone(), unit.clone(), characteristics, number, session);
    let bound = place.bind(Rc::clone(&transaction));
    let (ending, panic) = run_body(&transaction, turn, body);
    drop(bound);
    let settlement = settle(&transaction, &ending);
    Ended { settlement, hooks: transaction.take_hooks(), panic }
}

/// `catch_unwind` and not a drop guard: so the thread is not panicking while ROLLBACK runs, and destructors in the driver
/// behave as on any other day.
fn run_body<B: Backend>(
    transaction: &Rc<Transaction<B>>,
    turn: Turn,
    body: Body<'_, B>,
) -> (Ending, Option<Box<dyn Any + Send>>) {
    let mut tx = Tx::new(Rc::clone(transaction), &transaction.unit);
    match catch_unwind(AssertUnwindSafe(|| body(&mut tx, turn))) {
        Ok(verdict) => (Ending::Returned(verdict), None),
        Err(payload) => (Ending::Panicked, Some(payload)),
    }
}

impl Ended {
    fn before_it_began(unit: &Label, failed: Failed) -> Self {
        let again = failed.fault.again;
        let error = Error::from_failed(failed).of_unit(unit);
        let settlement = Settlement::Faulted(Faulted { again, error, body: BodySaid::NoError });
        Self { settlement, hooks: Hooks::default(), panic: None }
    }

    /// Runs the hooks that this end calls for. After an unknown COMMIT nobody can say which, so none run.
    pub(crate) fn run_hooks<B: Backend>(hooks: Hooks, settlement: &Settlement, unit: &Label, database: &Database<B>) {
        let report = |failure| database.report(&failure);
        match settlement {
            Settlement::Committed => hooks.committed(unit, &report),
            Settlement::RolledBack(cause) => hooks.rolled_back(unit, cause, &report),
            Settlement::Faulted(faulted) => hooks.rolled_back(unit, &Cause::Fault(faulted.error.clone()), &report),
            Settlement::Failed(error) if error.kind() == ErrorKind::CommitUnknown => {}
            Settlement::Failed(error) => hooks.rolled_back(unit, &Cause::Marked(error.clone()), &report),
        }
    }
}

/// Runs the body as part of the transaction that is active: no statement is sent, and a failure dooms the whole.
pub(crate) fn join<B: Backend>(transaction: &Rc<Transaction<B>>, unit: &Label, body: Body<'_, B>) -> Result<(), Error> {
    if transaction.is_busy() {
        return Err(transaction.busy());
    }
    let mut tx = Tx::new(Rc::clone(transaction), unit);
    match catch_unwind(AssertUnwindSafe(|| body(&mut tx, Turn::Final))) {
        Ok(Verdict::Commit) => Ok(()),
        Ok(Verdict::Rollback(text)) => {
            transaction.mark(Mark::Failed { unit: unit.clone(), text });
            Ok(())
        }
        Err(payload) => {
            let text = format!("a panic: {}", panic_text(&*payload));
            transaction.mark(Mark::Failed { unit: unit.clone(), text });
            resume_unwind(payload)
        }
    }
}
