//! One gate: who may run an attempt now, and who waits, first come first served. Decides order and handing over; how many may
//! run at once is the law's word, or a fixed number. Nothing but the gate's own lock is held in here, and none while waiting.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::law::{Ending, Law, Report};
use crate::clock::Clock;

#[derive(Debug)]
pub(super) struct Gate(Mutex<State>);

#[derive(Debug)]
struct State {
    width: Width,
    running: usize,
    /// Those that have lost their work in a conflict, and come before all others.
    again: VecDeque<Arc<Waiter>>,
    line: VecDeque<Arc<Waiter>>,
    /// About the longest time that an attempt took lately.
    longest: Duration,
    /// When somebody was last admitted or left.
    moved: Instant,
    /// When an attempt last ended in conflict.
    conflict: Instant,
}

/// What says how many may run.
#[derive(Debug)]
pub(super) enum Width {
    Learned(Box<Law>),
    Fixed(usize),
}

/// Which place in line an attempt gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Behind all others.
    First,
    /// Before those that have not run yet, behind those that failed before it: it has waited, and lost its work in a conflict.
    Again,
}

/// The time was up before it was this attempt's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Late {
    pub(super) running: usize,
    pub(super) waiting: usize,
}

/// One thread in line.
#[derive(Debug)]
struct Waiter {
    thread: Thread,
    /// Since when it is. Its time in flight begins here and not when it wakes up: its place is taken meanwhile.
    admitted: OnceLock<Instant>,
}

/// Where a width is learned nobody waits for ever behind an attempt that hangs in its body: when nothing has moved for so long, and
/// for several times as long as attempts take, the head of the line goes. A fixed width is kept, whatever it costs.
const STANDSTILL: Duration = Duration::from_millis(250);
const SEVERAL: u32 = 4;

impl Gate {
    pub(super) fn new(width: Width, now: Instant) -> Self {
        Self(Mutex::new(State {
            width,
            running: 0,
            again: VecDeque::new(),
            line: VecDeque::new(),
            longest: Duration::ZERO,
            moved: now,
            conflict: now,
        }))
    }

    /// Waits for its turn, at most for `within`, and says since when it is in; it must [`leave`](Self::leave).
    pub(super) fn enter(&self, arrival: Arrival, within: Option<Duration>, clock: &dyn Clock) -> Result<Instant, Late> {
        let now = clock.now();
        let waiter = {
            let mut state = self.state();
            if state.has_room() && state.is_next(arrival) {
                state.admit(now);
                return Ok(now);
            }
            state.line_up(arrival)
        };
        self.wait(&waiter, within, clock)
    }

    /// The attempt has ended. Who is next runs.
    pub(super) fn leave(&self, ending: Ending, took: Duration, now: Instant) {
        let mut state = self.state();
        state.ended(ending, took, now);
        // Woken without the lock, which they do not need, and the next one to leave does.
        while let Some(next) = state.next(now) {
            drop(state);
            next.wake(now);
            state = self.state();
        }
    }

    /// How many may run now.
    pub(super) fn width(&self) -> usize {
        self.state().width.get()
    }

    /// Attempts in line.
    pub(super) fn waiting(&self) -> usize {
        self.state().waiting()
    }

    /// Whether nobody uses it and it has no reason to be kept: no conflict since `limit`.
    pub(super) fn is_calm(&self, limit: Instant) -> bool {
        let state = self.state();
        state.running == 0 && state.waiting() == 0 && state.conflict < limit
    }

    pub(super) fn last_conflict(&self) -> Instant {
        self.state().conflict
    }

    fn wait(&self, waiter: &Arc<Waiter>, within: Option<Duration>, clock: &dyn Clock) -> Result<Instant, Late> {
        // Real time, not the replaceable clock: a parked thread knows no other.
        let began = Instant::now();
        loop {
            if let Some(admitted) = waiter.admitted.get() {
                return Ok(*admitted);
            }
            let left = within.map(|within| within.saturating_sub(began.elapsed()));
            if left == Some(Duration::ZERO) {
                return self.give_up(waiter, clock.now());
            }
            thread::park_timeout(left.map_or(STANDSTILL, |left| left.min(STANDSTILL)));
            self.go_if_nothing_moves(waiter, clock.now());
        }
    }

    /// The time is up. Who was admitted in the same moment goes.
    fn give_up(&self, waiter: &Arc<Waiter>, now: Instant) -> Result<Instant, Late> {
        let mut state = self.state();
        let before = state.waiting();
        state.again.retain(|other| !Arc::ptr_eq(other, waiter));
        state.line.retain(|other| !Arc::ptr_eq(other, waiter));
        if state.waiting() == before {
            return Ok(*waiter.admitted.get().unwrap_or(&now));
        }
        Err(Late { running: state.running, waiting: state.waiting() })
    }

    fn go_if_nothing_moves(&self, waiter: &Arc<Waiter>, now: Instant) {
        if waiter.admitted.get().is_some() {
            return;
        }
        let mut state = self.state();
        let first = state.again.front().or(state.line.front()).is_some_and(|first| Arc::ptr_eq(first, waiter));
        if first && state.stands_still(now) && state.pop().is_some() {
            state.admit(now);
            waiter.wake(now);
        }
    }

