//! One run of the body with a session of its own: take it, run, settle. Everything it bound to the thread is unbound before
//! its hooks run, and a panic goes on with its own payload when all is done.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::backend::{Backend, Commits};
use crate::contention;
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::fault::{Again, Failed};
use crate::hooks::{Cause, HookKind, bury, panic_text};
use crate::label::Label;
use crate::ledger::{Keeper, Ledger};
use crate::observe::{Failure, Spent};
use crate::outcome::Outcome;
use crate::registry::{self, Place};
use crate::run::{Body, Turn, Verdict};
use crate::settle::{BodySaid, Ending, Faulted, Settlement, settle};
use crate::transaction::{Begun, Level, Mark, Transaction, Used, lent_out};
use crate::tx::Tx;

/// The end of an attempt, its hooks still to be run.
#[derive(Debug)]
pub(crate) struct Ended<B: Backend> {
    pub(crate) settlement: Settlement,
    pub(crate) outcome: Outcome,
    pub(crate) spent: Spent,
    /// What ended on its own inside.
    pub(crate) ledger: Ledger,
    /// Its hooks and values, which outlive it.
    remains: Option<Box<Level<B>>>,
    panic: Option<Box<dyn Any + Send>>,
}

/// Runs the body once; it begins `now`.
pub(crate) fn attempt<B: Backend>(
    place: &Place<B>,
    begun: Begun<B>,
    now: Instant,
    turn: Turn,
    body: Body<'_, B>,
) -> Ended<B> {
    let within = begun.deadline.map(|deadline| deadline.saturating_duration_since(now));
    let (_held, waited, transaction) = match begun.sandbox.clone() {
        Some(base) if base.is_busy() => return Ended::before_it_began(&begun.unit, lent_out(), Duration::ZERO),
        Some(base) => (None, Duration::ZERO, Transaction::inside(begun, base)),
        None => match begun.database.pool().acquire(&place.slot, &begun.unit, within, now) {
            Ok((session, held)) => {
                let waited = session.waited;
                (Some(held), waited, Transaction::new(begun, session, place.spare.take()))
            }
            Err(failed) => {
                let waited = begun.database.clock().now().saturating_duration_since(now);
                return Ended::before_it_began(&begun.unit, failed, waited);
            }
        },
    };
    let bound = registry::bind(&transaction);
    let (ending, panic) = run_body(&transaction, turn, body);
    drop(bound);
    let settlement = settle(&transaction, place, &ending);
    let (outcome, ledger) = (stands(&transaction), transaction.ledger.take());
    #[cfg(feature = "testing")]
    transaction.database().note_end(&transaction.unit, transaction.attempt, outcome);
    let remains = transaction.take_own_level();
    let waited = waited + transaction.waited.get();
    let until = transaction.parked.get().filter(|_| remains.is_none());
    let spent = Spent { waited, round_trips: transaction.round_trips.get(), until };
    place.spare.replace(transaction.retire());
    Ended { settlement, outcome, spent, ledger, remains, panic }
}

/// A unit that sent nothing has done nothing that could stand.
fn stands<B: Backend>(transaction: &Transaction<B>) -> Outcome {
    match (transaction.settled.get(), transaction.used.get()) {
        (_, Used::NotYet) => Outcome::NotStarted,
        (Some(outcome), _) => outcome,
        (None, Used::Yes) => Outcome::RolledBack,
    }
}

/// `catch_unwind` and not a drop guard: so the thread is not panicking while ROLLBACK runs, and destructors in the driver
/// behave as on any other day.
fn run_body<B: Backend>(
    transaction: &Rc<Transaction<B>>,
    turn: Turn,
    body: Body<'_, B>,
) -> (Ending, Option<Box<dyn Any + Send>>) {
    let mut tx = Tx::new(Rc::clone(transaction), &transaction.unit);
    match catch_unwind(AssertUnwindSafe(|| body_and_hooks(&mut tx, turn, body))) {
        Ok(ending) => (ending, None),
        Err(payload) => (Ending::Panicked, Some(payload)),
    }
}

fn body_and_hooks<B: Backend>(tx: &mut Tx<'_, B>, turn: Turn, body: Body<'_, B>) -> Ending {
    match body(tx, turn) {
        verdict @ (Verdict::Commit | Verdict::CommitAnyway(_)) => match before_commit(tx) {
            None => Ending::Returned(verdict),
            Some(refusal) => Ending::Refused(refusal),
        },
        verdict @ (Verdict::Rollback(_) | Verdict::Again(_)) => Ending::Returned(verdict),
    }
}

/// Hooks that register hooks that register hooks: at some point that is a mistake, and without an end it would be a hang.
const ROUNDS: usize = 100;

/// Runs what is to run before COMMIT; what the first that refuses says.
fn before_commit<B: Backend>(tx: &mut Tx<'_, B>) -> Option<String> {
    for round in 0.. {
        let hooks = tx.transaction.take_before_commit();
        if hooks.is_empty() {
            break;
        }
        if round == ROUNDS {
            return Some(format!("hooks registered further ones for more than {ROUNDS} rounds"));
        }
        for hook in hooks {
            if !tx.transaction.may_commit() {
                return None;
            }
            if let Some(refusal) = hook(tx) {
                return Some(refusal);
            }
        }
    }
    None
}

