//! Everything that the test's threads set and the proxy's threads obey, and the order in which a proxy ends.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::live::Live;
use crate::plan::Plans;
use crate::record::Record;

#[derive(Debug, Default)]
pub(crate) struct Controls {
    pub(crate) record: Record,
    pub(crate) plans: Plans,
    pub(crate) live: Live,
    settings: Mutex<Settings>,
}

#[derive(Debug, Default)]
struct Settings {
    door: Door,
    delay: Duration,
}

/// What happens to a new connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Door {
    /// It is passed on to the server.
    #[default]
    Open,
    /// It is closed at once.
    Refusing,
    /// It is accepted and never answered.
    BlackHole,
}

impl Controls {
    pub(crate) fn set_door(&self, door: Door) {
        self.settings().door = door;
    }

    pub(crate) fn door(&self) -> Door {
        self.settings().door
    }

    pub(crate) fn set_delay(&self, delay: Duration) {
        self.settings().delay = delay;
    }

    /// Waits as long as a command is to be delayed.
    pub(crate) fn pause(&self) {
        let delay = self.settings().delay;
        if !delay.is_zero() {
            self.live.pause(delay);
        }
    }

    /// Ends the proxy. Sockets are closed before gates open, so that nothing held reaches the server by this.
    pub(crate) fn shut_down(&self) {
        self.live.end();
        self.plans.open_all_gates();
    }

    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().expect("nothing panics while it holds this lock")
    }
}