    /// No user code runs under this lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_room(&self) -> bool {
        self.running < self.width.get()
    }

    fn is_next(&self, arrival: Arrival) -> bool {
        self.again.is_empty() && (arrival == Arrival::Again || self.line.is_empty())
    }

    fn waiting(&self) -> usize {
        self.again.len() + self.line.len()
    }

    fn pop(&mut self) -> Option<Arc<Waiter>> {
        self.again.pop_front().or_else(|| self.line.pop_front())
    }

    fn stands_still(&self, now: Instant) -> bool {
        let patience = STANDSTILL.max(self.longest * SEVERAL);
        match self.width {
            Width::Learned(_) => now.saturating_duration_since(self.moved) >= patience,
            Width::Fixed(_) => false,
        }
    }

    fn admit(&mut self, now: Instant) {
        self.running += 1;
        self.moved = now;
    }

    fn line_up(&mut self, arrival: Arrival) -> Arc<Waiter> {
        let waiter = Arc::new(Waiter { thread: thread::current(), admitted: OnceLock::new() });
        match arrival {
            Arrival::First => self.line.push_back(Arc::clone(&waiter)),
            Arrival::Again => self.again.push_back(Arc::clone(&waiter)),
        }
        waiter
    }

    fn ended(&mut self, ending: Ending, took: Duration, now: Instant) {
        let report = Report { ending, took, running: self.running, waiting: self.waiting() };
        if let Width::Learned(law) = &mut self.width {
            law.ended(&report);
        }
        if ending == Ending::Conflict {
            self.conflict = now;
        }
        self.running -= 1;
        self.moved = now;
        // Forgotten by a tenth with each that was shorter.
        self.longest = took.max(self.longest.mul_f64(0.9));
    }

    /// Admits the head of the line, if there is room.
    fn next(&mut self, now: Instant) -> Option<Arc<Waiter>> {
        if !self.has_room() {
            return None;
        }
        let next = self.pop()?;
        self.admit(now);
        Some(next)
    }
}

impl Width {
    pub(super) fn get(&self) -> usize {
        match self {
            Self::Learned(law) => law.width(),
            Self::Fixed(width) => *width,
        }
    }
}

impl Waiter {
    fn wake(&self, now: Instant) {
        let _is_the_first = self.admitted.set(now);
        self.thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::clock::SystemClock;

    fn gate(width: usize) -> Gate {
        Gate::new(Width::Fixed(width), Instant::now())
    }

    fn wait_for(gate: &Gate, waiting: usize) {
        let began = Instant::now();
        while gate.waiting() != waiting {
            assert!(began.elapsed() < Duration::from_secs(60), "{} wait instead of {waiting}", gate.waiting());
            thread::yield_now();
        }
    }

    #[test]
    fn s96_first_come_first_served_and_who_failed_before_all_others() {
        let gate = gate(1);
        gate.enter(Arrival::First, None, &SystemClock).expect("nobody is in");
        let (served, order) = channel();
        thread::scope(|scope| {
            for (place, (name, arrival)) in [
                ("b", Arrival::First),
                ("c", Arrival::First),
                ("a again", Arrival::Again),
                ("z again", Arrival::Again),
                ("d", Arrival::First),
            ]
            .into_iter()
            .enumerate()
            {
                let (gate, served) = (&gate, served.clone());
                scope.spawn(move || {
                    gate.enter(arrival, None, &SystemClock).expect("there is no deadline");
                    served.send(name).expect("the test listens");
                    gate.leave(Ending::Success, Duration::ZERO, Instant::now());
                });
                wait_for(gate, place + 1);
            }
            gate.leave(Ending::Conflict, Duration::ZERO, Instant::now());
        });
        drop(served);
        assert_eq!(order.iter().collect::<Vec<_>>(), ["a again", "z again", "b", "c", "d"]);
    }

    #[test]
    fn s96_a_deadline_ends_the_waiting_and_leaves_no_trace() {
        let gate = gate(1);
        gate.enter(Arrival::First, None, &SystemClock).expect("nobody is in");
        let late = gate.enter(Arrival::First, Some(Duration::from_millis(1)), &SystemClock);
        assert_eq!(late, Err(Late { running: 1, waiting: 0 }));
        gate.leave(Ending::Success, Duration::ZERO, Instant::now());
        gate.enter(Arrival::First, Some(Duration::ZERO), &SystemClock).expect("nobody is in any more");
    }

    #[test]
    fn who_waits_behind_an_attempt_that_hangs_goes_at_last() {
        let mut law = Law::new();
        let report = |ending| Report { ending, took: Duration::from_micros(1), running: 1, waiting: 1 };
        for _ in 0..100 {
            law.ended(&report(Ending::Conflict));
        }
        let gate = Gate::new(Width::Learned(Box::new(law)), Instant::now());
        assert_eq!(gate.width(), 1);
        gate.enter(Arrival::First, None, &SystemClock).expect("nobody is in");
        gate.enter(Arrival::First, None, &SystemClock).expect("nothing moves");
        assert_eq!(gate.state().running, 2);
    }

    #[test]
    fn s104_nobody_passes_a_fixed_width_however_long_it_takes() {
        let gate = gate(1);
        gate.enter(Arrival::First, None, &SystemClock).expect("nobody is in");
        let long = STANDSTILL * 2;
        assert!(gate.enter(Arrival::First, Some(long), &SystemClock).is_err());
    }
}
