//! What a unit wants done after its end. Kept per attempt, run when the session is back and the thread is as before, so that
//! a hook may open a unit of its own; a hook that fails or panics cannot change how the unit ended.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::backend::Backend;
use crate::error::Error;
use crate::label::Label;
use crate::tx::Tx;

/// Why a unit was rolled back, for `after_rollback` hooks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Cause {
    /// The body returned this error (its `Debug` text).
    Returned(String),
    /// The server or the runtime ended it.
    Fault(Error),
    /// The body panicked.
    Panicked,
    /// It was marked to be rolled back, or a joined unit failed.
    Marked(Error),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned(text) => write!(f, "the body returned {text}"),
            Self::Fault(error) | Self::Marked(error) => fmt::Display::fmt(error, f),
            Self::Panicked => f.write_str("the body panicked"),
        }
    }
}

/// What a hook may return: nothing, or a `Result` whose error is reported to
/// [`on_hook_error`](crate::DatabaseBuilder::on_hook_error).
pub trait HookResult {
    /// The failure's text, if it failed.
    #[doc(hidden)]
    fn failure(self) -> Option<String>;
}

impl HookResult for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<E: fmt::Display> HookResult for Result<(), E> {
    fn failure(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

/// Which hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HookKind {
    /// Registered with `on_unknown`.
    OnUnknown,
    /// Registered with `after_commit`.
    AfterCommit,
    /// Registered with `after_rollback`.
    AfterRollback,
}

impl HookKind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::OnUnknown => "on_unknown",
            Self::AfterCommit => "after_commit",
            Self::AfterRollback => "after_rollback",
        }
    }
}

/// What stands for a unit where a hook belongs to none.
pub(crate) const NO_UNIT: &str = "none";

/// A hook that failed. The unit it belongs to ended as it ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HookFailure {
    /// The unit's name.
    pub unit: String,
    /// Which kind of hook.
    pub hook: HookKind,
    /// What it said, or what it panicked with.
    pub message: String,
}

pub(crate) type BeforeCommit<B> = Box<dyn FnOnce(&mut Tx<'_, B>) -> Option<String>>;
type AfterCommit = Box<dyn FnOnce() -> Option<String>>;
type AfterRollback = Box<dyn FnOnce(&Cause) -> Option<String>>;
type OnUnknown = Box<dyn FnOnce(&Error) -> Option<String>>;

/// The hooks of one attempt, or of one savepoint in it, in order of registration.
pub(crate) struct Hooks<B: Backend> {
    before_commit: Vec<BeforeCommit<B>>,
    after_commit: Vec<AfterCommit>,
    after_rollback: Vec<AfterRollback>,
    on_unknown: Vec<OnUnknown>,
}

impl<B: Backend> Default for Hooks<B> {
    fn default() -> Self {
        Self { before_commit: Vec::new(), after_commit: Vec::new(), after_rollback: Vec::new(), on_unknown: Vec::new() }
    }
}

impl<B: Backend> fmt::Debug for Hooks<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hooks({} after commit, {} after rollback)", self.after_commit.len(), self.after_rollback.len())
    }
}

impl<B: Backend> Hooks<B> {
    pub(crate) fn before_commit<R: HookResult>(&mut self, hook: impl FnOnce(&mut Tx<'_, B>) -> R + 'static) {
        self.before_commit.push(Box::new(move |tx| hook(tx).failure()));
    }

    pub(crate) fn after_commit<R: HookResult>(&mut self, hook: impl FnOnce() -> R + 'static) {
        self.after_commit.push(Box::new(move || hook().failure()));
    }

    pub(crate) fn after_rollback<R: HookResult>(&mut self, hook: impl FnOnce(&Cause) -> R + 'static) {
        self.after_rollback.push(Box::new(move |cause| hook(cause).failure()));
    }

    pub(crate) fn on_unknown<R: HookResult>(&mut self, hook: impl FnOnce(&Error) -> R + 'static) {
        self.on_unknown.push(Box::new(move |error| hook(error).failure()));
    }

    /// Those that are to run before COMMIT. They may register further ones.
    pub(crate) fn take_before_commit(&mut self) -> Vec<BeforeCommit<B>> {
        std::mem::take(&mut self.before_commit)
    }

    /// A released savepoint's hooks are the outer unit's from now on.
    pub(crate) fn absorb(&mut self, inner: Self) {
        self.before_commit.extend(inner.before_commit);
        self.after_commit.extend(inner.after_commit);
        self.after_rollback.extend(inner.after_rollback);
        self.on_unknown.extend(inner.on_unknown);
    }

    /// Runs the hooks of a committed unit; each failure goes to `report`, the others run all the same.
    pub(crate) fn committed(self, unit: &Label, report: &dyn Fn(HookFailure)) {
        let Self { before_commit, after_commit, after_rollback, on_unknown } = self;
        for hook in after_commit {
            attend(unit, HookKind::AfterCommit, hook, report);
        }
        bury(unit, HookKind::AfterCommit, (before_commit, after_rollback, on_unknown), report);
    }

    /// Runs the hooks of a unit, or of a savepoint, that was rolled back.
    pub(crate) fn rolled_back(self, unit: &Label, cause: &Cause, report: &dyn Fn(HookFailure)) {
        let Self { before_commit, after_commit, after_rollback, on_unknown } = self;
        for hook in after_rollback {
            attend(unit, HookKind::AfterRollback, || hook(cause), report);
        }
        bury(unit, HookKind::AfterRollback, (before_commit, after_commit, on_unknown), report);
    }

    /// Runs the hooks of a unit whose COMMIT was not answered.
    pub(crate) fn unknown(self, unit: &Label, error: &Error, report: &dyn Fn(HookFailure)) {
        let Self { before_commit, after_commit, after_rollback, on_unknown } = self;
        for hook in on_unknown {
            attend(unit, HookKind::OnUnknown, || hook(error), report);
        }
        bury(unit, HookKind::OnUnknown, (before_commit, after_commit, after_rollback), report);
    }
}

/// Drops what a unit leaves behind. Users' destructors are hooks of a kind: one that panics must not make a committed unit look
/// like one that failed.
pub(crate) fn bury<T>(unit: &Label, kind: HookKind, remains: T, report: &dyn Fn(HookFailure)) {
    let rest = move || {
        drop(remains);
        None
    };
    attend(unit, kind, rest, report);
}

fn attend(unit: &Label, kind: HookKind, hook: impl FnOnce() -> Option<String>, report: &dyn Fn(HookFailure)) {
    let message = match catch_unwind(AssertUnwindSafe(hook)) {
        Ok(None) => return,
        Ok(Some(message)) => message,
        Err(payload) => format!("it panicked: {}", panic_text(&*payload)),
    };
    report(HookFailure { unit: unit.name().to_owned(), hook: kind, message });
}

/// What a panic said, where it said something in words.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is not text")
}
