//! What is seen of an experiment: how many units ended in an interval, how often they ran again, how long they took, and what the
//! rows say at its end. Pure: nothing here reads a clock or asks a server.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::sales::{Audit, Done};

/// What threads have counted since it was last taken.
#[derive(Debug)]
pub(crate) struct Tally {
    sold: u64,
    closed: u64,
    retries: u64,
    gave_up: u64,
    /// In µs, of units that ended well: all attempts, backoff and waiting included.
    took: Histogram<u64>,
}

/// What takes longer than an hour, in µs, is counted as an hour.
const LONGEST: u64 = 3_600_000_000;

/// An interval, and the rows at its end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Sample {
    /// Seconds since the experiment began.
    pub(crate) at_s: f64,
    /// Units that were committed in the interval, and how many of them sold a ticket.
    pub(crate) units: u64,
    pub(crate) sold: u64,
    /// Attempts that came to nothing and were followed by another.
    pub(crate) retries: u64,
    /// Units that found no place in ten seconds of trying.
    pub(crate) gave_up: u64,
    pub(crate) units_per_s: f64,
    pub(crate) retries_per_s: f64,
    /// None when no unit ended in the interval.
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    #[serde(flatten)]
    pub(crate) rows: Audit,
    /// How many attempts were let in at once; none = all.
    pub(crate) gate_width: Option<u32>,
}

/// A whole experiment, as far as it has come.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(crate) struct Totals {
    pub(crate) seconds: f64,
    pub(crate) units: u64,
    pub(crate) sold: u64,
    pub(crate) retries: u64,
    pub(crate) gave_up: u64,
    pub(crate) units_per_s: f64,
    pub(crate) retries_per_unit: f64,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    #[serde(flatten)]
    pub(crate) rows: Audit,
}

/// Turns tallies into samples, and keeps the sum of them.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    seen: Duration,
    all: Tally,
}

impl Default for Tally {
    fn default() -> Self {
        let took = Histogram::new_with_bounds(1, LONGEST, 2).expect("two significant figures are possible");
        Self { sold: 0, closed: 0, retries: 0, gave_up: 0, took }
    }
}

impl Tally {
    pub(crate) fn done(&mut self, what: Done, took: Duration) {
        match what {
            Done::Sold => self.sold += 1,
            Done::Closed => self.closed += 1,
        }
        self.took.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn gave_up(&mut self) {
        self.gave_up += 1;
    }

    pub(crate) fn runs_again(&mut self) {
        self.retries += 1;
    }

    fn units(&self) -> u64 {
        self.sold + self.closed
    }

    fn add(&mut self, other: &Self) {
        self.sold += other.sold;
        self.closed += other.closed;
        self.retries += other.retries;
        self.gave_up += other.gave_up;
        self.took.add(&other.took).expect("both have the same bounds");
    }

    /// What `percent` of the units stayed within; none if there were none.
    fn within(&self, percent: f64) -> Option<f64> {
        let millis = Duration::from_micros(self.took.value_at_percentile(percent)).as_secs_f64() * 1000.0;
        (!self.took.is_empty()).then_some(millis)
    }
}

impl Totals {
    pub(crate) fn retries_per_s(&self) -> f64 {
        per(self.retries, self.seconds)
    }
}

impl Sampler {
    /// What was counted from the last sample to `at`, counted from the experiment's begin.
    pub(crate) fn sample(&mut self, at: Duration, counted: &Tally, rows: Audit, gate_width: Option<u32>) -> Sample {
        let seconds = at.saturating_sub(self.seen).as_secs_f64();
        self.seen = at;
        self.all.add(counted);
        Sample {
            at_s: at.as_secs_f64(),
            units: counted.units(),
            sold: counted.sold,
            retries: counted.retries,
            gave_up: counted.gave_up,
            units_per_s: per(counted.units(), seconds),
            retries_per_s: per(counted.retries, seconds),
            p50_ms: counted.within(50.0),
            p99_ms: counted.within(99.0),
            rows,
            gate_width,
        }
    }

    /// All samples together; `rows` are those of the last.
    pub(crate) fn totals(&self, rows: Audit) -> Totals {
        let Self { seen, all } = self;
        Totals {
            seconds: seen.as_secs_f64(),
            units: all.units(),
            sold: all.sold,
            retries: all.retries,
            gave_up: all.gave_up,
            units_per_s: per(all.units(), seen.as_secs_f64()),
            retries_per_unit: per(all.retries, count(all.units())),
            p50_ms: all.within(50.0),
            p99_ms: all.within(99.0),
            rows,
        }
    }
}

fn per(what: u64, whole: f64) -> f64 {
    if whole > 0.0 { count(what) / whole } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "an experiment counts far less than 2^52")]
fn count(what: u64) -> f64 {
    what as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_ROWS: Audit = Audit { tickets: 0, performances: 0, oversold: 0, without_seat: 0 };

    #[test]
    fn samples_add_up_and_rates_are_of_their_interval() {
        let mut sampler = Sampler::default();
        let mut first = Tally::default();
        for _ in 0..99 {
            first.done(Done::Sold, Duration::from_millis(2));
        }
        first.done(Done::Closed, Duration::from_millis(800));
        for _ in 0..50 {
            first.runs_again();
        }
        let one = sampler.sample(Duration::from_millis(500), &first, NO_ROWS, Some(2));
        assert_eq!((one.units, one.sold, one.retries), (100, 99, 50));
        assert_eq!((one.units_per_s, one.retries_per_s), (200.0, 100.0));
        assert!(one.p50_ms.is_some_and(|ms| (1.98..2.02).contains(&ms)), "{one:?}");
        let mut second = Tally::default();
        second.done(Done::Sold, Duration::from_millis(800));
        second.gave_up();
        let two = sampler.sample(Duration::from_millis(2500), &second, NO_ROWS, None);
        assert_eq!((two.units_per_s, two.gave_up), (0.5, 1), "one unit in two seconds");
        let totals = sampler.totals(NO_ROWS);
        assert_eq!((totals.units, totals.sold, totals.retries, totals.gave_up), (101, 100, 50, 1));
        assert_eq!(totals.seconds.to_bits(), 2.5_f64.to_bits());
        assert!((totals.units_per_s - 101.0 / 2.5).abs() < 1e-9);
        assert!(totals.p99_ms.is_some_and(|ms| (790.0..810.0).contains(&ms)), "two of 101 are above: {totals:?}");
    }

    #[test]
    fn where_nothing_ended_there_is_no_time_and_no_division_by_it() {
        let mut sampler = Sampler::default();
        let nothing = sampler.sample(Duration::ZERO, &Tally::default(), NO_ROWS, None);
        assert_eq!((nothing.units_per_s, nothing.p99_ms), (0.0, None));
        assert_eq!(sampler.totals(NO_ROWS), Totals::default());
    }

    #[test]
    fn no_time_is_too_long() {
        let mut tally = Tally::default();
        tally.done(Done::Sold, Duration::MAX);
        assert!(tally.within(99.0).is_some());
    }
}
