//! How long units took, in buckets: a power of two has four, so that a figure that is read off is off by an eighth at most. Pure;
//! the counting itself is `figures`.

use std::time::Duration;

/// A bucket for each of the first microseconds, then four for each power of two, up to an hour; the last one is for all beyond.
pub(crate) const BUCKETS: usize = 128;

/// Buckets of one power of two, as a number of bits.
const FINE: u32 = 2;

/// Where a duration is counted.
pub(crate) fn bucket(time: Duration) -> usize {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let power = micros.checked_ilog2().unwrap_or(0);
    let at = match power.checked_sub(FINE) {
        None => micros,
        Some(coarse) => (u64::from(coarse + 1) << FINE) + ((micros >> coarse) & 3),
    };
    usize::try_from(at).map_or(BUCKETS - 1, |at| at.min(BUCKETS - 1))
}

/// The middle of a bucket.
fn middle(bucket: usize) -> Duration {
    let (coarse, fine) = (bucket >> FINE, (bucket & 3) as u64);
    let Some(shift) = coarse.checked_sub(1) else { return Duration::from_micros(fine) };
    let (from, width) = ((4 + fine) << shift, 1_u64 << shift);
    Duration::from_nanos(from * 1000 + (width - 1) * 500)
}

/// The time that `percent` of what was counted stayed within; zero when nothing was counted.
pub(crate) fn percentile(counts: &[u64; BUCKETS], percent: u64) -> Duration {
    let all: u64 = counts.iter().sum();
    let rank = (all * percent).div_ceil(100).max(1);
    let mut passed = 0;
    let reached = |count: &u64| {
        passed += count;
        passed >= rank
    };
    counts.iter().position(reached).map_or(Duration::ZERO, middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_back_within_an_eighth() {
        let mut micros = 1_u64;
        while micros < 3_600_000_000 {
            for time in [micros, micros + micros / 3, 2 * micros - 1] {
                let read = middle(bucket(Duration::from_micros(time)));
                let off = read.abs_diff(Duration::from_micros(time));
                assert!(off * 8 <= Duration::from_micros(time), "{time} us is read as {read:?}");
            }
            micros *= 2;
        }
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
    }

    #[test]
    fn buckets_are_in_order_and_none_is_left_out() {
        let mut last = 0;
        for micros in 0..100_000 {
            let bucket = bucket(Duration::from_micros(micros));
            assert!(bucket == last || bucket == last + 1, "{micros} us: {bucket} after {last}");
            last = bucket;
        }
    }

    #[test]
    fn a_percentile_is_what_so_many_stayed_within() {
        let mut counts = [0; BUCKETS];
        assert_eq!(percentile(&counts, 50), Duration::ZERO);
        counts[bucket(Duration::from_micros(3))] = 98;
        counts[bucket(Duration::from_millis(80))] = 2;
        assert_eq!(percentile(&counts, 50), Duration::from_micros(3));
        assert_eq!(percentile(&counts, 98), Duration::from_micros(3));
        assert!(percentile(&counts, 99) > Duration::from_millis(70));
    }
}
