//! Experiments on a real server: which levels keep the rule, that what is shown is what is in the rows, and that one ends when it
//! is told to.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use ephemeral_mysql::{Server, shared};
use unit_of_work::{Database, Error, Isolation};

use super::experiment::{Ending, Experiment, Limits};
use super::sales::{self, Audit, Done};
use super::samples::Sample;
use super::settings::{Gate, LEVELS, Settings};
use super::{KEPT, Known, Laboratory, NotBegun, State, Taken};

/// One show: everybody wants the same rows.
const HOT: Settings =
    Settings { isolation: Isolation::Serializable, threads: 8, shows: 1, seats: 10, gate: Gate::Adaptive };

const NO_END: Limits = Limits { time: Duration::from_secs(3600), units: u64::MAX, every: Duration::from_millis(20) };

/// Two count the tickets of one seat, and only then does either of them sell.
fn two_for_one_seat(db: &Database, isolation: Isolation) -> (Vec<Done>, Audit) {
    sales::reset(db, &Settings { seats: 1, ..HOT }).expect("the server is there");
    let both = Barrier::new(2);
    let sell = || {
        sales::unit(db, isolation, Gate::Open).run::<_, Error>(|tx| {
            let seen = sales::look(tx, 1)?;
            if tx.attempt() == 1 {
                both.wait();
            }
            sales::act(tx, seen)
        })
    };
    let done = thread::scope(|scope| {
        let sellers = [scope.spawn(sell), scope.spawn(sell)];
        sellers.map(|seller| seller.join().expect("no panic").expect("it is tried again"))
    });
    (done.into(), sales::audit(db).expect("the server is there"))
}

/// That the rule holds at `serializable` alone; `repeatable read` is no better than the levels below.
fn only_serializable_keeps_the_rule(db: &Database) {
    for isolation in LEVELS {
        let (done, rows) = two_for_one_seat(db, isolation);
        if isolation == Isolation::Serializable {
            assert!(done.contains(&Done::Sold) && done.contains(&Done::Closed), "{isolation}: {done:?}");
            assert_eq!(rows, Audit { tickets: 1, performances: 1, oversold: 0, without_seat: 0 }, "{isolation}");
        } else {
            assert_eq!(done, [Done::Sold, Done::Sold], "{isolation}");
            assert_eq!(rows, Audit { tickets: 2, performances: 1, oversold: 1, without_seat: 1 }, "{isolation}");
        }
    }
}

#[test]
fn two_who_count_at_once_oversell_below_serializable() {
    let home = shared().database();
    only_serializable_keeps_the_rule(&Database::connect(&home.url()).expect("the server is there"));
}

/// It compares rows that both write, and here nobody writes the other's.
#[test]
fn nor_does_snapshot_isolation_keep_the_rule() {
    let server = Server::builder().option("innodb_snapshot_isolation", "ON").start().expect("a server starts");
    let home = server.database();
    only_serializable_keeps_the_rule(&Database::connect(&home.url()).expect("the server is there"));
}

/// What the rows say is counted by hand as well: performances of one show, two of them oversold.
#[test]
fn an_audit_counts_what_is_in_the_rows() {
    let home = shared().database();
    let db = Database::connect(&home.url()).expect("the server is there");
    sales::reset(&db, &Settings { shows: 2, seats: 2, ..HOT }).expect("the tables are made");
    assert_eq!(sales::audit(&db).expect("the tables are there"), Audit::default());
    let tickets = "INSERT INTO lab_ticket VALUES (1, 1, 1), (1, 1, 2), (1, 2, 1), (1, 2, 2), (1, 2, 3), \
                   (2, 1, 1), (2, 2, 1), (2, 2, 2), (2, 2, 3), (2, 2, 4)";
    db.session(|session| session.query_drop(tickets)).expect("the tables are there");
    let counted = sales::audit(&db).expect("the tables are there");
    assert_eq!(counted, Audit { tickets: 10, performances: 4, oversold: 2, without_seat: 3 });
}

