//! The one public error: opaque, one pointer wide, with everything a program may ask of it and a message for people. It says
//! what was attempted, by which unit and where, what the server said, what is true now, and what to do.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::fault::Failed;
pub use crate::kind::ErrorKind;
use crate::label::Label;
use crate::outcome::{Outcome, Settled};
use crate::shown;

/// Why a unit of work, or a statement in one, failed.
///
/// Opaque: ask [`kind`](Error::kind), [`code`](Error::code), [`outcome`](Error::outcome). Cheap to clone. The driver's
/// error, when there is one, is its [`source`](StdError::source).
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: ErrorKind,
    unit: Option<Label>,
    statement: Option<Arc<str>>,
    attempts: u32,
    elapsed: Option<Duration>,
    detail: Arc<str>,
    code: Option<u16>,
    sqlstate: Option<Arc<str>>,
    cause: Option<Arc<dyn StdError + Send + Sync>>,
    settled: Settled,
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The server's error number, if the server said something.
    pub fn code(&self) -> Option<u16> {
        self.0.code
    }

    /// The server's SQLSTATE, five characters, if the server said something.
    pub fn sqlstate(&self) -> Option<&str> {
        self.0.sqlstate.as_deref()
    }

    /// Attempts made when it happened, the failed one included; 0 when the body never ran.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// What became of the unit. `None` while it still runs, and where several may be meant (`Panicked`).
    pub fn outcome(&self) -> Option<Outcome> {
        self.0.settled.get()
    }

    /// The name of the unit that it happened in.
    pub fn unit(&self) -> Option<&str> {
        self.0.unit.as_ref().map(Label::name)
    }
}

/// Making one.
impl Error {
    pub(crate) fn new(kind: ErrorKind, detail: impl Into<Arc<str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            unit: None,
            statement: None,
            attempts: 0,
            elapsed: None,
            detail: detail.into(),
            code: None,
            sqlstate: None,
            cause: None,
            settled: Settled::as_of(Outcome::NotStarted),
        }))
    }

    pub(crate) fn from_failed(failed: Failed) -> Self {
        let mut error = Self::new(failed.fault.kind, failed.detail);
        error.0.code = failed.code;
        error.0.sqlstate = failed.sqlstate;
        error.0.cause = failed.cause;
        error
    }

    /// The same fault, as the reason why a unit gave up or does not know.
    pub(crate) fn because_of(kind: ErrorKind, detail: &str, last: &Self) -> Self {
        let mut error = Self::new(kind, format!("{detail}: {}", What(&last.0)));
        error.0.unit.clone_from(&last.0.unit);
        error.0.attempts = last.0.attempts;
        error.0.code = last.0.code;
        error.0.sqlstate.clone_from(&last.0.sqlstate);
        error.0.settled = last.0.settled.clone();
        error.0.cause = Some(Arc::new(last.clone()));
        error
    }

    pub(crate) fn in_unit(mut self, unit: &Label, attempt: u32, settled: &Settled) -> Self {
        self.0.unit = Some(unit.clone());
        self.0.attempts = attempt;
        self.0.settled = settled.clone();
        self
    }

    pub(crate) fn of_unit(mut self, unit: &Label) -> Self {
        self.0.unit = Some(unit.clone());
        self
    }

    pub(crate) fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.settled = Settled::as_of(outcome);
        self
    }

    /// Nobody knows yet what becomes of the unit it happened in.
    pub(crate) fn while_running(mut self) -> Self {
        self.0.settled = Settled::default();
        self
    }

    /// A body that asked for its error to be committed must not lose it when COMMIT fails.
    pub(crate) fn after_body_said(mut self, text: &str) -> Self {
        self.0.detail = format!("{}; the body had returned {text}", self.0.detail).into();
        self
    }

    pub(crate) fn torn_down() -> Self {
        Self::new(
            ErrorKind::Closed,
            "the thread is ending: its sessions were given back, and no unit begins on it any more",
        )
    }

    pub(crate) fn on_statement(mut self, sql: &str) -> Self {
        self.0.statement = Some(shown::statement(sql));
        if let Some(words) = shown::words(sql, &self.0.detail) {
            self.0.detail = words;
            self.0.cause = None;
        }
        self
    }

    pub(crate) fn after(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.0.attempts = attempts;
        self.0.elapsed = Some(elapsed);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_where(f)?;
        self.0.write_what(f)?;
        if let Some(outcome) = self.outcome().filter(|_| self.0.unit.is_some()) {
            write!(f, "; {outcome}")?;
        }
        Ok(())
    }
}

impl Inner {
    fn write_where(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(unit) = &self.unit else { return Ok(()) };
        write!(f, "unit {unit}")?;
        match (self.attempts, self.elapsed) {
            (0, _) => {}
            (n, None) => write!(f, ", attempt {n}")?,
            (1, Some(time)) => write!(f, ", 1 attempt in {time:.1?}")?,
            (n, Some(time)) => write!(f, ", {n} attempts in {time:.1?}")?,
        }
        f.write_str(": ")
    }

    fn write_what(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(sql) = &self.statement {
            write!(f, "`{sql}`: ")?;
        }
        f.write_str(&self.detail)
    }
}

/// What happened, without where and what became of it.
struct What<'a>(&'a Inner);

impl fmt::Display for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_what(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({self})", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_unit_place_attempt_statement_and_what_is_true_now() {
        let settled = Settled::default();
        let unit = Label::new("bank::transfer", "src/bank.rs", 12);
        let error =
            Error::new(ErrorKind::Statement, "no such table").on_statement("SELECT\n  1").in_unit(&unit, 2, &settled);
        assert_eq!(error.to_string(), "unit `bank::transfer` (src/bank.rs:12), attempt 2: `SELECT 1`: no such table");
        settled.settle(Outcome::RolledBack);
        assert!(error.to_string().ends_with("no such table; the unit was rolled back"), "{error}");
        assert_eq!(error.outcome(), Some(Outcome::RolledBack));
    }
}
