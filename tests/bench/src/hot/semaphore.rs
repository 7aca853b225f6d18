//! A fair semaphore: who has waited longest is next, and a permit that comes back goes straight to them, so that nobody who
//! comes later can take it. It is what the fixed widths are measured with.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// So many permits.
#[derive(Debug)]
pub(crate) struct Semaphore(Mutex<State>);

#[derive(Debug)]
struct State {
    free: u32,
    waiting: VecDeque<Arc<Turn>>,
}

/// One who waits.
#[derive(Debug, Default)]
struct Turn {
    come: Mutex<bool>,
    told: Condvar,
}

/// Given back when it is dropped.
#[derive(Debug)]
#[must_use = "a permit that is not held is given back at once"]
pub(crate) struct Permit<'s>(&'s Semaphore);

impl Semaphore {
    pub(crate) fn new(permits: u32) -> Self {
        Self(Mutex::new(State { free: permits, waiting: VecDeque::new() }))
    }

    /// Waits behind all who wait already.
    pub(crate) fn acquire(&self) -> Permit<'_> {
        if let Some(turn) = self.queue() {
            turn.wait();
        }
        Permit(self)
    }

    /// A permit, or else a place at the tail.
    fn queue(&self) -> Option<Arc<Turn>> {
        let mut state = lock(&self.0);
        if state.free > 0 {
            state.free -= 1;
            return None;
        }
        let turn = Arc::new(Turn::default());
        state.waiting.push_back(Arc::clone(&turn));
        Some(turn)
    }

    fn release(&self) {
        let mut state = lock(&self.0);
        match state.waiting.pop_front() {
            Some(next) => {
                drop(state);
                next.come();
            }
            None => state.free += 1,
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Turn {
    fn wait(&self) {
        let mut come = lock(&self.come);
        while !*come {
            come = self.told.wait(come).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn come(&self) {
        *lock(&self.come) = true;
        self.told.notify_one();
    }
}

/// No panic leaves the state between two of its values.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use std::thread;

    #[test]
    fn no_more_are_inside_than_there_are_permits() {
        let semaphore = Semaphore::new(3);
        let (inside, most) = (AtomicU32::new(0), AtomicU32::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let _permit = semaphore.acquire();
                        most.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
                        thread::yield_now();
                        inside.fetch_sub(1, SeqCst);
                    }
                });
            }
        });
        assert_eq!(most.load(SeqCst), 3);
        assert_eq!(lock(&semaphore.0).free, 3, "all permits are back");
    }

    #[test]
    fn whoever_has_waited_longest_is_next() {
        let semaphore = Semaphore::new(1);
        let served = Mutex::new(Vec::new());
        let held = semaphore.acquire();
        thread::scope(|scope| {
            for number in 0..5 {
                let (semaphore, served) = (&semaphore, &served);
                scope.spawn(move || {
                    let _permit = semaphore.acquire();
                    lock(served).push(number);
                });
                while lock(&semaphore.0).waiting.len() <= number {
                    thread::yield_now();
                }
            }
            drop(held);
        });
        assert_eq!(*lock(&served), [0, 1, 2, 3, 4]);
    }
}
