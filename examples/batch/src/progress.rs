//! What is seen while a file is settled: a bar for all of it, with rate, time left and retries, and one for each thread. On standard
//! error, and not at all unless that is a terminal.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

/// All bars of a run.
#[derive(Debug)]
pub(crate) struct Progress {
    bars: MultiProgress,
    overall: ProgressBar,
    again: Arc<AtomicU64>,
}

/// What one thread reports to.
#[derive(Debug)]
pub(crate) struct Watch {
    overall: ProgressBar,
    own: ProgressBar,
    again: Arc<AtomicU64>,
}

impl Progress {
    /// Of so many lines, of which some were settled before.
    pub(crate) fn of(lines: u64, before: u64) -> Self {
        let bars = MultiProgress::new();
        let overall =
            bars.add(ProgressBar::new(lines).with_style(style(
                "{bar:30} {percent:>3} %  {human_pos} of {human_len} lines  {rate}  {eta} left  {msg}",
            )));
        overall.set_message(again(0));
        overall.set_position(before);
        // What was settled before took no time.
        overall.reset_eta();
        overall.enable_steady_tick(Duration::from_millis(100));
        Self { bars, overall, again: Arc::default() }
    }

    /// For the thread with this number.
    pub(crate) fn worker(&self, number: usize) -> Watch {
        let own = ProgressBar::new(0).with_style(style("  thread {prefix:>2}  {bar:20}  {msg}"));
        let own = self.bars.add(own.with_prefix(number.to_string()));
        Watch { overall: self.overall.clone(), own, again: Arc::clone(&self.again) }
    }

    /// Leaves nothing on the terminal.
    pub(crate) fn clear(&self) {
        self.overall.finish_and_clear();
        // A terminal that is gone does not mind.
        _ = self.bars.clear();
    }
}

impl Watch {
    /// That nobody looks at.
    #[cfg(test)]
    pub(crate) fn hidden() -> Self {
        Self { overall: ProgressBar::hidden(), own: ProgressBar::hidden(), again: Arc::default() }
    }

    /// How far the whole is.
    #[cfg(test)]
    pub(crate) fn position(&self) -> u64 {
        self.overall.position()
    }

    /// From the beginning.
    #[cfg(test)]
    pub(crate) fn restart(&self) {
        self.overall.set_position(0);
    }

    /// A lane begins, or goes on.
    pub(crate) fn lane(&self, number: u64, lines: u64, done: u64) {
        self.own.set_length(lines);
        self.own.set_position(done);
        self.own.set_message(format!("lane {number}"));
    }

    /// A chunk is tried; attempts are counted from 1.
    pub(crate) fn attempt(&self, number: u32) {
        if number > 1 {
            let sum = self.again.fetch_add(1, Ordering::Relaxed) + 1;
            self.overall.set_message(again(sum));
        }
    }

    /// What is to be done when so many lines are committed.
    pub(crate) fn settled(&self, lines: u64) -> impl FnOnce() + 'static {
        let (overall, own) = (self.overall.clone(), self.own.clone());
        move || {
            overall.inc(lines);
            own.inc(lines);
        }
    }

    /// This thread has nothing left to do.
    pub(crate) fn finish(&self) {
        self.own.finish_with_message("ready");
    }
}

fn again(sum: u64) -> String {
    format!("{sum} {}", if sum == 1 { "retry" } else { "retries" })
}

fn style(template: &str) -> ProgressStyle {
    let rate = |state: &ProgressState, out: &mut dyn Write| _ = write!(out, "{:.0} lines/s", state.per_sec());
    ProgressStyle::with_template(template).expect("the template is right").with_key("rate", rate)
}
