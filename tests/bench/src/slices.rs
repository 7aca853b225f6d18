//! Who runs when: threads that live for the whole run, and slices in which all of them run one variant. A round gives every
//! variant one slice, each round in another order, so that what changes on the machine meanwhile meets all of them alike.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::Failure;
use crate::bank::Bank;
use crate::variants::{Engines, Runner, Variant};

/// How much is to be run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) threads: u32,
    pub(crate) rounds: u32,
    pub(crate) slice: Duration,
}

/// What all counted slices of one variant gave.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Units per second, one figure a round.
    pub(crate) rates: Vec<f64>,
    /// Nanoseconds of whole units, retries included.
    pub(crate) latencies: Histogram<u64>,
    pub(crate) retries: u32,
}

/// Runs all slices; the result is in the order of [`Variant::ALL`].
pub(crate) fn run(plan: &Plan, engines: &Engines, bank: &Bank) -> Result<[Taken; 3], Failure> {
    thread::scope(|scope| {
        let workers: Vec<_> = (0..plan.threads).map(|_| Worker::start(scope, engines, bank)).collect();
        for variant in Variant::ALL {
            take(&workers, variant, plan.slice)?;
        }
        let mut taken = Variant::ALL.map(|_| Taken { rates: Vec::new(), latencies: histogram(), retries: 0 });
        for round in 0..plan.rounds {
            for variant in order(round) {
                taken[variant.index()].add(&take(&workers, variant, plan.slice)?, plan.slice)?;
            }
        }
        Ok(taken)
    })
}

/// Who comes when in a round.
fn order(round: u32) -> [Variant; 3] {
    let mut order = Variant::ALL;
    order.rotate_left(usize::from(u8::try_from(round % 3).expect("a remainder of 3 is small")));
    order
}

/// What one thread, or all of them, did in one slice.
#[derive(Debug)]
struct Tally {
    /// Units that ended within the slice: those that overhang its end are not counted, as those before its start are not.
    in_time: u32,
    /// Of every unit that began within the slice: leaving out the long ones would flatter.
    latencies: Histogram<u64>,
    retries: u32,
}

impl Tally {
    fn empty() -> Self {
        Self { in_time: 0, latencies: histogram(), retries: 0 }
    }

    fn add(&mut self, other: &Self) -> Result<(), Failure> {
        self.in_time += other.in_time;
        self.retries += other.retries;
        Ok(self.latencies.add(&other.latencies)?)
    }
}

impl Taken {
    fn add(&mut self, tally: &Tally, slice: Duration) -> Result<(), Failure> {
        self.rates.push(f64::from(tally.in_time) / slice.as_secs_f64());
        self.retries += tally.retries;
        Ok(self.latencies.add(&tally.latencies)?)
    }
}

fn histogram() -> Histogram<u64> {
    const SIGNIFICANT_DIGITS: u8 = 3;
    Histogram::new(SIGNIFICANT_DIGITS).expect("three digits are permitted")
}

/// One slice on one thread.
#[derive(Debug, Clone, Copy)]
struct Slice {
    variant: Variant,
    start: Instant,
    end: Instant,
}

/// How long before the start of a slice the threads are told, so that the last of them is told in time.
const NOTICE: Duration = Duration::from_millis(5);

/// Has all workers run `variant` from one common start to one common end, and waits for the last of them.
fn take(workers: &[Worker], variant: Variant, length: Duration) -> Result<Tally, Failure> {
    let start = Instant::now() + NOTICE;
    for worker in workers {
        // A worker that is gone says so below, with its reason.
        let _gone = worker.slices.send(Slice { variant, start, end: start + length });
    }
    let mut all = Tally::empty();
    for worker in workers {
        all.add(&worker.tallies.recv().map_err(|_| "a worker thread panicked")??)?;
    }
    Ok(all)
}

/// A thread that waits for slices. It ends when its sender is dropped, or after a failure, which is its last tally.
struct Worker {
    slices: Sender<Slice>,
    tallies: Receiver<Result<Tally, Failure>>,
}

impl Worker {
    fn start<'s>(scope: &'s Scope<'s, '_>, engines: &'s Engines, bank: &'s Bank) -> Self {
        let (slices, to_run) = channel();
        let (done, tallies) = channel();
        scope.spawn(move || {
            if let Err(failure) = work(engines, bank, &to_run, &done) {
                // Nobody listens any more when the run has failed elsewhere.
                let _unheard = done.send(Err(failure));
            }
        });
        Self { slices, tallies }
    }
}

/// The connections are opened here, by the thread that uses them, and kept for the whole run.
fn work(
    engines: &Engines,
    bank: &Bank,
    slices: &Receiver<Slice>,
    done: &Sender<Result<Tally, Failure>>,
) -> Result<(), Failure> {
    let [mut unit, mut pool, mut bare] =
        [engines.runner(Variant::Unit)?, engines.runner(Variant::Pool)?, engines.runner(Variant::Bare)?];
    for slice in slices {
        let runner = match slice.variant {
            Variant::Unit => &mut unit,
            Variant::Pool => &mut pool,
            Variant::Bare => &mut bare,
        };
        done.send(Ok(run_slice(&mut **runner, bank, slice)?))?;
    }
    Ok(())
}

fn run_slice(runner: &mut dyn Runner, bank: &Bank, slice: Slice) -> Result<Tally, Failure> {
    let mut tally = Tally::empty();
    thread::sleep(slice.start.saturating_duration_since(Instant::now()));
    let mut now = Instant::now();
    while now < slice.end {
        let began = now;
        tally.retries += runner.transfer(bank.draw())?;
        now = Instant::now();
        tally.in_time += u32::from(now <= slice.end);
        tally.latencies.record(u64::try_from((now - began).as_nanos())?)?;
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_comes_first_second_and_third_equally_often() {
        for place in 0..3 {
            let names: std::collections::BTreeSet<_> = (0..3).map(|round| order(round)[place].name()).collect();
            assert_eq!(names.len(), 3, "place {place}");
        }
    }
}
