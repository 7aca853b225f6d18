//! The place where a held packet waits, and the handle by which a test waits for it and lets it go.
//! Which packet is held is decided in `plan`.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// How long [`Hold::wait`] waits: far longer than any packet needs on a busy machine, short enough for a test that fails.
const ARRIVAL_BOUND: Duration = Duration::from_secs(30);

/// One packet that stops in the proxy. Dropping it releases the packet, also one that has yet to come.
#[derive(Debug)]
#[must_use = "dropping a Hold releases it at once"]
pub struct Hold(Arc<Gate>);

impl Hold {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        Self(gate)
    }

    /// Waits until the packet stands in the proxy, at most 30 seconds, and tells whether it came. It stays true after a
    /// release.
    #[must_use = "false means that the packet never came"]
    pub fn wait(&self) -> bool {
        self.0.wait_for_arrival(ARRIVAL_BOUND)
    }

    /// Lets the packet go on. A packet that has yet to come will not stop.
    pub fn release(&self) {
        self.0.open();
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.release();
    }
}

/// Closed until it is opened, then open for ever.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    arrived: bool,
    open: bool,
}

impl Gate {
    /// Announces the packet and waits until the gate is open.
    pub(crate) fn pass(&self) {
        let mut state = self.state();
        state.arrived = true;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |state| !state.open));
    }

    pub(crate) fn open(&self) {
        self.state().open = true;
        self.changed.notify_all();
    }

    fn wait_for_arrival(&self, bound: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.state(), bound, |state| !state.arrived);
        waited.expect("nothing panics while it holds this lock").0.arrived
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds this lock")
    }
}
