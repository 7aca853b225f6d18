//! What bodies and administrators call: the driver's vocabulary, on [`Tx`] and on [`Session`](super::Session), with every result
//! set read to its end, every error seen, and conversions that fail as errors instead of panics. How a request is sent is theirs.

use std::any::type_name;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use mysql::prelude::FromRow;
use mysql::{Column, FromRowError, Params, Row, Value};

use super::wire::{Answer, Request};
use super::{MySql, Session};
use crate::error::{Error, ErrorKind};
use crate::fault::{Again, Failed, Undone};
use crate::tx::Tx;

/// Sends one request and reads its whole answer; user code runs only in `rows`.
pub(super) trait Speaks {
    fn speak(&mut self, request: Request<'_>, rows: &mut dyn FnMut(Row)) -> Result<Answer, Error>;
    /// Names the place in an error of our own.
    fn blame(&self, failed: Failed, sql: &str) -> Error;
    fn last(&self) -> Answer;
}

impl Speaks for Tx<'_, MySql> {
    fn speak(&mut self, request: Request<'_>, rows: &mut dyn FnMut(Row)) -> Result<Answer, Error> {
        let sql = request.text();
        let mut loan = self.transaction.lend()?;
        // Noted before the loan ends, which knows of a deadline that has passed, and not of what may have committed before.
        let answer = loan.connection().statement(request, rows).map_err(|failed| self.transaction.note(failed, sql))?;
        self.transaction.written.set((answer.affected_rows, answer.last_insert_id));
        Ok(answer)
    }

    fn blame(&self, failed: Failed, sql: &str) -> Error {
        self.transaction.note(failed, sql)
    }

    fn last(&self) -> Answer {
        let (affected_rows, last_insert_id) = self.transaction.written.get();
        Answer { affected_rows, last_insert_id, ..Answer::default() }
    }
}

/// Gives each row, converted, to `each`. The first row that cannot be converted ends that, and is the error; the rest is read
/// all the same, so that the connection stays in step.
fn convert<T: FromRow>(speaker: &mut impl Speaks, request: Request<'_>, each: &mut dyn FnMut(T)) -> Result<(), Error> {
    let sql = request.text();
    let (mut wrong, mut panic) = (None, None);
    let spoken = speaker.speak(request, &mut |row| {
        if wrong.is_some() || panic.is_some() {
            return;
        }
        // A panic of the user's goes on when the answer has been read: what fails later in it must be seen.
        match catch_unwind(AssertUnwindSafe(|| T::from_row_opt(row).map(&mut *each))) {
            Ok(Ok(())) => {}
            // The error holds the row: its values do not belong into a message.
            Ok(Err(FromRowError(row))) => wrong = Some(inconvertible::<T>(&row)),
            Err(payload) => panic = Some(payload),
        }
    });
    if let Some(payload) = panic {
        resume_unwind(payload);
    }
    spoken?;
    wrong.map_or(Ok(()), |wrong| Err(speaker.blame(wrong, sql)))
}

fn inconvertible<T>(row: &Row) -> Failed {
    let columns = row.columns_ref();
    let shown: Vec<_> =
        columns.iter().map(|column| format!("{} {:?}", column.name_str(), column.column_type())).collect();
    let (row_is, ty) = (shown.join(", "), type_name::<T>());
    let nulls = nulls(columns, row);
    let detail = if nulls.is_empty() {
        format!("a row ({row_is}) cannot be converted into `{ty}`; the columns must match in number and type")
    } else {
        format!(
            "a row ({row_is}) cannot be converted into `{ty}`; NULL is in {}, and needs an `Option` (of one column the first row is \
             an `Option<Option<…>>` then: no row, or NULL), and the columns must match in number and type",
            nulls.join(", ")
        )
    };
    Failed::of(ErrorKind::Conversion, Undone::Statement, Again::Never, detail)
}

fn nulls(columns: &[Column], row: &Row) -> Vec<String> {
    let null = |(place, _): &(usize, &Column)| row.as_ref(*place) == Some(&Value::NULL);
    columns.iter().enumerate().filter(null).map(|(_, column)| format!("`{}`", column.name_str())).collect()
}