fn run(url: &str, settings: Settings, limits: Limits) -> (Ending, Vec<Sample>) {
    let mut samples = Vec::new();
    let experiment = Experiment::prepare(url, settings, limits).expect("the server is there");
    let ending = experiment.run(|sample, totals| {
        samples.push(sample);
        let sum = |of: fn(&Sample) -> u64| samples.iter().map(of).sum::<u64>();
        let [units, sold, retries] = [sum(|one| one.units), sum(|one| one.sold), sum(|one| one.retries)];
        assert_eq!((totals.units, totals.sold, totals.retries), (units, sold, retries));
    });
    (ending, samples)
}

/// The last sample is taken when nobody sells any more: then what threads were told is what is in the rows.
fn rows_agree(samples: &[Sample]) -> Audit {
    let rows = samples.last().expect("there is always a last one").rows;
    assert_eq!(samples.iter().map(|sample| sample.sold).sum::<u64>(), rows.tickets, "{samples:?}");
    rows
}

#[test]
fn repeatable_read_oversells_and_serializable_does_not() {
    let home = shared().database();
    let limits = |units| Limits { units, ..NO_END };
    for isolation in [Isolation::RepeatableRead, Isolation::Serializable, Isolation::RepeatableRead] {
        let settings = Settings { isolation, ..HOT };
        let (ending, samples) = run(&home.url(), settings, limits(1000));
        assert!(matches!(ending, Ending::Enough), "{isolation}: {ending:?}");
        let rows = rows_agree(&samples);
        assert!(rows.performances > 10, "{isolation}: {rows:?}");
        let broken = (rows.oversold > 0, rows.without_seat > 0);
        assert_eq!(broken, (isolation != Isolation::Serializable, isolation != Isolation::Serializable), "{rows:?}");
        if isolation == Isolation::Serializable {
            let last = samples.last().expect("there is always a last one");
            assert!(last.gate_width.is_some(), "eight threads on one show are in conflict: {last:?}");
        }
    }
}

#[test]
fn a_gate_of_one_lets_nobody_run_again() {
    let home = shared().database();
    let settings = Settings { gate: Gate::Fixed(1), ..HOT };
    let (_, samples) = run(&home.url(), settings, Limits { units: 300, ..NO_END });
    let retries: u64 = samples.iter().map(|sample| sample.retries).sum();
    assert_eq!((retries, samples.last().and_then(|last| last.gate_width)), (0, Some(1)), "{samples:?}");
    rows_agree(&samples);
}

#[test]
fn an_experiment_ends_by_itself() {
    let home = shared().database();
    let (ending, samples) = run(&home.url(), HOT, Limits { time: Duration::from_millis(50), ..NO_END });
    assert!(matches!(ending, Ending::TimeIsUp), "{ending:?}");
    rows_agree(&samples);
}

/// When the thread that looks panics, the scope waits for the sellers: somebody must have told them.
#[test]
fn a_panic_ends_an_experiment_too() {
    let home = shared().database();
    let experiment = Experiment::prepare(&home.url(), HOT, NO_END).expect("the server is there");
    let (tell, told) = channel();
    thread::spawn(move || {
        let ended = catch_unwind(AssertUnwindSafe(|| experiment.run(|_, _| panic!("on purpose"))));
        tell.send(ended.is_err()).expect("somebody waits");
    });
    assert_eq!(told.recv_timeout(A_MINUTE), Ok(true));
}

const A_MINUTE: Duration = Duration::from_secs(60);

fn wait(laboratory: &Laboratory) {
    let table = laboratory.0.table();
    let (table, _) = laboratory.0.free.wait_timeout_while(table, A_MINUTE, |table| table.taken).expect("no panic");
    assert!(!table.taken, "it does not end");
}

fn newest(laboratory: &Laboratory) -> (u64, State) {
    laboratory.all().last().map(|run| (run.number, run.state)).expect("one was begun")
}

