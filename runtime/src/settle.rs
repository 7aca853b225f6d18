//! How an attempt ends: which of body, doom and marks wins, COMMIT or ROLLBACK, and what is true afterwards. The only caller of
//! both. The decision is a pure function; whether the unit then runs again is `retry`'s.

use std::rc::Rc;
use std::sync::Arc;

use crate::backend::{Backend, Commits, Connection, Rollback};
use crate::error::{Error, ErrorKind};
use crate::fault::{Again, AtCommit, Failed, Undone};
use crate::ground::Ground;
use crate::hooks::Cause;
use crate::observe;
use crate::options::Access;
use crate::outcome::Outcome;
use crate::registry::Place;
use crate::resolution::{Lost, Resolution, resolve};
use crate::run::Verdict;
use crate::session::Session;
use crate::transaction::{Doom, Mark, Seat, Transaction, Used, late};
use crate::units::Reason;

/// How the body ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// It returned, and this is what its value asks for.
    Returned(Verdict),
    /// It returned `Ok`, and a hook that runs before COMMIT refused.
    Refused(String),
    /// It panicked.
    Panicked,
}

/// What became of the attempt.
#[derive(Debug)]
pub(crate) enum Settlement {
    /// Committed: the body's value is the unit's.
    Committed,
    /// Rolled back because the body said so: its error is the unit's.
    RolledBack(Cause),
    /// A fault ended it. Whether it runs again depends on the fault.
    Faulted(Faulted),
    /// Rolled back because the body's error, this one, asks for another attempt.
    Asked(String),
    /// Rolled back or worse for a reason that no other attempt would change.
    Failed(Error),
}

impl Settlement {
    /// What ended it, unless it is the body's will.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self {
            Self::Committed | Self::RolledBack(_) => None,
            Self::Faulted(Faulted { error, .. }) | Self::Failed(error) => Some(Reason::of(error)),
            Self::Asked(_) => Some(Reason::Asked),
        }
    }
}

/// A fault that ended an attempt.
#[derive(Debug)]
pub(crate) struct Faulted {
    pub(crate) again: Again,
    pub(crate) error: Error,
    /// Whose error the caller gets when there is no other attempt.
    pub(crate) body: BodySaid,
}

/// What the body returned in an attempt that was doomed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodySaid {
    /// An error: most likely the fault, in the user's own clothes.
    Error,
    /// `Ok`, or nothing at all: the fault was swallowed, or came after the body.
    NoError,
}

/// Ends the transaction. The session is back in the pool, or thrown away, when this returns.
pub(crate) fn settle<B: Backend>(transaction: &Rc<Transaction<B>>, place: &Place<B>, ending: &Ending) -> Settlement {
    transaction.notice_idling("its end");
    let end = in_time(flushed(ending, transaction), transaction);
    let session = match transaction.take_session() {
        Seat::Here(session) => Some(session),
        Seat::Gone => None,
        Seat::Lent => return leaked(transaction),
    };
    let settlement = match (end, session) {
        (End::Commit(said), Some(session)) => commit(transaction, place, session, said.as_deref()),
        (end, session) => {
            let remains = session.and_then(|session| roll_back(transaction, place, session));
            or_incomplete(transaction, end.rolled_back(transaction), remains)
        }
    };
    transaction.settled.settle(outcome(&settlement, transaction.characteristics.commits));
    settlement
}

/// What is to be done.
#[derive(Debug)]
enum End {
    /// With the error that the body returns all the same.
    Commit(Option<String>),
    Body(Cause),
    Again(String),
    Doom(Doom, BodySaid),
    Mark(Mark),
    Refused(String),
}

/// A fault wins over what the body says; the body's own error wins over a mark; a mark wins over `Ok`.
fn decide(ending: &Ending, doom: Option<Doom>, mark: Option<Mark>) -> End {
    use Verdict::{Again, Commit, CommitAnyway, Rollback};
    match (ending, doom, mark) {
        (Ending::Panicked, _, _) => End::Body(Cause::Panicked),
        (Ending::Returned(Rollback(_) | Again(_) | CommitAnyway(_)), Some(doom), _) => End::Doom(doom, BodySaid::Error),
        (Ending::Returned(Commit) | Ending::Refused(_), Some(doom), _) => End::Doom(doom, BodySaid::NoError),
        (Ending::Refused(text), None, _) => End::Refused(text.clone()),
        (Ending::Returned(Rollback(text)), None, _) | (Ending::Returned(CommitAnyway(text)), None, Some(_)) => {
            End::Body(Cause::Returned(text.clone()))
        }
        (Ending::Returned(Again(text)), None, _) => End::Again(text.clone()),
        (Ending::Returned(Commit), None, Some(mark)) => End::Mark(mark),
        (Ending::Returned(CommitAnyway(text)), None, None) => End::Commit(Some(text.clone())),
        (Ending::Returned(Commit), None, None) => End::Commit(None),
    }
}

