//! Deferred writes on a real server: in which order and packet they go out, who sees them, what becomes of them when something fails or
//! is rolled back. What a packet's answers mean is `scripted`'s, what values become is `values`', how much fits is `sizes`'.

mod scripted;
mod sizes;
mod values;

use std::cell::{Cell, RefCell};
use std::thread;
use std::time::{Duration, Instant};

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Error, ErrorKind, Isolation, OnError, Outcome, Propagation, Tx};

use crate::never_again::HAVE_NOTHING_TO_DO;
use crate::rival::Rival;
use crate::world::{BOUND, FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

const ADD: &str = "UPDATE account SET balance = balance + ? WHERE id = ?";
const LOOK: &str = "SELECT balance FROM account WHERE id = ?";
const NEW: &str = "INSERT INTO account VALUES (?, ?)";

fn look(tx: &mut Tx<'_>, id: u64) -> Result<Option<i64>, Error> {
    tx.exec_first(LOOK, (id,))
}

/// Round trips of a piece of work, and the texts that went out.
fn traffic(proxy: &proxy::Proxy, work: impl FnOnce()) -> (u64, Vec<String>) {
    proxy.record();
    let before = proxy.round_trips();
    work();
    let trips = proxy.round_trips() - before;
    let sent = proxy.take().into_iter().filter(|command| command.kind.is_round_trip());
    (trips, sent.map(|command| command.text).collect())
}

#[test]
fn s90_a_transfer_with_two_deferred_updates_makes_three_round_trips() {
    let world = World::with_accounts(1..=2);
    let (db, proxy) = world.proxied();
    let transfer = |exactly_once| {
        let unit = db.unit("transfer");
        let unit = if exactly_once { unit.exactly_once() } else { unit };
        unit.run::<_, Error>(|tx| {
            let before = [look(tx, 1)?, look(tx, 2)?];
            tx.defer(ADD, (-10, 1))?;
            tx.defer(ADD, (10, 2))?;
            Ok(before)
        })
    };
    transfer(false).expect("the session is warm and the text prepared");
    let (trips, sent) = traffic(&proxy, || _ = transfer(false).expect("a transfer"));
    assert_eq!(trips, 3, "{sent:#?}");
    assert_eq!(world.balances(), [80, 120]);
    db.create_outcome_table().expect("the table of outcomes");
    transfer(true).expect("the session was reset, and is warm again");
    let (trips, sent) = traffic(&proxy, || _ = transfer(true).expect("a transfer"));
    assert_eq!(trips, 3, "the row of exactly_once travels along: {sent:#?}");
    assert_eq!(world.balances(), [60, 140]);
    assert_eq!(world.count("SELECT COUNT(*) FROM unit_of_work_outcome"), 2);
    world.assert_clean(&db);
}

#[test]
fn s90_a_unit_that_only_defers_is_one_round_trip() {
    let world = World::with_accounts(1..=2);
    let (db, proxy) = world.proxied();
    let unit = |level| {
        db.unit("defers").isolation(level).run::<_, Error>(|tx| {
            tx.defer(TAKE_TEN, ())?;
            tx.defer(GIVE_TEN, ())
        })
    };
    unit(Isolation::Serializable).expect("the session is warm");
    let (trips, sent) = traffic(&proxy, || unit(Isolation::Serializable).expect("both writes"));
    assert_eq!(trips, 1, "{sent:#?}");
    let (trips, sent) = traffic(&proxy, || unit(Isolation::ReadCommitted).expect("both writes"));
    assert_eq!(trips, 2, "{sent:#?}");
    assert!(sent[0].contains("READ COMMITTED"), "the packet is sent at the level that the unit asks for: {sent:#?}");
    assert_eq!(world.balances(), [70, 130]);
    world.assert_clean(&db);
}

#[test]
fn s90_a_read_sees_what_was_deferred_in_its_order() {
    let world = World::with_accounts(1..=1);
    let unit = world.db.unit("orders").run::<_, Error>(|tx| {
        tx.defer("UPDATE account SET balance = 2 * balance WHERE id = ?", (1,))?;
        tx.defer(ADD, (1, 1))?;
        tx.defer(NEW, (2, 7))?;
        let doubled = look(tx, 1)?;
        tx.defer("DELETE FROM account WHERE id = ?", (2,))?;
        tx.defer("REPLACE INTO account VALUES (?, ?)", (1, 5))?;
        let replaced = look(tx, 1)?;
        let deleted: Option<i64> = tx.query_first("SELECT balance FROM account WHERE id = 2")?;
        Ok((doubled, replaced, deleted))
    });
    assert_eq!(unit.expect("all is in its order"), (Some(201), Some(5), None));
    assert_eq!(world.balances(), [5]);
}

/// What the body asks about is its own last statement.
#[test]
fn s90_affected_rows_and_the_last_id_stay_those_of_the_bodys_own_statement() {
    let world = World::with_accounts(1..=3);
    world.execute("CREATE TABLE line (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(20)) ENGINE=InnoDB");
    world
        .db
        .unit("asks")
        .run::<_, Error>(|tx| {
            tx.exec_drop("INSERT INTO line (text) VALUES (?), (?)", ("a", "b"))?;
            let own = (tx.affected_rows(), tx.last_insert_id());
            tx.defer("INSERT INTO line (text) VALUES (?)", ("c",))?;
            tx.defer("UPDATE account SET balance = 0", ())?;
            tx.savepoint::<_, Error>(|_| Ok(()))?;
            assert_eq!((tx.affected_rows(), tx.last_insert_id()), own);
            tx.defer("UPDATE account SET balance = 1", ())?;
            let seen: Vec<u64> = tx.query("SELECT id FROM line")?;
            assert_eq!(seen.len(), 3);
            Ok(())
        })
        .expect("a unit");
}

#[test]
fn s90_it_is_sent_before_a_savepoint_a_suspension_and_a_lent_connection() {
    let world = World::with_accounts(1..=2);
    let (db, proxy) = world.proxied_with(|builder| builder.isolation(Isolation::ReadCommitted));
    db.unit("warm").run::<_, Error>(|tx| tx.query_drop("DO 1")).expect("the session is warm");
    let sends = |what: &str, work: &dyn Fn(&mut Tx<'_>) -> Result<(), Error>| {
        let there = RefCell::new(Vec::new());
        db.unit("outer")
            .run::<_, Error>(|tx| {
                tx.defer(ADD, (10, 1))?;
                let (_, sent) = traffic(&proxy, || work(tx).expect(what));
                there.replace(sent);
                Ok(())
            })
            .expect(what);
        let mut there = there.take();
        there.retain(|text| !text.starts_with("SET SESSION"));
        assert!(there.first().is_some_and(|text| text.starts_with("UPDATE account")), "{what}: {there:#?}");
        there
    };
    let sent = sends("savepoint", &|tx| tx.savepoint(|_| Ok(())));
    assert!(sent[0].contains("SAVEPOINT unit_of_work_"), "in one packet with it: {sent:#?}");
    let sent = sends("lent", &|tx| tx.connection()?.query_drop("DO 1").map_err(Error::from));
    assert!(sent[0].contains("SAVEPOINT unit_of_work_"), "in one packet with it: {sent:#?}");
    for mode in [Propagation::RequiresNew, Propagation::NotSupported] {
        sends("suspension", &|_| db.unit("inner").propagation(mode).run(|tx| tx.query_drop("DO 2")));
    }
    sends("a hook", &|tx| {
        tx.before_commit(|tx| tx.query_drop("DO 3"));
        tx.query_drop("DO 4")
    });
    assert_eq!(world.balances(), [150, 100]);
    world.assert_clean(&world.db);
}

/// What is gathered in `before_commit` goes out with COMMIT too.
#[test]
fn s90_a_hook_before_commit_may_defer() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    let unit = || {
        db.unit("hooked").run::<_, Error>(|tx| {
            tx.before_commit(|tx| tx.defer(ADD, (1, 1)));
            tx.defer(ADD, (1, 1))
        })
    };
    unit().expect("the session is warm");
    let (trips, sent) = traffic(&proxy, || unit().expect("a unit"));
    assert_eq!(trips, 1, "{sent:#?}");
    assert_eq!(world.balances(), [104]);
}

