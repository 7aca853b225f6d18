//! What a scripted server says about itself while a connection is opened or reset. Answered as a `MariaDB` would, unless a test asks
//! for something else, and not logged: what tests look at begins after it.

use mysql::{Row, Value};

use super::{Script, row};
use crate::backend::mysql::opening::WHERE_AM_I;
use crate::backend::mysql::wire::{Answer, Request, SessionState, Tracked};

/// What a server is like. Seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct About {
    tracking: SessionState,
    isolation: &'static str,
    handshake_offset: u32,
    uptime: u32,
    /// Added to the server's id.
    moved: u32,
    /// Added to its start, in thousands.
    restarts: u32,
}

/// The server's clock.
const NOW_S: u32 = 1_000_000;

impl Default for About {
    fn default() -> Self {
        Self {
            tracking: SessionState::Changed,
            isolation: "SERIALIZABLE",
            handshake_offset: 0,
            uptime: 1000,
            moved: 0,
            restarts: 0,
        }
    }
}

impl Script {
    /// From now on the server is one behind a proxy: it offers no session tracking, and its connection ids are others than the
    /// handshake's.
    pub fn behind_a_proxy(&self) {
        self.without_tracking();
        self.with_other_connection_ids();
    }

    /// From now on the server offers no session tracking.
    pub fn without_tracking(&self) {
        self.state().about.tracking = SessionState::AsBefore;
    }

    /// From now on the connection ids of handshakes are others than those that the server knows.
    pub fn with_other_connection_ids(&self) {
        self.state().about.handshake_offset = 1000;
    }

    /// From now on connections lead to another server, as after a replica was promoted.
    pub fn fail_over(&self) {
        self.state().about.moved += 1;
    }

    /// From now on the server is one that was started again: what was open there is gone.
    pub fn restart(&self) {
        self.state().about.restarts += 1;
    }

    /// From now on it is a server that was started so many seconds ago; before, it was 1000.
    pub fn restarted(&self, seconds_ago: u32) {
        self.state().about.uptime = seconds_ago;
    }

    /// From now on the server takes any isolation level and keeps `REPEATABLE READ`, as `TiDB` does with
    /// `tidb_skip_isolation_level_check`.
    pub fn weaken_isolation(&self) {
        self.state().about.isolation = "REPEATABLE-READ";
    }
}

impl About {
    pub(super) fn handshake(self, id: u32) -> u32 {
        id + self.handshake_offset
    }

    /// The answer, if this is a part of the opening.
    pub(super) fn opening(self, id: u32, request: &Request<'_>, rows: &mut dyn FnMut(Row)) -> Option<Answer> {
        let Request::Query(sql) = request else { return None };
        if sql.contains("session_track_state_change") {
            let tracked = Tracked { state: self.tracking, ..Tracked::default() };
            return Some(Answer { tracked, ..Answer::default() });
        }
        if *sql == WHERE_AM_I {
            rows(row(&["DATABASE()".into()], vec![Value::NULL]));
            return Some(Answer::default());
        }
        if !sql.contains("SHOW GLOBAL STATUS LIKE 'Uptime'") {
            return None;
        }
        let about = self.figures(id);
        rows(row(&vec![String::new(); about.len()], about));
        for (name, value) in [("Uptime", Value::from(self.uptime)), ("tx_isolation", self.isolation.into())] {
            rows(row(&["Variable_name".into(), "Value".into()], vec![name.into(), value]));
        }
        Some(Answer::default())
    }

    fn figures(self, id: u32) -> Vec<Value> {
        vec![
            Value::from(id),
            Value::from("scripted"),
            Value::from(3306),
            Value::from(1 + self.moved),
            Value::from(NOW_S + 1000 * self.restarts),
            Value::from(16 << 20),
            Value::from(""),
            Value::from(0),
            Value::from(50),
            Value::from(86_400),
            Value::from("10.11.6-MariaDB"),
            Value::from(1),
            Value::from(0),
            Value::from(0),
        ]
    }
}
