//! How a soak's findings are shown: as text for people, or as one JSON array; and progress on the way. What is found is decided
//! by the soaks.

use std::fmt::Display;
use std::io::Write as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::failure::Failure;

/// Findings of one soak.
pub(crate) trait Report: Serialize + Display {
    /// In words, each promise that was broken.
    fn broken(&self) -> Vec<String>;
}

/// For whom it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
}

impl Form {
    /// Prints all reports, and returns the promises that were broken in any.
    pub(crate) fn print<R: Report>(self, reports: &[R]) -> Result<Vec<String>, Failure> {
        let mut out = std::io::stdout().lock();
        match self {
            Self::Json => writeln!(out, "{}", serde_json::to_string_pretty(reports)?)?,
            Self::Text => reports.iter().try_for_each(|report| writeln!(out, "{report}"))?,
        }
        Ok(reports.iter().flat_map(Report::broken).collect())
    }
}

/// On standard error, and hidden unless that is a terminal.
pub(crate) fn progress(steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}").expect("the template has no mistake");
    let progress = ProgressBar::new(steps).with_style(style).with_message("starting the server");
    progress.enable_steady_tick(Duration::from_millis(100));
    progress
}

/// Milliseconds of several times something took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Spread {
    pub(crate) min: u64,
    pub(crate) median: u64,
    pub(crate) max: u64,
}

impl Spread {
    /// All 0 when there are none.
    pub(crate) fn of(times: &[Duration]) -> Self {
        let mut ms: Vec<_> = times.iter().map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)).collect();
        ms.sort_unstable();
        let at = |index: usize| ms.get(index).copied().unwrap_or(0);
        Self { min: at(0), median: at(ms.len() / 2), max: at(ms.len().saturating_sub(1)) }
    }
}

impl Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ms ({} to {})", self.median, self.min, self.max)
    }
}
