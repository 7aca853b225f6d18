//! A unit of work without the attribute: described at run time, the body a closure. The same engine, the same safety.

use std::borrow::Cow;
use std::panic::Location;

use crate::backend::Backend;
use crate::database::Database;
use crate::label::Label;
use crate::options::{Access, Isolation, Options, Propagation, Replay, Retry};
use crate::private::{UnitResult, returned};
use crate::run::run_on;
use crate::tx::Tx;

/// A unit of work that is described at run time, made by [`Database::unit`]. Setters commute.
///
/// ```no_run
/// use unit_of_work::{Database, Error, Isolation};
///
/// # fn main() -> Result<(), Error> {
/// # let db = Database::connect("mysql://app@127.0.0.1/bank")?;
/// let total: i64 = db
///     .unit("total")
///     .isolation(Isolation::RepeatableRead)
///     .read_only()
///     .run::<_, Error>(|tx| Ok(tx.query_first("SELECT SUM(balance) FROM account")?.unwrap_or(0)))?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "nothing happens until `run` is called"]
pub struct UnitBuilder<'d, B: Backend> {
    database: &'d Database<B>,
    label: Label,
    options: Options,
}

impl<B: Backend> Database<B> {
    /// Describes a unit of work on this database; `name` is what messages call it, with the place of this call.
    #[track_caller]
    pub fn unit(&self, name: impl Into<Cow<'static, str>>) -> UnitBuilder<'_, B> {
        let place = Location::caller();
        UnitBuilder { database: self, label: Label::new(name, place.file(), place.line()), options: Options::NONE }
    }
}

impl<B: Backend> UnitBuilder<'_, B> {
    /// The isolation level. Default: the database's.
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.options.isolation = Some(isolation);
        self
    }

    /// The unit does not write; the server enforces it.
    pub fn read_only(mut self) -> Self {
        self.options.access = Access::ReadOnly;
        self
    }

    /// What the unit does when the thread is in a unit of this database already, and when it is not. Default:
    /// [`Required`](Propagation::Required).
    pub fn propagation(mut self, propagation: Propagation) -> Self {
        self.options.propagation = propagation;
        self
    }

    /// The unit, one that ends on its own inside another, may do so again when the other runs again. Without it the other is
    /// not run again once this one has committed: running it twice would do its work twice.
    pub fn repeatable(mut self) -> Self {
        self.options.replay = Replay::Repeatable;
        self
    }

    /// How the unit is retried. Default: the database's policy.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.options.retry = Some(retry);
        self
    }

    /// Runs `body` as a unit of work. It may run several times, so it is an `Fn`: what it captures it can only look at.
    ///
    /// # Errors
    /// What `body` returns; [`Error`](crate::Error) as `E` when the unit cannot begin, cannot be serialized within its policy,
    /// or its outcome is unknown.
    pub fn run<T, E>(self, body: impl Fn(&mut Tx<'_, B>) -> Result<T, E>) -> Result<T, E>
    where
        Result<T, E>: UnitResult,
    {
        returned(|tx, _| body(tx), |body| run_on(self.database, &self.label, &self.options, body))
    }
}
