//! What `units()` says: what each unit was declared to be, and exactly what became of it, from whatever thread.

use std::thread;
use std::time::Duration;

use unit_of_work::testing::{Reply, Script, VirtualClock};
use unit_of_work::{
    Access, Database, Error, Isolation, OnError, Propagation, Retry, Tx, UnitStats, unit_of_work, units,
};

use crate::world::Trouble;

fn scripted() -> (Database, Script, VirtualClock) {
    let (server, clock) = (Script::new(), VirtualClock::new());
    let builder = Database::builder().script(&server).clock(clock.clone()).retry(Retry::DEFAULT.base(Duration::ZERO));
    (builder.connect().expect("a scripted server"), server, clock)
}

fn stats(name: &str) -> UnitStats {
    units().named(name).unwrap_or_else(|| panic!("`{name}` has run")).clone()
}

fn update(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop("UPDATE account SET balance = 0")
}

#[unit_of_work(isolation = "serializable", retry(max_attempts = 3), timeout = "2s")]
fn declared(tx: &mut Tx<'_>, amount: i64) -> Result<i64, Error> {
    update(tx)?;
    Ok(amount)
}

#[unit_of_work(snapshot, read_only)]
fn reported(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop("SELECT 1")
}

#[unit_of_work]
fn never_called(tx: &mut Tx<'_>) -> Result<(), Error> {
    update(tx)
}

#[test]
fn a_test_can_hold_on_to_what_a_unit_promises() {
    let (db, _server, _clock) = scripted();
    let _entered = db.enter();
    assert_eq!(declared(7).expect("a plain unit"), 7);
    reported().expect("a plain unit");
    let declared = stats("counted::declared");
    assert_eq!(declared.name, "behaviour::watched::counted::declared");
    assert_eq!((declared.file, declared.isolation), (file!(), Some(Isolation::Serializable)));
    assert_eq!(declared.retry, Some(Retry::DEFAULT.max_attempts(3)));
    assert_eq!((declared.timeout, declared.lock_wait), (Some(Duration::from_secs(2)), None));
    let reported = stats("counted::reported");
    assert_eq!((reported.isolation, reported.access), (Some(Isolation::RepeatableRead), Access::ReadOnly));
    assert!(reported.snapshot && !declared.snapshot);
    assert_eq!(units().named("counted::never_called"), None, "it has not run");
    let _: fn() -> Result<(), Error> = never_called;
}

#[test]
fn each_end_is_counted_as_what_it_was() {
    let (db, server, clock) = scripted();
    let unit = || db.unit("counted ends");
    let run = |body: &dyn Fn(&mut Tx<'_>) -> Result<(), Trouble>| unit().run(|tx| body(tx));
    for _ in 0..3 {
        run(&|tx| Ok(update(tx)?)).expect("a plain unit");
    }
    run(&|tx| update(tx).map_err(Trouble::from).and(Err(Trouble::Refused("no")))).expect_err("the body's own");
    run(&|_| Ok(())).expect("nothing to fail");
    server.answer("COMMIT", Reply::LostAfter);
    run(&|tx| Ok(update(tx)?)).expect_err("no answer");
    unit().propagation(Propagation::Never).run(update).expect("without a transaction");
    db.unit("counted around").run::<_, Error>(|_| unit().run(update)).expect("plain units");
    server.answer("UPDATE", Reply::error(1213, "40001", "Deadlock found"));
    server.answer("UPDATE", Reply::LostBefore);
    let asked = unit().on_error(|_: &Trouble| OnError::RunAgain).run(|tx| {
        update(tx)?;
        clock.advance(Duration::from_millis(10));
        if tx.attempt() == 3 { Err(Trouble::Refused("not yet")) } else { Ok(()) }
    });
    asked.expect("at the fourth attempt");
    let lines: Vec<_> = units().iter().filter(|unit| unit.name == "counted ends").map(|unit| unit.line).collect();
    assert_eq!(lines.len(), 1, "one place is one unit");
    let stats = stats("counted ends");
    let ends = [stats.committed, stats.rolled_back, stats.not_started, stats.unknown, stats.torn, stats.untransacted];
    assert_eq!(ends, [4, 1, 1, 1, 0, 1]);
    assert_eq!((stats.runs, stats.joined), (8, 1));
    let retries: Vec<_> = stats.retries.iter().map(|(fault, times)| (fault.as_str(), *times)).collect();
    assert_eq!(retries, [("1213", 1), ("ConnectionLost", 1), ("asked", 1)]);
    assert_eq!(stats.p50, Duration::ZERO);
    let twenty = Duration::from_millis(20);
    assert!(stats.p99.abs_diff(twenty) <= twenty / 8, "two attempts of ten milliseconds: {:?}", stats.p99);
}

#[test]
fn what_hooks_take_is_part_of_what_a_unit_took() {
    let (db, server, clock) = scripted();
    let twenty = Duration::from_millis(20);
    // The first attempt, which has no hook, ends when its session is parked; the unit does not.
    server.answer("UPDATE", Reply::error(1213, "40001", "Deadlock found"));
    let hooked = |tx: &mut Tx<'_>| {
        let clock = clock.clone();
        if tx.attempt() == 2 {
            tx.after_commit(move || clock.advance(twenty));
        }
        update(tx)
    };
    db.unit("takes its time in a hook").run::<_, Error>(hooked).expect("at the second attempt");
    let took = stats("takes its time in a hook").p50;
    assert!(took.abs_diff(twenty) <= twenty / 8, "{took:?}");
}

#[test]
fn nothing_that_threads_count_is_lost() {
    let (db, _server, _clock) = scripted();
    let (threads, times) = (8, 200);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..times {
                    db.unit("counted by many").run(update).expect("a plain unit");
                }
            });
        }
    });
    let stats = stats("counted by many");
    assert_eq!((stats.runs, stats.committed), (threads * times, threads * times));
}

#[test]
fn they_print_as_a_table_and_serialize_as_data() {
    let (db, server, _clock) = scripted();
    server.answer("UPDATE", Reply::error(1213, "40001", "Deadlock found"));
    let line = line!() + 1;
    db.unit("counted and shown").isolation(Isolation::ReadCommitted).run(update).expect("at the second attempt");
    let table = units().to_string();
    let head = table.lines().next().expect("a head");
    let words: Vec<_> = head.split_whitespace().collect();
    assert_eq!(words.join(" "), "unit place isolation runs committed rolled back other joined retries p50 p99 gate");
    let row = table.lines().find(|line| line.starts_with("counted and shown")).expect("its row");
    assert!(row.contains(&format!("counted.rs:{line}")) && row.contains("read committed"), "{row}");
    assert!(row.contains("1213:1"), "{row}");
    assert_eq!(row.find("read committed"), head.find("isolation"), "\n{head}\n{row}");
    let data = serde_json::to_value(units()).expect("plain data");
    let unit = data.as_array().expect("a list").iter().find(|unit| unit["name"] == "counted and shown").expect("it");
    assert_eq!((&unit["isolation"], &unit["access"]), (&"read committed".into(), &"read write".into()));
    assert_eq!((&unit["runs"], &unit["retries"]["1213"]), (&1.into(), &1.into()));
    assert_eq!((&unit["p50_us"], &unit["timeout_us"], &unit["retry"]), (&0.into(), &().into(), &().into()));
}
