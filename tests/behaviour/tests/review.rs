//! Holes that a reading of the whole runtime found, each held shut by a test: procedures that commit and then fail, panics in row
//! closures, secrets in guards, sessions after read-only units.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use proxy::{Cut, Packet, Side};
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::testing::{Reply, Script};
use unit_of_work::{Database, Error, ErrorKind, OnError, Outcome, Retry, Tx};

use crate::rival::Rival;
use crate::world::World;

fn with_procedure(body: &str) -> World {
    let world = World::with_accounts(1..=1);
    world.execute(&format!("CREATE PROCEDURE p() BEGIN {body} END"));
    world
}

#[test]
fn s63_a_procedure_that_commits_and_then_fails_is_found_out_and_not_run_again() {
    let world = with_procedure("INSERT INTO account VALUES (3, 3); COMMIT; SIGNAL SQLSTATE '45000';");
    let unit = world.db.unit("calls").on_error(|_: &Error| OnError::RunAgain).run::<(), Error>(|tx| {
        tx.query_drop("INSERT INTO account VALUES (2, 2)")?;
        tx.query_drop("CALL p()")
    });
    let error = unit.expect_err("part of it is committed");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::ImplicitCommit, Some(Outcome::Torn)), "{error}");
    assert_eq!(error.code(), Some(1644), "{error}");
    assert_eq!(world.balances().len(), 3);
}

#[test]
fn s63_a_procedure_that_commits_and_then_meets_a_deadlock_is_not_run_again() {
    let world =
        with_procedure("INSERT INTO account VALUES (3, 3); COMMIT; SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213;");
    let unit = world.db.unit("calls").run::<(), Error>(|tx| tx.query_drop("CALL p()"));
    let error = unit.expect_err("nobody knows what it committed before");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::ImplicitCommit, Some(Outcome::Torn)), "{error}");
    assert_eq!(world.balances().len(), 2);
}

type Way = fn(&mut Tx<'_>) -> Result<(), Error>;

/// By a statement of the unit's, and by a lent connection.
const WAYS: [Way; 2] = [|tx| tx.query_drop("CALL p()"), |tx| Ok(tx.connection()?.query_drop("CALL p()")?)];

#[test]
fn s63_a_procedure_that_commits_and_meets_a_deadlock_is_not_run_again_on_a_lent_connection_either() {
    let world =
        with_procedure("INSERT INTO account VALUES (3, 3); COMMIT; SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213;");
    let error = world.db.unit("calls").run::<(), Error>(WAYS[1]).expect_err("nobody knows what it committed before");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::ImplicitCommit, Some(Outcome::Torn)), "{error}");
    assert_eq!(world.balances().len(), 2);
}

/// The answer is lost with the connection: that of the procedure itself, and that of the bracket around it.
#[test]
fn s63_a_procedure_that_may_have_committed_when_the_connection_was_lost_is_not_run_again() {
    for (way, lost) in WAYS.iter().flat_map(|way| [(way, "CALL p()"), (way, "RELEASE SAVEPOINT")]) {
        let world = with_procedure("UPDATE account SET balance = balance + 1; COMMIT;");
        let (db, proxy) = world.proxied();
        proxy.cut(Cut { at: Packet::Text(lost), side: Side::AfterServer });
        let error = db.unit("calls").run::<(), Error>(way).expect_err("nobody knows what it committed");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::ImplicitCommit, Some(Outcome::Torn)), "{error}");
        assert!(error.to_string().contains("nobody can say"), "{error}");
        assert_eq!((world.balances(), error.attempts()), (vec![101], 1), "{lost}");
    }
}

/// Most of all it does not say that it was rolled back.
#[test]
fn s63_a_procedure_that_has_committed_when_the_deadline_comes_is_not_called_rolled_back() {
    for way in WAYS {
        let world = with_procedure("UPDATE account SET balance = balance + 1; COMMIT; DO SLEEP(30);");
        let unit = world.db.unit("calls").timeout(Duration::from_millis(500));
        let error = unit.run::<(), Error>(way).expect_err("it takes too long");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::ImplicitCommit, Some(Outcome::Torn)), "{error}");
        assert!(error.to_string().contains("deadline"), "{error}");
        assert_eq!(world.balances(), [101]);
    }
}

/// A server that takes no writes for the moment says so, and can be asked for the bracket: nothing was committed.
#[test]
fn s63_a_procedure_that_a_server_refuses_runs_again_if_it_has_not_committed() {
    let read_only = || Reply::error(1290, "HY000", "The MariaDB server is running with the --read-only option");
    for gone in [false, true] {
        let script = Script::new();
        let db = Database::builder().script(&script).connect().expect("a scripted server");
        script.answer("CALL p()", read_only());
        if gone {
            script.answer("RELEASE", Reply::error(1305, "42000", "SAVEPOINT unit_of_work_1 does not exist"));
        }
        let again = Retry::DEFAULT.base(Duration::ZERO);
        let unit = db.unit("calls").retry(again).run::<_, Error>(|tx| tx.query_drop("CALL p()").map(|()| tx.attempt()));
        match unit {
            Ok(attempts) => assert_eq!((attempts, gone), (2, false)),
            Err(error) => {
                assert!(gone, "{error}");
                let seen = (error.kind(), error.outcome(), error.code());
                assert_eq!(seen, (ErrorKind::ImplicitCommit, Some(Outcome::Torn), Some(1290)), "{error}");
            }
        }
    }
}

