//! Who gets a session. The thread's own parked one first, without a contended lock; then a free one, then a new one, then one
//! parked by another thread, else waiting in line (`line`). Connecting, closing and dropping happen with no lock held. What a
//! session can do is the engine's matter; when a unit needs one is `attempt`'s.

mod closing;
mod ghosts;
mod line;
mod slot;
mod stats;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::backend::{Backend, Connection, Connector, Standing};
use crate::clock::Clock;
use crate::fault::Failed;
use crate::label::Label;
use crate::observe;
use crate::session::{Pooled, Session};
use ghosts::Ghosts;
use line::Waiter;
use stats::Counters;

pub(crate) use closing::Closing;
pub(crate) use line::Request;
pub(crate) use slot::{Holding, Slot};
pub use stats::Stats;

/// Sizes and times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_connections: usize,
    pub(crate) min_idle: usize,
    pub(crate) acquire_timeout: Duration,
    pub(crate) ping_after: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) max_lifetime: Duration,
}

#[derive(Debug)]
pub(crate) struct Pool<B: Backend> {
    connector: B::Connector,
    limits: Limits,
    clock: Arc<dyn Clock>,
    state: Mutex<State<B>>,
    /// Length of the queue, to be read without the lock by who parks a session.
    waiting: AtomicUsize,
    closed: AtomicBool,
    /// Counts lost connections: sessions from before the last one are checked before use.
    epoch: AtomicU64,
    emptied: Condvar,
    ghosts: Ghosts<B>,
    counters: Counters,
}

#[derive(Debug)]
struct State<B: Backend> {
    /// Sessions that exist, those being opened included.
    open: usize,
    free: Vec<Session<B>>,
    slots: Vec<Arc<Slot<B>>>,
    queue: VecDeque<Arc<Waiter<B>>>,
}

impl<B: Backend> Pool<B> {
    pub(crate) fn new(connector: B::Connector, limits: Limits, clock: Arc<dyn Clock>) -> Self {
        let state = State { open: 0, free: Vec::new(), slots: Vec::new(), queue: VecDeque::new() };
        Self {
            connector,
            limits,
            clock,
            state: Mutex::new(state),
            waiting: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            epoch: AtomicU64::new(0),
            emptied: Condvar::new(),
            ghosts: Ghosts::default(),
            counters: Counters::default(),
        }
    }

    pub(crate) fn connector(&self) -> &B::Connector {
        &self.connector
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// A place for a thread's own session.
    pub(crate) fn slot(&self) -> Arc<Slot<B>> {
        let slot = Arc::new(Slot::default());
        lock(&self.state).slots.push(Arc::clone(&slot));
        slot
    }

    /// Takes a session for the thread that owns `own`; waits for one as long as it must and may. `unit` is named as its holder until
    /// the guard is dropped. `within`: what is left until the unit's deadline.
    pub(crate) fn acquire<'s>(
        &self,
        own: &'s Slot<B>,
        unit: &Label,
        within: Option<Duration>,
        now: Instant,
    ) -> Result<(Session<B>, Holding<'s, B>), Failed> {
        let holds = match own.take_for(unit, now) {
            Ok((mut session, holding)) => match self.unfit(&session, now) {
                None => {
                    session.waited = Duration::ZERO;
                    return Ok((self.ready(session, now), holding));
                }
                Some(why) => {
                    drop(holding);
                    self.discard(session, why);
                    own.holds()
                }
            },
            Err(holds) => holds,
        };
        let session = self.obtain(Request { holds, within })?;
        Ok((self.ready(session, self.clock.now()), own.held_by(unit, now)))
    }

    fn ready(&self, mut session: Session<B>, now: Instant) -> Session<B> {
        self.lay_ghosts(&mut session);
        self.doubt_if_idle(&mut session, now);
        session
    }

