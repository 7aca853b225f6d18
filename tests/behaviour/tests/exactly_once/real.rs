//! A real server behind a proxy that loses, holds or cuts what belongs to a COMMIT: what the caller gets must be what is in the
//! database, once.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use proxy::{Cut, Packet, Proxy, Side};
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::testing::{Failures, Way};
use unit_of_work::{Database, DatabaseBuilder, Error, ErrorKind, Outcome, Propagation, Retry, Tx};

use crate::world::{GIVE_TEN, TAKE_TEN, World, until};

/// The packet of row and COMMIT, and after it the tombstone.
const KEY: Packet<'static> = Packet::Text("INSERT INTO unit_of_work_outcome");
const KILL: Packet<'static> = Packet::Text("KILL CONNECTION");
/// How long a client waits for an answer that is held.
const PATIENCE: Duration = Duration::from_secs(2);

/// Two accounts of 100, the table, and a way there through a proxy.
fn world(settings: impl FnOnce(DatabaseBuilder) -> DatabaseBuilder) -> (World, Database, Proxy) {
    let world = World::with_accounts(1..=2);
    world.db.create_outcome_table().expect("there is none");
    let (db, proxy) = world.proxied_with(settings);
    (world, db, proxy)
}

/// Runs a transfer; which attempt's value came back, and which hooks ran.
fn transfer(db: &Database) -> (Result<u32, Error>, String) {
    let hooks = Rc::new(RefCell::new(String::new()));
    let retry = Retry::DEFAULT.max_attempts(3).within(Duration::from_secs(60));
    let result = db.unit("transfer").exactly_once().retry(retry).run(|tx| {
        register(tx, &hooks);
        tx.query_drop(TAKE_TEN)?;
        tx.query_drop(GIVE_TEN)?;
        Ok(tx.attempt())
    });
    (result, hooks.take())
}

fn register(tx: &mut Tx<'_>, hooks: &Rc<RefCell<String>>) {
    let hook = |letter| {
        let hooks = Rc::clone(hooks);
        move || hooks.borrow_mut().push(letter)
    };
    let (rolled_back, unknown) = (hook('r'), hook('u'));
    tx.after_commit(hook('c'));
    tx.after_rollback(move |_| rolled_back());
    tx.on_unknown(move |_| unknown());
}

/// The transfer is there once, and nothing was left behind.
fn assert_once(world: &World, db: &Database, rows: [u64; 2]) {
    assert_eq!(world.balances(), [90, 110]);
    let count = |state| world.count(&format!("SELECT COUNT(*) FROM unit_of_work_outcome WHERE state = '{state}'"));
    assert_eq!([count("committed"), count("tombstone")], rows);
    world.assert_clean(db);
}

#[test]
fn s06_it_costs_no_round_trip() {
    let (world, db, proxy) = world(|builder| builder);
    db.unit("warm").run::<_, Error>(|tx| tx.query_drop("SELECT 1")).expect("a session");
    let before = proxy.round_trips();
    transfer(&db).0.expect("no fault");
    assert_eq!(proxy.round_trips() - before, 3, "two statements, and one packet for row and COMMIT");
    assert_once(&world, &db, [1, 0]);
}

#[test]
fn s81_the_reply_to_commit_is_lost_and_the_body_has_run_once() {
    let (world, db, proxy) = world(|builder| builder);
    proxy.cut(Cut { at: KEY, side: Side::AfterServer });
    let (result, hooks) = transfer(&db);
    assert_eq!((result.expect("committed"), hooks.as_str()), (1, "c"));
    assert_once(&world, &db, [1, 0]);
    assert_eq!(db.stats().resolved_committed, 1);
}

/// MySQL asks more of who locks rows FOR UPDATE.
#[test]
fn s81_a_user_who_may_insert_and_select_there_and_no_more_has_it_resolved() {
    let (world, _, proxy) = world(|builder| builder);
    let user = format!("clerk_{}", world.name());
    world.execute(&format!("CREATE USER {user}@'127.0.0.1'"));
    for rights in ["SELECT, UPDATE ON `{}`.account", "SELECT, INSERT ON `{}`.unit_of_work_outcome"] {
        world.execute(&format!("GRANT {} TO {user}@'127.0.0.1'", rights.replace("{}", world.name())));
    }
    let url = proxy.url(world.name()).replace("root@", &format!("{user}@"));
    let db = Database::builder().url(url).resolve_within(PATIENCE).connect().expect("let in");
    proxy.cut(Cut { at: KEY, side: Side::AfterServer });
    let (result, hooks) = transfer(&db);
    world.execute(&format!("DROP USER {user}@'127.0.0.1'"));
    assert_eq!((result.expect("committed"), hooks.as_str()), (1, "c"));
    assert_once(&world, &world.db, [1, 0]);
}