#[test]
fn s90_units_that_join_defer_into_the_same_queue() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    let unit = || {
        db.unit("outer").run::<_, Error>(|tx| {
            tx.defer("UPDATE account SET balance = 2 * balance WHERE id = 1", ())?;
            db.unit("joined").run::<_, Error>(|tx| tx.defer(ADD, (1, 1)))?;
            tx.defer("UPDATE account SET balance = 2 * balance WHERE id = 1", ())
        })
    };
    unit().expect("the session is warm");
    assert_eq!(world.balances(), [402]);
    let (trips, sent) = traffic(&proxy, || unit().expect("a unit"));
    assert_eq!(trips, 1, "{sent:#?}");
}

#[test]
fn s90_a_snapshot_is_begun_before_what_was_deferred() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    let unit = db.unit("snapshot").isolation(Isolation::RepeatableRead).snapshot();
    let (_, sent) = traffic(&proxy, || unit.run::<_, Error>(|tx| tx.defer(TAKE_TEN, ())).expect("a unit"));
    let begin = sent.iter().position(|text| text == "START TRANSACTION WITH CONSISTENT SNAPSHOT");
    assert!(begin.is_some_and(|at| sent[at + 1].starts_with(TAKE_TEN)), "{sent:#?}");
    assert_eq!(world.balances(), [90]);
}

