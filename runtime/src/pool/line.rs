//! Waiting for a session: first come first served, with a limit, and refused at once where waiting could never end.

use std::collections::VecDeque;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Pool, State, lock};
use crate::backend::Backend;
use crate::error::ErrorKind;
use crate::fault::{Again, Failed, Undone};
use crate::observe;
use crate::session::Session;

/// One thread in line.
#[derive(Debug)]
pub(super) struct Waiter<B: Backend> {
    grant: Mutex<Option<Grant<B>>>,
    granted: Condvar,
    /// Sessions that this thread holds while it waits.
    holds: usize,
}

#[derive(Debug)]
pub(super) enum Grant<B: Backend> {
    Session(Session<B>),
    /// May open one; it is already counted.
    Permit,
    Closed,
}

/// How a thread asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    /// Sessions of this pool that the thread holds already, and will not give back while it waits.
    pub(crate) holds: usize,
    /// What is left until the unit's deadline.
    pub(crate) within: Option<Duration>,
}

impl<B: Backend> Pool<B> {
    /// Gets a session that is not the thread's own parked one.
    pub(super) fn obtain(&self, request: Request) -> Result<Session<B>, Failed> {
        // Real time, as in `wait`.
        let began = Instant::now();
        self.prune();
        let waiter = Arc::new(Waiter { grant: Mutex::default(), granted: Condvar::new(), holds: request.holds });
        self.line_up(&waiter)?;
        let mut session = match self.wait(&waiter, request)? {
            Grant::Session(session) => session,
            Grant::Permit => self.connect()?,
            Grant::Closed => return Err(closed()),
        };
        session.waited = began.elapsed();
        Ok(session)
    }

    fn line_up(&self, waiter: &Arc<Waiter<B>>) -> Result<(), Failed> {
        let mut state = lock(&self.state);
        if self.is_closed() {
            return Err(closed());
        }
        state.queue.push_back(Arc::clone(waiter));
        self.waiting.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.serve(&mut state);
        self.refuse_a_circle(&mut state, waiter)
    }

    /// Gives what there is to those in line, first come first served.
    pub(super) fn serve(&self, state: &mut State<B>) {
        while !state.queue.is_empty() {
            let Some(grant) = self.grant(state) else { return };
            let Some(first) = state.queue.pop_front() else { return };
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            first.give(grant);
        }
    }

    fn grant(&self, state: &mut State<B>) -> Option<Grant<B>> {
        if let Some(session) = state.free.pop() {
            return Some(Grant::Session(session));
        }
        if state.open < self.limits.max_connections {
            state.open += 1;
            return Some(Grant::Permit);
        }
        let session = state.slots.iter().find_map(|slot| slot.take_over())?;
        self.counters.taken_over.count();
        Some(Grant::Session(session))
    }

    /// When every session is held by a thread that itself waits for one, nobody will ever give one back. Who completes such a
    /// circle is refused at once; the others go on when it ends its unit.
    fn refuse_a_circle(&self, state: &mut State<B>, last: &Arc<Waiter<B>>) -> Result<(), Failed> {
        let held: usize = state.queue.iter().map(|waiter| waiter.holds).sum();
        if last.holds == 0 || held < self.limits.max_connections || !leave(&mut state.queue, last) {
            return Ok(());
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.counters.timed_out.count();
        let detail = format!(
            "refused at once: all {} connections are held by units that themselves wait for a second one, so none would become \
             free ({}); raise `max_connections` above the number of threads that run such units",
            self.limits.max_connections,
            self.holders(state),
        );
        Err(Failed::of(ErrorKind::PoolTimeout, Undone::Nothing, Again::Never, detail))
    }

    fn wait(&self, waiter: &Arc<Waiter<B>>, request: Request) -> Result<Grant<B>, Failed> {
        let patience = request.within.map_or(self.limits.acquire_timeout, |left| left.min(self.limits.acquire_timeout));
        // Real time, not the replaceable clock: a condition variable knows no other.
        let began = Instant::now();
        let at_once = lock(&waiter.grant).take();
        if let Some(grant) = at_once {
            return Ok(grant);
        }
        self.counters.waited.count();
        // Until this returns, and with no lock held at either end: who counts is user code.
        let _in_line = observe::in_line();
        match waiter.granted(patience, began) {
            Some(grant) => Ok(grant),
            None => self.give_up(waiter, request),
        }
    }

    /// The time is up. Who was served in the same moment takes what was given.
    fn give_up(&self, waiter: &Arc<Waiter<B>>, request: Request) -> Result<Grant<B>, Failed> {
        let mut state = lock(&self.state);
        if !leave(&mut state.queue, waiter) {
            let given = lock(&waiter.grant).take();
            return given.ok_or_else(closed);
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.counters.timed_out.count();
        let kind = match request.within {
            Some(left) if left < self.limits.acquire_timeout => ErrorKind::Timeout,
            Some(_) | None => ErrorKind::PoolTimeout,
        };
        Err(Failed::of(kind, Undone::Nothing, Again::Never, self.exhausted(&state, request)))
    }

    fn exhausted(&self, state: &State<B>, request: Request) -> String {
        let parked = state.slots.iter().filter(|slot| slot.is_parked()).count();
        format!(
            "no session became free within {:?}: {} of {} connections are open ({parked} parked, {} free), {} more threads wait; {}; \
             shorten the units, or raise `max_connections`",
            request.within.map_or(self.limits.acquire_timeout, |left| left.min(self.limits.acquire_timeout)),
            state.open,
            self.limits.max_connections,
            state.free.len(),
            state.queue.len(),
            self.holders(state),
        )
    }

    /// Which units hold sessions, and for how long.
    pub(super) fn holders(&self, state: &State<B>) -> String {
        let now = self.clock.now();
        let mut held: Vec<_> = state.slots.iter().flat_map(|slot| slot.holders(now)).collect();
        held.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        if held.is_empty() {
            return "no unit holds one".to_owned();
        }
        let named = held.iter().take(NAMED).map(|(unit, time)| format!("{unit} for {time:.1?}"));
        let more = held.len().saturating_sub(NAMED);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("held by {}{rest}", named.collect::<Vec<_>>().join(", "))
    }
}

/// Holders named in a message; the longest first.
const NAMED: usize = 8;

fn leave<B: Backend>(queue: &mut VecDeque<Arc<Waiter<B>>>, waiter: &Arc<Waiter<B>>) -> bool {
    let before = queue.len();
    queue.retain(|other| !Arc::ptr_eq(other, waiter));
    queue.len() < before
}

impl<B: Backend> Waiter<B> {
    /// What is given within `patience` since `began`.
    fn granted(&self, patience: Duration, began: Instant) -> Option<Grant<B>> {
        let mut grant = lock(&self.grant);
        loop {
            if grant.is_some() {
                return grant.take();
            }
            let left = patience.saturating_sub(began.elapsed());
            if left.is_zero() {
                return None;
            }
            grant = self.granted.wait_timeout(grant, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(super) fn give(&self, grant: Grant<B>) {
        *lock(&self.grant) = Some(grant);
        self.granted.notify_one();
    }
}

pub(super) fn closed() -> Failed {
    Failed::of(
        ErrorKind::Closed,
        Undone::Nothing,
        Again::Never,
        "the database handle was closed; no unit begins any more",
    )
}
