//! A unit of work without the attribute: described at run time, the body a closure. The same engine, the same safety.

use std::borrow::Cow;
use std::hash::Hash;
use std::panic::Location;
use std::time::Duration;

use crate::backend::Backend;
use crate::contention::Key;
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::label::Label;
use crate::options::{
    Access, Admission, Isolation, LostCommit, OnError, Options, Propagation, Replay, Retry, Snapshot,
};
use crate::private::{UnitResult, returned};
use crate::propagation::may_begin;
use crate::run::{Body, run_on};
use crate::tx::Tx;
use crate::units::named;

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
///     .run::<_, Error>(|tx| Ok(tx.query_first("SELECT COALESCE(SUM(balance), 0) FROM account")?.unwrap_or(0)))?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "nothing happens until `run` is called"]
pub struct UnitBuilder<'d, B: Backend, J = RollBack> {
    database: &'d Database<B>,
    label: Label,
    key: Option<Key>,
    options: Options,
    judge: J,
}

/// What the errors of a unit's body ask for: nothing special, or what a closure given to [`UnitBuilder::on_error`] says.
pub trait Judge<E> {
    /// What `error` asks for.
    fn judge(&self, error: &E) -> OnError;
}

/// Every error rolls back.
#[derive(Debug, Clone, Copy)]
pub struct RollBack;

impl<E> Judge<E> for RollBack {
    fn judge(&self, _: &E) -> OnError {
        OnError::RollBack
    }
}

impl<E, F: Fn(&E) -> OnError> Judge<E> for F {
    fn judge(&self, error: &E) -> OnError {
        self(error)
    }
}

impl<B: Backend> Database<B> {
    /// Describes a unit of work on this database; `name` is what messages call it, with the place of this call.
    #[track_caller]
    pub fn unit(&self, name: impl Into<Cow<'static, str>>) -> UnitBuilder<'_, B> {
        let place = Location::caller();
        let label = Label::new(name, place.file(), place.line());
        UnitBuilder { database: self, label, key: None, options: Options::NONE, judge: RollBack }
    }
}

impl<'d, B: Backend, J> UnitBuilder<'d, B, J> {
    /// The isolation level. Default: the database's.
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.options.isolation = Some(isolation);
        self
    }

    /// The unit does not write; the server enforces it.
    ///
    /// At [`Serializable`](Isolation::Serializable) it still locks the rows that it reads, and waits for those of others; a report
    /// that should not is better off at [`RepeatableRead`](Isolation::RepeatableRead) or with [`snapshot`](Self::snapshot).
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

    /// One deadline over waiting for a session, all attempts and the sleeps between them. A statement that still runs then is
    /// ended at the server. Default: none.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// How long the server waits for a lock, of rows or of metadata: whole seconds, rounded up, at least one. Default: the
    /// database's, which is what the server is configured for but at most 5 s unless the builder says otherwise.
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.options.lock_wait = Some(wait);
        self
    }

    /// The read view is that of the begin instead of the first read; needs, and without another level implies,
    /// [`RepeatableRead`](Isolation::RepeatableRead).
    pub fn snapshot(mut self) -> Self {
        self.options.snapshot = Snapshot::AtBegin;
        self.options.isolation.get_or_insert(Isolation::RepeatableRead);
        self
    }

    /// A COMMIT without an answer is resolved instead of being an error of kind
    /// [`CommitUnknown`](crate::ErrorKind::CommitUnknown): if it happened, the caller gets the body's own result; if not, it is made
    /// sure that it never will, and the unit runs again as its retry policy allows.
    ///
    /// Each attempt writes a row into the table that [`create_outcome_table`](Database::create_outcome_table) makes, in the packet
    /// of its COMMIT: no round trip more. A unit that joins, or is nested, makes the whole transaction so. A unit that may not write
    /// has nothing to resolve and writes no row; one without a transaction is refused.
    ///
    /// ```no_run
    /// # use unit_of_work::{Database, Error};
    /// # fn main() -> Result<(), Error> {
    /// # let db = Database::connect("mysql://app@127.0.0.1/bank")?;
    /// db.create_outcome_table()?; // once
    /// db.unit("pay").exactly_once().run::<_, Error>(|tx| tx.query_drop("INSERT INTO payment (amount) VALUES (50)"))?;
    /// # Ok(()) }
    /// ```
    pub fn exactly_once(mut self) -> Self {
        self.options.lost_commit = LostCommit::Resolved;
        self
    }

    /// How many attempts of the unit may run at once. Default: the database's, which is
    /// [`Admission::Adaptive`] unless the builder says otherwise.
    pub fn admission(mut self, admission: Admission) -> Self {
        self.options.admission = Some(admission);
        self
    }

    /// Units with different keys do not wait for each other: what is hot for one account does not slow the others. Give the key
    /// that conflicts are about, such as the account that is written. Default: one line for all runs of the unit.
    ///
    /// ```no_run
    /// # use unit_of_work::{Database, Error};
    /// # fn main() -> Result<(), Error> {
    /// # let db = Database::connect("mysql://app@127.0.0.1/bank")?;
    /// # let account = 7;
    /// db.unit("pay").contention_key(account).run::<_, Error>(|tx| {
    ///     tx.exec_drop("UPDATE account SET balance = balance - 1 WHERE id = ?", (account,))
    /// })?;
    /// # Ok(()) }
    /// ```
    pub fn contention_key(mut self, key: impl Hash) -> Self {
        self.key = Some(Key::of(&key));
        self
    }

    /// What errors of the body ask for: to be committed all the same, or another attempt. Default: all roll back.
    ///
    /// In a unit that joins or is nested an error that commits neither dooms nor undoes anything, and one that asks for another
    /// attempt is an error like others: only the unit that began can run again.
    pub fn on_error<F>(self, judge: F) -> UnitBuilder<'d, B, F> {
        UnitBuilder { database: self.database, label: self.label, key: self.key, options: self.options, judge }
    }

    /// Runs `body` as a unit of work. It may run several times, so it is an `Fn`: what it captures it can only look at.
    ///
    /// # Errors
    /// What `body` returns; [`Error`](crate::Error) as `E` when the unit contradicts itself, cannot begin, cannot be serialized
    /// within its policy, or its outcome is unknown.
    pub fn run<T, E>(self, body: impl Fn(&mut Tx<'_, B>) -> Result<T, E>) -> Result<T, E>
    where
        Result<T, E>: UnitResult<Error = E>,
        J: Judge<E>,
    {
        let Self { database, label, key, options, judge } = self;
        let figures = named(&label, &options);
        let run = |body: Body<'_, B>| {
            check_gate(&label, key, &options)?;
            run_on(database, figures, &label, key, &options, body)
        };
        returned(|tx, _| body(tx), |error| judge.judge(error), run)
    }
}

/// In front of what begins no transaction there is no gate.
fn check_gate(unit: &Label, key: Option<Key>, options: &Options) -> Result<(), Error> {
    let asked = match (key, options.admission) {
        (None, None) => return Ok(()),
        (Some(_), _) => "contention_key",
        (None, Some(_)) => "admission",
    };
    if may_begin(options.propagation) {
        return Ok(());
    }
    let detail = format!(
        "with the propagation `{}` the unit begins no transaction that could be kept waiting: leave `{asked}` out",
        options.propagation
    );
    Err(Error::new(ErrorKind::Configuration, detail).of_unit(unit))
}
