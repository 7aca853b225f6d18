//! The figures of the crate `metrics`: each that the documentation lists is given, with the unit and the labels that it says, and no
//! other.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use unit_of_work::testing::{Reply, Script, VirtualClock};
use unit_of_work::{Database, Error, Retry, Tx};

const GUIDE: &str = include_str!("../../../../runtime/src/observe/guide.md");

/// What is known of one figure, in the words of the documentation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Figure {
    name: String,
    kind: &'static str,
    labels: Vec<String>,
}

/// Kind, unit, meaning.
type Described = (&'static str, Option<Unit>, String);

/// Keeps what it is told.
#[derive(Debug, Default)]
struct Kept {
    described: Mutex<BTreeMap<String, Described>>,
    given: Mutex<BTreeSet<Figure>>,
    values: Mutex<BTreeMap<String, Arc<Value>>>,
}

/// The sum of all that was given.
#[derive(Debug, Default)]
struct Value(Mutex<f64>);

impl Value {
    fn add(&self, value: f64) {
        *self.0.lock().expect("no panic") += value;
    }
}

impl CounterFn for Value {
    #[expect(clippy::cast_precision_loss, reason = "tests count little")]
    fn increment(&self, value: u64) {
        self.add(value as f64);
    }

    fn absolute(&self, _: u64) {
        unreachable!("it counts");
    }
}

impl GaugeFn for Value {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, _: f64) {
        unreachable!("it counts up and down");
    }
}

impl HistogramFn for Value {
    fn record(&self, value: f64) {
        self.add(value);
    }
}

impl Kept {
    fn value(&self, kind: &'static str, key: &Key) -> Arc<Value> {
        let labels = key.labels().map(|label| label.key().to_owned()).collect();
        self.given.lock().expect("no panic").insert(Figure { name: key.name().to_owned(), kind, labels });
        let labels: Vec<_> = key.labels().map(|label| label.value().to_owned()).collect();
        let key = format!("{} {}", key.name(), labels.join(" "));
        Arc::clone(self.values.lock().expect("no panic").entry(key.trim().to_owned()).or_default())
    }

    fn describe(&self, kind: &'static str, key: &KeyName, unit: Option<Unit>, text: &SharedString) {
        let described = (kind, unit, text.to_string());
        self.described.lock().expect("no panic").insert(key.as_str().to_owned(), described);
    }

    fn sum(&self, key: &str) -> f64 {
        let values = self.values.lock().expect("no panic");
        let value = values.get(key).unwrap_or_else(|| panic!("no `{key}` in {values:?}"));
        *value.0.lock().expect("no panic")
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe("counter", &key, unit, &text);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe("gauge", &key, unit, &text);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe("histogram", &key, unit, &text);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.value("counter", key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.value("gauge", key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.value("histogram", key))
    }
}

/// A line of the documentation's table: the figure, its unit, its meaning.
fn documented() -> Vec<(Figure, String, String)> {
    let lines = GUIDE.lines().filter(|line| line.starts_with("| `unit_of_work_"));
    let read = |line: &str| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, name, kind, unit, labels, meaning, _] = cells[..] else { panic!("five cells: {line}") };
        let kind = ["counter", "gauge", "histogram"].into_iter().find(|known| *known == kind).expect("a kind");
        let labels = labels.split(", ").filter(|label| !label.is_empty()).map(|label| label.replace('`', ""));
        let figure = Figure { name: name.replace('`', ""), kind, labels: labels.collect() };
        (figure, unit.to_owned(), meaning.to_owned())
    };
    lines.map(read).collect()
}

fn update(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop("UPDATE account SET balance = 0")
}

/// Whatever is counted happens at least once.
fn everything_that_is_counted(kept: &Kept) {
    let (server, clock) = (Script::new(), VirtualClock::new());
    let db = Database::builder().script(&server).clock(clock.clone()).retry(Retry::DEFAULT.base(Duration::ZERO));
    let db = db.max_connections(1).acquire_timeout(Duration::ZERO).connect().expect("a scripted server");
    server.answer("UPDATE", Reply::error(1213, "40001", "Deadlock found"));
    let nested = Cell::new(0.0);
    let unit = db.unit("metered").run::<_, Error>(|tx| {
        update(tx)?;
        clock.advance(Duration::from_secs(3));
        nested.set(kept.sum("unit_of_work_connections_in_use"));
        tx.after_commit(|| Err("no"));
        Ok(())
    });
    unit.expect("at the second attempt");
    assert!((nested.get() - 1.0).abs() < f64::EPSILON, "one is in use: {nested:?}");
    let (held, done) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _the_only_one = db.scope().expect("it is free");
            held.wait();
            done.wait();
        });
        held.wait();
        db.unit("second").run(update).expect_err("there is one connection only");
        done.wait();
    });
    server.answer("INSERT INTO unit_of_work_outcome", Reply::LostAfter);
    db.unit("resolved").exactly_once().run(update).expect("at the second attempt");
}

