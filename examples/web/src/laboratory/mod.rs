//! The laboratory: one experiment at a time, and what is remembered of the last ones. Decides when one may begin (while another
//! runs: not at all, whoever runs it wants to see its end) and how many are kept. How one runs is `experiment`, what it does to
//! the database `sales`, what may be chosen `settings`; what a browser gets to see of it `page`.

mod experiment;
mod page;
mod sales;
mod samples;
mod settings;
mod view;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Serialize;
use unit_of_work::Error;

use experiment::{Ending, Experiment, Limits, Remote};
use samples::{Sample, Totals};
use settings::Settings;

pub(crate) use page::routes;

/// Where experiments are made. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Laboratory(Arc<Room>);

struct Room {
    /// Where the tables of experiments are. Holds the password.
    url: String,
    limits: Limits,
    table: Mutex<Table>,
    /// Told when nothing runs any more.
    free: Condvar,
}

/// What is on the table.
#[derive(Default)]
struct Table {
    /// The newest is the last; only that one can be running.
    runs: VecDeque<Run>,
    begun: u64,
    taken: bool,
    /// Whether what runs, or is about to, was told to stop.
    stopped: bool,
}

struct Run {
    shown: Shown,
    remote: Remote,
}

/// An experiment as somebody sees it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Shown {
    pub(crate) number: u64,
    pub(crate) settings: Settings,
    pub(crate) state: State,
    pub(crate) totals: Totals,
    /// How many samples come before the first of `samples`.
    pub(crate) samples_from: usize,
    pub(crate) samples: Vec<Sample>,
}

/// What somebody has seen already: nothing of later experiments, and so many samples of this one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known {
    pub(crate) run: u64,
    pub(crate) since: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Running,
    Stopped,
    TimeIsUp,
    Enough,
    Failed,
}

/// Why an experiment was not begun.
#[derive(Debug)]
pub(crate) enum NotBegun {
    /// Another is running.
    Busy,
    Work(Error),
}

/// The one that runs, and the three before it.
const KEPT: usize = 4;

/// How long somebody who stops an experiment waits for its threads: longer than they wait for a lock, shorter than a request may take.
const PATIENCE: Duration = Duration::from_secs(8);

impl Laboratory {
    /// In the database at `url`, which is there.
    pub(crate) fn new(url: String) -> Self {
        Self::within(url, Limits::DEFAULT)
    }

    fn within(url: String, limits: Limits) -> Self {
        Self(Arc::new(Room { url, limits, table: Mutex::default(), free: Condvar::new() }))
    }

    /// Begins an experiment, and does not wait for its end. Blocks while tables and connections are made.
    ///
    /// # Errors
    /// `Busy` while another one runs; what the server says.
    pub(crate) fn start(&self, settings: Settings) -> Result<u64, NotBegun> {
        let taken = Taken::take(&self.0).ok_or(NotBegun::Busy)?;
        let experiment = Experiment::prepare(&self.0.url, settings, self.0.limits).map_err(NotBegun::Work)?;
        let number = self.0.table().begin(settings, experiment.remote());
        thread::spawn(move || {
            let ending = experiment.run(|sample, totals| taken.0.table().see(sample, totals));
            taken.0.table().end(State::of(ending));
        });
        Ok(number)
    }

    /// Stops what runs, if something does, and waits a little until it is over.
    pub(crate) fn stop(&self) {
        let mut table = self.0.table();
        table.stop();
        let free = self.0.free.wait_timeout_while(table, PATIENCE, |table| table.taken);
        drop(free.unwrap_or_else(PoisonError::into_inner));
    }

    /// After how many seconds an experiment ends by itself.
    pub(crate) fn limit_s(&self) -> u64 {
        self.0.limits.time.as_secs()
    }

    /// The last experiments, the newest at the end.
    pub(crate) fn all(&self) -> Vec<Shown> {
        self.beyond(Known::default())
    }

    /// What is new to somebody.
    pub(crate) fn beyond(&self, known: Known) -> Vec<Shown> {
        let table = self.0.table();
        let shown = table.runs.iter().map(|run| &run.shown).filter(|shown| shown.number >= known.run);
        shown.map(|shown| if shown.number == known.run { shown.from(known.since) } else { shown.clone() }).collect()
    }
}

impl Room {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to run an experiment. Given back when dropped, also by a thread that panics.
struct Taken(Arc<Room>);

impl Taken {
    fn take(room: &Arc<Room>) -> Option<Self> {
        let mut table = room.table();
        let was_free = !std::mem::replace(&mut table.taken, true);
        if was_free {
            table.stopped = false;
        }
        was_free.then(|| Self(Arc::clone(room)))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut table = self.0.table();
        table.taken = false;
        // It has ended already, unless its thread has panicked or it could not be begun.
        if let Some(run) = table.runs.back_mut().filter(|run| run.shown.state == State::Running) {
            run.shown.state = State::Failed;
        }
        self.0.free.notify_all();
    }
}

impl Table {
    fn begin(&mut self, settings: Settings, remote: Remote) -> u64 {
        self.begun += 1;
        let number = self.begun;
        let (state, totals, samples) = (State::Running, Totals::default(), Vec::new());
        self.runs.push_back(Run { shown: Shown { number, settings, state, totals, samples_from: 0, samples }, remote });
        if self.runs.len() > KEPT {
            self.runs.pop_front();
        }
        if self.stopped {
            self.stop();
        }
        number
    }

    /// Also one that is not begun yet, whose tables are being made: it ends as soon as it begins.
    fn stop(&mut self) {
        self.stopped = true;
        if let Some(run) = self.runs.back() {
            run.remote.stop();
        }
    }

    /// Of the experiment that runs.
    fn see(&mut self, sample: Sample, totals: Totals) {
        if let Some(Run { shown, .. }) = self.runs.back_mut() {
            shown.samples.push(sample);
            shown.totals = totals;
        }
    }

    fn end(&mut self, state: State) {
        if let Some(Run { shown, .. }) = self.runs.back_mut() {
            shown.state = state;
        }
    }
}

impl Shown {
    pub(crate) fn is_running(&self) -> bool {
        self.state == State::Running
    }

    fn from(&self, sample: usize) -> Self {
        let from = sample.min(self.samples.len());
        let (settings, totals, samples) = (self.settings, self.totals.clone(), self.samples[from..].to_vec());
        Self { number: self.number, settings, state: self.state, totals, samples_from: from, samples }
    }
}

impl State {
    /// What the server said of a failure is for the log alone.
    fn of(ending: Ending) -> Self {
        match ending {
            Ending::Stopped => Self::Stopped,
            Ending::TimeIsUp => Self::TimeIsUp,
            Ending::Enough => Self::Enough,
            Ending::Failed(error) => {
                eprintln!("the laboratory's experiment failed: {error}");
                Self::Failed
            }
        }
    }
}

/// The URL holds the password.
impl fmt::Debug for Laboratory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Laboratory").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
