//! The gate in front of a unit's attempts: who passes, who waits and for how long, and what is held meanwhile. How its width follows
//! conflicts is tested beside the law (`runtime/src/contention`), its order beside the gate.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use unit_of_work::testing::{Reply, Script, VirtualClock};
use unit_of_work::{
    Admission, Database, Error, ErrorKind, MySql, Outcome, Propagation, Retry, Tx, UnitBuilder, outside, unit_of_work,
    units,
};

use crate::world::{BOUND, World};

/// A database on a server that answers everything with success.
fn scripted(admission: Admission) -> (Script, Database) {
    let server = Script::new();
    let builder = Database::builder().script(&server).clock(VirtualClock::new()).max_connections(64);
    (server, builder.admission(admission).connect().expect("the script takes connections"))
}

fn deadlock() -> Reply {
    Reply::error(1213, "40001", "Deadlock found")
}

fn write(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop("UPDATE account SET balance = 0")
}

/// Waits until so many attempts wait for their turn.
fn until_held_back(db: &Database, attempts: usize) {
    let began = Instant::now();
    while db.stats().held_back != attempts {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", db.stats());
        thread::yield_now();
    }
}

/// Does `work` while another thread is inside the unit, which goes on when `work` lets it.
fn with_somebody_inside<'d>(unit: impl Fn() -> UnitBuilder<'d, MySql> + Sync, work: impl FnOnce(&dyn Fn())) {
    let inside = Barrier::new(2);
    let (let_go, gone) = mpsc::channel();
    let gone = Mutex::new(gone);
    let stay = |tx: &mut Tx<'_>| {
        inside.wait();
        // Also when `work` panics: then it goes on, and the test fails instead of hanging.
        let _told = gone.lock().expect("only this thread waits").recv();
        write(tx)
    };
    thread::scope(|scope| {
        scope.spawn(|| unit().run::<_, Error>(stay).expect("nothing fails"));
        inside.wait();
        // In here, so that it is gone when `work` panics.
        let let_go: mpsc::Sender<()> = let_go;
        work(&|| let_go.send(()).expect("it is inside"));
    });
}

/// How many were inside at once, at most.
#[derive(Debug, Default)]
struct Crowd {
    inside: AtomicUsize,
    most: AtomicUsize,
}

impl Crowd {
    fn with<R>(&self, work: impl FnOnce() -> R) -> R {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        let done = work();
        self.inside.fetch_sub(1, Ordering::SeqCst);
        done
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

#[test]
fn s104_fixed_lets_as_many_run_as_it_says_and_no_more() {
    let (_, db) = scripted(Admission::fixed(2));
    let (crowd, pairs) = (Crowd::default(), Barrier::new(2));
    // Two that wait for each other inside: with less than two at once this would never end.
    let in_pairs = |tx: &mut Tx<'_>| {
        crowd.with(|| {
            pairs.wait();
            write(tx)
        })
    };
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| db.unit("pairs").run::<_, Error>(in_pairs).expect("nothing fails"));
        }
    });
    assert_eq!(crowd.most(), 2);
}

#[test]
fn s104_open_lets_all_run_whatever_happens() {
    let (server, db) = scripted(Admission::Open);
    for _ in 0..12 {
        server.answer("UPDATE", deadlock());
    }
    let all = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let met = db.unit("all").run::<_, Error>(|tx| {
                    if tx.attempt() <= 3 {
                        // All four, in each of three attempts that fail: one that was kept waiting would keep the others here.
                        all.wait();
                    }
                    write(tx)
                });
                met.expect("the fourth attempt succeeds");
            });
        }
    });
    assert_eq!(db.stats().held_back, 0);
}

#[test]
fn s104_a_unit_may_say_it_itself() {
    let (_, db) = scripted(Admission::Open);
    one_at_a_time(&db, || db.unit("one").admission(Admission::fixed(1)));
}

/// Eight threads at once: the first inside goes on only when the seven others wait.
fn one_at_a_time<'d>(db: &Database, unit: impl Fn() -> UnitBuilder<'d, MySql> + Sync) {
    let (crowd, first) = (Crowd::default(), AtomicBool::new(true));
    let alone = |tx: &mut Tx<'_>| {
        crowd.with(|| {
            if first.swap(false, Ordering::SeqCst) {
                until_held_back(db, 7);
            }
            write(tx)
        })
    };
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| unit().run::<_, Error>(alone).expect("nothing fails"));
        }
    });
    assert_eq!(crowd.most(), 1);
}

#[test]
fn s95_without_conflicts_nobody_ever_waits() {
    let (_, db) = scripted(Admission::Adaptive);
    let all = Barrier::new(32);
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let met = db.unit("all").run::<_, Error>(|tx| {
                        all.wait();
                        write(tx)
                    });
                    met.expect("nothing fails");
                }
            });
        }
    });
    assert_eq!(db.stats().held_back, 0);
}

