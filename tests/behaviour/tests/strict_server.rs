//! Servers with settings of their own: lock waits that end soon, with and without the whole transaction, and snapshots that are
//! kept.

use std::cell::RefCell;
use std::sync::OnceLock;
use std::time::Duration;

use ephemeral_mysql::{Flavour, Server};
use unit_of_work::mysql::Conn;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Error, ErrorKind, Isolation, Outcome};

use crate::server::{self, either};
use crate::world::{GIVE_TEN, TAKE_TEN, World};

/// A server on which lock waits end after a second and, where it can, snapshots are kept.
fn strict() -> &'static Server {
    static STRICT: OnceLock<Server> = OnceLock::new();
    STRICT.get_or_init(|| {
        let server = server::builder().option("innodb_lock_wait_timeout", "1");
        let server = match server::FLAVOUR {
            Flavour::MariaDb => server.option("innodb_snapshot_isolation", "ON"),
            Flavour::MySql => server,
        };
        server.start().unwrap_or_else(|error| panic!("{error}"))
    })
}

fn strict_world() -> World {
    let world = World::on(strict(), |builder| builder);
    world.make_accounts(1..=3);
    world
}

/// MySQL has no such setting: there the other's update is lost.
#[test]
fn s12_a_row_that_changed_since_the_snapshot_runs_the_body_again() {
    let world = strict_world();
    let seen = RefCell::new(Vec::new());
    let unit = world.db.unit("take").isolation(Isolation::RepeatableRead).run::<_, Error>(|tx| {
        let balance: i64 = tx.query_first("SELECT balance FROM account WHERE id = 1")?.unwrap_or(0);
        seen.borrow_mut().push((tx.attempt(), balance));
        if tx.attempt() == 1 {
            world.conn().query_drop("UPDATE account SET balance = 500 WHERE id = 1").expect("an update from outside");
        }
        let changed = tx.exec_drop("UPDATE account SET balance = ? WHERE id = 1", (balance - 10,));
        if tx.attempt() == 1 {
            assert_eq!(changed.as_ref().err().and_then(Error::code), either(Some(1020), None), "{changed:?}");
        }
        changed
    });
    unit.expect("the second attempt, or the first where the server says nothing, is committed");
    assert_eq!(seen.take(), either(vec![(1, 100), (2, 500)], vec![(1, 100)]));
    assert_eq!(world.balances()[0], either(490, 90));
    world.assert_clean(&world.db);
}

#[test]
fn s13_a_lock_timeout_is_rolled_back_and_tried_again_once() {
    let world = strict_world();
    let (db, proxy) = world.proxied();
    let mut holder = world.conn();
    holder.query_drop("BEGIN").expect("the server answers");
    holder.query_drop("UPDATE account SET balance = 7 WHERE id = 1").expect("nobody has locks yet");
    proxy.record();
    let error = db.unit("take").run::<_, Error>(|tx| {
        tx.query_drop(GIVE_TEN)?;
        tx.query_drop(TAKE_TEN)
    });
    let error = error.expect_err("the lock is never given up");
    assert_eq!((error.kind(), error.code(), error.attempts()), (ErrorKind::LockTimeout, Some(1205), 2));
    assert_eq!(error.outcome(), Some(Outcome::RolledBack));
    let sent: Vec<_> = proxy.take().into_iter().map(|command| command.text).collect();
    let rollback = "ROLLBACK AND NO CHAIN NO RELEASE";
    assert_eq!(sent, [GIVE_TEN, TAKE_TEN, rollback, GIVE_TEN, TAKE_TEN, rollback]);
    holder.query_drop("ROLLBACK").expect("the server answers");
    assert_eq!(world.balances(), [100, 100, 100]);
    world.assert_clean(&db);
}

