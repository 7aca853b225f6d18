//! One attempt's transaction on one thread: its session, what doomed it, who marked it, its hooks, and what became of it.
//! Shared by the unit that began it and all that join. The engine's statements reach the session through [`Transaction::lend`],
//! which leaves an empty cell behind: so no borrow is held while user code runs, and a second user is told `Busy`.

mod doom;
mod levels;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::backend::{Backend, Characteristics, Commits, Connection};
use crate::clock::nearer;
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::fault::{Again, Failed, Fault, Undone};
use crate::ground::Ground;
use crate::label::Label;
use crate::ledger::Ledger;
use crate::loan::Loan;
use crate::observe;
use crate::options::{Access, LostCommit};
use crate::outcome::Settling;
use crate::resolution::Key;
use crate::session::Session;
use crate::units::Figures;

pub(crate) use doom::{Doom, late};
use levels::Levels;
pub(crate) use levels::{Level, Mark};

#[derive(Debug)]
pub(crate) struct Transaction<B: Backend> {
    /// `None` when it has ended and its memory waits for the next one, which must not keep a pool alive.
    database: Option<Database<B>>,
    pub(crate) unit: Label,
    pub(crate) characteristics: Characteristics,
    pub(crate) attempt: u32,
    pub(crate) settled: Settling,
    pub(crate) ground: Ground<B>,
    /// What would be left on the server of a session that is lent to a guard, which may be leaked.
    ghost: RefCell<Option<<B::Connection as Connection>::Ghost>>,
    doom: RefCell<Option<Doom>>,
    levels: RefCell<Levels<B>>,
    /// What ended on its own inside.
    pub(crate) ledger: Ledger,
    /// The unit that waits on this thread until this one has ended, and holds its locks meanwhile.
    pub(crate) suspends: Option<Label>,
    /// No further attempt of this unit begins later, so none of one inside it may; `None` = there is none.
    pub(crate) until: Option<Instant>,
    /// When statements stop being answered: the unit's own deadline, or a nearer one of a unit that joined.
    pub(crate) deadline: Cell<Option<Instant>>,
    pub(crate) used: Cell<Used>,
    lost_commit: Cell<LostCommit>,
    /// On the session that it was ended on; known at its end.
    pub(crate) round_trips: Cell<u64>,
    /// When its session was parked, if it was.
    pub(crate) parked: Cell<Option<Instant>>,
    /// For a session in place of one that was dead.
    pub(crate) waited: Cell<Duration>,
    /// The session's number, for when it does not come back.
    pub(crate) number: Cell<u64>,
    figures: &'static Figures,
    /// Since when the server waits for the next statement; `None` before the first, and when nobody wants to know.
    idle_since: Cell<Option<Instant>>,
    /// Affected rows and last insert id of the last statement.
    pub(crate) written: Cell<(u64, u64)>,
}

/// What an attempt begins with.
#[derive(Debug)]
pub(crate) struct Begun<B: Backend> {
    pub(crate) database: Database<B>,
    pub(crate) unit: Label,
    pub(crate) figures: &'static Figures,
    pub(crate) characteristics: Characteristics,
    pub(crate) attempt: u32,
    pub(crate) suspends: Option<Label>,
    pub(crate) until: Option<Instant>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) lost_commit: LostCommit,
    /// Another transaction that it is a part of, in place of a session of its own.
    pub(crate) sandbox: Option<Rc<Transaction<B>>>,
}

/// Where the session is.
#[derive(Debug)]
pub(crate) enum Seat<B: Backend> {
    /// Here, between statements.
    Here(Session<B>),
    /// With a statement or a guard.
    Lent,
    /// Dead, and no other could be opened.
    Gone,
}

/// Whether the session was used in this transaction: the first statement checks a doubted connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Used {
    NotYet,
    Yes,
}

