//! Failures that another run would not change, and so run once.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use unit_of_work::mysql::Value;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Error, ErrorKind, Outcome, Tx};

use crate::server::either;
use crate::world::{TAKE_TEN, Trouble, World, until};

#[test]
fn s19_what_another_run_would_not_change_runs_once() {
    let world = World::with_accounts(1..=2);
    world.execute(
        "CREATE TABLE entry (id INT PRIMARY KEY, account BIGINT UNSIGNED NOT NULL, amount INT CHECK (amount > 0), \
                   FOREIGN KEY (account) REFERENCES account (id)) ENGINE=InnoDB",
    );
    let cases = [
        (1062, "INSERT INTO account VALUES (1, 0)"),
        (1452, "INSERT INTO entry VALUES (1, 99, 1)"),
        (1048, "INSERT INTO entry VALUES (1, NULL, 1)"),
        (either(4025, 3819), "INSERT INTO entry VALUES (1, 1, -5)"),
        (1064, "SELECT FROM WHERE"),
        (1146, "SELECT * FROM nowhere"),
    ];
    for (code, sql) in cases {
        let runs = Cell::new(0);
        let error = world.db.unit("once").run::<(), Error>(|tx| {
            runs.set(runs.get() + 1);
            tx.query_drop(TAKE_TEN)?;
            tx.query_drop(sql)
        });
        let error = error.expect_err("the statement is wrong");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Statement, Some(code)), "{sql}: {error}");
        assert_eq!((runs.get(), error.attempts(), error.outcome()), (1, 1, Some(Outcome::RolledBack)), "{sql}");
    }
    assert_eq!(world.balances(), [100, 100]);
    world.assert_clean(&world.db);
}

#[test]
fn s19_a_business_error_runs_once() {
    let world = World::with_accounts(1..=1);
    let runs = Cell::new(0);
    let result = world.db.unit("once").run(|tx| {
        runs.set(runs.get() + 1);
        tx.query_drop(TAKE_TEN)?;
        Err::<(), _>(Trouble::Refused("insufficient funds"))
    });
    assert!(matches!(result, Err(Trouble::Refused("insufficient funds"))), "{result:?}");
    assert_eq!((runs.get(), world.balances()), (1, vec![100]));
}

#[test]
fn s19_a_killed_query_runs_once() {
    let world = World::with_accounts(1..=1);
    let runs = Cell::new(0);
    let (tell, told) = mpsc::channel::<u64>();
    thread::scope(|scope| {
        let (mut killer, look) = (world.conn(), &world);
        scope.spawn(move || {
            let victim = told.recv().expect("the unit tells");
            let sleeps = format!(
                "SELECT COUNT(*) FROM information_schema.processlist WHERE id = {victim} AND state = 'User sleep'"
            );
            until("the unit's query runs", || look.count(&sleeps) == 1);
            killer.query_drop(format!("KILL QUERY {victim}")).expect("root may");
        });
        let error = world.db.unit("once").run::<(), Error>(|tx| {
            runs.set(runs.get() + 1);
            let who: Option<u64> = tx.query_first("SELECT CONNECTION_ID() FROM account")?;
            tell.send(who.unwrap_or(0)).expect("the killer listens");
            // In a subquery with a table, because a bare `SELECT SLEEP(…)` answers a kill with the value 1 instead of an error.
            tx.query_drop("UPDATE account SET balance = balance + SLEEP(60) WHERE id = 1")
        });
        let error = error.expect_err("somebody asked to stop");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Statement, Some(1317)), "{error}");
    });
    assert_eq!((runs.get(), world.balances()), (1, vec![100]));
    world.assert_clean(&world.db);
}

#[test]
fn s19_a_packet_that_is_too_large_is_found_before_it_is_sent() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    let limit = world.count("SELECT @@max_allowed_packet");
    let long = "x".repeat(usize::try_from(limit).expect("the limit fits into memory"));
    let told = db.unit("large").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let before = proxy.round_trips();
        let text = tx.query_drop(format!("SELECT '{long}'")).expect_err("too large");
        let value = tx.exec_drop("SELECT ?", (&long,)).expect_err("too large");
        assert_eq!((text.kind(), value.kind()), (ErrorKind::TooLarge, ErrorKind::TooLarge));
        assert_eq!(proxy.round_trips(), before, "nothing was sent");
        Ok(tx.attempt())
    });
    assert_eq!(told.expect("the unit can go on"), 1);
    assert_eq!(world.balances(), [90]);
}

