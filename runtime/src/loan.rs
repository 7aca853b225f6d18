//! A session on loan from its transaction, for one statement or a guard. Decides what happens around it: a connection that died
//! while idle is replaced before anything was sent, and what still runs at the deadline is ended.

use std::rc::Rc;
use std::sync::Arc;

use crate::backend::{Backend, Connection, Connector};
use crate::error::Error;
use crate::fault::{Failed, Undone};
use crate::observe;
use crate::pool::{Closing, Request};
use crate::session::Session;
use crate::transaction::{Transaction, Used, late};
use crate::watchdog::{self, Fired, Watch};

/// A session on loan from its transaction.
#[derive(Debug)]
pub(crate) struct Loan<B: Backend> {
    pub(crate) transaction: Rc<Transaction<B>>,
    /// Ends the statement at the deadline.
    watch: Option<Watch>,
    session: Option<Session<B>>,
}

impl<B: Backend> Loan<B> {
    /// `used`: whether the transaction has used its session before.
    pub(crate) fn begin(transaction: Rc<Transaction<B>>, session: Session<B>, used: Used) -> Result<Self, Error> {
        let mut loan = Self { transaction, watch: None, session: Some(session) };
        loan.watch();
        match used {
            Used::NotYet => loan.wake()?,
            Used::Yes => {}
        }
        Ok(loan)
    }

    pub(crate) fn connection(&mut self) -> &mut B::Connection {
        &mut self.session.as_mut().expect("a loan holds its session until it drops").connection
    }

    /// At the deadline the socket is shut, so that the thread is free at once; then the server side of the connection is ended by
    /// another one, so that its locks are.
    fn watch(&mut self) {
        let Some(deadline) = self.transaction.deadline.get() else { return };
        let pool = Arc::clone(self.transaction.database().pool());
        let connection = self.connection();
        let (ghost, stop) = (connection.ghost(), connection.stopper());
        let kill = move || {
            if let Some(ghost) = ghost {
                observe::ghost(pool.connector().connect().and_then(|mut side| side.lay(&ghost)).map(drop));
            }
        };
        self.watch = Some(watchdog::watch(deadline, stop, kill));
    }

    /// Before the first statement: a connection that died while idle is replaced, since nothing was sent on it yet.
    fn wake(&mut self) -> Result<(), Error> {
        if self.connection().reassure().is_ok() {
            return Ok(());
        }
        self.watch = None;
        let dead = self.session.take().expect("a loan holds its session until it drops");
        let mut fresh = self.replace(dead).map_err(|failed| self.transaction.lose_session(failed))?;
        self.transaction.serve_on(&mut fresh);
        self.session = Some(fresh);
        self.watch();
        Ok(())
    }

    fn replace(&self, dead: Session<B>) -> Result<Session<B>, Failed> {
        let database = self.transaction.database();
        let left = self.transaction.left();
        if left.is_some_and(|left| left.is_zero()) {
            database.pool().discard(dead, Closing::Broken);
            return Err(late("before the first statement could be sent"));
        }
        // The dead one counts as held by the unit that is being served here.
        let holds = database.place().map_or(0, |place| place.slot.holds().saturating_sub(1));
        database.pool().exchange(dead, Request { holds, within: left })
    }
}

impl<B: Backend> Transaction<B> {
    /// Sends what was deferred, before the unit waits on its thread for another one.
    ///
    /// # Errors
    /// That of a deferred write, which dooms the unit; nothing is sent where it is doomed already.
    pub(crate) fn flush(self: &Rc<Self>) -> Result<(), Error> {
        if !self.has_deferred() || self.doom().is_some() {
            return Ok(());
        }
        let flushed = self.lend()?.connection().flush();
        flushed.map_err(|failed| self.note(failed, ""))
    }
}

impl<B: Backend> Drop for Loan<B> {
    fn drop(&mut self) {
        let fired = self.watch.take().map(Watch::withdraw);
        let Some(mut session) = self.session.take() else { return };
        if fired == Some(Fired::Yes) {
            // The answer may have come in the same moment. But the connection is gone: a COMMIT on it would seem unanswered.
            session.connection.give_up();
            let mut gone = late("in a statement; its connection was ended");
            gone.fault.undone = Undone::Connection;
            let _noted = self.transaction.note(gone, "");
        }
        self.transaction.take_back(session);
    }
}