/// On a real server: sixteen threads add to one counter, and get into each other's way until they are let in a few at a time.
#[test]
fn s95_where_all_want_one_row_the_gate_narrows() {
    let world = World::with_accounts(1..=1);
    let before = world.balance(1).expect("the account is there");
    let add = |tx: &mut Tx<'_>| {
        let balance: Option<i64> = tx.query_first("SELECT balance FROM account WHERE id = 1")?;
        tx.exec_drop("UPDATE account SET balance = ? WHERE id = 1", (balance.unwrap_or(0) + 1,))
    };
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let unit = world.db.unit("all add to one row");
                    unit.run::<_, Error>(add).expect("it is run again until it succeeds");
                }
            });
        }
    });
    assert_eq!(world.balance(1), Some(before + 800));
    let units = units();
    let width = units.named("all add to one row").expect("it has run").gate_width;
    println!("in the end {width:?} at once");
    assert!(width.is_some_and(|width| width < 16), "{width:?}");
}

/// With room for one: the first is run again after a conflict, and comes before those that have not run yet.
#[test]
fn s96_who_failed_comes_first_and_the_others_in_their_order() {
    let (server, db) = scripted(Admission::fixed(1));
    server.answer("UPDATE", deadlock());
    let (entered, order) = mpsc::channel();
    let (go, gone) = mpsc::channel();
    let gone = Mutex::new(gone);
    thread::scope(|scope| {
        for (place, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
            let (entered, gone, db) = (entered.clone(), &gone, &db);
            scope.spawn(move || {
                let ran = db.unit("one").run::<_, Error>(|tx| {
                    entered.send(name).expect("the test listens");
                    gone.lock().expect("nobody panics").recv().expect("the test says go");
                    write(tx)
                });
                ran.expect("what failed is run again");
            });
            if place == 0 {
                assert_eq!(order.recv(), Ok("a"));
            }
            until_held_back(db, place);
        }
        // It fails and gives its place away, to the head of the line.
        go.send(()).expect("somebody is inside");
        assert_eq!(order.recv(), Ok("b"));
        // Back in line, before the two others.
        until_held_back(&db, 3);
        for _ in 0..4 {
            go.send(()).expect("somebody is inside");
        }
    });
    drop(entered);
    assert_eq!(order.iter().collect::<Vec<_>>(), ["a", "c", "d"]);
}

#[test]
fn s96_who_waits_holds_no_session() {
    let (_, db) = scripted(Admission::fixed(1));
    let one = || db.unit("one");
    with_somebody_inside(one, |let_go| {
        thread::scope(|scope| {
            let second = scope.spawn(|| one().run(write));
            until_held_back(&db, 1);
            assert_eq!(db.stats().in_use, 1);
            // Nor does it hold up anybody else.
            db.unit("another").run(write).expect("it is another unit");
            let_go();
            second.join().expect("no panic").expect("it is its turn");
        });
    });
}

#[test]
fn s96_a_thread_inside_a_unit_is_never_kept_waiting() {
    let (_, db) = scripted(Admission::fixed(1));
    let one = || db.unit("one");
    let ran = one().run::<_, Error>(|tx| {
        write(tx)?;
        one().propagation(Propagation::RequiresNew).run(write)?;
        // Work of somebody else on this thread, which holds the only place.
        outside(|| one().run(write))
    });
    ran.expect("nobody else is there");
}

#[test]
fn s96_a_hook_may_open_the_unit_whose_place_was_the_only_one() {
    fn open(db: &Database, then: Option<&mpsc::Sender<()>>) {
        let ran = db.unit("one").run::<_, Error>(|tx| {
            if let Some(then) = then.cloned() {
                let db = db.clone();
                tx.after_commit(move || {
                    open(&db, None);
                    then.send(()).expect("the test listens");
                });
            }
            write(tx)
        });
        ran.expect("the place is free");
    }
    let (_, db) = scripted(Admission::fixed(1));
    let (then, ran) = mpsc::channel();
    open(&db, Some(&then));
    assert_eq!(ran.try_recv(), Ok(()));
}

#[test]
fn s96_a_deadline_ends_the_waiting() {
    let (_, db) = scripted(Admission::fixed(1));
    let one = || db.unit("one");
    with_somebody_inside(one, |let_go| {
        let late = one().timeout(Duration::from_millis(20)).run(write).expect_err("the place is taken");
        let_go();
        assert_eq!((late.kind(), late.outcome()), (ErrorKind::Timeout, Some(Outcome::NotStarted)), "{late}");
        assert!(late.to_string().contains("waited for its turn"), "{late}");
    });
    assert_eq!(db.stats().held_back, 0);
}