#[test]
fn s81_a_commit_that_is_never_delivered_runs_again() {
    let (world, db, proxy) = world(|builder| builder);
    proxy.cut(Cut { at: KEY, side: Side::BeforeServer });
    let (result, hooks) = transfer(&db);
    assert_eq!((result.expect("the second attempt"), hooks.as_str()), (2, "rc"));
    assert_once(&world, &db, [1, 1]);
    assert_eq!(db.stats().resolved_rolled_back, 1);
}

/// The server's side is not told that the client has given up; its locks would be in the way of the next attempt.
#[test]
fn s81_a_commit_that_is_held_is_overtaken_by_the_tombstone_and_its_connection_ended() {
    let (world, db, proxy) = world(|builder| builder.network_timeout(PATIENCE));
    let held = proxy.hold(KEY, Side::BeforeServer);
    let (result, hooks) = transfer(&db);
    assert_eq!((result.expect("the second attempt"), hooks.as_str()), (2, "rc"));
    held.release();
    assert_once(&world, &db, [1, 1]);
}

/// Nobody ends the old connection here, so the packet finds its transaction open: the row is refused, and the server does not go
/// on to COMMIT.
#[test]
fn s81_a_commit_that_arrives_after_the_tombstone_commits_nothing() {
    let failures = Failures::new();
    let (world, db, proxy) = world(|builder| builder.network_timeout(PATIENCE).failures(&failures));
    db.unit("warm").run::<_, Error>(|tx| tx.query_drop("SELECT 1")).expect("a session");
    let held = proxy.hold(KEY, Side::BeforeServer);
    // Two statements and the packet; then, on the connection that asks, its settings and KILL.
    failures.plan(5, Way::Refused(1095));
    let unit = db.unit("transfer").exactly_once().retry(Retry::NEVER);
    let error = unit.run::<(), Error>(|tx| tx.query_drop(TAKE_TEN).and_then(|()| tx.query_drop(GIVE_TEN)));
    let error = error.expect_err("rolled back, and not run again");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::ConnectionLost, Some(Outcome::RolledBack)), "{error}");
    assert!(!failures.is_pending(), "KILL was refused");
    assert_eq!(world.open_transactions().len(), 1, "the old connection is still there, its transaction open");
    held.release();
    until("the late packet was refused and its connection is gone", || world.open_transactions().is_empty());
    assert_eq!(world.balances(), [100, 100]);
    transfer(&db).0.expect("the next one");
    assert_once(&world, &db, [1, 1]);
}

/// COMMIT is executed at last, long after the client has given it up, and before anybody asked: nothing to run again.
#[test]
fn s81_a_commit_that_arrives_late_but_before_the_question_is_found() {
    let (world, db, proxy) = world(|builder| builder.network_timeout(PATIENCE * 2));
    let held = proxy.hold(KEY, Side::BeforeServer);
    // The first thing that the connection that asks sends.
    let asking = proxy.hold(Packet::Text("SET SESSION autocommit=0"), Side::BeforeServer);
    thread::scope(|scope| {
        let late = scope.spawn(|| {
            assert!(asking.wait(), "somebody asks");
            held.release();
            let rows = "SELECT COUNT(*) FROM unit_of_work_outcome";
            until("the late COMMIT is executed", || world.count(rows) == 1);
            asking.release();
        });
        let (result, hooks) = transfer(&db);
        late.join().expect("it was executed");
        assert_eq!((result.expect("committed"), hooks.as_str()), (1, "c"));
    });
    assert_once(&world, &db, [1, 0]);
}

#[test]
fn s81_the_tombstones_own_answer_is_lost() {
    let (world, db, proxy) = world(|builder| builder);
    proxy.cut(Cut { at: KEY, side: Side::BeforeServer });
    let killing = proxy.hold(KILL, Side::BeforeServer);
    thread::scope(|scope| {
        let cutter = scope.spawn(|| {
            assert!(killing.wait(), "the old connection is to be ended");
            proxy.cut(Cut { at: KEY, side: Side::AfterServer });
            killing.release();
        });
        let (result, hooks) = transfer(&db);
        cutter.join().expect("it came");
        assert_eq!((result.expect("the second attempt"), hooks.as_str()), (2, "rc"));
    });
    assert!(!proxy.cut_planned(), "the tombstone was cut");
    assert_once(&world, &db, [1, 1]);
}

