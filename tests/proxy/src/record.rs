//! What has gone by: the two counters, and the commands themselves while a test records them.
//! Which commands are round trips is decided in `command`.

use std::sync::{Mutex, MutexGuard};

use crate::command::Command;

#[derive(Debug, Default)]
pub(crate) struct Record(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    round_trips: u64,
    connections: u64,
    /// `None` until recording is asked for.
    commands: Option<Vec<Command>>,
}

impl Record {
    /// Counts a connection and returns its number, from 1.
    pub(crate) fn add_connection(&self) -> u64 {
        let mut state = self.state();
        state.connections += 1;
        state.connections
    }

    /// Counts `command`, and keeps it when recording.
    pub(crate) fn add(&self, command: &Command) {
        let mut state = self.state();
        state.round_trips += u64::from(command.kind.is_round_trip());
        if let Some(commands) = &mut state.commands {
            commands.push(command.clone());
        }
    }

    pub(crate) fn round_trips(&self) -> u64 {
        self.state().round_trips
    }

    pub(crate) fn connections(&self) -> u64 {
        self.state().connections
    }

    pub(crate) fn start(&self) {
        self.state().commands = Some(Vec::new());
    }

    /// What was recorded since the last time, or `None` when nobody asked for recording.
    pub(crate) fn take(&self) -> Option<Vec<Command>> {
        self.state().commands.as_mut().map(std::mem::take)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics while it holds this lock")
    }
}
