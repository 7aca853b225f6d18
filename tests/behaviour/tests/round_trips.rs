//! What a unit costs on the wire, counted at the socket: nothing without a statement, its statements and COMMIT otherwise, and
//! each thing that costs more.

use proxy::Proxy;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Error, ErrorKind, Isolation, Tx};

use crate::world::{FAIL, Trouble, World};

#[test]
fn s05_a_unit_without_a_statement_makes_no_round_trip_and_needs_no_server() {
    let world = World::new();
    let (db, proxy) = world.proxied();
    let before = proxy.round_trips();
    proxy.refuse();
    proxy.close_all();
    let level = || db.unit("nothing").isolation(Isolation::ReadCommitted);
    assert_eq!(level().run::<_, Error>(|_| Ok(7)).expect("nothing to fail"), 7);
    level().read_only().run::<(), _>(|_| Err(Trouble::Refused("a decision"))).expect_err("the body's own");
    let marked = level().run::<(), Error>(|tx| {
        tx.set_rollback_only();
        Ok(())
    });
    assert_eq!(marked.expect_err("it was marked").kind(), ErrorKind::RollbackOnly);
    assert_eq!(proxy.round_trips() - before, 0);
    proxy.open();
    world.assert_clean(&db);
}

#[test]
fn s05_a_unit_that_only_read_keeps_no_metadata_lock() {
    let world = World::with_accounts(1..=1);
    let read = |tx: &mut Tx<'_>| tx.query_first::<i64, _>("SELECT balance FROM account WHERE id = 1");
    world.db.unit("read").read_only().isolation(Isolation::ReadCommitted).run(read).expect("a read");
    let mut other = world.conn();
    other.query_drop("SET SESSION lock_wait_timeout = 1").expect("a setting");
    other.query_drop("ALTER TABLE account ADD COLUMN owner INT").expect("nobody holds the table");
}

#[test]
fn s06_n_statements_make_n_plus_1_round_trips_on_a_warm_session() {
    let world = World::with_accounts(1..=3);
    let (db, proxy) = world.proxied();
    let change = |n: u32| {
        db.unit("change").run::<_, Error>(|tx| {
            (0..n).try_for_each(|i| tx.exec_drop("UPDATE account SET balance = ? WHERE id = 1", (i,)))
        })
    };
    change(1).expect("the session is warm and the text prepared");
    for n in 1..=5 {
        let trips = count(&proxy, || change(n).expect("a plain unit"));
        assert_eq!(trips, u64::from(n) + 1, "{n} statements");
    }
    let failing = || db.unit("fail").run(|tx| tx.query_drop("SELECT 1").map_err(Trouble::from).and(FAIL));
    assert_eq!(count(&proxy, || drop(failing().expect_err("the body's own"))), 2, "a statement and ROLLBACK");
}

#[test]
fn s06_a_change_of_characteristics_is_one_packet_and_remembered() {
    let world = World::new();
    let (db, proxy) = world.proxied();
    let unit = |level| db.unit("look").isolation(level);
    let one = |tx: &mut Tx<'_>| tx.query_drop("SELECT 1");
    unit(Isolation::Serializable).run(one).expect("the session is warm");
    let level = Isolation::ReadCommitted;
    let mut trips = Vec::new();
    for _ in 0..2 {
        trips.push(count(&proxy, || unit(level).run(one).expect("another level")));
        trips.push(count(&proxy, || unit(level).run(one).expect("the same level")));
        trips.push(count(&proxy, || unit(level).read_only().run(one).expect("another access")));
        trips.push(count(&proxy, || unit(level).read_only().run(one).expect("the same access")));
        trips.push(count(&proxy, || unit(Isolation::Serializable).run(one).expect("both changed")));
    }
    assert_eq!(trips, [3, 2, 3, 2, 3, 3, 2, 3, 2, 3]);
}

#[test]
fn s06_a_call_and_a_lent_connection_are_bracketed_and_the_session_is_reset() {
    let world = World::new();
    world.execute("CREATE PROCEDURE look() SELECT 1");
    let (db, proxy) = world.proxied();
    proxy.record();
    db.unit("call").run::<_, Error>(|tx| tx.query_drop("CALL look()")).expect("a harmless procedure");
    let expected =
        ["SAVEPOINT ", "CALL look()", "RELEASE SAVEPOINT ", "COMMIT ", "", "SET SESSION ", "SET SESSION ", "USE "];
    assert_sent(&proxy, &expected);
    let lent = db.unit("lend").run(|tx| {
        tx.connection()?.query_drop("SELECT 1").expect("the guard takes a statement");
        Ok::<_, Error>(())
    });
    lent.expect("a lent connection");
    let expected =
        ["SAVEPOINT ", "SELECT 1", "RELEASE SAVEPOINT ", "COMMIT ", "", "SET SESSION ", "SET SESSION ", "USE "];
    assert_sent(&proxy, &expected);
    world.assert_clean(&db);
}

fn assert_sent(proxy: &Proxy, expected: &[&str]) {
    let sent: Vec<_> = proxy.take().into_iter().filter(|command| command.kind.is_round_trip()).collect();
    let fits = sent.len() == expected.len()
        && sent.iter().zip(expected).all(|(command, start)| match *start {
            "" => command.kind == proxy::Kind::Reset,
            start => command.text.starts_with(start),
        });
    assert!(fits, "expected {expected:?} (\"\" = reset), seen {sent:#?}");
}

fn count(proxy: &Proxy, work: impl FnOnce()) -> u64 {
    let before = proxy.round_trips();
    work();
    proxy.round_trips() - before
}
