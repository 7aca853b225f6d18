//! A unit in a savepoint of the transaction that is active. Its `Err` undoes what it did and no more; a fault that ended the
//! whole transaction goes outward, and nothing is sent about the savepoint any more, which is gone with it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Instant;

use crate::backend::{Backend, Commits, Connection};
use crate::error::{Error, ErrorKind};
use crate::fault::{Failed, Undone};
use crate::hooks::Cause;
use crate::label::Label;
use crate::outcome::Outcome;
use crate::run::{Body, Turn, Verdict};
use crate::settle::marked;
use crate::transaction::{Level, Transaction};
use crate::tx::Tx;

/// Runs the body between a savepoint and its release.
pub(crate) fn nested<B: Backend>(
    transaction: &Rc<Transaction<B>>,
    unit: &Label,
    deadline: Option<Instant>,
    body: Body<'_, B>,
) -> Result<(), Error> {
    let _hurried = transaction.hurry(deadline);
    let savepoint = Savepoint::set(transaction, unit)?;
    transaction.push_level();
    let mut tx = Tx::new(Rc::clone(transaction), unit);
    let ending = catch_unwind(AssertUnwindSafe(|| body(&mut tx, Turn::Final)));
    let level = transaction.pop_level();
    if transaction.doom().is_some() {
        // The whole is undone, the savepoint with it: what belongs to it shares the fate of the whole.
        transaction.absorb(level);
        return ending.map_or_else(|payload| resume_unwind(payload), |_| Ok(()));
    }
    match ending {
        Ok(Verdict::Commit) => savepoint.end(level),
        Ok(Verdict::CommitAnyway(_)) if level.mark.is_none() => savepoint.release(level),
        // The body's own error wins over a mark.
        Ok(Verdict::CommitAnyway(text) | Verdict::Rollback(text) | Verdict::Again(text)) => {
            savepoint.undo(level, &Cause::Returned(text));
            Ok(())
        }
        Err(payload) => {
            savepoint.undo(level, &Cause::Panicked);
            resume_unwind(payload)
        }
    }
}

struct Savepoint<'t, B: Backend> {
    transaction: &'t Rc<Transaction<B>>,
    unit: &'t Label,
    name: String,
}

impl<'t, B: Backend> Savepoint<'t, B> {
    fn set(transaction: &'t Rc<Transaction<B>>, unit: &'t Label) -> Result<Self, Error> {
        if transaction.characteristics.commits == Commits::Each {
            let detail = "there is no transaction in which a savepoint could be set: the unit around it runs without";
            return Err(Error::new(ErrorKind::Propagation, detail).of_unit(unit));
        }
        let set = transaction.lend()?.connection().savepoint();
        let name = set.map_err(|failed| transaction.note(failed, "SAVEPOINT"))?;
        Ok(Self { transaction, unit, name })
    }

    /// The body returned `Ok`: kept, unless something inside asked for the opposite.
    fn end(self, level: Level<B>) -> Result<(), Error> {
        let Some(mark) = level.mark.clone() else { return self.release(level) };
        let error = marked(mark, self.transaction).of_unit(self.unit).with_outcome(Outcome::RolledBack);
        self.undo(level, &Cause::Marked(error.clone()));
        Err(error)
    }

    fn release(self, level: Level<B>) -> Result<(), Error> {
        let released = self.transaction.lend().and_then(|mut loan| {
            let released = loan.connection().release(&self.name);
            released.map_err(|failed| self.note(failed, "RELEASE SAVEPOINT"))
        });
        self.transaction.absorb(level);
        released
    }

    /// Undoes what was done since, then runs the hooks that wait for that; the others are dropped with the savepoint.
    ///
    /// Where that fails the whole is doomed, and the savepoint's hooks share its fate; the caller gets what the body said all the
    /// same, because a failed roll-back must not hide the error that caused it.
    fn undo(self, level: Level<B>, cause: &Cause) {
        let undone = self.transaction.lend().and_then(|mut loan| {
            let undone = loan.connection().rollback_to(&self.name);
            undone.map_err(|failed| self.note(failed, "ROLLBACK TO SAVEPOINT"))
        });
        match undone {
            Ok(()) => {
                level.hooks.rolled_back(self.unit, cause, &|failure| self.transaction.database().report(&failure));
            }
            Err(_noted) => self.transaction.absorb(level),
        }
    }

    /// Whatever the server says to it: half a unit must not be committed.
    fn note(&self, mut failed: Failed, statement: &str) -> Error {
        if !failed.dooms() {
            failed.fault.undone = Undone::Doomed;
        }
        self.transaction.note(failed, statement)
    }
}
