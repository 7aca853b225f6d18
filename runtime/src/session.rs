//! A connection as the pool knows it: how old it is, since when idle, and from which epoch. What the engine knows of it is
//! its own matter.

use std::time::{Duration, Instant};

use crate::backend::Backend;

/// One server connection of the pool's.
#[derive(Debug)]
pub(crate) struct Session<B: Backend> {
    pub(crate) connection: B::Connection,
    pub(crate) opened: Instant,
    pub(crate) idle_since: Instant,
    /// How long who has it now had to wait for it.
    pub(crate) waited: Duration,
    /// The pool's epoch when it was last known to be alive: a connection lost elsewhere makes all older ones doubtful.
    pub(crate) epoch: u64,
}
