//! What was promised, and whether figures keep it. A bar fails when the whole 95 % interval lies on its wrong side; short runs are
//! not judged at all.

use std::fmt;

use crate::report::circumstances::Circumstances;
use crate::report::store::Record;
use crate::statistics::Spread;
use crate::table::shown;

/// A promise with what was measured of it.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    pub(crate) what: String,
    pub(crate) bound: Bound,
    pub(crate) measured: Measured,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Measured {
    Nothing,
    /// In fewer or shorter slices than a verdict takes.
    Briefly(Spread),
    Enough(Spread),
}

/// What is said of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The whole interval lies on the right side.
    Pass,
    /// The interval lies on both sides, the median on the right one.
    Near,
    /// The same with the median on the wrong side: the bar is not refuted, but nobody should call it kept.
    Doubtful,
    Fail,
    NotJudged,
    NotMeasured,
}

impl Measured {
    /// Of a figure that may be missing in a record that may be missing.
    pub(crate) fn of<F>(record: Option<&Record<F>>, figure: impl Fn(&F) -> Option<Spread>) -> Self {
        let figure = record.and_then(|record| Some((&record.circumstances, figure(&record.figures)?)));
        figure.map_or(Self::Nothing, |(circumstances, spread)| Self::under(circumstances, spread))
    }

    fn under(circumstances: &Circumstances, spread: Spread) -> Self {
        if circumstances.are_enough() { Self::Enough(spread) } else { Self::Briefly(spread) }
    }
}

impl Bar {
    pub(crate) fn verdict(&self) -> Verdict {
        match self.measured {
            Measured::Nothing => Verdict::NotMeasured,
            Measured::Briefly(_) => Verdict::NotJudged,
            Measured::Enough(spread) => self.bound.judge(spread),
        }
    }

    /// The figure for people.
    pub(crate) fn figure(&self) -> String {
        match self.measured {
            Measured::Nothing => "–".to_owned(),
            Measured::Briefly(spread) | Measured::Enough(spread) => shown(spread, 2),
        }
    }
}

impl Bound {
    fn judge(self, Spread { median, low, high }: Spread) -> Verdict {
        let good = |figure: f64| match self {
            Self::AtLeast(bound) => figure >= bound,
            Self::AtMost(bound) => figure <= bound,
        };
        match (good(low) && good(high), good(median), good(low) || good(high)) {
            (true, _, _) => Verdict::Pass,
            (false, true, _) => Verdict::Near,
            (false, false, true) => Verdict::Doubtful,
            (false, false, false) => Verdict::Fail,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, "≥ {bound}"),
            Self::AtMost(bound) => write!(f, "≤ {bound}"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "PASS",
            Self::Near => "PASS, within the noise",
            Self::Doubtful => "DOUBTFUL: the median misses it, the interval does not",
            Self::Fail => "FAIL",
            Self::NotJudged => "not judged: too short",
            Self::NotMeasured => "not measured",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fails_when_the_whole_interval_misses_it() {
        let verdict = |bound: Bound, low, median, high| bound.judge(Spread { median, low, high });
        let least = Bound::AtLeast(1.0);
        assert_eq!(verdict(least, 1.0, 1.1, 1.2), Verdict::Pass);
        assert_eq!(verdict(least, 0.9, 1.1, 1.2), Verdict::Near);
        assert_eq!(verdict(least, 0.8, 0.9, 1.0), Verdict::Doubtful);
        assert_eq!(verdict(least, 0.7, 0.8, 0.99), Verdict::Fail);
        let most = Bound::AtMost(1.0);
        assert_eq!(verdict(most, 0.7, 0.8, 1.0), Verdict::Pass);
        assert_eq!(verdict(most, 0.7, 0.8, 1.1), Verdict::Near);
        assert_eq!(verdict(most, 1.0, 1.1, 1.2), Verdict::Doubtful);
        assert_eq!(verdict(most, 1.1, 1.2, 1.3), Verdict::Fail);
    }

    #[test]
    fn what_was_not_measured_or_not_enough_is_no_failure_and_no_success() {
        let one = Spread { median: 1.0, low: 1.0, high: 1.0 };
        let verdict = |measured| Bar { what: String::new(), bound: Bound::AtLeast(2.0), measured }.verdict();
        assert_eq!(verdict(Measured::Nothing), Verdict::NotMeasured);
        assert_eq!(verdict(Measured::Briefly(one)), Verdict::NotJudged);
        assert_eq!(verdict(Measured::Enough(one)), Verdict::Fail);
    }
}
