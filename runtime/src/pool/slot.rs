//! What a thread has of a pool: its parked session between units, whether a scope keeps it for the thread, and who holds
//! sessions on the thread right now, for messages. The owner's lock is contended only while somebody takes over.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::backend::Backend;
use crate::label::Label;
use crate::observe;
use crate::session::Session;

#[derive(Debug)]
pub(crate) struct Slot<B: Backend>(Mutex<Content<B>>);

#[derive(Debug)]
struct Content<B: Backend> {
    parked: Option<Session<B>>,
    scopes: Vec<(Label, Instant)>,
    holders: Vec<(Label, Instant)>,
}

impl<B: Backend> Default for Slot<B> {
    fn default() -> Self {
        Self(Mutex::new(Content { parked: None, scopes: Vec::new(), holders: Vec::new() }))
    }
}

impl<B: Backend> Slot<B> {
    /// Takes the owner's parked session.
    pub(super) fn take(&self) -> Option<Session<B>> {
        self.lock().parked.take()
    }

    /// Takes it and names who holds it from now on; where there is none: what the thread [holds](Slot::holds).
    pub(super) fn take_for(&self, unit: &Label, now: Instant) -> Result<(Session<B>, Holding<'_, B>), usize> {
        let mut content = self.lock();
        let Some(session) = content.parked.take() else { return Err(content.holds()) };
        content.holders.push((unit.clone(), now));
        // Who counts is user code, which may look at the pool.
        drop(content);
        Ok((session, Holding { slot: self, _counted: observe::in_use() }))
    }

    /// Takes it for another thread: not what a scope keeps.
    pub(super) fn take_over(&self) -> Option<Session<B>> {
        let mut content = self.lock();
        if content.scopes.is_empty() { content.parked.take() } else { None }
    }

    /// Takes it if it was idle since before `limit`.
    pub(super) fn take_idle_since(&self, limit: Instant) -> Option<Session<B>> {
        let mut content = self.lock();
        let idle =
            content.scopes.is_empty() && content.parked.as_ref().is_some_and(|session| session.idle_since < limit);
        if idle { content.parked.take() } else { None }
    }

    /// Parks a session; gives back the one that was parked before.
    pub(super) fn park(&self, session: Session<B>) -> Option<Session<B>> {
        self.lock().parked.replace(session)
    }

    pub(super) fn is_parked(&self) -> bool {
        self.lock().parked.is_some()
    }

    /// Sessions of this pool that the thread has and will not give back while it waits for another.
    pub(crate) fn holds(&self) -> usize {
        self.lock().holds()
    }

    /// From now on what is parked here is kept for the thread.
    pub(super) fn open_scope(&self, scope: &Label, now: Instant) {
        self.lock().scopes.push((scope.clone(), now));
    }

    pub(super) fn close_scope(&self) {
        self.lock().scopes.pop();
    }

    pub(super) fn has_scope(&self) -> bool {
        !self.lock().scopes.is_empty()
    }

    /// Names who holds a session on this thread, until the guard drops.
    pub(super) fn held_by(&self, unit: &Label, now: Instant) -> Holding<'_, B> {
        self.lock().holders.push((unit.clone(), now));
        Holding { slot: self, _counted: observe::in_use() }
    }

    /// The same where no guard can live as long: until [`let_go`](Self::let_go).
    #[cfg(feature = "testing")]
    pub(crate) fn hold(&self, holder: &Label, now: Instant) {
        self.lock().holders.push((holder.clone(), now));
    }

    /// Undoes [`hold`](Self::hold).
    #[cfg(feature = "testing")]
    pub(crate) fn let_go(&self, holder: &Label) {
        let mut content = self.lock();
        if let Some(at) = content.holders.iter().rposition(|(other, _)| other == holder) {
            content.holders.remove(at);
        }
    }

    pub(super) fn holders(&self, now: Instant) -> Vec<(Label, Duration)> {
        let content = self.lock();
        let kept = content.scopes.first().filter(|_| content.parked.is_some());
        let held = content.holders.iter().chain(kept);
        held.map(|(unit, since)| (unit.clone(), now.saturating_duration_since(*since))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Content<B>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: Backend> Content<B> {
    fn holds(&self) -> usize {
        self.holders.len() + usize::from(!self.scopes.is_empty() && self.parked.is_some())
    }
}

/// Made by [`Slot::take_for`] and [`Slot::held_by`].
#[must_use = "the holder is named only while this lives"]
#[derive(Debug)]
pub(crate) struct Holding<'s, B: Backend> {
    slot: &'s Slot<B>,
    _counted: observe::Level,
}

impl<B: Backend> Drop for Holding<'_, B> {
    fn drop(&mut self) {
        self.slot.lock().holders.pop();
    }
}