#[test]
fn s63_a_panic_in_a_row_closure_does_not_hide_a_commit() {
    let world = with_procedure("SELECT 1; INSERT INTO account VALUES (3, 3); COMMIT;");
    let unit = world.db.unit("calls").run::<(), Error>(|tx| {
        tx.query_drop("INSERT INTO account VALUES (2, 2)")?;
        let panicked = catch_unwind(AssertUnwindSafe(|| tx.query_each("CALL p()", |_: u64| panic!("planned"))));
        assert!(panicked.is_err());
        Ok(())
    });
    assert_eq!(unit.expect_err("it committed").kind(), ErrorKind::ImplicitCommit);
}

#[test]
fn s48_a_statement_that_another_guard_prepared_is_refused() {
    let world = World::with_accounts(1..=1);
    let keep = |tx: &mut Tx<'_>| Ok(tx.connection()?.prep("SELECT 5")?);
    let kept = world.db.unit("prepares").run::<_, Error>(keep).expect("a unit");
    let unit = world.db.unit("uses").run::<(), Error>(|tx| {
        let mut guard = tx.connection()?;
        guard.prep("DELETE FROM account")?;
        Ok(guard.exec_drop(&kept, ())?)
    });
    assert_eq!(unit.expect_err("it is another one here").code(), Some(1243));
    assert_eq!(world.balances(), [100]);
}

#[test]
fn s14_a_prepared_statement_of_a_doomed_unit_is_not_sent() {
    let world = World::with_accounts(1..=1);
    world.execute("CREATE PROCEDURE deadlock() SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213");
    let reached = world.db.unit("doomed").retry(Retry::NEVER).run::<(), Error>(|tx| {
        let mut guard = tx.connection()?;
        let update = guard.prep("UPDATE account SET balance = 0")?;
        assert!(guard.query_drop("CALL deadlock()").is_err());
        assert!(guard.exec_drop(&update, ()).is_err(), "it must not reach the server");
        Ok(())
    });
    reached.expect_err("it is doomed");
    assert_eq!(world.balances(), [100]);
}

#[test]
fn s11_a_deadlock_in_the_rows_of_a_lent_connection_runs_the_unit_again() {
    let world = World::with_accounts(1..=2);
    let (mine, theirs) = (Barrier::new(2), Barrier::new(2));
    let attempts = AtomicU32::new(0);
    thread::scope(|scope| {
        for (first, second) in [(1, 2), (2, 1)] {
            let (world, mine, theirs, attempts) = (&world, &mine, &theirs, &attempts);
            scope.spawn(move || {
                let unit = world.db.unit("crosses").run::<_, Error>(|tx| {
                    attempts.fetch_add(1, Ordering::Relaxed);
                    let attempt = tx.attempt();
                    let mut guard = tx.connection()?;
                    let lock = |id| format!("SELECT balance FROM account WHERE id = {id} FOR UPDATE");
                    guard.query_drop(lock(first))?;
                    if attempt == 1 {
                        mine.wait();
                    }
                    let _balances: Vec<i64> = guard.query(lock(second))?;
                    Ok(())
                });
                unit.expect("a deadlock is nobody's error");
                theirs.wait();
            });
        }
    });
    assert!(attempts.into_inner() >= 3, "one of the two ran twice");
}

/// Nobody but the server and the body sees an error of the driver's raw rows, and this body does not mind.
#[test]
fn s11_a_deadlock_that_hides_in_a_row_stream_runs_the_unit_again() {
    let world = World::with_accounts(1..=30);
    world.execute(
        "CREATE FUNCTION wants(n INT) RETURNS INT \
         BEGIN IF n = 2 THEN UPDATE account SET balance = 5 WHERE id = 2; END IF; RETURN n; END",
    );
    let unit = thread::scope(|scope| {
        let rival = Rival::start(scope, &world);
        let unit = world.db.unit("streams").run::<_, Error>(|tx| {
            let attempt = tx.attempt();
            tx.query_drop("UPDATE account SET balance = 1 WHERE id = 1")?;
            if attempt == 1 {
                rival.strike();
            }
            let mut guard = tx.connection()?;
            let mut errors = 0;
            for row in guard.query_iter("SELECT wants(n) FROM (SELECT 1 AS n UNION ALL SELECT 2) AS numbers")? {
                errors += u32::from(row.is_err());
            }
            Ok((attempt, errors))
        });
        rival.join();
        unit
    });
    assert_eq!(unit.expect("the second attempt is committed"), (2, 0));
    assert_eq!((world.balance(1), world.balance(2)), (Some(1), Some(5)));
}

