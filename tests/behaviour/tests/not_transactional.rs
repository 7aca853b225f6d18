//! Units that change a table that is not transactional and are rolled back: what they wrote there stays, and they say so. However
//! the roll-back came about: by the body, by the server on its own, with the connection.

mod scripted;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

use ephemeral_mysql::{Flavour, Server};
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Cause, Error, ErrorKind, Isolation, OnError, Outcome, Tx};

use crate::server;
use crate::world::{FAIL, TAKE_TEN, Trouble, World};

const LOG: &str = "INSERT INTO log VALUES (7)";

fn world(engine: &str) -> World {
    let world = World::with_accounts(1..=2);
    world.execute(&format!("CREATE TABLE log (entry INT) ENGINE={engine}"));
    world
}

fn logged(world: &World) -> u64 {
    world.count("SELECT COUNT(*) FROM log")
}

/// Torn, run once, and the message names the statement and the table.
fn assert_incomplete(error: &Error, runs: u32) {
    let seen = (error.kind(), error.outcome(), runs, error.attempts());
    assert_eq!(seen, (ErrorKind::RollbackIncomplete, Some(Outcome::Torn), 1, 1), "{error}");
    assert!(error.to_string().contains(LOG), "{error}");
}

#[test]
fn s103_a_body_that_fails_is_told_what_stays() {
    for engine in ["MyISAM", server::either("Aria", "MEMORY")] {
        let world = world(engine);
        let runs = Cell::new(0);
        let unit = world.db.unit("logs").run::<(), Trouble>(|tx| {
            runs.set(runs.get() + 1);
            tx.query_drop(TAKE_TEN)?;
            tx.query_drop(LOG)?;
            FAIL
        });
        let Err(Trouble::Work(error)) = unit else { panic!("{unit:?}") };
        assert_incomplete(&error, runs.get());
        let table = format!("`{}`.`log` ({engine})", world.name());
        for part in ["`logs`", &table, "Refused(\"a decision\")", "InnoDB", "part of the unit may be in the database"] {
            assert!(error.to_string().contains(part), "`{part}` is not in: {error}");
        }
        assert_eq!((world.balances(), logged(&world)), (vec![100, 100], 1));
        world.assert_clean(&world.db);
    }
}

/// A deadline that has passed meanwhile is not the more important thing to say.
#[test]
fn s103_a_body_that_fails_after_its_deadline_is_told_what_stays() {
    let world = world("MyISAM");
    let unit = world.db.unit("logs").timeout(Duration::from_millis(300)).run::<(), Trouble>(|tx| {
        tx.query_drop(LOG)?;
        std::thread::sleep(Duration::from_millis(400));
        FAIL
    });
    let Err(Trouble::Work(error)) = unit else { panic!("{unit:?}") };
    assert_incomplete(&error, 1);
    assert_eq!(logged(&world), 1);
}

#[test]
fn s103_an_error_that_asks_for_another_attempt_gets_none() {
    let world = world("MyISAM");
    let runs = Cell::new(0);
    let unit = world.db.unit("logs").on_error(|_: &Trouble| OnError::RunAgain).run::<(), Trouble>(|tx| {
        runs.set(runs.get() + 1);
        tx.query_drop(LOG)?;
        FAIL
    });
    let Err(Trouble::Work(error)) = unit else { panic!("{unit:?}") };
    assert_incomplete(&error, runs.get());
    assert_eq!(logged(&world), 1);
}

#[test]
fn s103_a_panic_keeps_its_payload() {
    let world = world("MyISAM");
    let told = Rc::new(RefCell::new(None));
    let hears = Rc::clone(&told);
    let unit = || {
        world.db.unit("logs").run::<(), Error>(|tx| {
            let hears = Rc::clone(&hears);
            tx.after_rollback(move |cause| *hears.borrow_mut() = Some(cause.clone()));
            tx.query_drop(LOG)?;
            resume_unwind(Box::new(17_u8))
        })
    };
    let payload = catch_unwind(AssertUnwindSafe(unit)).expect_err("it panics");
    assert_eq!(payload.downcast_ref::<u8>(), Some(&17));
    assert_eq!(logged(&world), 1);
    let Some(Cause::Marked(error)) = told.take() else { panic!("the hook is told what stays") };
    assert_incomplete(&error, 1);
    world.assert_clean(&world.db);
}

