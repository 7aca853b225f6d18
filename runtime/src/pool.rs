//! Who gets a session. The thread's own parked one first, without a contended lock; then a free one, then a new one, then one
//! parked by another thread, else waiting in line. Connecting, closing and dropping happen with no lock held. What a session
//! can do is the engine's matter; when a unit needs one is `attempt`'s.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::backend::{Backend, Connection, Connector, Standing};
use crate::clock::Clock;
use crate::error::ErrorKind;
use crate::fault::{Again, Failed, Undone};
use crate::ghosts::Ghosts;
use crate::observe;
use crate::session::Session;

/// Sizes and times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_connections: usize,
    pub(crate) acquire_timeout: Duration,
    pub(crate) ping_after: Duration,
    pub(crate) max_lifetime: Duration,
}

/// Where one thread parks its session between units. The owner's lock is contended only while somebody takes over.
pub(crate) type Slot<B> = Mutex<Option<Session<B>>>;

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
}

#[derive(Debug)]
struct State<B: Backend> {
    /// Sessions that exist, those being opened included.
    open: usize,
    free: Vec<Session<B>>,
    slots: Vec<Arc<Slot<B>>>,
    queue: VecDeque<Arc<Waiter<B>>>,
}

/// One thread in line.
#[derive(Debug)]
struct Waiter<B: Backend> {
    grant: Mutex<Option<Grant<B>>>,
    granted: Condvar,
    /// Sessions that this thread holds while it waits.
    holds: usize,
}

#[derive(Debug)]
enum Grant<B: Backend> {
    Session(Session<B>),
    /// May open one; it is already counted.
    Permit,
    Closed,
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
        }
    }

    pub(crate) fn connector(&self) -> &B::Connector {
        &self.connector
    }

    /// A place for a thread's own session.
    pub(crate) fn slot(&self) -> Arc<Slot<B>> {
        let slot = Arc::new(Slot::default());
        lock(&self.state).slots.push(Arc::clone(&slot));
        slot
    }

    /// Takes a session for the thread that owns `own`; waits for one at most `acquire_timeout`.
    /// `holds`: sessions of this pool that the thread holds already, and will not give back while it waits.
    pub(crate) fn acquire(&self, own: &Slot<B>, holds: usize) -> Result<Session<B>, Failed> {
        let parked = lock(own).take();
        let mut session = match parked {
            Some(session) if !self.is_closed_to(&session) => session,
            Some(expired) => {
                self.discard(expired);
                self.obtain(holds)?
            }
            None => self.obtain(holds)?,
        };
        self.lay_ghosts(&mut session);
        self.doubt_if_idle(&mut session);
        Ok(session)
    }

    /// Takes a session until the guard drops, also on unwinding.
    pub(crate) fn hold<'p>(&'p self, own: &'p Slot<B>) -> Result<Held<'p, B>, Failed> {
        Ok(Held { pool: self, own, session: Some(self.acquire(own, 0)?) })
    }

    /// Takes a session back: parked for its thread, handed to who waits, or thrown away if it is broken.
    pub(crate) fn release(&self, mut session: Session<B>, own: &Slot<B>) {
        if session.connection.standing() == Standing::Touched {
            observe::reset_failed(session.connection.reset());
        }
        if session.connection.standing() != Standing::Clean || self.is_closed_to(&session) {
            return self.discard(session);
        }
        session.idle_since = self.clock.now();
        session.epoch = session.epoch.max(self.epoch.load(Ordering::Relaxed));
        let displaced = lock(own).replace(session);
        // Pairs with the fences in `obtain` and `drain`: either we see the waiter or the closing, or they see what we parked.
        fence(Ordering::SeqCst);
        if self.is_closed() {
            self.drain().into_iter().for_each(|idle| self.discard(idle));
        }
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.serve(&mut lock(&self.state));
        }
        if let Some(second) = displaced {
            self.free(second);
        }
    }

    /// Replaces a session that turned out to be dead before anything was sent on it.
    pub(crate) fn exchange(&self, dead: Session<B>, holds: usize) -> Result<Session<B>, Failed> {
        self.discard(dead);
        let mut session = self.obtain(holds)?;
        self.lay_ghosts(&mut session);
        Ok(session)
    }

    /// Throws a session away; its place is free at once.
    pub(crate) fn discard(&self, mut session: Session<B>) {
        if session.connection.standing() == Standing::Broken {
            self.epoch.fetch_add(1, Ordering::Relaxed);
            session.connection.shut();
            self.ghosts.remember(session.connection.ghost());
        }
        drop(session);
        self.forget_one();
    }

    /// A session that will never come back, because what held it was leaked.
    pub(crate) fn abandon(&self, ghost: Option<<B::Connection as Connection>::Ghost>) {
        self.ghosts.remember(ghost);
        self.forget_one();
    }

    /// Called when a thread ends: its parked session goes to who needs it.
    pub(crate) fn leave(&self, own: &Arc<Slot<B>>) {
        let parked = lock(own).take();
        lock(&self.state).slots.retain(|slot| !Arc::ptr_eq(slot, own));
        if let Some(session) = parked {
            self.free(session);
        }
    }

    /// Lets nobody in any more, closes idle sessions, and waits at most `timeout` for the others. Returns how many are left.
    pub(crate) fn close(&self, timeout: Duration) -> usize {
        let idle = self.drain();
        for session in idle {
            self.discard(session);
        }
        let state = lock(&self.state);
        let (state, _) = self
            .emptied
            .wait_timeout_while(state, timeout, |state| state.open > 0)
            .unwrap_or_else(PoisonError::into_inner);
        state.open
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Opens one session now, to find out early that the settings are right.
    pub(crate) fn open_first(&self) -> Result<(), Failed> {
        lock(&self.state).open += 1;
        let session = self.connect()?;
        self.free(session);
        Ok(())
    }
}

