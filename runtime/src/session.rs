//! A connection as the pool knows it: until when it is to be used, since when idle, and from which epoch. What the engine knows of it is
//! its own matter.

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use crate::backend::Backend;

/// One server connection of the pool's. Boxed, because it is moved twice in each statement and a dozen times in each unit.
#[derive(Debug)]
pub(crate) struct Session<B: Backend>(Box<Pooled<B>>);

/// What the pool knows of it.
#[derive(Debug)]
pub(crate) struct Pooled<B: Backend> {
    pub(crate) connection: B::Connection,
    /// When it is to be replaced; `None` = never.
    pub(crate) expires: Option<Instant>,
    pub(crate) idle_since: Instant,
    /// How long who has it now had to wait for it.
    pub(crate) waited: Duration,
    /// The pool's epoch when it was last known to be alive: a connection lost elsewhere makes all older ones doubtful.
    pub(crate) epoch: u64,
}

impl<B: Backend> From<Pooled<B>> for Session<B> {
    fn from(pooled: Pooled<B>) -> Self {
        Self(Box::new(pooled))
    }
}

impl<B: Backend> Deref for Session<B> {
    type Target = Pooled<B>;

    fn deref(&self) -> &Pooled<B> {
        &self.0
    }
}

impl<B: Backend> DerefMut for Session<B> {
    fn deref_mut(&mut self) -> &mut Pooled<B> {
        &mut self.0
    }
}
