//! Thread scopes: one session from begin to end ("one connection per request"), kept from all other threads, given back at the
//! end; nested ones, and those of several databases.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use unit_of_work::{Database, Error, ErrorKind, Propagation, Tx, in_unit};

use crate::world::{FAIL, TAKE_TEN, Trouble, World, until};

fn connection_of(tx: &mut Tx<'_>) -> Result<u64, Error> {
    Ok(tx.query_first("SELECT CONNECTION_ID()")?.expect("a row"))
}

fn connection(db: &Database) -> u64 {
    db.unit("who").run(connection_of).unwrap_or_else(|error| panic!("{error}"))
}

/// Of a pool of one, and who waits for it for long.
fn one_session(world: &World) -> Database {
    world.connect(|builder| builder.max_connections(1))
}

/// Of a pool of one, and who waits for it for hardly any time.
fn one_session_and_no_patience(world: &World) -> Database {
    world.connect(|builder| builder.max_connections(1).acquire_timeout(Duration::from_millis(1)))
}

/// What a unit on another thread gets.
fn elsewhere(db: &Database) -> Result<u64, ErrorKind> {
    let other = || db.unit("elsewhere").run(connection_of).map_err(|error| error.kind());
    thread::scope(|scope| scope.spawn(other).join().expect("no panic"))
}

#[test]
fn s76_a_scope_has_one_session_from_its_begin_to_its_end() {
    let world = World::with_accounts(1..=1);
    let db = one_session(&world);
    let outside = connection(&db);
    let (say, said) = mpsc::channel();
    thread::scope(|threads| {
        let scope = db.scope().expect("a session is free");
        threads.spawn(|| say.send(connection(&db)).expect("the test waits for it"));
        until("the other thread waits", || db.stats().waiting == 1);
        // Between units the session is idle; without the scope the other thread would take it over there.
        let ids: Vec<_> = (0..5).map(|_| connection(&db)).collect();
        assert_eq!(ids, [outside; 5]);
        let fails = db.unit("fails").run::<(), Trouble>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            FAIL
        });
        fails.expect_err("its own error");
        assert_eq!(connection(&db), outside);
        assert_eq!(db.stats().waiting, 1, "still");
        said.try_recv().expect_err("nobody else had it");
        drop(scope);
        assert_eq!(said.recv().expect("its turn comes"), outside);
    });
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&db);
}

#[test]
fn s76_a_scope_waits_for_its_session_when_it_begins() {
    let world = World::new();
    let db = one_session_and_no_patience(&world);
    let held = db.unit("holder").run::<_, Error>(|_| {
        let other = || db.scope().map(drop).map_err(|error| error.kind());
        Ok(thread::scope(|scope| scope.spawn(other).join().expect("no panic")))
    });
    assert_eq!(held.expect("it does nothing"), Err(ErrorKind::PoolTimeout));
    // What was refused has kept nothing.
    assert!(elsewhere(&db).is_ok());
    world.assert_clean(&db);
}

#[test]
fn s76_at_its_end_the_session_is_given_back_also_on_panic() {
    let world = World::new();
    let db = one_session_and_no_patience(&world);
    let request = || {
        let _scope = db.scope().expect("a session is free");
        connection(&db);
        assert_eq!(elsewhere(&db), Err(ErrorKind::PoolTimeout));
        panic_any("a request that panics");
    };
    let payload = catch_unwind(AssertUnwindSafe(request)).expect_err("it panics");
    assert_eq!(payload.downcast_ref(), Some(&"a request that panics"));
    elsewhere(&db).expect("it is given back");
    assert!(!in_unit());
    world.assert_clean(&db);
}

#[test]
fn s76_at_its_end_the_session_is_given_back_also_when_a_unit_panics() {
    let world = World::with_accounts(1..=1);
    let db = one_session_and_no_patience(&world);
    let request = || {
        let _scope = db.scope().expect("a session is free");
        db.unit("panics").run::<(), Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            panic_any("a unit that panics")
        })
    };
    catch_unwind(AssertUnwindSafe(request)).expect_err("it panics");
    elsewhere(&db).expect("it is given back");
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&db);
}

#[test]
fn s76_the_end_of_the_thread_gives_the_session_back() {
    let world = World::new();
    let db = one_session_and_no_patience(&world);
    thread::scope(|threads| {
        threads.spawn(|| {
            let _scope = db.scope().expect("a session is free");
            connection(&db);
        });
    });
    until("the session is free", || db.stats().free == 1);
    world.assert_clean(&db);
}

#[test]
fn s76_scopes_nest_and_the_outermost_end_gives_the_session_back() {
    let world = World::new();
    let db = one_session_and_no_patience(&world);
    let outer = db.scope().expect("a session is free");
    let first = connection(&db);
    let inner = db.scope().expect("the thread has its session already");
    assert_eq!(connection(&db), first);
    assert_eq!(db.stats().open, 1);
    drop(inner);
    assert_eq!(elsewhere(&db), Err(ErrorKind::PoolTimeout), "the outer scope still keeps it");
    assert_eq!(connection(&db), first);
    drop(outer);
    assert_eq!(elsewhere(&db), Ok(first));
}

#[test]
fn s76_scopes_may_end_in_any_order() {
    let world = World::new();
    let db = one_session_and_no_patience(&world);
    let (first, second) = (db.scope().expect("a session is free"), db.scope().expect("it is there"));
    drop(first);
    assert_eq!(elsewhere(&db), Err(ErrorKind::PoolTimeout), "the second scope still keeps it");
    drop(second);
    elsewhere(&db).expect("it is given back");
}

