//! What a unit with an outcome of its own stands on: a session, on which it begins and ends a transaction, or a sandbox's
//! transaction, in which it is a savepoint. Decides what is sent for its begin and its end, and what an end of the whole sandbox
//! means to the units in it; nobody else knows the difference.

use std::cell::RefCell;
use std::rc::Rc;

use crate::backend::{Backend, Characteristics, Commits, Connection, Rollback};
use crate::error::{Error, ErrorKind};
use crate::fault::{Again, AtCommit, Failed, Undone};
use crate::loan::Loan;
use crate::resolution::Key;
use crate::session::Session;
use crate::transaction::{Doom, Seat, Transaction, Used};

/// See the file's head.
#[derive(Debug)]
pub(crate) enum Ground<B: Backend> {
    /// A session of its own.
    Session(RefCell<Seat<B>>),
    /// The one session of a sandbox, which all of its units share.
    Sandbox {
        /// The transaction of the sandbox.
        base: Rc<Transaction<B>>,
        /// Where the unit began, once it has sent something. None for a unit without a transaction: what it wrote stays.
        savepoint: RefCell<Option<String>>,
    },
}

impl<B: Backend> Transaction<B> {
    /// Where the session is between statements.
    pub(crate) fn seat(&self) -> &RefCell<Seat<B>> {
        match &self.ground {
            Ground::Session(seat) => seat,
            Ground::Sandbox { base, .. } => base.seat(),
        }
    }

    /// Begins before the first statement, where that is not done by the statement itself. The access is the statement's unit's:
    /// several units may take turns.
    pub(crate) fn set_foot(&self, loan: &mut Loan<B>, used: Used) -> Result<(), Error> {
        let Ground::Sandbox { base, savepoint } = &self.ground else { return Ok(()) };
        let access = self.characteristics.access;
        loan.connection().expect(Characteristics { access, ..base.characteristics });
        match (used, self.characteristics.commits) {
            (Used::Yes, _) | (Used::NotYet, Commits::Each) => Ok(()),
            (Used::NotYet, Commits::Together) => {
                let set = loan.connection().savepoint().map_err(|failed| self.note(whole(failed), "SAVEPOINT"))?;
                savepoint.replace(Some(set));
                Ok(())
            }
        }
    }

    /// Sends what makes the unit's work last: COMMIT, or in a sandbox what it has deferred and the end of its savepoint.
    pub(crate) fn confirm(&self, session: &mut Session<B>, key: Option<&Key>) -> Result<(), Failed> {
        let Ground::Sandbox { savepoint, .. } = &self.ground else { return session.connection.commit(key) };
        // While the savepoint is there: a write that fails is undone with its unit, and not with the sandbox.
        let sent = session.connection.reassure().map_err(whole).and_then(|()| {
            let sent = session.connection.flush();
            sent.map_err(rolled_back)
        });
        let ended = sent.and_then(|()| match savepoint.take() {
            Some(name) => session.connection.release(&name).map_err(whole),
            None => Ok(()),
        });
        ended.inspect_err(|failed| {
            let _noted = self.note(failed.clone(), "RELEASE SAVEPOINT");
        })
    }

    /// Sends what undoes the unit's work: ROLLBACK, or in a sandbox the way back to its savepoint.
    pub(crate) fn revoke(&self, session: &mut Session<B>) -> Rollback {
        let Ground::Sandbox { base, savepoint } = &self.ground else { return session.connection.rollback() };
        // With the whole the savepoint is gone; the ROLLBACK is sent when the sandbox ends.
        let Some(name) = savepoint.take().filter(|_| base.doom().is_none()) else { return Rollback::Complete };
        match session.connection.rollback_to(&name) {
            Ok(()) => Rollback::Complete,
            Err(failed) if failed.fault.kind == ErrorKind::RollbackIncomplete => Rollback::Incomplete(failed),
            Err(failed) => {
                let _noted = self.note(whole(failed.clone()), "ROLLBACK TO SAVEPOINT");
                Rollback::Refused(failed)
            }
        }
    }

    /// What took the whole transaction of the sandbox with it ended the sandbox too.
    pub(crate) fn doom_sandbox(&self, doom: &Doom) {
        if let Ground::Sandbox { base, .. } = &self.ground
            && undoes_all(doom.fault.undone)
        {
            base.doom_with(doom.clone());
        }
    }

    /// In a sandbox no attempt can follow where the transaction of all is gone: what ran before would be missing.
    pub(crate) fn count_the_sandbox_out(&self, failed: &mut Failed) {
        let Ground::Sandbox { base, .. } = &self.ground else { return };
        if undoes_all(failed.fault.undone) {
            let elsewhere = match failed.fault.again {
                Again::Never => "",
                Again::Yes | Again::Once => "; outside of a sandbox the unit would run again",
            };
            failed.fault.again = Again::Never;
            let stays = match stays(failed.fault.kind) {
                Stays::Nothing => "",
                Stays::Something => ", and what its units wrote before stays in the database",
            };
            failed.detail = format!("{}; this ended the sandbox {}{stays}{elsewhere}", failed.detail, base.unit).into();
        }
    }

    /// Why the sandbox around this unit is no more, as this unit's own fault.
    pub(crate) fn end_of_sandbox(&self) -> Option<Doom> {
        let Ground::Sandbox { base, .. } = &self.ground else { return None };
        let Doom { fault, error } = base.doom()?;
        let fate = match stays(error.kind()) {
            Stays::Nothing => "and with it all that its units wrote",
            Stays::Something => "and what its units wrote before that is in the database, or may be, and stays there",
        };
        let detail = format!("the sandbox {} has ended, {fate}", base.unit);
        let error = Error::because_of(error.kind(), &detail, &error);
        Some(Doom { fault, error: error.in_unit(&self.unit, self.attempt, self.settled.told()) })
    }
}

/// What is in the database after the end of a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stays {
    Nothing,
    Something,
}

/// What commits the transaction that all units of a sandbox share commits what each of them wrote.
pub(crate) fn stays(kind: ErrorKind) -> Stays {
    if kind.tears() { Stays::Something } else { Stays::Nothing }
}

fn undoes_all(undone: Undone) -> bool {
    match undone {
        Undone::Nothing | Undone::Statement | Undone::Doomed => false,
        Undone::Transaction | Undone::Connection => true,
    }
}

/// There is no COMMIT in a sandbox that could have been carried out.
fn rolled_back(mut failed: Failed) -> Failed {
    failed.fault.at_commit = AtCommit::RolledBack;
    failed
}

/// A savepoint that cannot be set, released or gone back to: nobody knows any more what belongs to which unit.
fn whole(mut failed: Failed) -> Failed {
    if !undoes_all(failed.fault.undone) {
        failed.fault.undone = Undone::Transaction;
    }
    rolled_back(failed)
}
