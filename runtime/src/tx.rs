//! The handle that a body works with. Here is what every engine's has: attempt, hooks, marks. The statements are the engine's
//! (`mysql/vocabulary.rs`); what the handle stands for is `transaction`.

use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use crate::backend::Backend;
use crate::backend::mysql::MySql;
use crate::error::Error;
use crate::hooks::{Cause, HookResult};
use crate::label::Label;
use crate::nested::nested;
use crate::private::{UnitResult, returned, roll_back};
use crate::transaction::{Mark, Transaction};

/// The transaction of the unit that is running, as its body sees it.
///
/// A `Tx` is neither `Send` nor `Sync` and cannot outlive its unit: the compiler refuses to move it to another thread, to
/// store it, or to swap it with another unit's.
///
/// ```compile_fail
/// # use unit_of_work::Tx;
/// fn to_another_thread(tx: &mut Tx<'_>) {
///     std::thread::scope(|scope| { scope.spawn(|| tx.attempt()); });
/// }
/// ```
pub struct Tx<'u, B: Backend = MySql> {
    pub(crate) transaction: Rc<Transaction<B>>,
    /// The unit that this handle was made for: the transaction's own, or one that joined it.
    label: &'u Label,
    // Invariant in `'u`, so that two units' handles have different types and cannot be swapped.
    unit: PhantomData<fn(&'u ()) -> &'u ()>,
}

impl<'u, B: Backend> Tx<'u, B> {
    pub(crate) fn new(transaction: Rc<Transaction<B>>, label: &'u Label) -> Self {
        Self { transaction, label, unit: PhantomData }
    }

    /// Which attempt of the unit this is, counted from 1. A joined unit sees its outermost unit's.
    pub fn attempt(&self) -> u32 {
        self.transaction.attempt
    }

    /// Has the whole transaction rolled back, whatever the body returns. An `Ok` then becomes an error of kind
    /// [`RollbackOnly`](crate::ErrorKind::RollbackOnly): a value is never returned as if it had been committed.
    pub fn set_rollback_only(&mut self) {
        self.transaction.mark(Mark::RollbackOnly { by: self.label.clone() });
    }

