//! The driver's own connection, lent to a body: for streaming and for what takes a `Queryable`. Its raw iterators can hide an
//! error from us, so a savepoint is set before and released after: if it is gone, something in between ended the transaction.

use std::fmt;
use std::rc::Rc;

use mysql::{Conn, Params, Statement};
use unit_of_work_sql::Verdict;

use super::MySql;
use super::connection::{MySqlConnection, perhaps_committed};
use super::faults;
use super::sizes::execution;
use crate::backend::{Commits, Connection};
use crate::error::{Error, ErrorKind};
use crate::fault::Undone;
use crate::loan::Loan;
use crate::transaction::Transaction;
use crate::tx::Tx;

/// The driver's connection on loan from a [`Tx`]: implements the driver's [`Queryable`](mysql::prelude::Queryable).
///
/// While it lives, statements on the unit and units that would join it fail with kind `Busy`. A leaked one (`mem::forget`)
/// costs the unit its connection.
pub struct Lent<'t> {
    transaction: Rc<Transaction<MySql>>,
    loan: Loan<MySql>,
    bracket: Option<String>,
    broken: Broken,
    sent: Sent,
    /// Statements that this guard has prepared. A number of another connection, or of a time before its reset, is another
    /// statement here.
    prepared: Vec<u32>,
    tx: std::marker::PhantomData<&'t mut ()>,
}

/// Whether an error was seen after which nothing more may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    No,
    Yes,
}

/// What the guard has sent so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// Only what cannot commit.
    Plain,
    /// Something that may commit unseen.
    MayCommit,
}

impl Tx<'_, MySql> {
    /// Lends the driver's connection, with the driver's whole [`Queryable`](mysql::prelude::Queryable) vocabulary, rows that stream included. Costs two
    /// round trips: a savepoint, and its release when the guard is dropped.
    ///
    /// What it hands out is the driver's: the driver's `Debug` of a row stream shows the connection with its password.
    ///
    /// # Errors
    /// As a statement; `Busy` when the session is lent already.
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// use unit_of_work::mysql::prelude::Queryable;
    ///
    /// #[unit_of_work(read_only)]
    /// fn total(tx: &mut Tx) -> Result<i64, Error> {
    ///     let mut connection = tx.connection()?;
    ///     let mut total = 0;
    ///     for row in connection.query_iter("SELECT balance FROM account")? {
    ///         total += unit_of_work::mysql::from_row::<i64>(row?);
    ///     }
    ///     Ok(total)
    /// }
    /// ```
    pub fn connection(&mut self) -> Result<Lent<'_>, Error> {
        let transaction = Rc::clone(&self.transaction);
        let mut loan = transaction.lend()?;
        transaction.remember_ghost(loan.connection().ghost());
        let bracket = match transaction.characteristics.commits {
            Commits::Together => loan.connection().savepoint().map(Some),
            Commits::Each => loan.connection().begin().map(|()| None),
        };
        let bracket = bracket.map_err(|failed| transaction.note(failed, "SAVEPOINT"))?;
        let (broken, sent) = (Broken::No, Sent::Plain);
        Ok(Lent { transaction, loan, bracket, broken, sent, prepared: Vec::new(), tx: std::marker::PhantomData })
    }
}

impl Lent<'_> {
    /// Gives the connection back and says whether the transaction is still what it was. Dropping the guard does the same, and
    /// dooms the unit if it is not.
    ///
    /// # Errors
    /// `ImplicitCommit`, when something in between ended the transaction; `ConnectionLost`.
    pub fn finish(mut self) -> Result<(), Error> {
        self.give_back()
    }

    fn give_back(&mut self) -> Result<(), Error> {
        let connection = self.loan.connection();
        if self.broken == Broken::Yes {
            connection.give_up();
        }
        let Some(bracket) = self.bracket.take() else { return Ok(()) };
        let found = match self.sent {
            Sent::Plain => connection.release(&bracket).map_err(|failed| match failed.fault.kind {
                ErrorKind::ImplicitCommit => faults::hidden_rollback(),
                _ => failed,
            }),
            Sent::MayCommit => connection.find(&bracket),
        };
        found.map_err(|failed| self.transaction.note(failed, "a lent connection"))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        // Noted in the transaction, which cannot be committed any more: nothing is lost here.
        let _noted = self.give_back();
    }
}

