//! What belongs to an attempt, or to a savepoint in it, and goes with it: hooks, values, and the wish to roll back. Decides whose
//! level things are put on; what a mark leads to is `settle`'s and `nested`'s.

use super::Transaction;
use crate::backend::Backend;
use crate::hooks::{BeforeCommit, Hooks};
use crate::label::Label;
use crate::local::Locals;
use crate::observe;

/// The attempt's own level, made when something is first put there, and one for each open savepoint.
#[derive(Debug)]
pub(super) struct Levels<B: Backend> {
    own: Option<Box<Level<B>>>,
    savepoints: Vec<Level<B>>,
}

impl<B: Backend> Default for Levels<B> {
    fn default() -> Self {
        Self { own: None, savepoints: Vec::new() }
    }
}

impl<B: Backend> Levels<B> {
    fn innermost(&mut self) -> Option<&mut Level<B>> {
        self.savepoints.last_mut().or(self.own.as_deref_mut())
    }
}

/// What belongs to an attempt or to a savepoint in it, and goes with it.
#[derive(Debug)]
pub(crate) struct Level<B: Backend> {
    pub(crate) mark: Option<Mark>,
    pub(crate) hooks: Hooks<B>,
    pub(crate) locals: Locals,
}

impl<B: Backend> Default for Level<B> {
    fn default() -> Self {
        Self { mark: None, hooks: Hooks::default(), locals: Locals::default() }
    }
}

/// A wish to roll back that came from inside.
#[derive(Debug, Clone)]
pub(crate) enum Mark {
    /// Somebody called `set_rollback_only`.
    RollbackOnly {
        /// The unit that did.
        by: Label,
    },
    /// A joined unit failed.
    Failed {
        /// That unit.
        unit: Label,
        /// The `Debug` text of its error.
        text: String,
    },
}

impl<B: Backend> Transaction<B> {
    /// Marks the innermost savepoint, or the whole where there is none. The first mark stands.
    pub(crate) fn mark(&self, mark: Mark) {
        observe::marked(&self.unit, self.attempt, &mark);
        self.with_level(|level| level.mark.get_or_insert(mark).clone());
    }

    pub(crate) fn marked(&self) -> Option<Mark> {
        self.levels.borrow_mut().innermost().and_then(|level| level.mark.clone())
    }

    /// Hooks of the innermost level that are to run before COMMIT.
    pub(crate) fn take_before_commit(&self) -> Vec<BeforeCommit<B>> {
        self.levels.borrow_mut().innermost().map_or_else(Vec::new, |level| level.hooks.take_before_commit())
    }

    /// Works on the innermost level. No user code may run in `work`: the levels are borrowed.
    pub(crate) fn with_level<R>(&self, work: impl FnOnce(&mut Level<B>) -> R) -> R {
        let Levels { own, savepoints } = &mut *self.levels.borrow_mut();
        work(savepoints.last_mut().unwrap_or_else(|| own.get_or_insert_default()))
    }

    pub(crate) fn push_level(&self) {
        self.levels.borrow_mut().savepoints.push(Level::default());
    }

    pub(crate) fn pop_level(&self) -> Level<B> {
        self.levels.borrow_mut().savepoints.pop().expect("each savepoint pops the level that it pushed")
    }

    /// Takes over what a savepoint leaves that is not rolled back by itself.
    pub(crate) fn absorb(&self, inner: Level<B>) {
        let displaced = self.with_level(|level| {
            level.hooks.absorb(inner.hooks);
            level.locals.absorb(inner.locals)
        });
        drop(displaced);
    }

    /// What outlives the transaction, if there is anything: its hooks and its values.
    pub(crate) fn take_own_level(&self) -> Option<Box<Level<B>>> {
        self.levels.borrow_mut().own.take()
    }
}