    /// Runs `hook` inside the transaction, after the outermost body returned `Ok` and before COMMIT; an error of it rolls
    /// the unit back (kind [`HookRefused`](crate::ErrorKind::HookRefused)), and a panic of it is as one of the body.
    ///
    /// Hooks run in the order of their registration and may register further ones, in at most 100 rounds. Those of a savepoint
    /// that is rolled back never run.
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work]
    /// fn order(tx: &mut Tx, item: u64) -> Result<(), Error> {
    ///     tx.exec_drop("INSERT INTO orders (item) VALUES (?)", (item,))?;
    ///     tx.before_commit(move |tx| tx.exec_drop("UPDATE stock SET n = n - 1 WHERE item = ?", (item,)));
    ///     Ok(())
    /// }
    /// ```
    pub fn before_commit<R: HookResult>(&mut self, hook: impl FnOnce(&mut Tx<'_, B>) -> R + 'static) {
        self.transaction.with_level(|level| level.hooks.before_commit(hook));
    }

    /// Runs `hook` once, after COMMIT was confirmed, the session given back and the thread as before: it may open a unit.
    ///
    /// Hooks run in the order of their registration; those of an attempt that is not committed never run. A hook that fails or
    /// panics cannot change how the unit ended: the failure goes to
    /// [`on_hook_error`](crate::DatabaseBuilder::on_hook_error).
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work]
    /// fn sign_up(tx: &mut Tx, mail: &str) -> Result<(), Error> {
    ///     tx.exec_drop("INSERT INTO member (mail) VALUES (?)", (mail,))?;
    ///     let mail = mail.to_owned();
    ///     tx.after_commit(move || println!("welcome, {mail}"));
    ///     Ok(())
    /// }
    /// ```
    pub fn after_commit<R: HookResult>(&mut self, hook: impl FnOnce() -> R + 'static) {
        self.transaction.with_level(|level| level.hooks.after_commit(hook));
    }

    /// Runs `hook` once with the cause, after this attempt was rolled back, the session given back and the thread as before.
    ///
    /// Registered in a savepoint that is rolled back it runs at once, inside the transaction that goes on.
    ///
    /// It belongs to the attempt that registered it: a unit that is rolled back twice and committed at the third attempt runs
    /// the hooks of its first two attempts, each before the next begins.
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work]
    /// fn upload(tx: &mut Tx, path: &'static str) -> Result<(), Error> {
    ///     tx.exec_drop("INSERT INTO file (path) VALUES (?)", (path,))?;
    ///     tx.after_rollback(move |cause| {
    ///         eprintln!("removing {path}: {cause}");
    ///         std::fs::remove_file(path) // an error goes to `on_hook_error`
    ///     });
    ///     Ok(())
    /// }
    /// ```
    pub fn after_rollback<R: HookResult>(&mut self, hook: impl FnOnce(&Cause) -> R + 'static) {
        self.transaction.with_level(|level| level.hooks.after_rollback(hook));
    }

    /// Runs `hook` once with the error, when COMMIT was sent and not answered. Then no other hook runs: nobody knows which.
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work]
    /// fn pay(tx: &mut Tx, id: u64) -> Result<(), Error> {
    ///     tx.exec_drop("INSERT INTO payment (id) VALUES (?)", (id,))?;
    ///     tx.on_unknown(move |error| eprintln!("look whether payment {id} is there: {error}"));
    ///     Ok(())
    /// }
    /// ```
    pub fn on_unknown<R: HookResult>(&mut self, hook: impl FnOnce(&Error) -> R + 'static) {
        self.transaction.with_level(|level| level.hooks.on_unknown(hook));
    }

    /// A value that lives as long as this attempt, or this savepoint: one per type, shared by all units that join.
    ///
    /// It is made with [`Default`] at the first call; what changes in it sits in a cell of the user's. A savepoint has values of
    /// its own, which go with it when it is rolled back; what is gathered in them reaches the outside by hooks registered there.
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// use std::cell::RefCell;
    ///
    /// #[derive(Default)]
    /// struct Audit(RefCell<Vec<String>>);
    ///
    /// fn audit(tx: &mut Tx, line: &str) {
    ///     let audit = tx.local::<Audit>();
    ///     if audit.0.borrow().is_empty() {
    ///         let lines = audit.clone();
    ///         tx.before_commit(move |tx| {
    ///             tx.exec_batch("INSERT INTO audit (line) VALUES (?)", lines.0.take().into_iter().map(|line| (line,)))
    ///         });
    ///     }
    ///     audit.0.borrow_mut().push(line.to_owned());
    /// }
    /// ```
    pub fn local<T: Default + 'static>(&mut self) -> Rc<T> {
        if let Some(value) = self.transaction.with_level(|level| level.locals.get()) {
            return value;
        }
        // `default` is the user's code: no borrow is held while it runs.
        let value = Rc::new(T::default());
        self.transaction.with_level(|level| level.locals.keep(Rc::clone(&value)));
        self.transaction.with_level(|level| level.locals.get()).unwrap_or(value)
    }

    /// Runs `work` in a savepoint: `Ok` keeps what it did, `Err` undoes that much and no more. What
    /// [`Nested`](crate::Propagation::Nested) does, in place.
    ///
    /// # Errors
    /// What `work` returns; a fault that ended the whole transaction; `Propagation` in a unit without a transaction.
    ///
    /// ```no_run
    /// # use unit_of_work::{unit_of_work, Error, Tx};
    /// #[unit_of_work]
    /// fn import(tx: &mut Tx, rows: &[(u64, &str)]) -> Result<usize, Error> {
    ///     let mut bad = 0;
    ///     for (id, name) in rows {
    ///         let row = tx.savepoint::<_, Error>(|tx| tx.exec_drop("INSERT INTO item VALUES (?, ?)", (id, name)));
    ///         bad += usize::from(row.is_err());
    ///     }
    ///     Ok(bad)
    /// }
    /// ```
    pub fn savepoint<T, E>(&mut self, mut work: impl FnMut(&mut Tx<'_, B>) -> Result<T, E>) -> Result<T, E>
    where
        Result<T, E>: UnitResult<Error = E>,
    {
        let (transaction, label) = (Rc::clone(&self.transaction), self.label);
        returned(|tx, _| work(tx), roll_back, |body| nested(&transaction, label, None, body))
    }
}

impl<B: Backend> fmt::Debug for Tx<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tx(unit {}, attempt {})", self.label, self.transaction.attempt)
    }
}