/// Nobody watches the packet of COMMIT: with a deadline, what was deferred waits for its locks in one of its own, which is watched.
fn flushed<B: Backend>(ending: &Ending, transaction: &Rc<Transaction<B>>) -> End {
    let decide = || decide(ending, transaction.doom(), transaction.marked());
    match decide() {
        End::Commit(_) if transaction.deadline.get().is_some() && !transaction.is_late() => {
            // What went wrong has doomed the unit.
            let _doomed = transaction.flush();
            decide()
        }
        end => end,
    }
}

/// A COMMIT that would be sent after the deadline is not: whoever set it has given up on the unit by now.
fn in_time<B: Backend>(end: End, transaction: &Transaction<B>) -> End {
    match end {
        End::Commit(_) if transaction.is_late() => {
            End::Doom(transaction.judge(late("before COMMIT; it was not sent"), "COMMIT"), BodySaid::NoError)
        }
        end => end,
    }
}

impl End {
    fn rolled_back<B: Backend>(self, transaction: &Transaction<B>) -> Settlement {
        match self {
            Self::Commit(_) => unreachable!("a transaction without a session was doomed when it lost it"),
            Self::Body(cause) => Settlement::RolledBack(cause),
            Self::Again(text) => Settlement::Asked(text),
            // Part of the unit is in the database: nobody may take the body's error for a clean roll-back.
            Self::Doom(doom, _) if doom.error.kind().tears() => Settlement::Failed(doom.error),
            Self::Doom(Doom { fault, error }, body) => Settlement::Faulted(Faulted { again: fault.again, error, body }),
            Self::Mark(mark) => Settlement::Failed(marked(mark, transaction)),
            Self::Refused(text) => Settlement::Failed(hook_refused(&text, transaction)),
        }
    }
}

fn hook_refused<B: Backend>(text: &str, transaction: &Transaction<B>) -> Error {
    let detail = format!("a `before_commit` hook refused, so its `Ok` was not committed: {text}");
    Error::new(ErrorKind::HookRefused, detail).in_unit(
        &transaction.unit,
        transaction.attempt,
        transaction.settled.told(),
    )
}

pub(crate) fn marked<B: Backend>(mark: Mark, transaction: &Transaction<B>) -> Error {
    let error = match mark {
        Mark::RollbackOnly { by } => Error::new(
            ErrorKind::RollbackOnly,
            match transaction.characteristics.commits {
                Commits::Together => {
                    format!("it was marked to be rolled back by unit {by}, so its `Ok` was not committed")
                }
                Commits::Each => format!(
                    "it was marked to be rolled back by unit {by}, but it ran without a transaction: every statement of it stands"
                ),
            },
        ),
        Mark::Failed { unit, text } => Error::new(
            ErrorKind::Doomed,
            format!(
                "the joined unit {unit} failed with {text}, and the body returned `Ok` all the same; \
                 return the inner error, or give the inner unit `propagation = \"nested\"`"
            ),
        ),
    };
    error.in_unit(&transaction.unit, transaction.attempt, transaction.settled.told())
}

fn outcome(settlement: &Settlement, commits: Commits) -> Outcome {
    match settlement {
        _ if commits == Commits::Each => Outcome::Untransacted,
        Settlement::Committed => Outcome::Committed,
        Settlement::Failed(error) if error.kind() == ErrorKind::CommitUnknown => Outcome::Unknown,
        Settlement::Failed(error) if error.kind().tears() => Outcome::Torn,
        Settlement::RolledBack(_) | Settlement::Faulted(_) | Settlement::Asked(_) | Settlement::Failed(_) => {
            Outcome::RolledBack
        }
    }
}

/// `said`: the error that the body returned and wants committed; it must not be lost when COMMIT fails.
fn commit<B: Backend>(
    transaction: &Transaction<B>,
    place: &Place<B>,
    mut session: Session<B>,
    said: Option<&str>,
) -> Settlement {
    let key = transaction.outcome_key();
    let Err(failed) = transaction.confirm(&mut session, key.as_ref()) else {
        give_back(transaction, place, session);
        return Settlement::Committed;
    };
    match failed.fault.at_commit {
        AtCommit::RolledBack => {
            let remains = roll_back(transaction, place, session);
            let Doom { fault, error } = transaction.judge(failed, "COMMIT");
            let error = with_words(error, said);
            let settlement = Settlement::Faulted(Faulted { again: fault.again, error, body: BodySaid::NoError });
            or_incomplete(transaction, settlement, remains)
        }
        AtCommit::Unknown => {
            let lost = key.map(|key| Lost { key, connection: session.connection.whereabouts() });
            // Sends nothing on a connection that is given up; but what is known to stay counts when it turns out to be rolled back.
            let remains = roll_back(transaction, place, session);
            match unanswered(transaction, failed, lost.as_ref(), said) {
                settlement @ Settlement::Faulted(_) => or_incomplete(transaction, settlement, remains),
                settlement => settlement,
            }
        }
        // Nobody is asked: the row of an `exactly_once` unit is committed with the rest, and says nothing of what is missing.
        AtCommit::Torn => {
            give_back(transaction, place, session);
            Settlement::Failed(with_words(transaction.judge(failed, "COMMIT").error, said))
        }
    }
}