/// Notes what the driver says, then says it again to the caller. Takes parts of the guard and not the guard, because a row
/// stream may borrow the rest.
fn noted(
    transaction: &Transaction<MySql>,
    broken: &mut Broken,
    sent: Sent,
    sql: &str,
    error: mysql::Error,
) -> mysql::Error {
    let again = match &error {
        mysql::Error::MySqlError(server) => Some(mysql::Error::MySqlError(server.clone())),
        _ => None,
    };
    let failed = faults::failed(error);
    if failed.fault.undone == Undone::Connection {
        *broken = Broken::Yes;
    }
    let failed = match (sent, failed.fault.undone) {
        (Sent::MayCommit, Undone::Transaction | Undone::Connection) => perhaps_committed(failed),
        (Sent::MayCommit, Undone::Nothing | Undone::Statement | Undone::Doomed) | (Sent::Plain, _) => failed,
    };
    let ours = transaction.note(failed, sql);
    again.unwrap_or_else(|| carried(ours))
}

/// Our error in the driver's type, for signatures that are the driver's.
fn carried(error: Error) -> mysql::Error {
    mysql::Error::IoError(std::io::Error::other(error))
}

/// What every statement of the guard goes through.
impl Lent<'_> {
    /// Nothing is sent in a unit that is doomed or late.
    pub(super) fn alive(&mut self) -> mysql::Result<()> {
        self.transaction.alive().map_err(carried)
    }

    /// Reads a text that is about to be sent or prepared.
    pub(super) fn checked(&mut self, sql: &str) -> mysql::Result<()> {
        self.alive()?;
        match self.loan.connection().check(sql) {
            Ok(Verdict::Plain) => Ok(()),
            Ok(Verdict::Bracketed | Verdict::Refused(_)) => {
                self.sent = Sent::MayCommit;
                Ok(())
            }
            Err(failed) => Err(carried(self.transaction.note(failed, sql))),
        }
    }

    /// Measures parameters that are about to be sent to a statement of this guard's.
    pub(super) fn own(&mut self, statement: &Statement, params: &[&Params]) -> mysql::Result<()> {
        self.alive()?;
        if !self.prepared.contains(&statement.id()) {
            return Err(mysql::Error::MySqlError(foreign()));
        }
        let largest = params.iter().map(|params| execution(params)).max().unwrap_or_default();
        self.loan.connection().measure(largest).map_err(|failed| carried(self.transaction.note(failed, "parameters")))
    }

    pub(super) fn remember(&mut self, statement: &Statement) {
        self.prepared.push(statement.id());
    }

    /// Does something on the driver's connection. Notes what goes wrong, and takes parts of the guard to do so, because what is
    /// returned may borrow the rest.
    pub(super) fn with<'s, R>(
        &'s mut self,
        what: &str,
        work: impl FnOnce(&'s mut Conn) -> mysql::Result<R>,
    ) -> mysql::Result<R> {
        self.asking(what, |connection| connection.raw(what).and_then(work))
    }

    /// The same with what stands around the driver's connection.
    pub(super) fn asking<'s, R>(
        &'s mut self,
        what: &str,
        work: impl FnOnce(&'s mut MySqlConnection) -> mysql::Result<R>,
    ) -> mysql::Result<R> {
        let Self { transaction, loan, broken, sent, .. } = self;
        work(loan.connection()).map_err(|error| noted(transaction, broken, *sent, what, error))
    }
}

/// As the server would say it: "Unknown prepared statement handler".
fn foreign() -> mysql::MySqlError {
    let message = "this statement was prepared in another unit or by another guard; prepare it again, or pass its text";
    mysql::MySqlError { code: 1243, state: "HY000".into(), message: message.into() }
}

impl fmt::Debug for Lent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lent(unit {})", self.transaction.unit)
    }
}