/// A function that a SELECT calls is not seen by the tracker; ROLLBACK warns all the same.
#[test]
fn s103_what_no_tracker_sees_the_rollback_tells() {
    let world = world("MyISAM");
    world.execute("CREATE FUNCTION f() RETURNS INT BEGIN INSERT INTO log VALUES (7); RETURN 1; END");
    let unit = world.db.unit("calls").run::<(), Trouble>(|tx| {
        tx.query_first::<u8, _>("SELECT f()")?;
        FAIL
    });
    let Err(Trouble::Work(error)) = unit else { panic!("{unit:?}") };
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::RollbackIncomplete, Some(Outcome::Torn)), "{error}");
    assert_eq!(logged(&world), 1);
}

/// A server on which snapshots are kept and lock waits end after a second.
fn strict() -> Server {
    let server = server::builder().option("lock_wait_timeout", "1");
    let server = match server::FLAVOUR {
        Flavour::MariaDb => server.option("innodb_snapshot_isolation", "ON"),
        Flavour::MySql => server,
    };
    server.start().unwrap_or_else(|error| panic!("{error}"))
}

/// Reads an account, and has it changed by somebody else before its own change.
fn is_overtaken(world: &World, tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_first::<i64, _>("SELECT balance FROM account WHERE id = 1")?;
    if tx.attempt() == 1 {
        world.conn().query_drop("UPDATE account SET balance = 500 WHERE id = 1").expect("an update from outside");
    }
    tx.query_drop(TAKE_TEN)
}

/// The server rolls back on its own, and its ROLLBACK has nothing to warn of any more. Only with MariaDB's kept snapshots: in a
/// deadlock both servers spare who has changed such a table (`thd_has_edited_nontrans_tables`), and MySQL has no other way.
#[cfg(not(feature = "mysql"))]
#[test]
fn s103_a_unit_that_the_server_rolled_back_on_its_own_is_not_run_again() {
    let server = strict();
    let world = World::on(&server, |builder| builder);
    world.make_accounts(1..=1);
    world.execute("CREATE TABLE log (entry INT) ENGINE=MyISAM");
    let runs = Cell::new(0);
    let unit = world.db.unit("logs").isolation(Isolation::RepeatableRead).run::<(), Error>(|tx| {
        runs.set(runs.get() + 1);
        tx.query_drop(LOG)?;
        is_overtaken(&world, tx)
    });
    let error = unit.expect_err("a second attempt would log twice");
    assert_incomplete(&error, runs.get());
    assert_eq!(error.code(), Some(1020), "{error}");
    assert_eq!(logged(&world), 1);
    world.assert_clean(&world.db);
}

#[test]
fn s103_nor_is_one_whose_commit_was_a_rollback() {
    let server = strict();
    let world = World::on(&server, |builder| builder);
    world.make_accounts(1..=1);
    world.execute("CREATE TABLE log (entry INT) ENGINE=MyISAM");
    let locker = RefCell::new(world.conn());
    let runs = Cell::new(0);
    let unit = world.db.unit("logs").run::<(), Error>(|tx| {
        runs.set(runs.get() + 1);
        tx.query_drop(TAKE_TEN)?;
        tx.query_drop(LOG)?;
        locker.borrow_mut().query_drop("FLUSH TABLES WITH READ LOCK").expect("nobody else is here");
        Ok(())
    });
    let error = unit.expect_err("COMMIT waits in vain, and what it ends with is a roll-back");
    locker.borrow_mut().query_drop("UNLOCK TABLES").expect("the server answers");
    assert_incomplete(&error, runs.get());
    assert_eq!(error.code(), Some(1205), "{error}");
    assert_eq!((world.balances(), logged(&world)), (vec![100], 1));
    world.assert_clean(&world.db);
}

