//! A storm that comes and goes: what each phase yields, and how soon after a change a variant is back at what the phase gives it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::statistics::{Spread, spread};
use crate::table::shown;
use crate::tally::BUCKET;

/// One variant's storms.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Storm {
    /// Units per second over few rows.
    pub(crate) hot_units_per_s: Spread,
    /// From the change to the first [`STRETCH`] at [`SHARE`] of the phase's own steady rate.
    pub(crate) hot_recovery_ms: Spread,
    /// Over many rows.
    pub(crate) cold_units_per_s: Spread,
    pub(crate) cold_recovery_ms: Spread,
}

/// Buckets that must hold the rate together.
const STRETCH: usize = 3;
const SHARE: f64 = 0.9;

impl Storm {
    /// Of slices whose first half was hot.
    pub(crate) fn of(courses: &[Vec<u32>], slice: Duration) -> Self {
        let buckets = usize::try_from(slice.as_nanos() / BUCKET.as_nanos()).expect("no slice takes centuries");
        let phases: Vec<_> = courses.iter().map(|course| Phases::of(course, buckets)).collect();
        let of = |figure: &dyn Fn(&Phases) -> f64| spread(&phases.iter().map(figure).collect::<Vec<_>>());
        Self {
            hot_units_per_s: of(&|phases| rate(&phases.hot)),
            hot_recovery_ms: of(&|phases| recovery_ms(&phases.hot)),
            cold_units_per_s: of(&|phases| rate(&phases.cold)),
            cold_recovery_ms: of(&|phases| recovery_ms(&phases.cold)),
        }
    }
}

impl fmt::Display for Storm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "hot {}/s after {} ms, cold {}/s after {} ms",
            shown(self.hot_units_per_s, 0),
            shown(self.hot_recovery_ms, 0),
            shown(self.cold_units_per_s, 0),
            shown(self.cold_recovery_ms, 0)
        )
    }
}

/// One slice, bucket by bucket.
struct Phases {
    hot: Vec<u32>,
    cold: Vec<u32>,
}

impl Phases {
    /// Buckets at the end in which nothing was done are not in the course.
    fn of(course: &[u32], buckets: usize) -> Self {
        let at = |bucket: usize| course.get(bucket).copied().unwrap_or(0);
        Self { hot: (0..buckets / 2).map(at).collect(), cold: (buckets / 2..buckets).map(at).collect() }
    }
}

fn rate(buckets: &[u32]) -> f64 {
    mean(buckets) / BUCKET.as_secs_f64()
}

fn mean(buckets: &[u32]) -> f64 {
    let number: f64 = buckets.iter().map(|_| 1.0).sum();
    buckets.iter().copied().map(f64::from).sum::<f64>() / number.max(1.0)
}

/// The whole phase when it never gets there. What is steady is the second half of the phase.
fn recovery_ms(buckets: &[u32]) -> f64 {
    let steady = mean(&buckets[buckets.len() / 2..]);
    let stretch = buckets.windows(STRETCH).position(|stretch| mean(stretch) >= SHARE * steady);
    let bucket = u32::try_from(stretch.unwrap_or(buckets.len())).expect("no phase takes years");
    (BUCKET * bucket).as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_is_the_first_stretch_near_the_steady_rate() {
        for (buckets, expected) in [
            (&[100, 100, 100, 100, 100, 100, 100, 100][..], 0.0),
            (&[0, 50, 100, 100, 100, 100, 100, 100], 100.0),
            // One lucky bucket is no stretch.
            (&[0, 100, 0, 0, 90, 90, 90, 100], 200.0),
        ] {
            assert!((recovery_ms(buckets) - expected).abs() < 1e-9, "{buckets:?}: {}", recovery_ms(buckets));
        }
    }

    #[test]
    fn a_phase_at_whose_end_nothing_was_done_is_as_long_as_any() {
        let storm = Storm::of(&[vec![10, 10, 10, 10, 20]], BUCKET * 8);
        assert!((storm.hot_units_per_s.median - 200.0).abs() < 1e-9, "{storm:?}");
        assert!((storm.cold_units_per_s.median - 100.0).abs() < 1e-9, "{storm:?}");
    }
}
