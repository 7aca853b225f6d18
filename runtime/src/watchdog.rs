//! Deadlines that must be kept while a thread is blocked in a statement. One thread for the process, which exists only once a
//! unit with a deadline sends a statement; it runs what it was given, at the time it was given, unless that was withdrawn.

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Instant;

/// What is done at a deadline: first what must be quick, because it is waited for; then what may take its time.
struct Action {
    stop: Box<dyn FnOnce() + Send>,
    clean: Box<dyn FnOnce() + Send>,
}

#[derive(Default)]
struct Watchdog {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    watched: BTreeMap<(Instant, u64), Action>,
    running: HashSet<u64>,
    last: u64,
}

static WATCHDOG: OnceLock<Watchdog> = OnceLock::new();

/// Runs `stop` and then `clean` at `deadline`, on a thread of their own, unless the guard is dropped before. Whoever drops the
/// guard waits for `stop` and not for `clean`.
pub(crate) fn watch(
    deadline: Instant,
    stop: impl FnOnce() + Send + 'static,
    clean: impl FnOnce() + Send + 'static,
) -> Watch {
    let watchdog = WATCHDOG.get_or_init(|| {
        // Without a thread no deadline is kept in the middle of a statement; it is noticed at the next one.
        let _unwatched = thread::Builder::new().name("unit-of-work-watchdog".into()).spawn(|| WATCHDOG.wait().run());
        Watchdog::default()
    });
    let mut state = watchdog.lock();
    state.last += 1;
    let key = (deadline, state.last);
    state.watched.insert(key, Action { stop: Box::new(stop), clean: Box::new(clean) });
    watchdog.changed.notify_all();
    Watch { watchdog, key }
}

/// Made by [`watch`].
#[must_use = "dropping it withdraws the action"]
pub(crate) struct Watch {
    watchdog: &'static Watchdog,
    key: (Instant, u64),
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Watch({})", self.key.1)
    }
}

/// Whether what was watched for has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fired {
    No,
    Yes,
}

impl Watch {
    /// Withdraws the action, or says that it was too late for that.
    pub(crate) fn withdraw(self) -> Fired {
        match self.watchdog.lock().watched.remove(&self.key) {
            Some(_withdrawn) => Fired::No,
            None => Fired::Yes,
        }
    }
}

impl Drop for Watch {
    /// An action that runs already is waited for: it works on the connection that is given back next.
    fn drop(&mut self) {
        let mut state = self.watchdog.lock();
        state.watched.remove(&self.key);
        while state.running.contains(&self.key.1) {
            state = self.watchdog.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Watchdog {
    fn run(&'static self) {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let next = state.watched.keys().next().copied();
            state = match next {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some((deadline, _)) if deadline > now => {
                    self.changed.wait_timeout(state, deadline - now).unwrap_or_else(PoisonError::into_inner).0
                }
                Some(key) => {
                    let action = state.watched.remove(&key);
                    state.running.insert(key.1);
                    drop(state);
                    self.start(key.1, action);
                    self.lock()
                }
            };
        }
    }

    /// On a thread of its own, because cleaning up takes its time and other deadlines must not wait for it; here, when there can
    /// be no thread.
    fn start(&'static self, id: u64, action: Option<Action>) {
        let ours = Arc::new(Mutex::new(action));
        let theirs = Arc::clone(&ours);
        let thread = thread::Builder::new().name("unit-of-work-deadline".into());
        if thread.spawn(move || self.perform(id, &theirs)).is_err() {
            self.perform(id, &ours);
        }
    }

    fn perform(&self, id: u64, action: &Mutex<Option<Action>>) {
        let Some(Action { stop, clean }) = action.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        // Who waits for the end of this must not wait for ever because the driver panicked in it.
        let _panicked = catch_unwind(AssertUnwindSafe(stop));
        self.lock().running.remove(&id);
        self.changed.notify_all();
        let _panicked = catch_unwind(AssertUnwindSafe(clean));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_due_runs_and_what_was_withdrawn_does_not() {
        let (sender, receiver) = mpsc::channel();
        let (due, withdrawn) = (sender.clone(), sender);
        let soon = Instant::now() + Duration::from_millis(20);
        let never = watch(soon, move || withdrawn.send("withdrawn").unwrap_or_default(), || {});
        assert_eq!(never.withdraw(), Fired::No);
        let watch = watch(soon, move || due.send("due").unwrap_or_default(), || {});
        assert_eq!(receiver.recv(), Ok("due"));
        assert_eq!(watch.withdraw(), Fired::Yes);
        assert!(receiver.recv().is_err(), "both senders are gone, and only one has sent");
    }
}
