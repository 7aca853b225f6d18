//! What is counted while slices run. A unit counts for the rate when its end lies within the counted time, and for the latency when
//! any part of it does: leaving out the long ones would flatter. What follows from the counts is `statistics`' and the reports'.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::processor::PerUnit;
use crate::slices::{Done, Outcome, Slice};

/// How finely the counted time is divided for those who look at the course of a slice.
pub(crate) const BUCKET: Duration = Duration::from_millis(50);

/// What one thread, or all of them, did in one slice.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Units committed in the counted time, thread by thread.
    pub(crate) threads: Vec<u32>,
    /// Units committed in the counted time, [`BUCKET`] by bucket.
    pub(crate) buckets: Vec<u32>,
    /// Nanoseconds of whole units, retries and waiting included.
    pub(crate) latencies: Histogram<u64>,
    pub(crate) retries: u64,
    pub(crate) abandoned: u32,
}

/// What all counted slices of one variant gave.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Units per second, one figure a slice.
    pub(crate) rates: Vec<f64>,
    /// The 99th percentile of the latencies in nanoseconds, one figure a slice.
    pub(crate) p99s: Vec<u64>,
    pub(crate) latencies: Histogram<u64>,
    pub(crate) retries: u64,
    pub(crate) abandoned: u32,
    /// Units of each thread over all slices.
    pub(crate) threads: Vec<u32>,
    /// One figure a slice, its warm-up included.
    pub(crate) processor: Vec<PerUnit>,
    /// The course of each slice.
    pub(crate) courses: Vec<Vec<u32>>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { threads: Vec::new(), buckets: Vec::new(), latencies: histogram(), retries: 0, abandoned: 0 }
    }
}

impl Default for Taken {
    fn default() -> Self {
        Self {
            rates: Vec::new(),
            p99s: Vec::new(),
            latencies: histogram(),
            retries: 0,
            abandoned: 0,
            threads: Vec::new(),
            processor: Vec::new(),
            courses: Vec::new(),
        }
    }
}

impl Tally {
    pub(crate) fn of_one_thread() -> Self {
        Self { threads: vec![0], ..Self::default() }
    }

    /// One unit of the only thread.
    pub(crate) fn record(&mut self, slice: &Slice, began: Instant, ended: Instant, done: Done) {
        if ended < slice.start {
            return;
        }
        let nanos = u64::try_from((ended - began).as_nanos()).expect("no unit takes centuries");
        self.latencies.record(nanos).expect("the histogram grows");
        self.retries += u64::from(done.retries);
        match done.outcome {
            Outcome::Committed if ended <= slice.end => self.count(ended - slice.start),
            Outcome::Committed => {}
            Outcome::Abandoned => self.abandoned += 1,
        }
    }

    fn count(&mut self, at: Duration) {
        self.threads[0] += 1;
        let bucket = usize::try_from(at.as_nanos() / BUCKET.as_nanos()).expect("no slice takes centuries");
        extend(&mut self.buckets, bucket + 1);
        self.buckets[bucket] += 1;
    }

    /// Takes other threads in.
    pub(crate) fn join(&mut self, other: Self) {
        self.threads.extend(other.threads);
        sum(&mut self.buckets, &other.buckets);
        self.latencies.add(&other.latencies).expect("the histogram grows");
        self.retries += other.retries;
        self.abandoned += other.abandoned;
    }

    /// Units that were under way in the counted time.
    pub(crate) fn units(&self) -> u32 {
        u32::try_from(self.latencies.len()).expect("no slice has so many")
    }

    /// Units committed in the counted time.
    pub(crate) fn in_time(&self) -> u32 {
        self.threads.iter().sum()
    }
}

impl Taken {
    /// Takes the next slice in.
    pub(crate) fn add(&mut self, tally: &Tally, slice: Duration, processor: PerUnit) {
        self.rates.push(f64::from(tally.in_time()) / slice.as_secs_f64());
        self.p99s.push(tally.latencies.value_at_quantile(0.99));
        self.latencies.add(&tally.latencies).expect("the histogram grows");
        self.retries += tally.retries;
        self.abandoned += tally.abandoned;
        sum(&mut self.threads, &tally.threads);
        self.processor.push(processor);
        self.courses.push(tally.buckets.clone());
    }
}

fn sum(own: &mut Vec<u32>, other: &[u32]) {
    extend(own, other.len());
    for (own, other) in own.iter_mut().zip(other) {
        *own += other;
    }
}

fn extend(counts: &mut Vec<u32>, length: usize) {
    counts.resize(counts.len().max(length), 0);
}

pub(crate) fn histogram() -> Histogram<u64> {
    const SIGNIFICANT_DIGITS: u8 = 3;
    Histogram::new(SIGNIFICANT_DIGITS).expect("three digits are permitted")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Counted from 100 ms to 200 ms after the returned instant.
    fn slice() -> (Instant, Slice) {
        let zero = Instant::now();
        (zero, Slice { variant: 0, begin: zero, start: zero + 100 * MS, end: zero + 200 * MS })
    }

    #[test]
    fn units_count_where_they_end_and_weigh_wherever_they_were() {
        let (zero, slice) = slice();
        let mut tally = Tally::of_one_thread();
        let mut unit = |from, to, done| tally.record(&slice, zero + from * MS, zero + to * MS, done);
        unit(0, 90, Done::committed(7)); // warm-up
        unit(90, 110, Done::committed(1)); // reaches in
        unit(110, 170, Done::committed(0));
        unit(170, 210, Done::committed(0)); // overhangs
        unit(190, 250, Done::abandoned(3));
        assert_eq!((tally.threads.as_slice(), tally.buckets.as_slice()), (&[2][..], &[1, 1][..]));
        assert_eq!((tally.latencies.len(), tally.retries, tally.abandoned), (4, 4, 1));
    }

    #[test]
    fn threads_stay_apart_and_slices_add_up() {
        let of = |count| Tally { threads: vec![count], ..Tally::default() };
        let mut taken = Taken::default();
        for (first, second) in [(1, 2), (10, 20)] {
            let mut all = Tally::default();
            all.join(of(first));
            all.join(of(second));
            taken.add(&all, 500 * MS, PerUnit { client_us: 1.0, server_us: 2.0 });
        }
        assert_eq!(taken.threads, [11, 22]);
        assert_eq!(taken.rates, [6.0, 60.0]);
    }
}
