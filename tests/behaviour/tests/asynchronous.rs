//! Units from async programs: what surrounds the work of `run_blocking` on its thread, and whose connection it has. What happens when
//! it does not come to its end, or does not begin, is `ended`.

mod ended;

use std::future::Future;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use unit_of_work::testing::{Reply, Script};
use unit_of_work::{Database, Error, ErrorKind, Outcome, Tx, in_unit, unit_of_work};

use crate::world::{FAIL, TAKE_TEN, Trouble, World, until};

/// As web frameworks have them: several threads for tasks, or (actix) one.
fn runtimes() -> [Runtime; 2] {
    [Builder::new_multi_thread().worker_threads(2).build(), Builder::new_current_thread().build()]
        .map(|runtime| runtime.expect("threads can be started"))
}

/// All calls on the same blocking thread, one after the other.
fn one_blocking_thread() -> Runtime {
    Builder::new_current_thread().max_blocking_threads(1).build().expect("a thread can be started")
}

fn on_one_blocking_thread<F: Future>(future: F) -> F::Output {
    one_blocking_thread().block_on(future)
}

/// Names no database: it runs on the one that surrounds it.
#[unit_of_work(name = "who")]
fn connection(tx: &mut Tx<'_>) -> Result<u64, Error> {
    Ok(tx.query_first("SELECT CONNECTION_ID()")?.expect("a row"))
}

fn connection_on(db: &Database) -> Result<u64, Error> {
    let _entered = db.enter();
    connection()
}

/// Of a pool of one, and who waits for it for hardly any time.
fn one_session_and_no_patience(world: &World) -> Database {
    world.connect(|builder| builder.max_connections(1).acquire_timeout(Duration::from_millis(1)))
}

#[test]
fn s99_all_units_of_a_call_run_on_the_database_and_on_one_connection() {
    let world = World::new();
    for runtime in runtimes() {
        let db = world.connect(|builder| builder.max_connections(1));
        let (theirs, others) = (db.clone(), db.clone());
        let (say, said) = mpsc::channel();
        let work = move || {
            let first = connection()?;
            // Between units the connection is idle; without a scope the other thread would take it over there.
            let other = thread::spawn(move || say.send(connection_on(&others)).expect("the test waits for it"));
            until("the other thread waits", || theirs.stats().waiting == 1);
            let ids = [first, connection()?, connection()?];
            assert_eq!(theirs.stats().waiting, 1, "still");
            Ok::<_, Error>((ids, other))
        };
        let (ids, other) = runtime.block_on(db.run_blocking(work)).expect("a session is free");
        assert_eq!(ids, [ids[0]; 3]);
        assert_eq!(said.recv().expect("its turn comes").expect("given back at the end"), ids[0]);
        other.join().expect("no panic");
        world.assert_clean(&db);
    }
}

/// The same seen from the wire.
#[test]
fn s99_all_units_of_a_call_are_sent_on_one_connection() {
    let server = Script::new();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    server.answer("SELECT", Reply::LostBefore);
    server.always("SELECT", Reply::value("id", 7));
    server.take_sent();
    let ids = on_one_blocking_thread(db.run_blocking(|| Ok::<_, Error>([connection()?, connection()?])));
    assert_eq!(ids.expect("the second attempt has another connection"), [7, 7]);
    let asked: Vec<_> = server.take_sent().into_iter().filter(|sent| sent.text.starts_with("SELECT")).collect();
    let connections: Vec<u32> = asked.iter().map(|sent| sent.connection).collect();
    assert!(matches!(connections[..], [lost, one, same] if lost != one && one == same), "{asked:?}");
}

#[test]
fn s99_a_call_that_runs_no_unit_takes_no_connection() {
    let world = World::new();
    let db = one_session_and_no_patience(&world);
    let _all_there_are = db.scope().expect("a session is free");
    let sum = on_one_blocking_thread(db.run_blocking(|| Ok::<_, Error>(2 + 2)));
    assert_eq!(sum.expect("it needs none"), 4);
}

/// Also not the one that an earlier call had on the same thread.
#[test]
fn s99_a_call_keeps_no_connection_before_its_first_unit() {
    let world = World::new();
    let db = one_session_and_no_patience(&world);
    on_one_blocking_thread(async {
        let earlier = db.run_blocking(connection).await.expect("a session is free");
        let elsewhere = db.clone();
        let work = move || {
            let other = thread::spawn(move || connection_on(&elsewhere).map_err(|error| error.kind()));
            let before = other.join().expect("no panic");
            Ok::<_, Error>((before, connection()?))
        };
        let (before, own) = db.run_blocking(work).await.expect("nobody else has it for long");
        assert_eq!((before, own), (Ok(earlier), earlier));
    });
    world.assert_clean(&db);
}