#[test]
fn one_runs_at_a_time_until_it_is_stopped_and_the_last_ones_are_kept() {
    let home = shared().database();
    let laboratory = Laboratory::within(home.url(), NO_END);
    laboratory.stop();
    for number in 1..=6 {
        assert_eq!(laboratory.start(HOT).expect("nothing runs"), number);
        assert_eq!(newest(&laboratory), (number, State::Running));
        let second = laboratory.start(HOT);
        assert!(matches!(second, Err(NotBegun::Busy)), "{second:?}");
        laboratory.stop();
        wait(&laboratory);
        assert_eq!(newest(&laboratory), (number, State::Stopped));
    }
    let kept: Vec<_> = laboratory.all().iter().map(|run| run.number).collect();
    assert_eq!(kept, [3, 4, 5, 6]);
    assert_eq!(kept.len(), KEPT);
}

/// Whoever stops it while its tables are being made has stopped it as well.
#[test]
fn one_that_is_stopped_before_it_begins_ends_at_once() {
    let home = shared().database();
    let laboratory = Laboratory::within(home.url(), NO_END);
    let _taken = Taken::take(&laboratory.0).expect("nothing runs");
    let limits = Limits { time: Duration::from_secs(20), ..NO_END };
    let experiment = Experiment::prepare(&home.url(), HOT, limits).expect("the server is there");
    laboratory.0.table().stop();
    laboratory.0.table().begin(HOT, experiment.remote());
    let ending = experiment.run(|_, _| {});
    assert!(matches!(ending, Ending::Stopped), "{ending:?}");
}

#[test]
fn who_has_seen_something_gets_the_rest() {
    let home = shared().database();
    let laboratory = Laboratory::within(home.url(), Limits { units: 50, ..NO_END });
    for _ in 0..2 {
        laboratory.start(HOT).expect("nothing runs");
        wait(&laboratory);
    }
    let all = laboratory.all();
    let (one, two) = (&all[0].samples, &all[1].samples);
    let rest = laboratory.beyond(Known { run: 2, since: 0 });
    assert!(rest.len() == 1 && rest[0].samples == *two && rest[0].samples_from == 0, "{rest:?}");
    let both = laboratory.beyond(Known { run: 1, since: one.len() - 1 });
    assert_eq!(
        (both[0].samples_from, &both[0].samples[..], both[1].samples.len()),
        (one.len() - 1, &one[one.len() - 1..], two.len())
    );
    // Nonsense is not punished.
    let nothing = laboratory.beyond(Known { run: 2, since: usize::MAX });
    assert_eq!((nothing[0].samples_from, nothing[0].samples.len()), (two.len(), 0));
    assert!(laboratory.beyond(Known { run: u64::MAX, since: 0 }).is_empty());
}

/// The tables vanish under it.
#[test]
fn what_is_no_conflict_ends_an_experiment_as_failed() {
    let home = shared().database();
    let laboratory = Laboratory::within(home.url(), NO_END);
    laboratory.start(HOT).expect("nothing runs");
    let db = Database::connect(&home.url()).expect("the server is there");
    db.session(|session| session.query_drop("DROP TABLE lab_ticket")).expect("the table was there");
    wait(&laboratory);
    assert_eq!(newest(&laboratory), (1, State::Failed));
    laboratory.start(HOT).expect("nothing runs, and the tables are made anew");
    laboratory.stop();
    wait(&laboratory);
    assert_eq!(newest(&laboratory), (2, State::Stopped));
}

#[test]
fn one_that_cannot_begin_leaves_the_room_free() {
    let home = shared().database();
    let laboratory = Laboratory::within(format!("{}_not_there", home.url()), NO_END);
    for _ in 0..2 {
        let begun = laboratory.start(HOT);
        assert!(matches!(begun, Err(NotBegun::Work(_))), "{begun:?}");
    }
    assert!(laboratory.all().is_empty());
}