/// The time of a retry policy begins with the first attempt, not in line.
#[test]
fn s20_waiting_for_its_turn_does_not_use_up_the_time_to_run_again() {
    let (server, clock) = (Script::new(), VirtualClock::new());
    let builder = Database::builder().script(&server).clock(clock.clone());
    let db = builder.admission(Admission::fixed(1)).connect().expect("the script takes connections");
    let one = || db.unit("one").retry(Retry::DEFAULT.within(Duration::from_secs(10)));
    with_somebody_inside(one, |let_go| {
        thread::scope(|scope| {
            let second = scope.spawn(|| {
                one().run::<_, Error>(|tx| {
                    if tx.attempt() == 1 {
                        server.answer("UPDATE", deadlock());
                    }
                    write(tx)
                })
            });
            until_held_back(&db, 1);
            clock.advance(Duration::from_secs(60));
            let_go();
            second.join().expect("no panic").expect("its ten seconds begin with its first attempt");
        });
    });
}

/// Its policy's time begins later then, and the deadline comes before its end.
#[test]
fn s24_who_waited_for_its_turn_is_told_of_the_deadline_where_that_comes_first() {
    const HOUR: Duration = Duration::from_secs(3600);
    let (server, clock) = (Script::new(), VirtualClock::new());
    let builder = Database::builder().script(&server).clock(clock.clone());
    let db = builder.admission(Admission::fixed(1)).connect().expect("the script takes connections");
    let one = || db.unit("one").retry(Retry::DEFAULT.within(Duration::from_secs(10)).base(HOUR).cap(HOUR));
    with_somebody_inside(one, |let_go| {
        thread::scope(|scope| {
            let second = scope.spawn(|| {
                one().timeout(Duration::from_secs(12)).run::<_, Error>(|tx| {
                    server.answer("UPDATE", deadlock());
                    clock.advance(Duration::from_millis(6_999));
                    write(tx)
                })
            });
            until_held_back(&db, 1);
            clock.advance(Duration::from_secs(5));
            let_go();
            let late = second.join().expect("no panic").expect_err("a millisecond is left");
            assert_eq!(late.kind(), ErrorKind::Timeout, "{late}");
        });
    });
}

#[test]
fn s96_a_body_that_panics_gives_its_place_back() {
    let (_, db) = scripted(Admission::fixed(1));
    let one = || db.unit("one");
    let panicked = std::panic::catch_unwind(|| one().run::<(), Error>(|_| panic!("on purpose")));
    assert!(panicked.is_err());
    one().timeout(Duration::from_secs(60)).run(write).expect("the place is free");
}

#[unit_of_work(contention(key = account), retry = "never", db = db)]
fn pay(tx: &mut Tx<'_>, db: &Database, account: u64, met: &Barrier) -> Result<(), Error> {
    let _ = db;
    met.wait();
    tx.exec_drop("UPDATE account SET balance = 0 WHERE id = ?", (account,))
}

#[test]
fn s97_calls_with_different_keys_do_not_wait_for_each_other() {
    let (_, db) = scripted(Admission::fixed(1));
    let met = Barrier::new(2);
    thread::scope(|scope| {
        for account in [1, 2] {
            let (db, met) = (&db, &met);
            scope.spawn(move || pay(db, account, met).expect("both are inside at once"));
        }
    });
    one_at_a_time(&db, || db.unit("one").contention_key("the same").retry(Retry::NEVER));
}

#[test]
fn s97_what_begins_no_transaction_has_no_gate() {
    let (_, db) = scripted(Admission::Adaptive);
    for mode in [Propagation::Supports, Propagation::NotSupported, Propagation::Never, Propagation::Mandatory] {
        let unit = || db.unit("plain").propagation(mode);
        for (unit, setting) in
            [(unit().contention_key(1), "contention_key"), (unit().admission(Admission::Open), "admission")]
        {
            let error = unit.run(|_| Ok::<_, Error>(())).expect_err("it contradicts itself");
            assert_eq!((error.kind(), error.unit()), (ErrorKind::Configuration, Some("plain")), "{error}");
            assert!(error.to_string().contains(&format!("kept waiting: leave `{setting}` out")), "{error}");
        }
    }
}

/// It holds a session: whoever is inside might wait for that.
#[test]
fn s96_a_thread_with_a_scope_is_not_kept_waiting() {
    let (_, db) = scripted(Admission::fixed(1));
    let one = || db.unit("one");
    with_somebody_inside(one, |let_go| {
        let _scope = db.scope().expect("there are sessions");
        one().timeout(BOUND).run(write).expect("it is let in");
        let_go();
    });
}