#[test]
fn s19_nor_is_it_sent_by_a_guard() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    let long = "x".repeat(usize::try_from(world.count("SELECT @@max_allowed_packet")).expect("it fits into memory"));
    let unit = db.unit("large").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let mut guard = tx.connection()?;
        let statement = guard.prep("SELECT ?")?;
        let before = proxy.round_trips();
        for refused in [guard.query_drop(format!("SELECT '{long}'")), guard.exec_drop(&statement, (&long,))] {
            assert_eq!(Error::from(refused.expect_err("too large")).kind(), ErrorKind::TooLarge);
        }
        assert_eq!(proxy.round_trips(), before, "nothing was sent");
        Ok(())
    });
    unit.expect("the unit can go on");
    assert_eq!(world.balances(), [90]);
}

/// What finds nothing, changes nothing, or cannot find anything: of the last MariaDB tells no counts, as of one that was killed.
pub(crate) const HAVE_NOTHING_TO_DO: [&str; 9] = [
    "UPDATE account SET balance = 1 WHERE id = 99",
    " update account SET balance = 100 WHERE id = 1",
    "UPDATE account SET balance = 1 WHERE id = NULL",
    "UPDATE account SET balance = 1 WHERE id = 1 AND 1 = 0",
    "UPDATE account SET balance = 1 WHERE id > 10 AND id < 5",
    "UPDATE account SET balance = 1 WHERE id BETWEEN 9 AND 3",
    "UPDATE account SET balance = 1 LIMIT 0",
    "UPDATE account AS a JOIN account AS b USING (id) SET a.balance = 1 WHERE b.id = 99",
    "UPDATE account SET balance = 1 WHERE CONCAT(id, '') = 'x' AND id IS NULL",
];

/// `MariaDB` can answer an UPDATE that was killed with OK. One that finds nothing, or changes nothing, is answered with OK rightly.
#[test]
fn s19_an_update_that_was_killed_is_not_believed_to_have_found_no_row() {
    let world = World::with_accounts(1..=1);
    for innocent in HAVE_NOTHING_TO_DO {
        world.db.unit("innocent").run::<_, Error>(|tx| tx.query_drop(innocent)).expect("nothing was killed");
        world.db.unit("innocent").run::<_, Error>(|tx| tx.exec_drop(innocent, ())).expect("nothing was killed");
    }
    for nothing in [Value::NULL, Value::Int(-1)] {
        let sql = "UPDATE account SET balance = ? WHERE id = ? AND id = 0";
        let unit = world.db.unit("innocent").run::<_, Error>(|tx| tx.exec_drop(sql, (1, nothing.clone())));
        unit.expect("nothing was killed");
    }
    let batch = "UPDATE account SET balance = ? WHERE id = ?";
    for rows in [vec![(1, 99), (2, 98)], vec![(100, 1)], Vec::new()] {
        world.db.unit("innocent").run::<_, Error>(|tx| tx.exec_batch(batch, rows.clone())).expect("nothing was killed");
    }
    let victim =
        world.db.unit("who").run::<u64, Error>(|tx| Ok(tx.query_first("SELECT CONNECTION_ID()")?.unwrap_or(0)));
    let kill = format!("KILL QUERY {}", victim.expect("a unit"));
    let over = AtomicBool::new(false);
    let lie = thread::scope(|scope| {
        scope.spawn(|| {
            let mut killer = world.conn();
            while !over.load(Ordering::Relaxed) {
                // The connection may have been given up in the meantime.
                let _gone = killer.query_drop(&kill);
            }
        });
        let lie = first_lie(&world);
        over.store(true, Ordering::Relaxed);
        lie
    });
    assert_eq!(lie, None);
}

/// Counts up until what a unit was told is not so.
fn first_lie(world: &World) -> Option<String> {
    let mut held = 100_i64;
    (0..1500).find_map(|_| {
        let update = |tx: &mut Tx<'_>| tx.exec_drop("UPDATE account SET balance = ? WHERE id = 1", (held + 1,));
        let told = world.db.unit("counted").run::<_, Error>(update);
        held += i64::from(told.is_ok());
        let seen = world.balance(1);
        (seen != Some(held)).then(|| format!("{told:?}, and there are {seen:?}"))
    })
}
