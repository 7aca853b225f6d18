//! When sessions are closed: what was idle for too long, and everything at the end. Why a single one is thrown away is said by
//! who does it.

use std::fmt;
use std::sync::PoisonError;
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

use super::line::Grant;
use super::{Pool, State, lock};
use crate::backend::Backend;
use crate::session::Session;

/// Why a session is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    Broken,
    Expired,
    Idle,
    PoolClosed,
    /// What held it was leaked.
    Leaked,
    /// The last handle of the database is gone.
    Dropped,
}

impl Closing {
    /// In one word.
    #[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "a label of a metric"))]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Expired => "expired",
            Self::Idle => "idle",
            Self::PoolClosed => "closed",
            Self::Leaked => "leaked",
            Self::Dropped => "dropped",
        }
    }
}

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broken => "lost, out of step or left open",
            Self::Expired => "older than `max_lifetime`",
            Self::Idle => "idle for longer than `idle_timeout`",
            Self::PoolClosed => "the database handle was closed",
            Self::Leaked => "a guard that held it was leaked",
            Self::Dropped => "the last handle of the database was dropped",
        })
    }
}

impl<B: Backend> Pool<B> {
    /// Lets nobody in any more, closes idle sessions, and waits at most `timeout` for the others.
    ///
    /// # Errors
    /// Who holds those that are left.
    pub(crate) fn close(&self, timeout: Duration) -> Result<(), String> {
        self.closed.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.close_idle();
        let state = lock(&self.state);
        let (state, _) = self
            .emptied
            .wait_timeout_while(state, timeout, |state| state.open > 0)
            .unwrap_or_else(PoisonError::into_inner);
        match state.open {
            0 => Ok(()),
            left => Err(format!(
                "{left} connections are still in use after {timeout:?}, {}; they are closed when their units end",
                self.holders(&state)
            )),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    pub(super) fn close_idle(&self) {
        let idle = {
            let mut state = lock(&self.state);
            for waiter in state.queue.drain(..) {
                waiter.give(Grant::Closed);
            }
            self.waiting.store(0, Ordering::Relaxed);
            let mut idle = std::mem::take(&mut state.free);
            idle.extend(state.slots.iter().filter_map(|slot| slot.take()));
            idle
        };
        for session in idle {
            self.discard(session, Closing::PoolClosed);
        }
    }

    /// Closes what was idle for too long, but for those that are to be kept. There is no thread for it: it is done when somebody
    /// asks for a session.
    pub(super) fn prune(&self) {
        let Some(limit) = self.clock.now().checked_sub(self.limits.idle_timeout) else { return };
        let idle = self.take_idle_since(&mut lock(&self.state), limit);
        for session in idle {
            self.discard(session, Closing::Idle);
        }
    }

    fn take_idle_since(&self, state: &mut State<B>, limit: Instant) -> Vec<Session<B>> {
        let mut spare = state.open.saturating_sub(self.limits.min_idle);
        let mut idle = Vec::new();
        let (free, slots) = (&mut state.free, &state.slots);
        while spare > 0 {
            let old = free.iter().position(|session| session.idle_since < limit).map(|at| free.swap_remove(at));
            let Some(session) = old.or_else(|| slots.iter().find_map(|slot| slot.take_idle_since(limit))) else {
                break;
            };
            idle.push(session);
            spare -= 1;
        }
        idle
    }
}