#[test]
fn the_documented_figures_are_given_and_no_others() {
    let kept = Kept::default();
    metrics::with_local_recorder(&kept, || everything_that_is_counted(&kept));
    let documented = documented();
    let given = kept.given.lock().expect("no panic").clone();
    assert_eq!(given, documented.iter().map(|(figure, _, _)| figure.clone()).collect::<BTreeSet<_>>());
    let described = kept.described.lock().expect("no panic").clone();
    let expected = documented.into_iter().map(|(figure, unit, meaning)| {
        let unit = match unit.as_str() {
            "seconds" => Unit::Seconds,
            "count" => Unit::Count,
            other => panic!("`{other}` is no unit"),
        };
        (figure.name, (figure.kind, Some(unit), meaning))
    });
    assert_eq!(described, expected.collect::<BTreeMap<_, _>>());
    for (key, sum) in [
        ("unit_of_work_units_total metered committed", 1.0),
        ("unit_of_work_units_total second not_started", 1.0),
        ("unit_of_work_unit_duration_seconds metered", 3.0),
        ("unit_of_work_idle_in_transaction_seconds metered", 3.0),
        ("unit_of_work_slow_units_total metered", 1.0),
        // UPDATE, ROLLBACK, UPDATE, COMMIT.
        ("unit_of_work_round_trips metered", 4.0),
        ("unit_of_work_retries_total metered 1213", 1.0),
        ("unit_of_work_dooms_total metered 1213", 1.0),
        ("unit_of_work_hook_failures_total metered after_commit", 1.0),
        ("unit_of_work_commits_resolved_total rolled_back", 1.0),
        ("unit_of_work_connections_opened_total", 2.0),
        ("unit_of_work_connections_closed_total broken", 1.0),
        ("unit_of_work_connections_closed_total dropped", 1.0),
        ("unit_of_work_connections", 0.0),
        ("unit_of_work_connections_in_use", 0.0),
        ("unit_of_work_connection_waiters", 0.0),
    ] {
        assert!((kept.sum(key) - sum).abs() < 1e-9, "{key} is {}", kept.sum(key));
    }
}

/// A recorder that does something when a gauge goes up or down.
struct Nosy<F>(&'static str, Arc<F>);

struct Then<F>(Arc<F>);

impl<F: Fn(f64) + Send + Sync> GaugeFn for Then<F> {
    fn increment(&self, value: f64) {
        self.0(value);
    }

    fn decrement(&self, value: f64) {
        self.0(-value);
    }

    fn set(&self, _: f64) {
        unreachable!("it counts up and down");
    }
}

impl<F: Fn(f64) + Send + Sync + 'static> Recorder for Nosy<F> {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        if key.name() == self.0 { Gauge::from_arc(Arc::new(Then(Arc::clone(&self.1)))) } else { Gauge::noop() }
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// Has `work` done on a thread of its own: a recorder that waits for a lock which its own thread holds would wait for ever.
#[track_caller]
fn in_time<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, result) = mpsc::channel();
    thread::spawn(move || _ = done.send(work()));
    result.recv_timeout(crate::world::BOUND).expect("nobody waits for himself")
}

/// It is user code.
#[test]
fn a_recorder_may_look_at_the_pool() {
    let db = Database::builder().script(&Script::new()).connect().expect("a scripted server");
    let seen = in_time(move || {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (looks, at) = (db.clone(), Arc::clone(&seen));
        let look = move |by: f64| at.lock().expect("no panic").push((by > 0.0, looks.stats().in_use));
        metrics::with_local_recorder(&Nosy("unit_of_work_connections_in_use", Arc::new(look)), || {
            // The second one takes the session that its thread has parked.
            for _ in 0..2 {
                db.unit("watched").run(update).expect("a plain unit");
            }
        });
        seen.lock().expect("no panic").clone()
    });
    assert_eq!(seen, [(true, 1), (false, 0), (true, 1), (false, 0)]);
}

/// While it is told that a thread has come in line, or has left it, others go on.
#[test]
fn a_recorder_holds_up_nobody_who_gives_a_connection_back() {
    let db = Database::builder().script(&Script::new()).max_connections(1).connect().expect("a scripted server");
    let told = in_time(move || {
        let (go, going) = mpsc::channel::<()>();
        let (held, done) = (Arc::new(Barrier::new(2)), Arc::new(Mutex::new(false)));
        let holder = thread::spawn({
            let (db, held, done) = (db.clone(), Arc::clone(&held), Arc::clone(&done));
            move || {
                let unit = db.unit("holds").run::<_, Error>(|_| {
                    held.wait();
                    _ = going.recv();
                    Ok(())
                });
                unit.expect("a plain unit");
                *done.lock().expect("no panic") = true;
            }
        });
        held.wait();
        let told = Arc::new(Mutex::new(Vec::new()));
        let at = Arc::clone(&told);
        let tell = move |by: f64| {
            _ = go.send(());
            crate::world::until("the connection is given back meanwhile", || *done.lock().expect("no panic"));
            at.lock().expect("no panic").push(by > 0.0);
        };
        metrics::with_local_recorder(&Nosy("unit_of_work_connection_waiters", Arc::new(tell)), || {
            db.unit("waits").run(update).expect("it gets the session");
        });
        holder.join().expect("no panic");
        told.lock().expect("no panic").clone()
    });
    assert_eq!(told, [true, false]);
}