/// A unit that may not write has nothing to lose: its values were read, whatever became of the COMMIT.
fn unanswered<B: Backend>(
    transaction: &Transaction<B>,
    failed: Failed,
    lost: Option<&Lost<B>>,
    said: Option<&str>,
) -> Settlement {
    match (transaction.characteristics.access, lost) {
        (Access::ReadOnly, _) => Settlement::Committed,
        (Access::ReadWrite, None) => {
            let detail = "COMMIT was sent and not answered, so the unit may or may not be in the database; it was not run \
                          again; look for its rows before you do, or declare it `exactly_once`";
            unknown(transaction, failed, detail, said)
        }
        (Access::ReadWrite, Some(lost)) => {
            match resolve(transaction.database(), &transaction.unit, lost, transaction.deadline.get()) {
                Resolution::Committed => Settlement::Committed,
                Resolution::RolledBack { how } => {
                    let Doom { fault, error } = transaction.judge(failed, "COMMIT");
                    let error = with_words(Error::because_of(error.kind(), &how, &error), said);
                    Settlement::Faulted(Faulted { again: fault.again, error, body: BodySaid::NoError })
                }
                Resolution::Undecided { why } => unknown(transaction, failed, &why, said),
            }
        }
    }
}

fn unknown<B: Backend>(transaction: &Transaction<B>, failed: Failed, detail: &str, said: Option<&str>) -> Settlement {
    let last = transaction.judge(failed, "COMMIT").error;
    let error = with_words(Error::because_of(ErrorKind::CommitUnknown, detail, &last), said);
    observe::commit_unknown(&error);
    Settlement::Failed(error)
}

fn with_words(error: Error, said: Option<&str>) -> Error {
    match said {
        Some(text) => error.after_body_said(text),
        None => error,
    }
}

/// ROLLBACK is sent and its answer awaited even when the server said that it had rolled back: MariaDB answers a deadlock of
/// `GET_LOCK` with 1213 and keeps the transaction open. A session that will not roll back is shut, and its server side ended.
/// Returns what stays in the database.
fn roll_back<B: Backend>(transaction: &Transaction<B>, place: &Place<B>, mut session: Session<B>) -> Option<Failed> {
    let remains = match transaction.revoke(&mut session) {
        Rollback::Complete => None,
        Rollback::Incomplete(remains) => Some(remains),
        Rollback::Refused(failed) => {
            observe::rollback_failed(&transaction.unit, &failed);
            None
        }
    };
    give_back(transaction, place, session);
    remains
}

/// Where something stays that was to be rolled back, nobody may take the end for a clean one, and no attempt may follow: what stays
/// would be there twice.
fn or_incomplete<B: Backend>(
    transaction: &Transaction<B>,
    settlement: Settlement,
    remains: Option<Failed>,
) -> Settlement {
    let Some(remains) = remains else { return settlement };
    let detail = Arc::clone(&remains.detail);
    let incomplete = || transaction.judge(remains, "").error;
    let because = |last| {
        Error::because_of(ErrorKind::RollbackIncomplete, &format!("{detail}; it was rolled back because of"), last)
    };
    let error = match settlement {
        Settlement::Committed => unreachable!("what is committed is not rolled back"),
        Settlement::RolledBack(Cause::Returned(text)) | Settlement::Asked(text) => incomplete().after_body_said(&text),
        Settlement::RolledBack(Cause::Panicked) => incomplete(),
        Settlement::Failed(error) if error.kind().tears() => error,
        Settlement::RolledBack(Cause::Fault(last) | Cause::Marked(last))
        | Settlement::Faulted(Faulted { error: last, .. })
        | Settlement::Failed(last) => because(&last),
    };
    observe::rollback_incomplete(&error);
    Settlement::Failed(error)
}

fn give_back<B: Backend>(transaction: &Transaction<B>, place: &Place<B>, mut session: Session<B>) {
    if transaction.used.get() == Used::Yes {
        transaction.round_trips.set(session.connection.take_round_trips());
    }
    match &transaction.ground {
        Ground::Session(_) => transaction.parked.set(transaction.database().pool().release(session, &place.slot)),
        Ground::Sandbox { base, .. } => base.take_back(session),
    }
}

fn leaked<B: Backend>(transaction: &Transaction<B>) -> Settlement {
    match &transaction.ground {
        Ground::Session(_) => transaction.database().pool().abandon(transaction.number.get(), transaction.take_ghost()),
        // Done when the sandbox ends.
        Ground::Sandbox { .. } => {}
    }
    let detail = "a connection guard or row stream of this unit was leaked (`mem::forget`); its connection is given up";
    let failed = Failed::of(ErrorKind::Busy, Undone::Connection, Again::Never, detail);
    let settlement = Settlement::Failed(transaction.note(failed, "the end of the unit"));
    transaction.settled.settle(outcome(&settlement, transaction.characteristics.commits));
    settlement
}