impl<B: Backend> Transaction<B> {
    /// `spare`: one that was [retired](Self::retire), if there is one.
    pub(crate) fn new(begun: Begun<B>, mut session: Session<B>, spare: Option<Rc<Self>>) -> Rc<Self> {
        session.connection.expect(begun.characteristics);
        let number = session.connection.number();
        let new = Self::on(begun, Ground::Session(RefCell::new(Seat::Here(session))), number);
        let Some(mut spare) = spare else { return Rc::new(new) };
        let Some(memory) = Rc::get_mut(&mut spare) else { return Rc::new(new) };
        *memory = new;
        spare
    }

    /// Its memory, for another one: so that a thread allocates once and not for each unit. One in a sandbox holds on to that.
    pub(crate) fn retire(mut self: Rc<Self>) -> Option<Rc<Self>> {
        let ended = Rc::get_mut(&mut self)?;
        match ended.ground {
            Ground::Sandbox { .. } => return None,
            Ground::Session(_) => {}
        }
        ended.database = None;
        ended.doom = RefCell::default();
        Some(self)
    }

    pub(crate) fn database(&self) -> &Database<B> {
        self.database.as_ref().expect("what has ended is used by nobody")
    }

    /// A unit in a sandbox.
    pub(crate) fn inside(begun: Begun<B>, base: Rc<Self>) -> Rc<Self> {
        let number = base.number.get();
        Rc::new(Self::on(begun, Ground::Sandbox { base, savepoint: RefCell::default() }, number))
    }

    fn on(begun: Begun<B>, ground: Ground<B>, number: u64) -> Self {
        Self {
            database: Some(begun.database),
            unit: begun.unit,
            characteristics: begun.characteristics,
            attempt: begun.attempt,
            suspends: begun.suspends,
            until: begun.until,
            deadline: Cell::new(begun.deadline),
            settled: Settling::default(),
            ghost: RefCell::default(),
            ground,
            doom: RefCell::default(),
            levels: RefCell::default(),
            ledger: Ledger::default(),
            used: Cell::new(Used::NotYet),
            lost_commit: Cell::new(begun.lost_commit),
            round_trips: Cell::default(),
            parked: Cell::default(),
            waited: Cell::default(),
            number: Cell::new(number),
            figures: begun.figures,
            idle_since: Cell::default(),
            written: Cell::default(),
        }
    }

    /// Takes the session out for one statement or a guard. It is put back when the loan drops.
    ///
    /// # Errors
    /// The fault that doomed the transaction; `Busy` when the session is out already; a connection that cannot be opened.
    pub(crate) fn lend(self: &Rc<Self>) -> Result<Loan<B>, Error> {
        self.alive()?;
        self.notice_idling("the next statement");
        let session = match self.seat().replace(Seat::Lent) {
            Seat::Here(session) => session,
            Seat::Lent => return Err(self.busy()),
            Seat::Gone => unreachable!("a transaction that lost its session was doomed when it did"),
        };
        let first = self.used.replace(Used::Yes);
        let mut loan = Loan::begin(Rc::clone(self), session, first)?;
        self.set_foot(&mut loan, first)?;
        Ok(loan)
    }

    /// Whether another statement may be sent.
    ///
    /// # Errors
    /// The fault that doomed the transaction; `Timeout` after the deadline.
    pub(crate) fn alive(&self) -> Result<(), Error> {
        if let Some(doom) = &*self.doom.borrow() {
            return Err(doom.error.clone());
        }
        if let Some(end) = self.end_of_sandbox() {
            return Err(end.error);
        }
        if self.is_late() {
            return Err(self.note(late("before the next statement; it was not sent"), ""));
        }
        Ok(())
    }

    /// Says that the server was kept waiting, with whatever locks it holds for this unit, if that was for long.
    pub(crate) fn notice_idling(&self, until: &str) {
        let Some(since) = self.idle_since.take() else { return };
        let idle = self.database().clock().now().saturating_duration_since(since);
        if idle >= self.database().watch().idle {
            observe::idled(self.figures, &self.unit, self.attempt, idle, until);
        }
    }