/// A function that opens a scope of its own may be called from a unit: the thread has its one session already.
#[test]
fn s76_a_scope_inside_a_unit_inside_a_scope_takes_no_second_session() {
    let world = World::new();
    let db = one_session_and_no_patience(&world);
    let _scope = db.scope().expect("a session is free");
    let unit = db.unit("outer").run::<_, Error>(|tx| {
        let before = connection_of(tx)?;
        let _inner = db.scope()?;
        Ok((before, connection(&db)))
    });
    let (before, inside) = unit.expect("nobody needs a second session");
    assert_eq!(before, inside);
    assert_eq!(db.stats().opened, 1);
}

#[test]
fn s76_scopes_of_several_databases_are_independent() {
    let (first, second) = (World::new(), World::new());
    let (one, two) = (one_session_and_no_patience(&first), one_session_and_no_patience(&second));
    let scope = one.scope().expect("a session is free");
    let mine = connection(&one);
    elsewhere(&two).expect("the other database has no scope");
    let other_scope = two.scope().expect("a session is free");
    let other = connection(&two);
    assert_eq!((connection(&one), connection(&two)), (mine, other));
    drop(scope);
    elsewhere(&one).expect("it is given back");
    assert_eq!(elsewhere(&two), Err(ErrorKind::PoolTimeout), "its scope has not ended");
    drop(other_scope);
    elsewhere(&two).expect("it is given back");
}

#[test]
fn s76_a_second_session_of_a_requires_new_unit_is_not_the_scopes() {
    let world = World::with_accounts(1..=2);
    let db = world.connect(|builder| builder.max_connections(2));
    let scope = db.scope().expect("a session is free");
    let mine = connection(&db);
    let both = db.unit("outer").run::<_, Error>(|tx| {
        let inner = db.unit("inner").propagation(Propagation::RequiresNew).run(connection_of)?;
        Ok((connection_of(tx)?, inner))
    });
    let (outer, inner) = both.expect("there are two");
    assert_eq!(outer, mine);
    assert_ne!(inner, mine);
    assert_eq!(connection(&db), mine, "the scope has the session that it began with");
    assert_eq!(elsewhere(&db), Ok(inner), "the second one is everybody's");
    drop(scope);
    world.assert_clean(&db);
}

#[test]
fn s76_a_session_that_dies_in_a_scope_is_replaced_and_kept() {
    let world = World::new();
    let db = one_session_and_no_patience(&world);
    let scope = db.scope().expect("a session is free");
    let dead = connection(&db);
    let killed = db.unit("killed").run::<(), Error>(|tx| {
        if connection_of(tx)? == dead {
            world.execute(&format!("KILL CONNECTION {dead}"));
        }
        tx.query_drop("SELECT 1")
    });
    killed.expect("the second attempt has another session");
    let fresh = connection(&db);
    assert_ne!(fresh, dead);
    assert_eq!(elsewhere(&db), Err(ErrorKind::PoolTimeout), "the scope keeps the new one");
    assert_eq!(connection(&db), fresh);
    drop(scope);
    world.assert_clean(&db);
}

#[test]
fn s76_a_scope_on_a_closed_database_is_refused() {
    let world = World::new();
    let db = one_session(&world);
    db.close(Duration::from_secs(5)).expect("nobody uses it");
    assert_eq!(db.scope().map(drop).expect_err("no unit begins any more").kind(), ErrorKind::Closed);
}

#[test]
fn s71_a_session_that_a_scope_keeps_is_not_taken_over() {
    let world = World::new();
    let db = one_session_and_no_patience(&world);
    let scope = db.scope().expect("a session is free");
    assert_eq!(elsewhere(&db), Err(ErrorKind::PoolTimeout));
    assert_eq!(db.stats().taken_over, 0);
    drop(scope);
    elsewhere(&db).expect("now it is");
    assert_eq!(db.stats().taken_over, 1);
}

/// Who is told that no session became free must be told who has it.
#[test]
fn s72_a_session_that_a_scope_keeps_counts_as_held() {
    let world = World::new();
    let db = one_session_and_no_patience(&world);
    let _scope = db.scope().expect("a session is free");
    let other = || db.unit("elsewhere").run(connection_of).expect_err("the scope keeps it").to_string();
    let text = thread::scope(|threads| threads.spawn(other).join().expect("no panic"));
    assert!(text.contains("scope"), "{text}");
    assert!(!text.contains("no unit holds one"), "{text}");
}

#[test]
fn s38_a_unit_that_waits_for_a_session_that_a_scope_keeps_gets_it_when_the_scope_ends() {
    let world = World::new();
    let db = world.connect(|builder| builder.max_connections(2));
    let (say, said) = mpsc::channel();
    thread::scope(|threads| {
        let scope = db.scope().expect("a session is free");
        let mine = connection(&db);
        threads.spawn(|| {
            let outer = db
                .unit("outer")
                .run::<_, Error>(|_| db.unit("inner").propagation(Propagation::RequiresNew).run(connection_of));
            say.send(outer).expect("the test waits for it");
        });
        until("the other thread waits for a second session", || db.stats().waiting == 1);
        // This one completes the circle: both sessions are held by threads that wait.
        let refused = db
            .unit("mine")
            .run::<_, Error>(|_| db.unit("second").propagation(Propagation::RequiresNew).run(connection_of));
        assert_eq!(refused.expect_err("nobody would ever give one back").kind(), ErrorKind::PoolTimeout);
        drop(scope);
        assert_eq!(said.recv().expect("its turn comes").expect("a second session"), mine);
    });
    world.assert_clean(&db);
}