#[test]
fn s103_nor_is_one_whose_connection_was_lost() {
    for lent in [false, true] {
        let world = world("MyISAM");
        let runs = Cell::new(0);
        let unit = world.db.unit("logs").run::<(), Error>(|tx| {
            runs.set(runs.get() + 1);
            if lent {
                tx.connection()?.query_drop(LOG)?;
            } else {
                tx.query_drop(LOG)?;
            }
            let who: Option<u64> = tx.query_first("SELECT CONNECTION_ID()")?;
            world.conn().query_drop(format!("KILL CONNECTION {}", who.expect("a row"))).expect("root may");
            tx.query_drop(TAKE_TEN)
        });
        let error = unit.expect_err("a second attempt would log twice");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::RollbackIncomplete, Some(Outcome::Torn)), "{error}");
        let source = std::error::Error::source(&error).expect("the loss").to_string();
        assert!(source.contains("connection was lost"), "{source}");
        assert_eq!((runs.get(), logged(&world)), (1, 1));
        world.assert_clean(&world.db);
    }
}

#[test]
fn s103_a_nested_unit_that_is_undone_tears_the_whole() {
    let world = world("MyISAM");
    let runs = Cell::new(0);
    let unit = world.db.unit("outer").run::<_, Error>(|tx| {
        runs.set(runs.get() + 1);
        tx.query_drop(TAKE_TEN)?;
        let inner = tx.savepoint(|tx| {
            tx.query_drop(LOG)?;
            FAIL
        });
        assert!(matches!(inner, Err(Trouble::Refused(_))), "the inner unit's own error is not hidden: {inner:?}");
        Ok(())
    });
    let error = unit.expect_err("the inner unit was rolled back, and is in the database");
    assert_incomplete(&error, runs.get());
    assert_eq!((world.balances(), logged(&world)), (vec![100, 100], 1));
    world.assert_clean(&world.db);
}

#[test]
fn s103_who_commits_or_only_reads_such_a_table_is_told_nothing() {
    let world = world("MyISAM");
    let unit = world.db.unit("logs").run::<_, Error>(|tx| tx.query_drop(LOG));
    unit.expect("it is committed, and all of it is there");
    let reads = world.db.unit("reads").run::<(), Trouble>(|tx| {
        tx.query_first::<u64, _>("SELECT COUNT(*) FROM log")?;
        tx.query_drop(TAKE_TEN)?;
        tx.query_drop("DELETE FROM log WHERE entry = 99")?;
        FAIL
    });
    assert!(matches!(reads, Err(Trouble::Refused(_))), "nothing was written there: {reads:?}");
    assert_eq!((world.balances(), logged(&world)), (vec![100, 100], 1));
}

/// They warn alike, and are gone with the session's reset.
#[test]
fn s103_temporary_tables_are_no_reason_not_to_run_again() {
    let server = strict();
    let world = World::on(&server, |builder| builder);
    world.make_accounts(1..=1);
    let runs = Cell::new(0);
    let unit = || world.db.unit("gathers").isolation(Isolation::RepeatableRead);
    let gather = |tx: &mut Tx<'_>| {
        tx.query_drop("CREATE TEMPORARY TABLE gathered (id INT) ENGINE=MEMORY")?;
        tx.query_drop("INSERT INTO gathered VALUES (1)")
    };
    let ended = unit().run::<_, Error>(|tx| {
        runs.set(runs.get() + 1);
        gather(tx)?;
        is_overtaken(&world, tx)
    });
    ended.expect("the second attempt, or the first where snapshots are not kept, is committed");
    assert_eq!((runs.get(), world.balances()), (server::either(2, 1), vec![490]));
    let fails = unit().run::<(), Trouble>(|tx| {
        gather(tx)?;
        FAIL
    });
    assert!(matches!(fails, Err(Trouble::Refused(_))), "{fails:?}");
}
