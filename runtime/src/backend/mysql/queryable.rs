//! The driver's own vocabulary on a lent connection. Everything but the raw iterators is read to its end here, because the
//! driver's versions swallow what goes wrong after the first row; the iterators are what the savepoint around the loan is for.

use mysql::prelude::{AsStatement, FromRow, Queryable};
use mysql::{Binary, FromRowError, Params, QueryResult, Row, Statement, Text, from_row};

use super::lent::Lent;
use super::wire::walk;

impl Lent<'_> {
    fn each_of_text(&mut self, sql: &str, rows: &mut dyn FnMut(Row)) -> mysql::Result<()> {
        self.checked(sql)?;
        self.with(sql, |conn| walk(conn.query_iter(sql)?, rows).map(drop))
    }

    fn each_of_statement(
        &mut self,
        statement: &impl AsStatement,
        params: Params,
        rows: &mut dyn FnMut(Row),
    ) -> mysql::Result<()> {
        let statement = statement.as_statement(self)?.into_owned();
        self.own(&statement, &[&params])?;
        self.with("a prepared statement", |conn| walk(conn.exec_iter(statement, params)?, rows).map(drop))
    }
}

/// Folds rows that are handed out one by one.
fn folding<U>(
    init: U,
    mut step: impl FnMut(U, Row) -> U,
    each: impl FnOnce(&mut dyn FnMut(Row)) -> mysql::Result<()>,
) -> mysql::Result<U> {
    let mut state = Some(init);
    each(&mut |row| state = state.take().map(|before| step(before, row)))?;
    Ok(state.expect("each step puts the state back, and one that panics does not come here"))
}

impl Queryable for Lent<'_> {
    fn query_iter<Q: AsRef<str>>(&mut self, query: Q) -> mysql::Result<QueryResult<'_, '_, '_, Text>> {
        let sql = query.as_ref();
        self.checked(sql)?;
        self.with(sql, |conn| conn.query_iter(sql))
    }

    fn prep<Q: AsRef<str>>(&mut self, query: Q) -> mysql::Result<Statement> {
        let sql = query.as_ref();
        self.checked(sql)?;
        let statement = self.asking(sql, |connection| connection.lend_statement(sql))?;
        self.remember(&statement);
        Ok(statement)
    }

    fn close(&mut self, statement: Statement) -> mysql::Result<()> {
        self.own(&statement, &[])?;
        self.asking("the end of a prepared statement", |connection| connection.close_lent(statement))
    }

    fn exec_iter<S, P>(&mut self, statement: S, params: P) -> mysql::Result<QueryResult<'_, '_, '_, Binary>>
    where
        S: AsStatement,
        P: Into<Params>,
    {
        let params = params.into();
        let statement = statement.as_statement(self)?.into_owned();
        self.own(&statement, &[&params])?;
        self.with("a prepared statement", |conn| conn.exec_iter(statement, params))
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
        self.own(&statement, &params.iter().collect::<Vec<_>>())?;
        self.with("a batch", |conn| conn.exec_batch(statement, params))
    }

    fn query_drop<Q: AsRef<str>>(&mut self, query: Q) -> mysql::Result<()> {
        self.each_of_text(query.as_ref(), &mut drop)
    }

    fn query_first<T: FromRow, Q: AsRef<str>>(&mut self, query: Q) -> mysql::Result<Option<T>> {
        folding(
            None,
            |first, row| first.or_else(|| Some(from_row(row))),
            |rows| self.each_of_text(query.as_ref(), rows),
        )
    }

    fn query_first_opt<T: FromRow, Q: AsRef<str>>(
        &mut self,
        query: Q,
    ) -> mysql::Result<Option<Result<T, FromRowError>>> {
        let each = |rows: &mut dyn FnMut(Row)| self.each_of_text(query.as_ref(), rows);
        folding(None, |first, row| first.or_else(|| Some(T::from_row_opt(row))), each)
    }

    fn query_fold<T: FromRow, F: FnMut(U, T) -> U, Q: AsRef<str>, U>(
        &mut self,
        query: Q,
        init: U,
        mut step: F,
    ) -> mysql::Result<U> {
        folding(init, |state, row| step(state, from_row(row)), |rows| self.each_of_text(query.as_ref(), rows))
    }

    fn query_fold_opt<T: FromRow, F: FnMut(U, Result<T, FromRowError>) -> U, Q: AsRef<str>, U>(
        &mut self,
        query: Q,
        init: U,
        mut step: F,
    ) -> mysql::Result<U> {
        folding(init, |state, row| step(state, T::from_row_opt(row)), |rows| self.each_of_text(query.as_ref(), rows))
    }

    fn exec_drop<S: AsStatement, P: Into<Params>>(&mut self, statement: S, params: P) -> mysql::Result<()> {
        self.each_of_statement(&statement, params.into(), &mut drop)
    }

    fn exec_first<T: FromRow, S: AsStatement, P: Into<Params>>(
        &mut self,
        statement: S,
        params: P,
    ) -> mysql::Result<Option<T>> {
        let each = |rows: &mut dyn FnMut(Row)| self.each_of_statement(&statement, params.into(), rows);
        folding(None, |first, row| first.or_else(|| Some(from_row(row))), each)
    }

    fn exec_first_opt<T: FromRow, S: AsStatement, P: Into<Params>>(
        &mut self,
        statement: S,
        params: P,
    ) -> mysql::Result<Option<Result<T, FromRowError>>> {
        let each = |rows: &mut dyn FnMut(Row)| self.each_of_statement(&statement, params.into(), rows);
        folding(None, |first, row| first.or_else(|| Some(T::from_row_opt(row))), each)
    }

    fn exec_fold<T: FromRow, S: AsStatement, P: Into<Params>, U, F: FnMut(U, T) -> U>(
        &mut self,
        statement: S,
        params: P,
        init: U,
        mut step: F,
    ) -> mysql::Result<U> {
        let each = |rows: &mut dyn FnMut(Row)| self.each_of_statement(&statement, params.into(), rows);
        folding(init, |state, row| step(state, from_row(row)), each)
    }

    fn exec_fold_opt<T: FromRow, S: AsStatement, P: Into<Params>, U, F: FnMut(U, Result<T, FromRowError>) -> U>(
        &mut self,
        statement: S,
        params: P,
        init: U,
        mut step: F,
    ) -> mysql::Result<U> {
        let each = |rows: &mut dyn FnMut(Row)| self.each_of_statement(&statement, params.into(), rows);
        folding(init, |state, row| step(state, T::from_row_opt(row)), each)
    }
}