#[test]
fn s90_what_is_no_write_is_refused_at_the_call_and_dooms_nothing() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    let others = [
        LOOK,
        "CALL p()",
        "COMMIT",
        "SET @a = ?",
        "DO 1",
        "",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "CREATE TEMPORARY TABLE t (a INT)",
        "UPDATE account SET balance = 0; DELETE FROM account",
        "WITH c AS (SELECT 1) SELECT * FROM c",
    ];
    let (trips, _) = traffic(&proxy, || {
        db.unit("refused")
            .run::<_, Error>(|tx| {
                for sql in others {
                    let error = tx.defer(sql, (1,)).expect_err("it is no write");
                    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Refused, None), "{sql}: {error}");
                    assert!(error.to_string().contains("not sent"), "{error}");
                }
                Ok(())
            })
            .expect("nothing was doomed");
        db.unit("reads")
            .read_only()
            .run::<_, Error>(|tx| {
                let error = tx.defer(TAKE_TEN, ()).expect_err("it may not write");
                assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
                assert!(error.to_string().contains("not sent"), "{error}");
                Ok(())
            })
            .expect("nothing was doomed");
    });
    assert_eq!(trips, 0);
    let missing = db.unit("missing").run::<_, Error>(|tx| {
        let error = tx.defer(ADD, (1,)).expect_err("a value is missing");
        assert_eq!(error.kind(), ErrorKind::Conversion, "{error}");
        tx.defer(ADD, (1, 1))
    });
    missing.expect("nothing was doomed");
    assert_eq!(world.balances(), [101]);
}

/// The error, told to whoever sent it, is about the deferred write and where it was deferred.
#[test]
fn s91_a_write_that_fails_names_its_text_and_its_call_and_dooms_the_unit() {
    let world = World::with_accounts(1..=2);
    let at_commit = |tx: &mut Tx<'_>| -> Result<u32, Error> {
        tx.defer(ADD, (1, 1))?;
        let line = line!() + 1;
        tx.defer(NEW, (2, 0))?;
        tx.defer(ADD, (1, 2))?;
        Ok(line)
    };
    let line = Cell::new(0);
    let runs = Cell::new(0);
    let error = world.db.unit("fails").run::<_, Error>(|tx| {
        runs.set(runs.get() + 1);
        line.set(at_commit(tx)?);
        Ok(())
    });
    let error = error.expect_err("2 is there already");
    assert_eq!(
        (error.kind(), error.code(), error.outcome()),
        (ErrorKind::Statement, Some(1062), Some(Outcome::RolledBack))
    );
    let text = error.to_string();
    assert!(text.contains(&format!("`{NEW}`: deferred at {}:{}", file!(), line.get())), "{text}");
    assert_eq!((runs.get(), world.balances()), (1, vec![100, 100]), "not run again, and nothing is left of it");

    let unit = world.db.unit("swallows").run::<_, Error>(|tx| {
        line.set(at_commit(tx)?);
        let first = look(tx, 1).expect_err("2 is there already");
        assert_eq!((first.kind(), first.code()), (ErrorKind::Statement, Some(1062)), "{first}");
        assert!(first.to_string().contains(&format!("`{NEW}`: deferred at {}:{}", file!(), line.get())), "{first}");
        let later = look(tx, 1).expect_err("the unit is doomed");
        assert_eq!(later.to_string(), first.to_string());
        Ok(())
    });
    let error = unit.expect_err("a doomed unit is not committed");
    assert_eq!((error.code(), error.outcome()), (Some(1062), Some(Outcome::RolledBack)), "{error}");
    assert_eq!(world.balances(), [100, 100]);
    world.assert_clean(&world.db);
}

