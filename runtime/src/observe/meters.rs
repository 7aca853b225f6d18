//! The same as figures for the ecosystem of the crate `metrics`, with the feature of that name: which there are, in which units and
//! with which labels, is one table. Without the feature there is nothing.

use std::time::Duration;

use super::Seen;
use crate::hooks::HookFailure;
use crate::outcome::Outcome;
use crate::pool::Closing;
use crate::units::{Figures, Reason};

#[cfg(feature = "metrics")]
mod metered {
    use std::sync::OnceLock;

    use metrics::{Key, KeyName, Label, Metadata, Unit, with_recorder};

    use super::{Closing, Duration, Figures, HookFailure, Outcome, Reason, Seen};
    use crate::hooks::NO_UNIT;
    use crate::units::listed;

    /// What a metric is.
    #[derive(Debug, Clone, Copy)]
    enum Kind {
        Counter,
        Gauge,
        Histogram,
    }

    /// One line for each: kind, name, unit, meaning. The labels are those of the functions below.
    const TABLE: &[(Kind, &str, Unit, &str)] = &[
        (Kind::Counter, UNITS, Unit::Count, "Units that ended, by outcome"),
        (Kind::Histogram, DURATION, Unit::Seconds, "What a unit took, all attempts, waiting and hooks included"),
        (Kind::Histogram, ADMISSION, Unit::Seconds, "What a unit waited at its gate"),
        (Kind::Histogram, POOL, Unit::Seconds, "What a unit waited for connections, in line or while one was opened"),
        (Kind::Histogram, ROUND_TRIPS, Unit::Count, "Round trips of a unit, all attempts together"),
        (Kind::Counter, RETRIES, Unit::Count, "Attempts that were followed by another, by fault"),
        (Kind::Counter, DOOMS, Unit::Count, "Attempts that could not be committed any more, by fault"),
        (Kind::Counter, SLOW, Unit::Count, "Units that took longer than `slow_unit`"),
        (Kind::Histogram, IDLE, Unit::Seconds, "Idle times in transactions longer than `idle_in_transaction`"),
        (Kind::Counter, HOOKS, Unit::Count, "Hooks that failed after their unit had ended"),
        (Kind::Counter, RESOLVED, Unit::Count, "COMMITs without an answer that were resolved, by outcome"),
        (Kind::Counter, OPENED, Unit::Count, "Connections opened"),
        (Kind::Histogram, OPENING, Unit::Seconds, "What opening a connection took"),
        (Kind::Counter, CLOSED, Unit::Count, "Connections closed, by reason"),
        (Kind::Gauge, OPEN, Unit::Count, "Connections that are open"),
        (Kind::Gauge, IN_USE, Unit::Count, "Connections that units have now"),
        (Kind::Gauge, WAITING, Unit::Count, "Threads in line for a connection"),
    ];

    const UNITS: &str = "unit_of_work_units_total";
    const DURATION: &str = "unit_of_work_unit_duration_seconds";
    const ADMISSION: &str = "unit_of_work_admission_wait_seconds";
    const POOL: &str = "unit_of_work_pool_wait_seconds";
    const ROUND_TRIPS: &str = "unit_of_work_round_trips";
    const RETRIES: &str = "unit_of_work_retries_total";
    const DOOMS: &str = "unit_of_work_dooms_total";
    const SLOW: &str = "unit_of_work_slow_units_total";
    const IDLE: &str = "unit_of_work_idle_in_transaction_seconds";
    const HOOKS: &str = "unit_of_work_hook_failures_total";
    const RESOLVED: &str = "unit_of_work_commits_resolved_total";
    const OPENED: &str = "unit_of_work_connections_opened_total";
    const OPENING: &str = "unit_of_work_connection_open_seconds";
    const CLOSED: &str = "unit_of_work_connections_closed_total";
    const OPEN: &str = "unit_of_work_connections";
    const IN_USE: &str = "unit_of_work_connections_in_use";
    const WAITING: &str = "unit_of_work_connection_waiters";

    static METADATA: Metadata<'static> = Metadata::new("unit_of_work", metrics::Level::INFO, Some(module_path!()));

    pub(crate) fn describe() {
        with_recorder(|recorder| {
            for &(kind, name, unit, meaning) in TABLE {
                let (name, unit) = (KeyName::from_const_str(name), Some(unit));
                match kind {
                    Kind::Counter => recorder.describe_counter(name, unit, meaning.into()),
                    Kind::Gauge => recorder.describe_gauge(name, unit, meaning.into()),
                    Kind::Histogram => recorder.describe_histogram(name, unit, meaning.into()),
                }
            }
        });
    }

    /// The keys of what each end of a unit counts, made once.
    #[derive(Debug, Default)]
    pub(crate) struct Keys(OnceLock<Made>);

    #[derive(Debug)]
    struct Made {
        /// One for each outcome that came about.
        units: [OnceLock<Key>; 6],
        duration: Key,
        admission: Key,
        pool: Key,
        round_trips: Key,
    }

    fn of_unit(name: &'static str, figures: &'static Figures) -> Key {
        Key::from_parts(name, vec![Label::from_static_parts("unit", figures.label.name())])
    }

