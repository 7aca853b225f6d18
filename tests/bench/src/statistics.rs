//! Medians and how sure they are. The interval is that of order statistics: it needs no assumption about how the figures are
//! distributed but that the rounds are independent, and so suits a machine on which others work.

use serde::{Deserialize, Serialize};

/// A median with its interval of 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// The median of `figures` between two of them that enclose the true median with 95 % confidence; with fewer than six figures
/// no two of them do, and it is the smallest and the largest.
///
/// # Panics
/// When there are no figures.
pub(crate) fn spread(figures: &[f64]) -> Spread {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len() - 1;
    let outside = outside(sorted.len());
    Spread {
        median: f64::midpoint(sorted[last / 2], sorted[last.div_ceil(2)]),
        low: sorted[outside],
        high: sorted[last - outside],
    }
}

/// Own figures to another's, round by round: what changes on the machine from one round to the next meets both. Against a slice in
/// which the other one finished nothing the ratio is beyond [`MEASURABLE`].
pub(crate) fn paired(own: &[f64], other: &[f64]) -> Spread {
    const NEXT_TO_NOTHING: f64 = 1e-12;
    let ratio = |(own, other): (&f64, &f64)| own / other.max(NEXT_TO_NOTHING);
    spread(&own.iter().zip(other).map(ratio).collect::<Vec<_>>())
}

/// No ratio of two things that happened is larger.
pub(crate) const MEASURABLE: f64 = 1e9;

/// Microseconds.
pub(crate) fn micros(nanos: u64) -> f64 {
    count(nanos) / 1000.0
}

/// A count as a number to reckon with.
#[allow(
    clippy::cast_precision_loss,
    reason = "counts of a run are far below 2^52, where a double still holds every integer"
)]
pub(crate) fn count(n: u64) -> f64 {
    n as f64
}

/// How many of `n` sorted figures may be left out at each end. The number of figures below the true median is binomial with
/// p = 1/2; what is left out may have at most 2.5 % of that distribution at each end.
fn outside(n: usize) -> usize {
    const TAIL: f64 = 0.025;
    let mut probability = 0.5_f64.powi(i32::try_from(n).expect("nobody runs so many rounds"));
    let mut tail = probability;
    let mut below = 0;
    // P(k + 1) = P(k) · (n − k) / (k + 1)
    while tail <= TAIL {
        below += 1;
        probability *= ratio(n + 1 - below, below);
        tail += probability;
    }
    below.saturating_sub(1)
}

fn ratio(a: usize, b: usize) -> f64 {
    let float = |n: usize| f64::from(u32::try_from(n).expect("nobody runs so many rounds"));
    float(a) / float(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_published_tables() {
        // Conover, Practical Nonparametric Statistics, table of the sign test: x(1)…x(n) at n = 6, x(2)…x(9) at n = 10,
        // x(6)…x(15) at n = 20, x(10)…x(21) at n = 30.
        for (n, first) in [(1, 1), (2, 1), (5, 1), (6, 1), (8, 1), (9, 2), (10, 2), (20, 6), (30, 10)] {
            assert_eq!(outside(n) + 1, first, "{n} figures");
        }
    }

    #[test]
    fn a_slice_in_which_nothing_was_finished_is_beaten_by_far_and_beats_nobody() {
        let ratio = paired(&[1.0, 0.0, 6.0], &[0.0, 0.0, 3.0]);
        assert!(ratio.high > MEASURABLE && ratio.high.is_finite(), "{ratio:?}");
        assert_eq!((ratio.low, ratio.median), (0.0, 2.0));
    }

    #[test]
    fn a_median_lies_in_the_middle_whatever_the_order() {
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Spread { median: 2.0, low: 1.0, high: 3.0 });
        assert_eq!(spread(&[4.0, 1.0, 3.0, 2.0]), Spread { median: 2.5, low: 1.0, high: 4.0 });
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(spread(&ten), Spread { median: 5.5, low: 2.0, high: 9.0 });
    }
}