/// Waiting in line.
impl<B: Backend> Pool<B> {
    fn obtain(&self, holds: usize) -> Result<Session<B>, Failed> {
        let waiter = Arc::new(Waiter { grant: Mutex::default(), granted: Condvar::new(), holds });
        {
            let mut state = lock(&self.state);
            if self.is_closed() {
                return Err(closed());
            }
            state.queue.push_back(Arc::clone(&waiter));
            self.waiting.fetch_add(1, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            self.serve(&mut state);
            self.refuse_a_deadlock(&mut state, &waiter)?;
        }
        match self.wait(&waiter)? {
            Grant::Session(session) => Ok(session),
            Grant::Permit => self.connect(),
            Grant::Closed => Err(closed()),
        }
    }

    /// When every session is held by a thread that itself waits for one, nobody will ever give one back. Who completes such a
    /// circle is refused at once; the others go on when it ends its unit.
    fn refuse_a_deadlock(&self, state: &mut State<B>, last: &Arc<Waiter<B>>) -> Result<(), Failed> {
        let held: usize = state.queue.iter().map(|waiter| waiter.holds).sum();
        let waits = state.queue.iter().any(|waiter| Arc::ptr_eq(waiter, last));
        if !waits || last.holds == 0 || held < self.limits.max_connections {
            return Ok(());
        }
        state.queue.retain(|waiter| !Arc::ptr_eq(waiter, last));
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Err(Failed::of(ErrorKind::PoolTimeout, Undone::Nothing, Again::Never, self.circle(state)))
    }

    fn circle(&self, state: &State<B>) -> String {
        format!(
            "refused at once: all {} connections are held by units that themselves wait for a second one ({} threads wait), so \
             none would become free; raise `max_connections` above the number of threads that run such units",
            self.limits.max_connections,
            state.queue.len() + 1,
        )
    }

    /// Gives what there is to those in line, first come first served.
    fn serve(&self, state: &mut State<B>) {
        while !state.queue.is_empty() {
            let Some(grant) = state.grant(self.limits.max_connections) else { return };
            let Some(first) = state.queue.pop_front() else { return };
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            first.give(grant);
        }
    }

    fn wait(&self, waiter: &Arc<Waiter<B>>) -> Result<Grant<B>, Failed> {
        // Real time, not the replaceable clock: a condition variable knows no other.
        let deadline = Instant::now() + self.limits.acquire_timeout;
        let mut grant = lock(&waiter.grant);
        loop {
            if let Some(grant) = grant.take() {
                return Ok(grant);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(grant);
                return self.leave_the_line(waiter);
            }
            grant = waiter.granted.wait_timeout(grant, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The time is up. Who was served in the same moment takes what was given.
    fn leave_the_line(&self, waiter: &Arc<Waiter<B>>) -> Result<Grant<B>, Failed> {
        let mut state = lock(&self.state);
        let before = state.queue.len();
        state.queue.retain(|other| !Arc::ptr_eq(other, waiter));
        if state.queue.len() == before {
            let given = lock(&waiter.grant).take();
            return given.ok_or_else(closed);
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Err(Failed::of(ErrorKind::PoolTimeout, Undone::Nothing, Again::Never, self.exhausted(&state)))
    }

    fn exhausted(&self, state: &State<B>) -> String {
        let parked = state.slots.iter().filter(|slot| lock(slot).is_some()).count();
        format!(
            "no session became free within {:?}: {} of {} connections are open ({parked} parked, {} free), {} more threads wait; \
             shorten the units, or raise `max_connections`",
            self.limits.acquire_timeout,
            state.open,
            self.limits.max_connections,
            state.free.len(),
            state.queue.len(),
        )
    }
}

/// Single sessions.
impl<B: Backend> Pool<B> {
    /// Opens a session that is already counted.
    fn connect(&self) -> Result<Session<B>, Failed> {
        let epoch = self.epoch.load(Ordering::Relaxed);
        match self.connector.connect() {
            Ok(connection) => {
                let now = self.clock.now();
                Ok(Session { connection, opened: now, idle_since: now, epoch })
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
            return self.discard(session);
        }
        state.free.push(session);
        self.serve(&mut state);
    }

    fn drain(&self) -> Vec<Session<B>> {
        let mut state = lock(&self.state);
        self.closed.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        for waiter in state.queue.drain(..) {
            waiter.give(Grant::Closed);
        }
        self.waiting.store(0, Ordering::Relaxed);
        let mut idle = std::mem::take(&mut state.free);
        idle.extend(state.slots.iter().filter_map(|slot| lock(slot).take()));
        idle
    }

    fn is_closed_to(&self, session: &Session<B>) -> bool {
        self.clock.now().saturating_duration_since(session.opened) > self.limits.max_lifetime || self.is_closed()
    }

    fn doubt_if_idle(&self, session: &mut Session<B>) {
        let idle = self.clock.now().saturating_duration_since(session.idle_since);
        if idle > self.limits.ping_after || session.epoch < self.epoch.load(Ordering::Relaxed) {
            session.connection.doubt();
        }
    }

    /// A connection that was lost may live on at the server and hold locks: the next session that is taken ends it first.
    fn lay_ghosts(&self, session: &mut Session<B>) {
        for ghost in self.ghosts.take() {
            let laid = session.connection.lay(&ghost);
            if session.connection.standing() == Standing::Broken {
                // It is the messenger that died: somebody else must go.
                self.ghosts.remember(Some(ghost));
            }
            observe::ghost(laid);
        }
    }
}

/// A session that goes back by itself.
#[derive(Debug)]
pub(crate) struct Held<'p, B: Backend> {
    pool: &'p Pool<B>,
    own: &'p Slot<B>,
    session: Option<Session<B>>,
}

impl<B: Backend> Held<'_, B> {
    pub(crate) fn connection(&mut self) -> &mut B::Connection {
        &mut self.session.as_mut().expect("the session is held until the guard drops").connection
    }
}

impl<B: Backend> Drop for Held<'_, B> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.pool.release(session, self.own);
        }
    }
}

impl<B: Backend> State<B> {
    fn grant(&mut self, max: usize) -> Option<Grant<B>> {
        if let Some(session) = self.free.pop() {
            return Some(Grant::Session(session));
        }
        if self.open < max {
            self.open += 1;
            return Some(Grant::Permit);
        }
        self.slots.iter().find_map(|slot| lock(slot).take()).map(Grant::Session)
    }
}

impl<B: Backend> Waiter<B> {
    fn give(&self, grant: Grant<B>) {
        *lock(&self.grant) = Some(grant);
        self.granted.notify_one();
    }
}

fn closed() -> Failed {
    Failed::of(
        ErrorKind::Closed,
        Undone::Nothing,
        Again::Never,
        "the database handle was closed; no unit begins any more",
    )
}

/// No user code runs under these locks, so a poisoned one only says that a thread was cancelled between two plain assignments.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