/// A write that cannot wait is no exception.
/// MariaDB's answers to them lack what its answer to one that was killed lacks.
#[test]
fn s92_a_write_that_has_nothing_to_do_is_not_taken_for_one_that_was_killed() {
    let world = World::with_accounts(1..=1);
    for innocent in HAVE_NOTHING_TO_DO {
        let deferred = |tx: &mut Tx<'_>| {
            tx.defer(ADD, (1, 1))?;
            tx.defer(innocent, ())
        };
        world.db.unit("at its end").run::<_, Error>(deferred).expect(innocent);
        let flushed = |tx: &mut Tx<'_>| deferred(tx).and_then(|()| look(tx, 1));
        world.db.unit("before").run::<_, Error>(flushed).expect(innocent);
        world.execute("UPDATE account SET balance = 100");
    }
    world.assert_clean(&world.db);
}

#[test]
fn s91_a_write_that_is_sent_at_once_dooms_the_unit_too() {
    let world = World::with_accounts(1..=1);
    let unit = world.db.unit("fails").run::<_, Error>(|tx| {
        tx.defer(ADD, (1, 1))?;
        let _swallowed = tx.defer(NEW, (1, 0.5));
        Ok(())
    });
    assert_eq!(unit.expect_err("1 is there already").code(), Some(1062));
    assert_eq!(world.balances(), [100]);
}

#[test]
fn s91_a_deadlock_in_what_was_deferred_runs_the_unit_again() {
    for read_behind in [false, true] {
        let world = World::with_accounts(1..=30);
        let seen = RefCell::new(Vec::new());
        thread::scope(|scope| {
            let rival = Rival::start(scope, &world);
            let unit = world.db.unit("transfer").run::<_, Error>(|tx| {
                let balance: Option<i64> = tx.query_first("SELECT balance FROM account WHERE id = 1 FOR UPDATE")?;
                seen.borrow_mut().push((tx.attempt(), balance));
                if tx.attempt() == 1 {
                    rival.strike();
                }
                tx.defer(ADD, (10, 2))?;
                tx.defer(ADD, (-10, 1))?;
                if read_behind { look(tx, 2).map(drop) } else { Ok(()) }
            });
            unit.expect("the second attempt is committed");
            rival.join();
        });
        assert_eq!(seen.take(), [(1, Some(100)), (2, Some(1100))]);
        assert_eq!(world.balances()[..2], [1090, 111]);
        world.assert_clean(&world.db);
    }
}

#[test]
fn s91_what_is_rolled_back_before_it_was_sent_is_never_sent() {
    let world = World::with_accounts(1..=3);
    let (db, proxy) = world.proxied();
    db.unit("warm").run::<_, Error>(|tx| tx.query_drop("DO 1")).expect("the session is warm");
    let (trips, _) = traffic(&proxy, || {
        let failing = db.unit("fails").run(|tx| tx.defer(TAKE_TEN, ()).map_err(Trouble::from).and(FAIL));
        failing.expect_err("the body's own");
        let marked = db.unit("marked").run::<_, Error>(|tx| {
            tx.set_rollback_only();
            tx.defer(TAKE_TEN, ())
        });
        assert_eq!(marked.expect_err("it was marked").kind(), ErrorKind::RollbackOnly);
        let panics = || {
            db.unit("panics").run::<(), Error>(|tx| {
                tx.defer(TAKE_TEN, ())?;
                std::panic::resume_unwind(Box::new("the test's own"))
            })
        };
        drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).expect_err("it panics"));
    });
    assert_eq!(trips, 0, "a unit that only deferred and is rolled back sends nothing at all");

    let (_, sent) = traffic(&proxy, || {
        db.unit("savepoints")
            .run::<_, Error>(|tx| {
                tx.defer(ADD, (1, 1))?;
                let inner = tx.savepoint(|tx| {
                    tx.defer(ADD, (1000, 2))?;
                    tx.savepoint::<_, Error>(|tx| tx.defer(ADD, (2000, 2)))?;
                    tx.defer(ADD, (3000, 2)).map_err(Trouble::from).and(FAIL)
                });
                inner.expect_err("its own");
                tx.savepoint::<_, Error>(|tx| tx.defer(ADD, (1, 3)))?;
                tx.defer(ADD, (1, 3))
            })
            .expect("the outer goes on");
    });
    assert!(!sent.iter().any(|text| text.contains("3000")), "{sent:#?}");
    assert_eq!(world.balances(), [101, 100, 102]);
    world.assert_clean(&db);
}

