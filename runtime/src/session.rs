//! A connection as the pool knows it: until when it is to be used, since when idle, and from which epoch. What the engine knows of it is
//! its own matter.

use std::time::{Duration, Instant};

use crate::backend::Backend;

/// One server connection of the pool's.
#[derive(Debug)]
pub(crate) struct Session<B: Backend> {
    /// Boxed, because a session is moved a dozen times in each unit.
    pub(crate) connection: Box<B::Connection>,
    /// When it is to be replaced; `None` = never.
    pub(crate) expires: Option<Instant>,
    pub(crate) idle_since: Instant,
    /// How long who has it now had to wait for it.
    pub(crate) waited: Duration,
    /// The pool's epoch when it was last known to be alive: a connection lost elsewhere makes all older ones doubtful.
    pub(crate) epoch: u64,
}