#[test]
fn s99_the_connection_is_given_back_also_after_an_error_and_a_panic() {
    let world = World::with_accounts(1..=1);
    let db = one_session_and_no_patience(&world);
    let fails = || {
        in_transaction(|tx| {
            tx.query_drop(TAKE_TEN)?;
            FAIL
        })
    };
    on_one_blocking_thread(async {
        let refused = db.run_blocking(fails).await.expect_err("a decision");
        assert!(matches!(refused, Trouble::Refused("a decision")), "its own error, unchanged: {refused}");
        connection_on(&db).expect("given back");
        let panicked = db.run_blocking::<(), Error>(|| connection().map(|_| panic!("after a unit"))).await;
        assert_eq!(panicked.expect_err("it panics").kind(), ErrorKind::Panicked);
        connection_on(&db).expect("given back");
    });
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&db);
}

#[unit_of_work(name = "body")]
fn in_transaction<T>(tx: &mut Tx<'_>, body: fn(&mut Tx<'_>) -> Result<T, Trouble>) -> Result<T, Trouble> {
    body(tx)
}

/// A body that waits for a call waits for another transaction on another connection.
#[test]
fn s99_no_unit_of_the_caller_is_active_in_the_work() {
    let world = World::new();
    let db = world.connect(|builder| builder.max_connections(2));
    let runtime = one_blocking_thread();
    let unit = db.unit("outer").run::<_, Error>(|tx| {
        let outer = tx.query_first::<u64, _>("SELECT CONNECTION_ID()")?.expect("a row");
        assert!(in_unit());
        let work = || Ok::<_, Error>((in_unit(), connection()?));
        Ok((outer, runtime.block_on(db.run_blocking(work))?))
    });
    let (outer, (inside, inner)) = unit.expect("there are two");
    assert!(!inside);
    assert_ne!(outer, inner);
    world.assert_clean(&db);
}

/// Nothing of one call is left for the next one on its thread.
#[test]
fn s99_after_a_call_its_thread_is_as_before() {
    let (one, two) = (World::new(), World::new());
    let work = || in_transaction(|tx| Ok(tx.query_first::<String, _>("SELECT DATABASE()")?.expect("a name")));
    on_one_blocking_thread(async {
        for world in [&one, &two, &one] {
            let name = world.db.run_blocking(work).await.expect("each call has its own");
            assert_eq!(name, world.name());
        }
        let nobodys = tokio::task::spawn_blocking(connection).await.expect("no panic");
        assert_eq!(nobodys.expect_err("nothing is entered any more").kind(), ErrorKind::NoDatabase);
    });
}

#[test]
fn s99_many_calls_wait_for_few_connections_in_line() {
    const CALLS: usize = 64;
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied_with(|builder| builder.max_connections(2));
    for runtime in runtimes() {
        runtime.block_on(async {
            let calls: Vec<_> = (0..CALLS)
                .map(|_| {
                    runtime.spawn(db.run_blocking(|| {
                        in_transaction(|tx| Ok(tx.query_drop("UPDATE account SET balance = balance + 1")?))
                    }))
                })
                .collect();
            for call in calls {
                call.await.expect("no panic").expect("its turn comes");
            }
        });
    }
    assert_eq!(world.balances(), [100 + 2 * 64]);
    assert!(proxy.connections() <= 2, "{} connections", proxy.connections());
}

/// The message names the call that has what they wait for, and its place in the program.
#[test]
fn s99_who_waits_too_long_is_told_which_call_has_the_connection() {
    let world = World::new();
    let db = one_session_and_no_patience(&world);
    // Dropped last: it waits for the work, which waits for `go`.
    let runtime = Builder::new_multi_thread().worker_threads(1).build().expect("a thread can be started");
    let (go, gone) = mpsc::channel();
    let (say, said) = mpsc::channel();
    let line = line!() + 1;
    let first = runtime.spawn(db.run_blocking(move || {
        let own = connection();
        say.send(()).expect("the test waits");
        gone.recv().expect("the test goes on");
        own
    }));
    said.recv().expect("it has a unit behind it");
    let refused = runtime.block_on(db.run_blocking(connection)).expect_err("there is no other");
    assert_eq!((refused.kind(), refused.outcome()), (ErrorKind::PoolTimeout, Some(Outcome::NotStarted)));
    let text = refused.to_string();
    assert!(text.contains(&format!("held by `Database::run_blocking` ({}:{line}) for ", file!())), "{text}");
    go.send(()).expect("it waits");
    runtime.block_on(first).expect("no panic").expect("it had its session");
}

#[test]
fn s99_a_sandbox_is_its_threads_alone() {
    let world = World::with_accounts(1..=1);
    let sandbox = world.db.sandbox().expect("a session is free");
    let work = || in_transaction(|tx| Ok(tx.query_drop(TAKE_TEN)?));
    let refused = on_one_blocking_thread(world.db.run_blocking(work)).expect_err("it would outlive the sandbox");
    let Trouble::Work(refused) = refused else { panic!("{refused}") };
    assert_eq!((refused.kind(), refused.outcome()), (ErrorKind::Propagation, Some(Outcome::NotStarted)));
    drop(sandbox);
    assert_eq!(world.balances(), [100]);
}
