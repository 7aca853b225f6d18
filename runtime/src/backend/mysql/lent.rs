//! The driver's own connection, lent to a body: for streaming and for what takes a `Queryable`. Its raw iterators can hide an
//! error from us, so a savepoint is set before and released after: if it is gone, something in between ended the transaction.

use std::fmt;
use std::rc::Rc;

use mysql::prelude::{AsStatement, Queryable};
use mysql::{Binary, Params, QueryResult, Statement, Text};

use super::MySql;
use super::faults;
use crate::backend::{Commits, Connection};
use crate::error::Error;
use crate::fault::{Failed, Undone};
use crate::loan::Loan;
use crate::transaction::Transaction;
use crate::tx::Tx;

/// The driver's connection on loan from a [`Tx`]: implements the driver's [`Queryable`].
///
/// While it lives, statements on the unit and units that would join it fail with kind `Busy`. A leaked one (`mem::forget`)
/// costs the unit its connection.
pub struct Lent<'t> {
    transaction: Rc<Transaction<MySql>>,
    loan: Loan<MySql>,
    bracket: Option<String>,
    broken: Broken,
    tx: std::marker::PhantomData<&'t mut ()>,
}

/// Whether an error was seen after which nothing more may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    No,
    Yes,
}

impl Tx<'_, MySql> {
    /// Lends the driver's connection, with the driver's whole [`Queryable`] vocabulary, rows that stream included. Costs two
    /// round trips: a savepoint, and its release when the guard is dropped.
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
        let bracket = match transaction.characteristics.commits {
            Commits::Together => loan.connection().savepoint().map(Some),
            Commits::Each => loan.connection().begin().map(|()| None),
        };
        let bracket = bracket.map_err(|failed| transaction.note(failed, "SAVEPOINT"))?;
        Ok(Lent { transaction, loan, bracket, broken: Broken::No, tx: std::marker::PhantomData })
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
        connection.release(&bracket).map_err(|failed| self.transaction.note(failed, "a lent connection"))
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
fn noted(transaction: &Transaction<MySql>, broken: &mut Broken, sql: &str, error: mysql::Error) -> mysql::Error {
    let again = match &error {
        mysql::Error::MySqlError(server) => Some(mysql::Error::MySqlError(server.clone())),
        _ => None,
    };
    let failed = faults::failed(error);
    if failed.fault.undone == Undone::Connection {
        *broken = Broken::Yes;
    }
    let ours = transaction.note(failed, sql);
    again.unwrap_or_else(|| carried(ours))
}

/// Our error in the driver's type, for signatures that are the driver's.
fn carried(error: Error) -> mysql::Error {
    mysql::Error::IoError(std::io::Error::other(error))
}

impl Lent<'_> {
    fn checked(&mut self, sql: &str) -> mysql::Result<()> {
        if let Some(doom) = self.transaction.doom() {
            return Err(carried(doom.error));
        }
        let check = self.loan.connection().check(sql);
        check.map_err(|failed: Failed| carried(self.transaction.note(failed, sql)))
    }
}

impl Queryable for Lent<'_> {
    fn query_iter<Q: AsRef<str>>(&mut self, query: Q) -> mysql::Result<QueryResult<'_, '_, '_, Text>> {
        let sql = query.as_ref();
        self.checked(sql)?;
        let Self { transaction, loan, broken, .. } = self;
        let result = loan.connection().raw(sql).and_then(|conn| conn.query_iter(sql));
        result.map_err(|error| noted(transaction, broken, sql, error))
    }

    fn prep<Q: AsRef<str>>(&mut self, query: Q) -> mysql::Result<Statement> {
        let sql = query.as_ref();
        self.checked(sql)?;
        let Self { transaction, loan, broken, .. } = self;
        let result = loan.connection().raw(sql).and_then(|conn| conn.prep(sql));
        result.map_err(|error| noted(transaction, broken, sql, error))
    }

    fn close(&mut self, statement: Statement) -> mysql::Result<()> {
        self.checked("")?;
        let Self { transaction, loan, broken, .. } = self;
        let result = loan.connection().raw("").and_then(|conn| conn.close(statement));
        result.map_err(|error| noted(transaction, broken, "the end of a prepared statement", error))
    }

    fn exec_iter<S, P>(&mut self, statement: S, params: P) -> mysql::Result<QueryResult<'_, '_, '_, Binary>>
    where
        S: AsStatement,
        P: Into<Params>,
    {
        let params = params.into();
        let statement = statement.as_statement(self)?.into_owned();
        let Self { transaction, loan, broken, .. } = self;
        let result = loan.connection().raw("").and_then(|conn| conn.exec_iter(statement, params));
        result.map_err(|error| noted(transaction, broken, "a prepared statement", error))
    }

    fn exec_batch<S, P, I>(&mut self, statement: S, params: I) -> mysql::Result<()>
    where
        Self: Sized,
        S: AsStatement,
        P: Into<Params>,
        I: IntoIterator<Item = P>,
    {
        let params: Vec<Params> = params.into_iter().map(Into::into).collect();
        let statement = statement.as_statement(self)?.into_owned();
        let Self { transaction, loan, broken, .. } = self;
        let result = loan.connection().raw("").and_then(|conn| conn.exec_batch(statement, params));
        result.map_err(|error| noted(transaction, broken, "a batch", error))
    }
}

impl fmt::Debug for Lent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lent(unit {})", self.transaction.unit)
    }
}