    /// Takes a session back: parked for its thread, handed to who waits, or thrown away if it is broken. When it was parked, if it was.
    pub(crate) fn release(&self, mut session: Session<B>, own: &Slot<B>) -> Option<Instant> {
        if session.connection.standing() == Standing::Touched {
            observe::reset_failed(session.connection.reset());
        }
        if session.connection.standing() != Standing::Clean {
            self.discard(session, Closing::Broken);
            return None;
        }
        let now = self.clock.now();
        if let Some(why) = self.unfit(&session, now) {
            self.discard(session, why);
            return None;
        }
        session.idle_since = now;
        session.epoch = session.epoch.max(self.epoch.load(Ordering::Relaxed));
        let displaced = own.park(session);
        // Pairs with the fences of those who line up and who close: either we see them, or they see what we parked.
        fence(Ordering::SeqCst);
        if self.is_closed() {
            self.close_idle();
        }
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.serve(&mut lock(&self.state));
        }
        if let Some(second) = displaced {
            self.free(second);
        }
        Some(now)
    }

    /// Takes a session that is known to be alive, in place of one that turned out to be dead before anything was sent on it. The
    /// dead one makes all others doubtful, so each is asked before it is used.
    pub(crate) fn exchange(&self, dead: Session<B>, request: Request) -> Result<Session<B>, Failed> {
        let (mut dead, mut waited) = (dead, Duration::ZERO);
        loop {
            self.discard(dead, Closing::Broken);
            let session = self.obtain(request)?;
            let mut session = self.ready(session, self.clock.now());
            waited += session.waited;
            match session.connection.reassure() {
                Ok(()) => {
                    session.waited = waited;
                    return Ok(session);
                }
                Err(_lost_too) => dead = session,
            }
        }
    }

    /// Throws a session away; its place is free at once.
    pub(crate) fn discard(&self, mut session: Session<B>, why: Closing) {
        if session.connection.standing() == Standing::Broken {
            self.epoch.fetch_add(1, Ordering::Relaxed);
            session.connection.shut();
            self.ghosts.remember(session.connection.ghost());
        }
        let number = session.connection.number();
        drop(session);
        observe::closed(number, &self.connector.peer(), why);
        self.counters.closed.count();
        self.forget_one();
    }

    /// A session that will never come back, because what held it was leaked.
    pub(crate) fn abandon(&self, number: u64, ghost: Option<<B::Connection as Connection>::Ghost>) {
        self.ghosts.remember(ghost);
        observe::closed(number, &self.connector.peer(), Closing::Leaked);
        self.counters.closed.count();
        self.forget_one();
    }

    /// Keeps one session for the thread that owns `own`, until [`unkeep`](Pool::unkeep): nobody else can take it over. A thread
    /// that has one already, in use or kept by another scope, needs no second one.
    pub(crate) fn keep(&self, own: &Slot<B>, scope: &Label) -> Result<(), Failed> {
        let now = self.clock.now();
        if own.holds() > 0 || own.has_scope() {
            own.open_scope(scope, now);
        } else {
            let (session, _held) = self.acquire(own, scope, None, now)?;
            own.open_scope(scope, now);
            self.release(session, own);
        }
        Ok(())
    }

    /// The same from the next session on that the thread takes: what it has parked from before is everybody's until then.
    #[cfg(feature = "tokio")]
    pub(crate) fn keep_the_next(&self, own: &Slot<B>, scope: &Label) {
        if !own.has_scope()
            && let Some(parked) = own.take()
        {
            self.free(parked);
        }
        own.open_scope(scope, self.clock.now());
    }

    pub(crate) fn unkeep(&self, own: &Slot<B>) {
        own.close_scope();
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.serve(&mut lock(&self.state));
        }
    }

    /// Called when a thread ends: its parked session goes to who needs it.
    pub(crate) fn leave(&self, own: &Arc<Slot<B>>) {
        let parked = own.take();
        lock(&self.state).slots.retain(|slot| !Arc::ptr_eq(slot, own));
        if let Some(session) = parked {
            self.free(session);
        }
    }

    /// Opens the first session now, to find out early that the settings are right, and as many as are to be kept idle.
    pub(crate) fn open_first(&self) -> Result<(), Failed> {
        for _ in 0..self.limits.min_idle.max(1) {
            lock(&self.state).open += 1;
            let session = self.connect()?;
            self.free(session);
        }
        Ok(())
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = lock(&self.state);
        let (free, parked) = (state.free.len(), state.slots.iter().filter(|slot| slot.is_parked()).count());
        Stats {
            open: state.open,
            free,
            parked,
            in_use: state.open.saturating_sub(free + parked),
            waiting: state.queue.len(),
            ..self.counters.read()
        }
    }
}

/// The last handle is gone: what threads have parked is closed now, and not when they end.
impl<B: Backend> Drop for Pool<B> {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let parked = state.slots.iter().filter_map(|slot| slot.take());
        for session in state.free.drain(..).chain(parked) {
            let number = session.connection.number();
            drop(session);
            observe::closed(number, &self.connector.peer(), Closing::Dropped);
        }
    }
}

/// Single sessions.
impl<B: Backend> Pool<B> {
    /// Opens a session that is already counted.
    fn connect(&self) -> Result<Session<B>, Failed> {
        let epoch = self.epoch.load(Ordering::Relaxed);
        let began = self.clock.now();
        match self.connector.connect() {
            Ok(connection) => {
                self.counters.opened.count();
                let now = self.clock.now();
                observe::opened(connection.number(), &self.connector.peer(), now.saturating_duration_since(began));
                let expires = now.checked_add(self.limits.max_lifetime);
                Ok(Pooled { connection, expires, idle_since: now, waited: Duration::ZERO, epoch }.into())
            }
            Err(failed) => {
                self.forget_one();
                Err(failed)
            }
        }
    }

    fn forget_one(&self) {
        let mut state = lock(&self.state);
        state.open -= 1;
        self.serve(&mut state);
        self.emptied.notify_all();
    }

    /// Puts a session where anybody may take it.
    fn free(&self, session: Session<B>) {
        let mut state = lock(&self.state);
        if self.is_closed() {
            drop(state);
            return self.discard(session, Closing::PoolClosed);
        }
        state.free.push(session);
        self.serve(&mut state);
    }

    /// Why a healthy session is not to be used any more.
    fn unfit(&self, session: &Session<B>, now: Instant) -> Option<Closing> {
        if self.is_closed() {
            return Some(Closing::PoolClosed);
        }
        session.expires.is_some_and(|expires| now > expires).then_some(Closing::Expired)
    }

    fn doubt_if_idle(&self, session: &mut Session<B>, now: Instant) {
        let awake_until = session.idle_since.checked_add(self.limits.ping_after);
        if awake_until.is_some_and(|until| now > until) || session.epoch < self.epoch.load(Ordering::Relaxed) {
            session.connection.doubt();
        }
    }

    /// A connection that was lost may live on at the server and hold locks: the next session that is taken ends it first.
    fn lay_ghosts(&self, session: &mut Session<B>) {
        let Some(ghosts) = self.ghosts.take() else { return };
        for ghost in ghosts {
            let laid = session.connection.lay(&ghost);
            if session.connection.standing() == Standing::Broken {
                // It is the messenger that died: somebody else must go.
                self.ghosts.remember(Some(ghost));
            }
            observe::ghost(laid.map(drop));
        }
    }
}

/// No user code runs under these locks, so a poisoned one only says that a thread was cancelled between two plain assignments.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
