//! A transaction around everything that a thread does with a database, rolled back in the end: for tests. Here is its begin and
//! its end; what units in it do instead of beginning and committing is `ground`, that they do so is decided by `propagation`.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::rc::Rc;

use crate::backend::mysql::MySql;
use crate::backend::{Backend, Characteristics, Commits, Connection, LockWait};
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::fault::{Again, Failed, Undone};
use crate::ground::{Stays, stays};
use crate::label::Label;
use crate::options::{Access, Isolation, LostCommit, Options, Snapshot};
use crate::registry::{self, Place};
use crate::run::Verdict;
use crate::settle::{Ending, settle};
use crate::transaction::{Begun, Transaction};
use crate::units::named;

impl<B: Backend> Database<B> {
    /// Has everything that units on this thread do with this database happen inside one transaction, which is rolled back when
    /// the guard is dropped: a test leaves nothing behind, and tests on different threads do not see each other.
    ///
    /// The code under test notices little: its units begin, fail, are retried and run their hooks (`after_commit` too) as ever,
    /// and one that fails undoes its own work and no more, because each is a savepoint. No unit counts as active because of the
    /// sandbox: `mandatory`, `outermost` and `never` decide as they would without it. What is different:
    ///
    /// - `Ok` does not mean committed, and [`Outcome::Committed`](crate::Outcome::Committed) means that the unit's work is part of
    ///   the sandbox. Nobody else ever sees it, and this thread sees it until the guard is dropped.
    /// - There is one transaction, so a `requires_new` unit is undone with the unit around it, and sees what that one wrote; it
    ///   does not begin (kind `Busy`) while that one lends its connection. What a unit without a transaction writes stays when it
    ///   fails, as ever, but goes with the unit around it.
    /// - The isolation is the sandbox's, `serializable`, whatever a unit asks for (it is still refused where it would be); so is
    ///   the time that locks are waited for, and a `snapshot` is none. What is read stays locked until the end: tests that
    ///   run at once and write to the same rows, or insert the same key, wait for each other, and from three on one of them may be the
    ///   victim of a deadlock although each does only one thing. Give each test keys of its own.
    /// - `read_only` is enforced by reading the statement and not by the server, with the same error: what a function or procedure
    ///   writes goes through, a write to a temporary table does not.
    /// - A fault that rolls back everything on the server (a deadlock, a lost connection, a deadline in the middle of a statement)
    ///   ends the sandbox: the unit gets its error at once, without another attempt, and so does every unit until the guard is
    ///   dropped. What leaves the transaction alive (a lock timeout, `retry_on`) is retried as ever.
    /// - A procedure that commits ends it too, and commits what all units in it wrote before: that **stays in the database**, where
    ///   later tests find it.
    /// - What a unit has deferred goes out before its savepoint ends, and not in one packet with COMMIT.
    /// - `exactly_once` writes no row: there is no COMMIT that could be lost. Nothing waits for admission or for a session.
    /// - [`Database::session`] is refused, and with it what is built on it: what it does would stay.
    /// - Other threads are not in it, nor are other handles that were connected to the same server.
    ///
    /// What is not undone: auto-increment counters, rows of tables that are not transactional, what a procedure committed (with all
    /// that was written before it), the work of hooks.
    ///
    /// # Errors
    /// `Propagation` inside a unit or in another sandbox of this database; what the pool and the server say when no session can be
    /// had.
    ///
    /// ```no_run
    /// use unit_of_work::{Database, Error, Tx, unit_of_work};
    ///
    /// #[unit_of_work]
    /// fn open(tx: &mut Tx, id: u64) -> Result<(), Error> {
    ///     tx.exec_drop("INSERT INTO account VALUES (?, 0)", (id,))
    /// }
    ///
    /// # fn main() -> Result<(), unit_of_work::Error> {
    /// # let db = Database::connect("mysql://root@127.0.0.1/test")?;
    /// let _entered = db.enter();
    /// let sandbox = db.sandbox()?;
    /// open(1)?;
    /// assert!(open(1).is_err()); // it is there
    /// drop(sandbox); // and never was
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn sandbox(&self) -> Result<Sandbox<B>, Error> {
        let caller = Location::caller();
        let label = Label::new("Database::sandbox", caller.file(), caller.line());
        if let Some(active) = registry::active(self.pool()) {
            return Err(not_here(&label, &format!("inside unit {}", active.unit)));
        }
        if let Some(other) = registry::sandbox(self.pool()) {
            return Err(not_here(&label, &format!("in the sandbox {}", other.unit)));
        }
        let place = self.place().ok_or_else(Error::torn_down)?;
        let now = self.clock().now();
        let (session, held) = self.pool().acquire(&place.slot, &label, None, now).map_err(Error::from_failed)?;
        // Held again below, for as long as no guard of the place could live.
        drop(held);
        let sandbox =
            Sandbox { base: Transaction::new(self.begun(label), session, None), place, not_send: PhantomData };
        sandbox.place.slot.hold(&sandbox.base.unit, now);
        sandbox.begin()?;
        registry::enter_sandbox(&sandbox.base);
        Ok(sandbox)
    }

    fn begun(&self, unit: Label) -> Begun<B> {
        Begun {
            database: self.clone(),
            figures: named(&unit, &Options::NONE),
            unit,
            characteristics: Characteristics {
                commits: Commits::Together,
                snapshot: Snapshot::AtFirstRead,
                lock_wait: self.lock_wait().map_or(LockWait::DEFAULT, LockWait::exactly),
                isolation: Isolation::Serializable,
                access: Access::ReadWrite,
            },
            attempt: 1,
            suspends: None,
            until: None,
            deadline: None,
            lost_commit: LostCommit::Reported,
            sandbox: None,
        }
    }
}

fn not_here(sandbox: &Label, place: &str) -> Error {
    let detail = format!("a sandbox cannot be opened {place}: it has to be around everything that it undoes");
    Error::new(ErrorKind::Propagation, detail).of_unit(sandbox)
}

/// The thread's units of a database are in a sandbox until this is dropped. Made by [`Database::sandbox`].
#[must_use = "everything is rolled back when this guard is dropped"]
pub struct Sandbox<B: Backend = MySql> {
    base: Rc<Transaction<B>>,
    place: Rc<Place<B>>,
    not_send: PhantomData<*const ()>,
}

impl<B: Backend> Sandbox<B> {
    /// Sends its first statement, so that a connection that died while idle is replaced here and not in a unit.
    fn begin(&self) -> Result<(), Error> {
        let begun = self.base.lend()?.connection().savepoint();
        begun.map(drop).map_err(|failed| self.base.note(failed, "SAVEPOINT"))
    }
}

impl<B: Backend> Sandbox<B> {
    /// What it leaves in the database, as far as is known so far.
    pub(super) fn stays(&self) -> Stays {
        self.base.doom().map_or(Stays::Nothing, |doom| stays(doom.error.kind()))
    }
}

impl<B: Backend> Drop for Sandbox<B> {
    fn drop(&mut self) {
        registry::leave_sandbox(&self.base);
        let _rolled_back =
            settle(&self.base, &self.place, &Ending::Returned(Verdict::Rollback("the sandbox has ended".to_owned())));
        // For a unit that is still running, if somebody drops the guard in its body.
        let gone = Failed::of(ErrorKind::Closed, Undone::Transaction, Again::Never, "its guard was dropped");
        let _noted = self.base.note(gone, "");
        self.place.slot.let_go(&self.base.unit);
    }
}

impl<B: Backend> fmt::Debug for Sandbox<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sandbox({})", self.base.unit)
    }
}
