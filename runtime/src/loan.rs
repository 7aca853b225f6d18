//! A session on loan from its transaction, for one statement or a guard. Decides what happens around it: a connection that died
//! while idle is replaced before anything was sent, and what still runs at the deadline is ended.

use std::rc::Rc;
use std::sync::Arc;

use crate::backend::{Backend, Connection, Connector, Laid};
use crate::error::Error;
use crate::pool::Request;
use crate::registry;
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
        match used {
            Used::NotYet => loan.wake()?,
            Used::Yes => {}
        }
        loan.watch();
        Ok(loan)
    }

    pub(crate) fn connection(&mut self) -> &mut B::Connection {
        &mut self.session.as_mut().expect("a loan holds its session until it drops").connection
    }

    /// At the deadline the server side of the connection is ended by another one, so that its locks are free at once; where
    /// that cannot be, the socket is shut.
    fn watch(&mut self) {
        let Some(deadline) = self.transaction.deadline.get() else { return };
        let pool = Arc::clone(self.transaction.database.pool());
        let connection = self.connection();
        let (ghost, stop) = (connection.ghost(), connection.stopper());
        self.watch = Some(watchdog::watch(deadline, move || {
            let ended = ghost.map(|ghost| pool.connector().connect().and_then(|mut side| side.lay(&ghost)));
            match ended {
                Some(Ok(Laid::Gone)) => {}
                Some(Ok(Laid::OutOfReach) | Err(_)) | None => stop(),
            }
        }));
    }

    /// Before the first statement: a connection that died while idle is replaced, since nothing was sent on it yet.
    fn wake(&mut self) -> Result<(), Error> {
        if self.connection().reassure().is_ok() {
            return Ok(());
        }
        let dead = self.session.take().expect("a loan holds its session until it drops");
        let pool = self.transaction.database.pool();
        // The dead one counts as held by the unit that is being served here.
        let request = Request { holds: registry::holding(pool).saturating_sub(1), within: self.transaction.left() };
        let fresh = pool.exchange(dead, request);
        let mut fresh = fresh.map_err(|failed| self.transaction.lose_session(failed))?;
        self.transaction.serve_on(&mut fresh);
        self.session = Some(fresh);
        Ok(())
    }
}

impl<B: Backend> Drop for Loan<B> {
    fn drop(&mut self) {
        let fired = self.watch.take().map(Watch::withdraw);
        let Some(mut session) = self.session.take() else { return };
        if fired == Some(Fired::Yes) {
            // The answer may have come in the same moment. But the connection is gone: a COMMIT on it would seem unanswered.
            session.connection.give_up();
            let _noted = self.transaction.note(late("in this statement; its connection was ended"), "the deadline");
        }
        self.transaction.take_back(session);
    }
}