#[test]
fn s86_guards_do_not_show_the_password() {
    let world = World::new();
    world.execute("CREATE USER IF NOT EXISTS teller IDENTIFIED BY 'dragon-plum'");
    world.execute("GRANT ALL ON *.* TO teller");
    let url = world.url().replace("root@", "teller:dragon-plum@");
    let db = unit_of_work::Database::connect(&url).expect("the right password");
    let scope = db.scope().expect("a session");
    let session = db.session(|session| Ok(format!("{session:?}"))).expect("a session");
    let lent = db.unit("lends").run::<_, Error>(|tx| Ok(format!("{:?}", tx.connection()?))).expect("a guard");
    for text in [format!("{scope:?}"), format!("{db:?}"), session, lent] {
        assert!(!text.contains("dragon-plum"), "{text}");
    }
}

/// Something whose destructor panics.
#[derive(Default)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("planned");
    }
}

#[test]
fn s56_destructors_that_panic_after_the_end_are_reported_and_the_caller_gets_the_value() {
    let failures = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&failures);
    let world = World::with(|builder| {
        builder.on_hook_error(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        })
    });
    let ran = Arc::new(AtomicU32::new(0));
    let value = world.db.unit("leaves bombs").run::<_, Error>(|tx| {
        tx.query_drop("DO 1")?;
        tx.local::<Bomb>();
        let bomb = Bomb;
        tx.after_rollback(move |_| drop(bomb));
        let ran = Arc::clone(&ran);
        tx.after_commit(move || {
            ran.fetch_add(1, Ordering::Relaxed);
        });
        Ok(7)
    });
    assert_eq!(value.expect("it is committed"), 7);
    assert_eq!((ran.load(Ordering::Relaxed), failures.load(Ordering::Relaxed)), (1, 2));
}

#[test]
fn s98_a_session_after_a_read_only_unit_can_write() {
    let world = World::with_accounts(1..=1);
    world.db.unit("reads").read_only().run::<_, Error>(|tx| tx.query_drop("SELECT 1")).expect("a unit");
    world.db.session(|session| session.query_drop("INSERT INTO account VALUES (2, 2)")).expect("it may write");
    assert_eq!(world.balances().len(), 2);
}

#[test]
fn s72_any_patience_will_do() {
    let world = World::new();
    let db = world.connect(|builder| builder.max_connections(1).acquire_timeout(Duration::MAX));
    db.unit("one").run::<_, Error>(|tx| tx.query_drop("DO 1")).expect("a session is free");
    assert_eq!(db.stats().in_use, 0);
}

#[test]
fn s70_the_last_handle_closes_what_threads_have_parked() {
    let world = World::new();
    let db = world.connect(|builder| builder);
    let id = |db: &unit_of_work::Database| {
        db.unit("asks")
            .run::<_, Error>(|tx| Ok(tx.query_first::<u64, _>("SELECT CONNECTION_ID()")?.unwrap_or_default()))
    };
    let connection = id(&db).expect("a unit");
    drop(db);
    let mut outside = world.conn();
    crate::world::until("the connection is closed", || {
        let sql = format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {connection}");
        outside.query_first::<u64, _>(sql).expect("an answer") == Some(0)
    });
}

#[test]
fn s47_a_lock_wait_that_is_ignored_is_not_refused() {
    let world = World::new();
    let outer = world.db.unit("outer").retry(Retry::NEVER).run::<_, Error>(|_| {
        world.db.unit("inner").lock_wait(Duration::from_secs(60)).run::<_, Error>(|tx| tx.query_drop("DO 1"))
    });
    outer.expect("it joins, so its lock wait is not asked for");
}

#[test]
fn s38_a_circle_through_sessions_outside_of_units_is_refused_at_once() {
    const THREADS: usize = 2;
    let world = World::new();
    let db = world.connect(|builder| builder.max_connections(THREADS).acquire_timeout(crate::world::BOUND));
    let holding = Barrier::new(THREADS);
    let refused = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let done = db.session(|_| {
                    holding.wait();
                    db.unit("inside").run::<_, Error>(|tx| tx.query_drop("DO 1"))
                });
                if let Err(error) = done {
                    assert_eq!(error.kind(), ErrorKind::PoolTimeout, "{error}");
                    assert!(error.to_string().contains("refused at once"), "{error}");
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(refused.into_inner(), 1, "one is refused, and the other gets its session");
}

/// As tools that trace statements, or generate them, write it.
#[test]
fn s19_an_update_behind_a_comment_is_not_believed_either_when_it_was_killed_in_silence() {
    let server = Script::new();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    for comment in ["/* route='/buy' */ ", "-- name: buy\n", "\x0b"] {
        server.answer(comment, Reply::KilledInSilence);
        let sql = format!("{comment}UPDATE seat SET sold = 1");
        let error = db.unit("buys").run::<_, Error>(|tx| tx.query_drop(&sql)).expect_err("it did nothing");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Statement, Some(Outcome::RolledBack)),
            "{sql}: {error}"
        );
    }
}
