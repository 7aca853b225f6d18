//! What a failure means in this unit, and the first one that ended its transaction: noted where it happens, whatever the body makes
//! of the error.

use super::Transaction;
use crate::backend::Backend;
use crate::error::{Error, ErrorKind};
use crate::fault::{Again, Failed, Fault, Undone};
use crate::observe;

/// The first fault that ended the transaction: every later statement gets it, and nothing can be committed any more.
#[derive(Debug, Clone)]
pub(crate) struct Doom {
    pub(crate) fault: Fault,
    pub(crate) error: Error,
}

impl<B: Backend> Transaction<B> {
    /// Notes a failure where it happens, whatever the body makes of the error, and names the unit in it.
    pub(crate) fn note(&self, failed: Failed, statement: &str) -> Error {
        let dooms = failed.dooms();
        let doom = self.judge(failed, statement);
        let error = doom.error.clone();
        if dooms {
            self.doom_sandbox(&doom);
        }
        if dooms && self.doom.borrow().is_none() {
            if self.settled.get().is_none() {
                observe::doomed(self.figures, &self.unit, self.attempt, &doom.error, doom.fault.again);
            }
            self.doom.replace(Some(doom));
        }
        error
    }

    /// What a failure means in this unit, which may be more than the server knows. An empty statement is none.
    pub(crate) fn judge(&self, mut failed: Failed, statement: &str) -> Doom {
        self.suspect_the_suspended(&mut failed);
        self.blame_the_deadline(&mut failed, statement);
        self.count_the_sandbox_out(&mut failed);
        let fault = failed.fault;
        let deferred = failed.statement.take();
        let statement = deferred.as_deref().unwrap_or(statement);
        let error = Error::from_failed(failed);
        let error = if statement.is_empty() { error } else { error.on_statement(statement) };
        let error = error.in_unit(&self.unit, self.attempt, self.settled.told());
        Doom { fault, error }
    }

    /// Who suspended a unit and then waits for a lock in vain most likely waits for that unit: it cannot end meanwhile.
    fn suspect_the_suspended(&self, failed: &mut Failed) {
        if let (ErrorKind::LockTimeout, Some(outer)) = (failed.fault.kind, &self.suspends) {
            failed.fault.again = Again::Never;
            failed.detail =
                format!("{}; unit {outer} is suspended until this one ends, and may hold the lock", failed.detail)
                    .into();
        }
    }

    /// What fails after the deadline fails because of it: the connection was ended, or a lock was not waited for any longer.
    fn blame_the_deadline(&self, failed: &mut Failed, statement: &str) {
        if failed.dooms() && self.is_late() && failed.fault.kind != ErrorKind::Timeout {
            // What stays in the database stays there, deadline or not, and the outcome goes by the kind.
            let kind = if failed.fault.kind.tears() { failed.fault.kind } else { ErrorKind::Timeout };
            failed.detail = match (failed.fault.kind, statement) {
                // What the network said of the connection that was shut is its cause, and nobody's trouble.
                (ErrorKind::ConnectionLost, "") => "the unit's deadline passed, and its connection was ended".into(),
                (ErrorKind::ConnectionLost, _) => {
                    "the unit's deadline passed during this statement, which was ended".into()
                }
                _ => format!("the unit's deadline passed: {}", failed.detail).into(),
            };
            failed.fault = Fault { kind, again: Again::Never, ..failed.fault };
        }
    }

    pub(crate) fn doom(&self) -> Option<Doom> {
        self.doom.borrow().clone().or_else(|| self.end_of_sandbox())
    }

    /// Ends it for a reason of its own.
    pub(crate) fn doom_with(&self, doom: Doom) {
        self.doom.borrow_mut().get_or_insert(doom);
    }

    /// Whether nothing forbids a COMMIT so far.
    pub(crate) fn may_commit(&self) -> bool {
        self.doom().is_none() && self.marked().is_none()
    }
}

pub(crate) fn late(when: &str) -> Failed {
    let detail = format!("the unit's deadline passed {when}");
    Failed::of(ErrorKind::Timeout, Undone::Doomed, Again::Never, detail)
}
