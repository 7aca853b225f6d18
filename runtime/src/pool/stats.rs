//! Figures of a pool: what it has now and what happened since it was made. Counted where it happens, read by
//! [`Database::stats`](crate::Database::stats).

use std::sync::atomic::{AtomicU64, Ordering};

/// A pool at one moment. Sessions are counts of server connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Connections that exist, those being opened included.
    pub open: usize,
    /// Idle and belonging to nobody.
    pub free: usize,
    /// Idle and remembered by a thread.
    pub parked: usize,
    /// In use by units, or being opened.
    pub in_use: usize,
    /// Threads in line.
    pub waiting: usize,
    /// Attempts that wait for their turn, because those of their unit get into each other's way (see
    /// [`Admission`](crate::Admission)). They hold no connection.
    pub held_back: usize,
    /// Connections opened so far.
    pub opened: u64,
    /// Connections closed so far.
    pub closed: u64,
    /// Times that a thread had to wait in line.
    pub waited: u64,
    /// Parked sessions that went to another thread.
    pub taken_over: u64,
    /// Waits that ended without a session.
    pub timed_out: u64,
    /// COMMITs without an answer that were found to have happened (`exactly_once`).
    pub resolved_committed: u64,
    /// COMMITs without an answer that were found not to have happened, and never will (`exactly_once`).
    pub resolved_rolled_back: u64,
    /// COMMITs without an answer of units that are `exactly_once`, and could not be resolved in time.
    pub unresolved: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(super) opened: Counter,
    pub(super) closed: Counter,
    pub(super) waited: Counter,
    pub(super) taken_over: Counter,
    pub(super) timed_out: Counter,
    pub(crate) resolved_committed: Counter,
    pub(crate) resolved_rolled_back: Counter,
    pub(crate) unresolved: Counter,
}

impl Counters {
    /// What has happened so far; what there is now is left at nothing.
    pub(super) fn read(&self) -> Stats {
        Stats {
            opened: self.opened.get(),
            closed: self.closed.get(),
            waited: self.waited.get(),
            taken_over: self.taken_over.get(),
            timed_out: self.timed_out.get(),
            resolved_committed: self.resolved_committed.get(),
            resolved_rolled_back: self.resolved_rolled_back.get(),
            unresolved: self.unresolved.get(),
            ..Stats::default()
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