    fn and(name: &'static str, figures: &'static Figures, label: &'static str, value: String) -> Key {
        let unit = Label::from_static_parts("unit", figures.label.name());
        Key::from_parts(name, vec![unit, Label::new(label, value)])
    }

    impl Keys {
        fn of(&self, figures: &'static Figures) -> &Made {
            self.0.get_or_init(|| Made {
                units: Default::default(),
                duration: of_unit(DURATION, figures),
                admission: of_unit(ADMISSION, figures),
                pool: of_unit(POOL, figures),
                round_trips: of_unit(ROUND_TRIPS, figures),
            })
        }
    }

    pub(crate) fn ended(figures: &'static Figures, took: Duration, seen: &Seen) {
        let keys = figures.keys.of(figures);
        let outcome = keys.units[seen.outcome.place()]
            .get_or_init(|| and(UNITS, figures, "outcome", seen.outcome.word().to_owned()));
        with_recorder(|recorder| {
            let record = |key: &Key, value: f64| recorder.register_histogram(key, &METADATA).record(value);
            recorder.register_counter(outcome, &METADATA).increment(1);
            record(&keys.duration, took.as_secs_f64());
            record(&keys.admission, seen.waited_admission.as_secs_f64());
            record(&keys.pool, seen.waited_pool.as_secs_f64());
            #[expect(clippy::cast_precision_loss, reason = "nobody makes 2^53 round trips")]
            record(&keys.round_trips, seen.round_trips as f64);
        });
    }

    fn count(key: &Key) {
        with_recorder(|recorder| recorder.register_counter(key, &METADATA).increment(1));
    }

    fn record(key: &Key, time: Duration) {
        with_recorder(|recorder| recorder.register_histogram(key, &METADATA).record(time.as_secs_f64()));
    }

    fn step(name: &'static str, by: f64) {
        let key = Key::from_static_name(name);
        with_recorder(|recorder| recorder.register_gauge(&key, &METADATA).increment(by));
    }

    fn labelled(name: &'static str, label: &'static str, value: &'static str) -> Key {
        Key::from_parts(name, vec![Label::from_static_parts(label, value)])
    }

    pub(crate) fn runs_again(figures: &'static Figures, reason: Reason) {
        count(&and(RETRIES, figures, "fault", reason.to_string()));
    }

    pub(crate) fn doomed(figures: &'static Figures, reason: Reason) {
        count(&and(DOOMS, figures, "fault", reason.to_string()));
    }

    pub(crate) fn slow(figures: &'static Figures) {
        count(&of_unit(SLOW, figures));
    }

    pub(crate) fn idled(figures: &'static Figures, idle: Duration) {
        record(&of_unit(IDLE, figures), idle);
    }

    pub(crate) fn hook_failed(failure: &HookFailure) {
        // A recorder keeps a series for each name: those that are made up at run time are not without number.
        let unit = if failure.unit == NO_UNIT { NO_UNIT } else { listed(&failure.unit) };
        let labels =
            vec![Label::from_static_parts("unit", unit), Label::from_static_parts("hook", failure.hook.word())];
        count(&Key::from_parts(HOOKS, labels));
    }

    pub(crate) fn resolved(outcome: Outcome) {
        count(&labelled(RESOLVED, "outcome", outcome.word()));
    }

    pub(crate) fn opened(took: Duration) {
        count(&Key::from_static_name(OPENED));
        record(&Key::from_static_name(OPENING), took);
        step(OPEN, 1.0);
    }

    pub(crate) fn closed(why: Closing) {
        count(&labelled(CLOSED, "reason", why.word()));
        step(OPEN, -1.0);
    }

    /// Counted in a gauge until it drops.
    #[derive(Debug)]
    pub(crate) struct Level(&'static str);

    impl Level {
        fn begin(name: &'static str) -> Self {
            step(name, 1.0);
            Self(name)
        }
    }

    impl Drop for Level {
        fn drop(&mut self) {
            step(self.0, -1.0);
        }
    }

    /// A unit has a connection.
    pub(crate) fn in_use() -> Level {
        Level::begin(IN_USE)
    }

    /// A thread waits for one.
    pub(crate) fn in_line() -> Level {
        Level::begin(WAITING)
    }
}

#[cfg(not(feature = "metrics"))]
mod metered {
    use super::{Closing, Duration, Figures, HookFailure, Outcome, Reason, Seen};

    #[derive(Debug)]
    pub(crate) struct Level;

    pub(crate) fn describe() {}
    pub(crate) fn ended(_: &'static Figures, _: Duration, _: &Seen) {}
    pub(crate) fn runs_again(_: &'static Figures, _: Reason) {}
    pub(crate) fn doomed(_: &'static Figures, _: Reason) {}
    pub(crate) fn slow(_: &'static Figures) {}
    pub(crate) fn idled(_: &'static Figures, _: Duration) {}
    pub(crate) fn hook_failed(_: &HookFailure) {}
    pub(crate) fn resolved(_: Outcome) {}
    pub(crate) fn opened(_: Duration) {}
    pub(crate) fn closed(_: Closing) {}
    pub(crate) fn in_use() -> Level {
        Level
    }
    pub(crate) fn in_line() -> Level {
        Level
    }
}

pub(crate) use metered::*;