    /// What is left until the deadline.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.deadline.get().map(|deadline| deadline.saturating_duration_since(self.database().clock().now()))
    }

    pub(crate) fn is_late(&self) -> bool {
        self.deadline.get().is_some_and(|deadline| self.database().clock().now() >= deadline)
    }

    /// Brings the deadline nearer, never further away, until the guard drops.
    pub(crate) fn hurry(&self, deadline: Option<Instant>) -> Hurried<'_> {
        let before = self.deadline.get();
        self.deadline.set(nearer(before, deadline));
        Hurried { deadline: &self.deadline, before }
    }

    /// A unit that takes part wants the outcome of a lost COMMIT resolved: that can only be had for the whole.
    pub(crate) fn take_part(&self, lost_commit: LostCommit) {
        match lost_commit {
            LostCommit::Reported => {}
            LostCommit::Resolved => self.lost_commit.set(LostCommit::Resolved),
        }
    }

    /// What names this attempt in the table of outcomes, if it is to be written there. What may not write has nothing to lose.
    pub(crate) fn outcome_key(&self) -> Option<Key> {
        match (self.lost_commit.get(), self.characteristics.access, &self.ground) {
            (LostCommit::Resolved, Access::ReadWrite, Ground::Session(_)) => Some(Key::fresh()),
            // A sandbox has no COMMIT that could be lost.
            (LostCommit::Resolved | LostCommit::Reported, _, _) => None,
        }
    }

    pub(crate) fn is_busy(&self) -> bool {
        matches!(*self.seat().borrow(), Seat::Lent)
    }

    /// A session that is lent out has sent what was deferred.
    pub(crate) fn has_deferred(&self) -> bool {
        match &*self.seat().borrow() {
            Seat::Here(session) => session.connection.has_deferred(),
            Seat::Lent | Seat::Gone => false,
        }
    }

    pub(crate) fn busy(&self) -> Error {
        Error::from_failed(lent_out()).in_unit(&self.unit, self.attempt, self.settled.told())
    }

    /// The session is back from a loan.
    pub(crate) fn take_back(&self, session: Session<B>) {
        if observe::wants_to_know_of_idling() && self.characteristics.commits == Commits::Together {
            self.idle_since.set(Some(self.database().clock().now()));
        }
        self.seat().replace(Seat::Here(session));
    }

    /// Another session took the place of one that was dead.
    pub(crate) fn serve_on(&self, session: &mut Session<B>) {
        session.connection.expect(self.characteristics);
        self.number.set(session.connection.number());
        self.waited.set(self.waited.get() + session.waited);
    }

    /// A guard gets the session: if it is leaked, this is left.
    pub(crate) fn remember_ghost(&self, ghost: Option<<B::Connection as Connection>::Ghost>) {
        match &self.ground {
            Ground::Session(_) => {
                self.ghost.replace(ghost);
            }
            Ground::Sandbox { base, .. } => base.remember_ghost(ghost),
        }
    }

    /// No session can be had in place of a dead one: the attempt has none any more.
    pub(crate) fn lose_session(&self, failed: Failed) -> Error {
        let fault = Fault { undone: Undone::Connection, ..failed.fault };
        self.seat().replace(Seat::Gone);
        self.note(Failed { fault, ..failed }, "the first statement")
    }

    /// Takes the session, at the end. `Lent` = a leaked guard has it.
    pub(crate) fn take_session(&self) -> Seat<B> {
        if self.is_busy() { Seat::Lent } else { self.seat().replace(Seat::Gone) }
    }

    /// What is left on the server of a session that will not come back.
    pub(crate) fn take_ghost(&self) -> Option<<B::Connection as Connection>::Ghost> {
        self.ghost.take()
    }
}

pub(crate) fn lent_out() -> Failed {
    let detail = "the unit's session is lent out: drop the connection guard, or end the row closure, before the next statement or unit";
    Failed::of(ErrorKind::Busy, Undone::Nothing, Again::Never, detail)
}

/// Made by [`Transaction::hurry`].
#[must_use = "the deadline is nearer only while this lives"]
#[derive(Debug)]
pub(crate) struct Hurried<'t> {
    deadline: &'t Cell<Option<Instant>>,
    before: Option<Instant>,
}

impl Drop for Hurried<'_> {
    fn drop(&mut self) {
        self.deadline.set(self.before);
    }
}