#[test]
fn s13_a_lock_timeout_whose_lock_is_given_up_meanwhile_is_invisible() {
    let world = strict_world();
    let holder = RefCell::new(Some(world.conn()));
    let lock = |conn: &mut Conn| {
        conn.query_drop("BEGIN").and_then(|()| conn.query_drop("UPDATE account SET balance = 7 WHERE id = 1"))
    };
    holder.borrow_mut().as_mut().map(lock).expect("a holder").expect("nobody has locks yet");
    let unit = world.db.unit("take").run::<_, Error>(|tx| {
        tx.query_drop(GIVE_TEN)?;
        // Swallowed: what is left of the unit must not be committed all the same.
        let taken = tx.query_drop(TAKE_TEN).map_err(|error| error.kind());
        drop(holder.borrow_mut().take());
        Ok((tx.attempt(), taken))
    });
    assert_eq!(unit.expect("the second attempt is committed"), (2, Ok(())));
    assert_eq!(world.balances(), [90, 110, 100]);
}

const NOWAIT: &str = "SELECT balance FROM account WHERE id = 1 FOR UPDATE NOWAIT";

/// Runs a unit that asks for a lock that is not free and does not want to wait for it. Returns what it was told, and how the
/// unit ended.
fn ask_without_waiting(world: &World) -> (Vec<(u32, ErrorKind)>, Result<(), Error>) {
    let mut holder = world.conn();
    holder.query_drop("BEGIN").expect("the server answers");
    holder.query_drop("UPDATE account SET balance = 7 WHERE id = 1").expect("nobody has locks yet");
    let told = RefCell::new(Vec::new());
    let ended = world.db.unit("ask").run::<_, Error>(|tx| {
        tx.query_drop(GIVE_TEN)?;
        let error = tx.query_first::<i64, _>(NOWAIT).expect_err("the lock is not free");
        told.borrow_mut().push((tx.attempt(), error.kind()));
        tx.query_drop("UPDATE account SET balance = balance + 10 WHERE id = 3")
    });
    (told.take(), ended)
}

#[test]
fn s13_nowait_is_told_that_the_lock_is_not_free_and_the_unit_goes_on() {
    let world = World::with_accounts(1..=3);
    let (told, ended) = ask_without_waiting(&world);
    ended.expect("the unit goes on");
    assert_eq!(told, [(1, ErrorKind::LockNotAvailable)]);
    assert_eq!(world.balances(), [100, 110, 110]);
    world.assert_clean(&world.db);
}

#[test]
fn s13_nowait_dooms_where_the_server_rolls_back_on_lock_timeouts() {
    let server = server::builder().option("innodb_rollback_on_timeout", "ON").start().expect("a private server");
    let world = World::on(&server, |builder| builder);
    world.make_accounts(1..=3);
    let (told, ended) = ask_without_waiting(&world);
    assert_eq!(told, [(1, ErrorKind::LockNotAvailable)], "it is not run again");
    let ended = ended.map_err(|error| (error.kind(), error.outcome()));
    let rolled_back = Err((ErrorKind::LockNotAvailable, Some(Outcome::RolledBack)));
    // On MySQL not to wait is no lock timeout (3572, not 1205): its setting does not reach it.
    assert_eq!(ended, either(rolled_back, Ok(())));
    assert_eq!(world.balances(), either([100, 100, 100], [100, 110, 110]));
    world.assert_clean(&world.db);
}

/// MariaDB does not wait for metadata either; MySQL does, and then the statement has timed out like any other.
#[test]
fn s13_nowait_on_a_locked_table_is_a_lock_timeout_where_the_server_waits_all_the_same() {
    let world = World::with_accounts(1..=1);
    let mut holder = world.conn();
    holder.query_drop("LOCK TABLES account WRITE").expect("nobody has locks yet");
    let told = RefCell::new(Vec::new());
    let unit = world.db.unit("ask").lock_wait(Duration::from_secs(1)).run::<_, Error>(|tx| {
        let asked = tx.query_first::<i64, _>(NOWAIT).expect_err("the table is not free");
        told.borrow_mut().push((asked.kind(), asked.code()));
        Ok(())
    });
    let (not_available, timeout) = ((ErrorKind::LockNotAvailable, Some(1205)), (ErrorKind::LockTimeout, Some(1205)));
    assert_eq!(told.take(), either(vec![not_available], vec![timeout; 2]));
    assert_eq!(unit.map_err(|error| error.kind()), either(Ok(()), Err(ErrorKind::LockTimeout)));
    holder.query_drop("UNLOCK TABLES").expect("the server answers");
    world.assert_clean(&world.db);
}