fn all<T: FromRow>(speaker: &mut impl Speaks, request: Request<'_>) -> Result<Vec<T>, Error> {
    let mut rows = Vec::new();
    convert(speaker, request, &mut |row| rows.push(row))?;
    Ok(rows)
}

fn first<T: FromRow>(speaker: &mut impl Speaks, request: Request<'_>) -> Result<Option<T>, Error> {
    let mut first = None;
    let mut unread = None;
    let sql = request.text();
    speaker.speak(request, &mut |row| {
        unread.get_or_insert(row);
    })?;
    if let Some(row) = unread {
        let wrong = |FromRowError(row)| speaker.blame(inconvertible::<T>(&row), sql);
        first = Some(T::from_row_opt(row).map_err(wrong)?);
    }
    Ok(first)
}

fn fold<T: FromRow, U>(
    speaker: &mut impl Speaks,
    request: Request<'_>,
    init: U,
    mut step: impl FnMut(U, T) -> U,
) -> Result<U, Error> {
    let mut state = Some(init);
    convert(speaker, request, &mut |row| {
        if let Some(before) = state.take() {
            state = Some(step(before, row));
        }
    })?;
    Ok(state.expect("each step puts the state back, and one that panics does not come here"))
}

macro_rules! vocabulary {
    ($type:ty) => {
        /// Text statements, sent as they are.
        ///
        /// # Errors
        /// Every method here fails with an [`Error`] of kind `Refused` or `TooLarge` (not sent), `Statement` (the server
        /// refused it; the transaction goes on), `Conversion`, or of a kind that dooms the unit: `Serialization`,
        /// `LockTimeout`, `ConnectionLost`, `Unavailable`, `ImplicitCommit`. Once doomed, every further call returns that
        /// first error without asking the server.
        #[allow(clippy::missing_errors_doc, reason = "said once, above, for all of them")]
        impl $type {
            /// Runs `query` and returns all rows.
            pub fn query<T, Q>(&mut self, query: Q) -> Result<Vec<T>, Error>
            where
                Q: AsRef<str>,
                T: FromRow,
            {
                all(self, Request::Query(query.as_ref()))
            }

            /// Runs `query` and returns the first row, if there is one.
            pub fn query_first<T, Q>(&mut self, query: Q) -> Result<Option<T>, Error>
            where
                Q: AsRef<str>,
                T: FromRow,
            {
                first(self, Request::Query(query.as_ref()))
            }

            /// Runs `query` and maps each row.
            pub fn query_map<T, F, Q, U>(&mut self, query: Q, mut map: F) -> Result<Vec<U>, Error>
            where
                Q: AsRef<str>,
                T: FromRow,
                F: FnMut(T) -> U,
            {
                let mut mapped = Vec::new();
                convert(self, Request::Query(query.as_ref()), &mut |row| mapped.push(map(row)))?;
                Ok(mapped)
            }

            /// Runs `query` and folds its rows.
            pub fn query_fold<T, F, Q, U>(&mut self, query: Q, init: U, step: F) -> Result<U, Error>
            where
                Q: AsRef<str>,
                T: FromRow,
                F: FnMut(U, T) -> U,
            {
                fold(self, Request::Query(query.as_ref()), init, step)
            }

            /// Runs `query` and calls `each` with every row as it arrives; nothing is collected.
            ///
            /// While `each` runs the session is in use: a statement or unit inside it fails with kind `Busy`.
            pub fn query_each<T, F, Q>(&mut self, query: Q, mut each: F) -> Result<(), Error>
            where
                Q: AsRef<str>,
                T: FromRow,
                F: FnMut(T),
            {
                convert(self, Request::Query(query.as_ref()), &mut each)
            }

            /// Runs `query` and drops its rows.
            pub fn query_drop<Q>(&mut self, query: Q) -> Result<(), Error>
            where
                Q: AsRef<str>,
            {
                self.speak(Request::Query(query.as_ref()), &mut drop).map(drop)
            }
        }

        /// Prepared statements. The text is prepared once per session and stays prepared over units; `params` is a tuple, a
        /// `Vec`, `()`, or `params! { "name" => value }` for `:names`, after `use unit_of_work::mysql::params;`: by its path the
        /// macro does not work.
        ///
        /// # Errors
        /// As for text statements.
        #[allow(clippy::missing_errors_doc, reason = "said once, above, for all of them")]
        impl $type {
            /// Runs `statement` and returns all rows.
            pub fn exec<T, S, P>(&mut self, statement: S, params: P) -> Result<Vec<T>, Error>
            where
                S: AsRef<str>,
                P: Into<Params>,
                T: FromRow,
            {
                all(self, Request::Execute(statement.as_ref(), params.into()))
            }

            /// Runs `statement` and returns the first row, if there is one.
            pub fn exec_first<T, S, P>(&mut self, statement: S, params: P) -> Result<Option<T>, Error>
            where
                S: AsRef<str>,
                P: Into<Params>,
                T: FromRow,
            {
                first(self, Request::Execute(statement.as_ref(), params.into()))
            }

            /// Runs `statement` and maps each row.
            pub fn exec_map<T, S, P, F, U>(&mut self, statement: S, params: P, mut map: F) -> Result<Vec<U>, Error>
            where
                S: AsRef<str>,
                P: Into<Params>,
                T: FromRow,
                F: FnMut(T) -> U,
            {
                let mut mapped = Vec::new();
                let request = Request::Execute(statement.as_ref(), params.into());
                convert(self, request, &mut |row| mapped.push(map(row)))?;
                Ok(mapped)
            }

            /// Runs `statement` and folds its rows.
            pub fn exec_fold<T, S, P, U, F>(&mut self, statement: S, params: P, init: U, step: F) -> Result<U, Error>
            where
                S: AsRef<str>,
                P: Into<Params>,
                T: FromRow,
                F: FnMut(U, T) -> U,
            {
                fold(self, Request::Execute(statement.as_ref(), params.into()), init, step)
            }

            /// Runs `statement` and calls `each` with every row as it arrives; nothing is collected.
            ///
            /// While `each` runs the session is in use: a statement or unit inside it fails with kind `Busy`.
            pub fn exec_each<T, S, P, F>(&mut self, statement: S, params: P, mut each: F) -> Result<(), Error>
            where
                S: AsRef<str>,
                P: Into<Params>,
                T: FromRow,
                F: FnMut(T),
            {
                convert(self, Request::Execute(statement.as_ref(), params.into()), &mut each)
            }

            /// Runs `statement` and drops its rows.
            pub fn exec_drop<S, P>(&mut self, statement: S, params: P) -> Result<(), Error>
            where
                S: AsRef<str>,
                P: Into<Params>,
            {
                let request = Request::Execute(statement.as_ref(), params.into());
                self.speak(request, &mut drop).map(drop)
            }

            /// Runs `statement` once per item of `params`: in one packet where the server can (MariaDB, for INSERT, UPDATE,
            /// DELETE and REPLACE), else one after another.
            pub fn exec_batch<S, P, I>(&mut self, statement: S, params: I) -> Result<(), Error>
            where
                S: AsRef<str>,
                P: Into<Params>,
                I: IntoIterator<Item = P>,
            {
                let batch: Vec<Params> = params.into_iter().map(Into::into).collect();
                if batch.is_empty() {
                    return Ok(());
                }
                self.speak(Request::Batch(statement.as_ref(), batch), &mut drop).map(drop)
            }

            /// Rows that the last statement changed. After `exec_batch` those of its last packet, which is no total.
            pub fn affected_rows(&self) -> u64 {
                self.last().affected_rows
            }

            /// The first `AUTO_INCREMENT` value that the last statement made; `None` if it made none.
            pub fn last_insert_id(&self) -> Option<u64> {
                Some(self.last().last_insert_id).filter(|id| *id > 0)
            }
        }
    };
}

vocabulary!(Tx<'_, MySql>);
vocabulary!(Session<'_>);