#[test]
fn s91_of_an_attempt_that_is_run_again_only_the_last_ones_writes_are_there() {
    let world = World::with_accounts(1..=1);
    let unit = world.db.unit("again").on_error(|error: &Trouble| match error {
        Trouble::Refused(_) => OnError::RunAgain,
        Trouble::Work(_) => OnError::RollBack,
    });
    unit.run(|tx| {
        tx.defer(ADD, (1, 1))?;
        if tx.attempt() < 3 { FAIL } else { Ok(()) }
    })
    .expect("the third attempt");
    assert_eq!(world.balances(), [101]);
}

#[test]
fn s89_without_a_transaction_it_is_sent_at_once() {
    let world = World::with_accounts(1..=1);
    let unit = world.db.unit("plain").propagation(Propagation::NotSupported).run(|tx| {
        tx.defer(ADD, (1, 1))?;
        assert_eq!(world.balances(), [101], "others see it");
        let error = tx.defer(NEW, (1, 0)).expect_err("1 is there already");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Statement, Some(1062)), "{error}");
        tx.defer(ADD, (1, 1)).map_err(Trouble::from).and(FAIL)
    });
    unit.expect_err("the body's own");
    assert_eq!(world.balances(), [102]);
    world.assert_clean(&world.db);
}

/// Nobody watches the packet of COMMIT; so a unit with a deadline waits for locks in one before it.
#[test]
fn s24_what_is_deferred_until_the_end_does_not_wait_for_locks_past_the_deadline() {
    let world = World::with_accounts(1..=1);
    let mut other = world.conn();
    other.query_drop("BEGIN").expect("a transaction");
    other.query_drop("SELECT * FROM account WHERE id = 1 FOR UPDATE").expect("a lock");
    let unit = world.db.unit("late").timeout(Duration::from_millis(300)).lock_wait(Duration::from_secs(20));
    let began = Instant::now();
    let error = unit.run::<_, Error>(|tx| tx.defer(ADD, (1, 1))).expect_err("the row is locked");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Some(Outcome::RolledBack)), "{error}");
    assert!(began.elapsed() < BOUND);
    other.query_drop("ROLLBACK").expect("its end");
    assert_eq!(world.balances(), [100]);
}

/// Once the packet that holds COMMIT is on its way nothing is killed; a packet without it is a statement like any other.
#[test]
fn s24_a_packet_before_commit_is_ended_at_the_deadline() {
    let world = World::with_accounts(1..=1);
    let mut other = world.conn();
    other.query_drop("BEGIN").expect("a transaction");
    other.query_drop("SELECT * FROM account WHERE id = 1 FOR UPDATE").expect("a lock");
    let unit = world.db.unit("late").timeout(Duration::from_millis(300)).lock_wait(Duration::from_secs(20));
    let began = Instant::now();
    let error = unit.run::<_, Error>(|tx| {
        tx.defer(ADD, (1, 1))?;
        look(tx, 1)
    });
    let error = error.expect_err("the row is locked");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Some(Outcome::RolledBack)), "{error}");
    assert!(began.elapsed() < BOUND);
    other.query_drop("ROLLBACK").expect("its end");
    assert_eq!(world.balances(), [100]);
}

/// What a trigger or a text leaves on the session is not the next unit's.
#[test]
fn s67_a_deferred_text_that_touches_the_session_is_followed_by_a_reset() {
    let world = World::with_accounts(1..=1);
    let db: Database = world.connect(|builder| builder.max_connections(1));
    db.unit("touches")
        .run::<_, Error>(|tx| {
            tx.defer("UPDATE account SET balance = (@left := 7) WHERE id = 1", ())?;
            tx.defer(ADD, (1, 1))
        })
        .expect("a unit");
    let left = db.unit("looks").run::<_, Error>(|tx| tx.query_first::<Option<i64>, _>("SELECT @left"));
    assert_eq!(left.expect("a unit"), Some(None));
    assert_eq!(world.balances(), [8]);
}