impl<B: Backend> Ended<B> {
    pub(crate) fn before_it_began(unit: &Label, failed: Failed, waited: Duration) -> Self {
        let again = failed.fault.again;
        let error = Error::from_failed(failed).of_unit(unit);
        let settlement = Settlement::Faulted(Faulted { again, error, body: BodySaid::NoError });
        Self {
            settlement,
            outcome: Outcome::NotStarted,
            spent: Spent { waited, ..Spent::default() },
            ledger: Ledger::default(),
            remains: None,
            panic: None,
        }
    }

    /// What the caller gets that is no value, if no other attempt follows. An error that commits is none.
    pub(crate) fn failure(&self) -> Option<Failure> {
        if self.panic.is_some() {
            return Some(Failure::Panic);
        }
        match &self.settlement {
            Settlement::Committed => None,
            Settlement::RolledBack(_)
            | Settlement::Asked(_)
            | Settlement::Faulted(Faulted { body: BodySaid::Error, .. }) => Some(Failure::Body),
            Settlement::Faulted(Faulted { error, .. }) | Settlement::Failed(error) => Some(Failure::Kind(error.kind())),
        }
    }

    /// What this end says about how many attempts should run at once.
    pub(crate) fn for_the_gate(&self) -> contention::Ending {
        match &self.settlement {
            Settlement::RolledBack(Cause::Panicked) | Settlement::Failed(_) => contention::Ending::Other,
            Settlement::Committed | Settlement::RolledBack(_) => contention::Ending::Success,
            Settlement::Faulted(faulted) => match (faulted.error.kind(), faulted.again) {
                // Once only: the table's definition has changed, which is nobody's fault.
                (ErrorKind::Serialization, Again::Once) => contention::Ending::Other,
                (ErrorKind::Serialization | ErrorKind::LockTimeout, _) => contention::Ending::Conflict,
                // The server said so in time, and the deadline came before it was heard: a lock was waited for.
                (ErrorKind::Timeout, _) if faulted.error.code().is_some() => contention::Ending::Conflict,
                _ => contention::Ending::Other,
            },
            // As units do that check a version by themselves.
            Settlement::Asked(_) => contention::Ending::Conflict,
        }
    }

    /// Runs the hooks that this end calls for, then lets a panic go on. What is left is what became of the attempt, and what
    /// ended on its own inside.
    ///
    /// The hooks see no unit, not even one that is suspended around this one: what they open is fresh.
    pub(crate) fn conclude(
        self,
        unit: &Label,
        database: &Database<B>,
        around: Option<Rc<dyn Keeper>>,
    ) -> (Settlement, Ledger) {
        if let Some(remains) = self.remains {
            let _hidden = registry::hide_from_hooks(around);
            run_hooks(*remains, &self.settlement, unit, database);
        }
        match self.panic {
            Some(payload) => resume_unwind(payload),
            None => (self.settlement, self.ledger),
        }
    }
}

fn run_hooks<B: Backend>(remains: Level<B>, settlement: &Settlement, unit: &Label, database: &Database<B>) {
    let report = |failure| database.report(&failure);
    let Level { hooks, locals, mark: _ } = remains;
    let kind = match settlement {
        Settlement::Committed => {
            hooks.committed(unit, &report);
            HookKind::AfterCommit
        }
        Settlement::Failed(error) if error.kind() == ErrorKind::CommitUnknown => {
            hooks.unknown(unit, error, &report);
            HookKind::OnUnknown
        }
        other => {
            hooks.rolled_back(unit, &cause(other), &report);
            HookKind::AfterRollback
        }
    };
    bury(unit, kind, locals, &report);
}

/// Why hooks that wait for a roll-back run.
fn cause(settlement: &Settlement) -> Cause {
    match settlement {
        Settlement::RolledBack(cause) => cause.clone(),
        Settlement::Asked(text) => Cause::Returned(text.clone()),
        Settlement::Faulted(faulted) => Cause::Fault(faulted.error.clone()),
        Settlement::Failed(error) => Cause::Marked(error.clone()),
        Settlement::Committed => unreachable!("a committed unit has nothing to blame"),
    }
}

/// Runs the body as part of what is active: no statement is sent, and a failure dooms the whole, or the savepoint around it.
/// Its own retry is none: only the unit that began can run again.
pub(crate) fn join<B: Backend>(
    transaction: &Rc<Transaction<B>>,
    unit: &Label,
    deadline: Option<Instant>,
    body: Body<'_, B>,
) -> Result<(), Error> {
    if transaction.is_busy() {
        return Err(transaction.busy());
    }
    let _hurried = transaction.hurry(deadline);
    let mut tx = Tx::new(Rc::clone(transaction), unit);
    match catch_unwind(AssertUnwindSafe(|| body(&mut tx, Turn::Final))) {
        Ok(Verdict::Commit | Verdict::CommitAnyway(_)) => {}
        Ok(Verdict::Rollback(text) | Verdict::Again(text)) => transaction.mark_failed(unit, text),
        Err(payload) => {
            transaction.mark_failed(unit, format!("a panic: {}", panic_text(&*payload)));
            resume_unwind(payload)
        }
    }
    Ok(())
}

impl<B: Backend> Transaction<B> {
    /// Where every statement commits by itself there is nothing left to be doomed.
    fn mark_failed(&self, unit: &Label, text: String) {
        match self.characteristics.commits {
            Commits::Together => self.mark(Mark::Failed { unit: unit.clone(), text }),
            Commits::Each => {}
        }
    }
}