#[test]
fn s81_the_answer_to_a_committed_units_question_is_lost() {
    for lost in [KEY, Packet::Text("SELECT state")] {
        let (world, db, proxy) = world(|builder| builder);
        proxy.cut(Cut { at: KEY, side: Side::AfterServer });
        let killing = proxy.hold(KILL, Side::BeforeServer);
        thread::scope(|scope| {
            scope.spawn(|| {
                assert!(killing.wait(), "the old connection is to be ended");
                proxy.cut(Cut { at: lost, side: Side::AfterServer });
                killing.release();
            });
            let (result, hooks) = transfer(&db);
            assert_eq!((result.expect("committed"), hooks.as_str()), (1, "c"), "{lost:?}");
        });
        assert!(!proxy.cut_planned(), "{lost:?}");
        assert_once(&world, &db, [1, 0]);
    }
}

/// The server hangs in the packet of COMMIT, and whoever asks hangs with it.
#[test]
fn s81_a_commit_that_hangs_in_the_server_is_undecided_until_the_deadline() {
    let (world, db, _proxy) = world(|builder| builder.network_timeout(PATIENCE));
    let mut admin = world.conn();
    admin.query_drop("LOCK TABLES unit_of_work_outcome WRITE").expect("nobody uses it");
    let unit = db.unit("transfer").exactly_once().timeout(Duration::from_secs(4));
    let result = unit.run::<(), Error>(|tx| tx.query_drop(TAKE_TEN).and_then(|()| tx.query_drop(GIVE_TEN)));
    let error = result.expect_err("nobody can say");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::CommitUnknown, Some(Outcome::Unknown)), "{error}");
    assert!(error.to_string().contains("could not say") && error.to_string().contains("X'"), "{error}");
    admin.query_drop("UNLOCK TABLES").expect("the server answers");
    until("what hung is gone", || world.open_transactions().is_empty());
    assert_eq!(world.balances(), [100, 100]);
}

#[test]
fn s81_joined_and_nested_units_have_the_whole_resolved() {
    for (propagation, side) in [
        (Propagation::Required, Side::AfterServer),
        (Propagation::Required, Side::BeforeServer),
        (Propagation::Nested, Side::AfterServer),
        (Propagation::Nested, Side::BeforeServer),
    ] {
        let (world, db, proxy) = world(|builder| builder);
        proxy.cut(Cut { at: KEY, side });
        let whole = db.unit("whole").run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            let part = db.unit("part").exactly_once().propagation(propagation);
            part.run::<_, Error>(|tx| tx.query_drop(GIVE_TEN))?;
            Ok(tx.attempt())
        });
        let (attempt, rows) = match side {
            Side::AfterServer => (1, [1, 0]),
            Side::BeforeServer => (2, [1, 1]),
        };
        assert_eq!(whole.expect("resolved"), attempt, "{propagation} {side:?}");
        assert_once(&world, &db, rows);
    }
}

/// COMMIT is lost, and then once more something of what follows.
#[test]
fn s79_whatever_is_lost_after_a_lost_commit_the_transfer_is_there_once() {
    let failures = Failures::new();
    let (world, db, proxy) = world(|builder| builder.failures(&failures));
    for side in [Side::BeforeServer, Side::AfterServer] {
        // The first three are the transfer's own; then those of who asks, and of the second attempt.
        for trip in 4..=10 {
            for way in [Way::LostBefore, Way::ReplyLost, Way::Deadlock, Way::Refused(1205)] {
                world.execute("UPDATE account SET balance = 100");
                proxy.cut(Cut { at: KEY, side });
                failures.plan(trip, way);
                let (result, hooks) = transfer(&db);
                let case = format!("{side:?}, then {way:?} at {trip}");
                result.unwrap_or_else(|error| panic!("{case}: {error}"));
                assert_eq!(hooks.trim_start_matches('r'), "c", "{case}");
                assert_eq!(world.balances(), [90, 110], "{case}");
                failures.plan(u64::MAX, way);
            }
        }
    }
    world.assert_clean(&db);
}

/// Every connection of the pool is held by a unit that may wait for this one's locks.
#[test]
fn s81_the_question_needs_no_session_of_the_pool() {
    let (world, db, proxy) = world(|builder| builder.max_connections(1).acquire_timeout(Duration::from_millis(100)));
    let outer = world.db.unit("outer").run::<_, Error>(|_| {
        proxy.cut(Cut { at: KEY, side: Side::AfterServer });
        transfer(&db).0
    });
    assert_eq!(outer.expect("committed"), 1);
    assert_once(&world, &db, [1, 0]);
}
