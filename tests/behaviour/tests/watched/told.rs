//! What traces say: the fields of a unit's span, and each event.

use std::sync::Barrier;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use tracing::Level;
use unit_of_work::testing::{Reply, Script, VirtualClock};
use unit_of_work::{Database, DatabaseBuilder, Error, ErrorKind, Isolation, OnError, Propagation, Retry, Tx};

use super::Listener;
use crate::threads::which_database::is_alone;
use crate::world::{Trouble, World, until};

const SECOND: Duration = Duration::from_secs(1);

/// A database on a script, with a clock that stands still.
fn scripted(settings: impl FnOnce(DatabaseBuilder) -> DatabaseBuilder) -> (Database, Script, VirtualClock) {
    let (server, clock) = (Script::new(), VirtualClock::new());
    let builder = Database::builder().script(&server).clock(clock.clone()).retry(Retry::DEFAULT.base(Duration::ZERO));
    let db = settings(builder).connect().expect("a scripted server");
    (db, server, clock)
}

fn deadlock() -> Reply {
    Reply::error(1213, "40001", "Deadlock found")
}

fn update(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop("UPDATE account SET balance = 0")
}

#[test]
fn a_span_says_what_a_unit_asked_for_and_what_became_of_it() {
    if !is_alone("watched::told::a_span_says_what_a_unit_asked_for_and_what_became_of_it") {
        return;
    }
    let (db, server, _clock) = scripted(|builder| builder);
    let listener = Listener::default();
    server.answer("UPDATE", deadlock());
    let line = line!() + 2;
    listener.during(|| {
        db.unit("pay").isolation(Isolation::ReadCommitted).run(update).expect("at the second attempt");
    });
    let span = listener.span();
    assert_eq!((span.what.as_str(), span.level), ("unit", Level::INFO));
    for (field, value) in [
        ("unit", "pay"),
        ("otel.name", "pay"),
        ("place", &format!("{}:{line}", file!())),
        ("isolation", "read committed"),
        ("db.system.name", "mariadb"),
        ("attempt", "2"),
        ("outcome", "committed"),
        ("fault.code", "1213"),
        ("error.type", ""),
        ("waited.admission", "0"),
        // SET, UPDATE, ROLLBACK, and once more UPDATE, COMMIT.
        ("round_trips", "5"),
    ] {
        assert_eq!(span.says(field), value, "{field} of {span:?}");
    }
    let retry = listener.event("attempt failed; the unit runs again");
    assert_eq!((retry.level, retry.within), (Level::DEBUG, Some(0)));
    assert_eq!((retry.says("fault.code"), retry.says("attempt"), retry.says("after_us")), ("1213", "1", "0"));
    assert!(retry.says("error").contains("Deadlock found"), "{retry:?}");
}

/// Whoever asks an async program's traces what a request did finds its units.
#[test]
fn s99_the_span_of_a_blocking_calls_caller_is_around_its_units() {
    if !is_alone("watched::told::s99_the_span_of_a_blocking_calls_caller_is_around_its_units") {
        return;
    }
    let (db, _server, _clock) = scripted(|builder| builder);
    let listener = Listener::default();
    let theirs = listener.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .on_thread_start(move || std::mem::forget(tracing::subscriber::set_default(theirs.clone())))
        .build()
        .expect("a thread can be started");
    listener.during(|| {
        let (go_on, gone_on) = std::sync::mpsc::channel();
        let pay = db.clone();
        let mut call = db.run_blocking(move || {
            gone_on.recv().expect("the caller goes on");
            pay.unit("pay").run(update)
        });
        let _inside = runtime.enter();
        // The caller is in its span while it looks at the call, and not while the unit runs.
        let look = || call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(tracing::info_span!("request").in_scope(look).is_pending());
        go_on.send(()).expect("it waits");
        runtime.block_on(call).expect("it does not fail");
    });
    let spans = listener.spans();
    let names: Vec<_> = spans.iter().map(|span| (span.what.as_str(), span.within)).collect();
    assert_eq!(names, [("request", None), ("unit", Some(0))]);
}

#[test]
fn a_span_says_how_each_unit_ended() {
    if !is_alone("watched::told::a_span_says_how_each_unit_ended") {
        return;
    }
    let (db, server, _clock) = scripted(|builder| builder.retry(Retry::NEVER));
    let listener = Listener::default();
    let ends = |work: &dyn Fn()| {
        listener.during(work);
        let span = listener.span();
        let is_error = !span.says("error.type").is_empty();
        assert_eq!(span.says("otel.status_code"), if is_error { "ERROR" } else { "" }, "{span:?}");
        assert_eq!(span.says("db.response.status_code"), span.says("fault.code"), "{span:?}");
        ["outcome", "error.type", "fault.code", "isolation"].map(|field| span.says(field).to_owned())
    };
    let serializable = |outcome, kind, code| [outcome, kind, code, "serializable"].map(str::to_owned);
    let nothing = ends(&|| db.unit("nothing").run::<_, Error>(|_| Ok(())).expect("nothing to fail"));
    assert_eq!(nothing, serializable("not_started", "", ""));
    let refused = ends(&|| {
        let body = |tx: &mut Tx<'_>| update(tx).map_err(Trouble::from).and(Err::<(), _>(Trouble::Refused("no")));
        db.unit("refused").run(body).expect_err("the body's own");
    });
    assert_eq!(refused, serializable("rolled_back", "body", ""));
    let doomed = ends(&|| {
        server.answer("UPDATE", deadlock());
        db.unit("doomed").run(|tx| update(tx).map_err(Trouble::from)).expect_err("the fault, in the body's words");
    });
    assert_eq!(doomed, serializable("rolled_back", "body", "1213"));
    let again = ends(&|| {
        let unit = db.unit("asks").on_error(|_: &Trouble| OnError::RunAgain);
        unit.run(|tx| update(tx).map_err(Trouble::from).and(Err::<(), _>(Trouble::Refused("no"))))
            .expect_err("one attempt");
    });
    assert_eq!(again, serializable("rolled_back", "body", ""));
    let unknown = ends(&|| {
        server.answer("COMMIT", Reply::LostAfter);
        db.unit("unknown").run(update).expect_err("no answer");
    });
    assert_eq!(unknown, serializable("unknown", "CommitUnknown", ""));
    let faulted = ends(&|| {
        server.answer("UPDATE", deadlock());
        db.unit("faulted").run(|tx| update(tx).or(Ok::<_, Error>(()))).expect_err("a swallowed deadlock");
    });
    assert_eq!(faulted, serializable("rolled_back", "Serialization", "1213"));
    let plain = ends(&|| db.unit("plain").propagation(Propagation::Never).run(update).expect("no transaction"));
    assert_eq!(plain, ["untransacted", "", "", ""].map(str::to_owned));
    let panicked = ends(&|| {
        let body = |tx: &mut Tx<'_>| -> Result<(), Error> {
            update(tx)?;
            panic!("in the middle")
        };
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| db.unit("panics").run(body)));
        assert!(unwound.is_err());
    });
    assert_eq!(panicked, serializable("rolled_back", "panic", ""));
}

#[test]
fn what_happens_in_a_unit_is_inside_its_span_and_parts_have_their_own() {
    if !is_alone("watched::told::what_happens_in_a_unit_is_inside_its_span_and_parts_have_their_own") {
        return;
    }
    let (db, _server, _clock) = scripted(|builder| builder);
    let listener = Listener::default();
    listener.during(|| {
        db.unit("outer")
            .run::<_, Error>(|tx| {
                update(tx)?;
                tracing::info!("in the outer one");
                db.unit("inner").run::<_, Error>(|_| {
                    tracing::info!("in the inner one");
                    Ok(())
                })?;
                db.unit("nested").propagation(Propagation::Nested).run(update)?;
                db.unit("other").propagation(Propagation::RequiresNew).run(update)?;
                tx.after_commit(|| tracing::info!("in a hook"));
                Ok(())
            })
            .expect("plain units");
        tracing::info!("behind it");
    });
    let spans = listener.spans();
    let told: Vec<_> =
        spans.iter().map(|span| (span.what.as_str(), span.says("unit"), span.says("within"), span.within)).collect();
    assert_eq!(
        told,
        [
            ("unit", "outer", "", None),
            ("joined unit", "inner", "transaction", Some(0)),
            ("joined unit", "nested", "savepoint", Some(0)),
            ("unit", "other", "", Some(0)),
        ]
    );
    assert_eq!(spans[1].level, Level::DEBUG);
    let within = |message| listener.event(message).within;
    assert_eq!((within("in the outer one"), within("in the inner one")), (Some(0), Some(1)));
    assert_eq!((within("in a hook"), within("behind it")), (Some(0), None));
    // SAVEPOINT, UPDATE, RELEASE count for the whole.
    assert_eq!((spans[0].number("round_trips"), spans[3].number("round_trips")), (5, 2));
}

#[test]
fn a_doom_is_told_with_its_place_and_so_is_who_wants_a_roll_back() {
    if !is_alone("watched::told::a_doom_is_told_with_its_place_and_so_is_who_wants_a_roll_back") {
        return;
    }
    let (db, server, _clock) = scripted(|builder| builder);
    let listener = Listener::default();
    server.answer("UPDATE", deadlock());
    listener.during(|| db.unit("doomed").run(update).expect("at the second attempt"));
    let doom = listener.event("the attempt is doomed");
    assert_eq!((doom.says("unit"), doom.says("fault.code"), doom.says("attempt")), ("doomed", "1213", "1"));
    assert!(doom.says("place").contains("told.rs:") && doom.says("error").contains("UPDATE account"), "{doom:?}");
    assert_eq!(doom.level, Level::DEBUG, "it will run again");

    server.answer("CALL", Reply::error(1317, "70100", "Query execution was interrupted"));
    server.answer("RELEASE", Reply::error(1305, "42000", "SAVEPOINT does not exist"));
    listener.during(|| db.unit("torn").run(|tx| tx.query_drop("CALL p()")).expect_err("nobody knows"));
    assert_eq!(listener.event("the attempt is doomed").level, Level::WARN, "it is over");

    listener.during(|| {
        let outer = db.unit("outer").run::<_, Error>(|_| {
            let inner = db.unit("inner").run::<(), _>(|_| Err(Trouble::Refused("no")));
            inner.or(Ok(()))
        });
        assert_eq!(outer.expect_err("half a unit").kind(), ErrorKind::Doomed);
    });
    let failed = listener.event("a joined unit failed, and the attempt cannot be committed any more");
    assert_eq!((failed.says("unit"), failed.says("by")), ("outer", "inner"));
    assert!(failed.says("by.place").contains("told.rs:") && failed.says("error").contains("Refused"), "{failed:?}");

    listener.during(|| {
        let marked = db.unit("marked").run::<_, Error>(|tx| {
            tx.set_rollback_only();
            Ok(())
        });
        marked.expect_err("it was marked");
    });
    assert_eq!(listener.event("the attempt was marked to be rolled back").says("by"), "marked");
}

#[test]
fn another_attempt_that_the_body_asked_for_is_told() {
    if !is_alone("watched::told::another_attempt_that_the_body_asked_for_is_told") {
        return;
    }
    let (db, _server, _clock) = scripted(|builder| builder);
    let listener = Listener::default();
    listener.during(|| {
        let unit = db.unit("asks").on_error(|_: &Trouble| OnError::RunAgain);
        unit.run(|tx| if tx.attempt() == 1 { Err(Trouble::Refused("not yet")) } else { Ok(()) }).expect("the second");
    });
    let again = listener.event("the body asked for another attempt; the unit runs again");
    assert_eq!((again.says("unit"), again.says("attempt"), again.says("after_us")), ("asks", "1", "0"));
}

#[test]
fn a_slow_unit_and_a_transaction_that_idles_are_warned_of_from_their_thresholds_on() {
    if !is_alone("watched::told::a_slow_unit_and_a_transaction_that_idles_are_warned_of_from_their_thresholds_on") {
        return;
    }
    let (db, _server, clock) = scripted(|builder| builder.slow_unit(5 * SECOND).idle_in_transaction(2 * SECOND));
    let listener = Listener::default();
    let waits = |before: Duration, between: Duration, after: Duration| {
        listener.during(|| {
            let unit = db.unit("waits").run(|tx| {
                clock.advance(before);
                update(tx)?;
                clock.advance(between);
                update(tx)?;
                clock.advance(after);
                Ok::<_, Error>(())
            });
            unit.expect("a plain unit");
        });
        let idle = listener.events("the transaction was idle, with its locks held");
        let idle: Vec<_> = idle.iter().map(|told| (told.number("idle_us"), told.says("until").to_owned())).collect();
        let slow = listener.events("the unit was slow");
        (idle, slow.iter().map(|told| (told.number("took_us"), told.number("round_trips"))).collect::<Vec<_>>())
    };
    let a_hair_less = |seconds: u64| Duration::from_micros(seconds * 1_000_000 - 1);
    assert_eq!(waits(a_hair_less(5), Duration::ZERO, Duration::ZERO), (vec![], vec![]), "nothing had begun");
    assert_eq!(waits(Duration::ZERO, a_hair_less(2), a_hair_less(2)), (vec![], vec![]));
    let (idle, slow) = waits(Duration::ZERO, 2 * SECOND, 3 * SECOND);
    assert_eq!(idle, [(2_000_000, "the next statement".to_owned()), (3_000_000, "its end".to_owned())]);
    assert_eq!(slow, [(5_000_000, 3)]);
    listener.during(|| {
        let plain = db.unit("plain").propagation(Propagation::Never).run(|tx| {
            update(tx)?;
            clock.advance(3 * SECOND);
            update(tx)
        });
        plain.expect("without a transaction");
    });
    assert!(listener.events("the transaction was idle, with its locks held").is_empty(), "there is none");
}

#[test]
fn connections_are_told_with_their_numbers_and_why_they_were_closed() {
    if !is_alone("watched::told::connections_are_told_with_their_numbers_and_why_they_were_closed") {
        return;
    }
    let listener = Listener::default();
    let closed = |settings: fn(DatabaseBuilder) -> DatabaseBuilder, end: fn(Database, &Script, &VirtualClock)| {
        listener.during(|| {
            let (db, server, clock) = scripted(settings);
            db.unit("first").run(update).expect("a plain unit");
            end(db, &server, &clock);
        });
        let opened = listener.events("connection opened");
        let closed = listener.events("connection closed");
        assert!(opened.iter().all(|told| told.says("db.system.name") == "mariadb" && told.number("took_us") == 0));
        assert!(closed.iter().all(|told| told.level == Level::DEBUG));
        let [first, ..] = &closed[..] else { panic!("none was closed") };
        assert_eq!(first.number("connection"), opened[0].number("connection"));
        first.says("why").to_owned()
    };
    assert_eq!(closed(|builder| builder, |db, _, _| drop(db)), "the last handle of the database was dropped");
    assert_eq!(
        closed(|builder| builder, |db, _, _| db.close(SECOND).expect("nothing runs")),
        "the database handle was closed"
    );
    let broken = |db: Database, server: &Script, _: &VirtualClock| {
        server.answer("UPDATE", Reply::LostBefore);
        db.unit("lost").run(update).expect("at the second attempt");
    };
    assert_eq!(closed(|builder| builder, broken), "lost, out of step or left open");
    let expired = |db: Database, _: &Script, clock: &VirtualClock| {
        clock.advance(2 * SECOND);
        db.unit("later").run(update).expect("on a new one");
    };
    assert_eq!(closed(|builder| builder.max_lifetime(SECOND), expired), "older than `max_lifetime`");
}

#[test]
fn s56_a_hook_that_failed_is_told_with_its_unit() {
    if !is_alone("watched::told::s56_a_hook_that_failed_is_told_with_its_unit") {
        return;
    }
    let (db, _server, _clock) = scripted(|builder| builder);
    let listener = Listener::default();
    listener.during(|| {
        let unit = db.unit("hooked").run::<_, Error>(|tx| {
            tx.after_commit(|| Err("the mail server is away"));
            update(tx)
        });
        unit.expect("a hook cannot make it fail");
    });
    let failed = listener.event("a hook failed after the unit had ended");
    assert_eq!(failed.level, Level::ERROR);
    assert_eq!((failed.says("unit"), failed.says("hook")), ("hooked", "after_commit"));
    assert_eq!(failed.says("error"), "the mail server is away");
}

/// All that needs a server, because each process starts its own.
#[test]
fn s06_a_span_says_where_its_server_is_how_long_it_waited_and_the_round_trips_that_the_socket_saw() {
    if !is_alone(
        "watched::told::s06_a_span_says_where_its_server_is_how_long_it_waited_and_the_round_trips_that_the_socket_saw",
    ) {
        return;
    }
    let world = World::with_accounts(1..=3);
    where_the_server_is(&world);
    how_long_it_waited(&world);
    round_trips(&world);
}

fn where_the_server_is(world: &World) {
    let listener = Listener::default();
    listener.during(|| world.db.unit("look").run(|tx| tx.query_drop("DO 1")).expect("a plain unit"));
    let span = listener.span();
    let system = crate::server::either("mariadb", "mysql");
    assert_eq!((span.says("db.system.name"), span.says("db.namespace")), (system, world.name()));
    assert_eq!((span.says("server.address"), span.number("server.port")), ("127.0.0.1", u64::from(world.port())));
}

fn how_long_it_waited(world: &World) {
    let db = world.connect(|builder| builder.max_connections(1));
    let (held, listener) = (Barrier::new(2), Listener::default());
    thread::scope(|scope| {
        scope.spawn(|| {
            let holder = db.unit("holds").run::<_, Error>(|_| {
                held.wait();
                until("the other waits", || db.stats().waiting == 1);
                Ok(())
            });
            holder.expect("a plain unit");
        });
        held.wait();
        listener.during(|| db.unit("waits").run(|tx| tx.query_drop("DO 1")).expect("it gets the session"));
    });
    assert!(listener.span().number("waited.pool") > 0, "{:?}", listener.span());
    listener.during(|| db.unit("warm").run(|tx| tx.query_drop("DO 1")).expect("its own session"));
    assert_eq!(listener.span().number("waited.pool"), 0, "{:?}", listener.span());
    // A connection that died while idle is replaced, which takes as long as opening one does.
    let db = world.connect(|builder| builder.ping_after(Duration::ZERO));
    let who = db.unit("who").run::<Option<u64>, Error>(|tx| tx.query_first("SELECT CONNECTION_ID()"));
    world.execute(&format!("KILL CONNECTION {}", who.expect("a plain unit").expect("a number")));
    listener.during(|| db.unit("replaced").run(|tx| tx.query_drop("DO 1")).expect("another session"));
    assert!(listener.span().number("waited.pool") > 0, "{:?}", listener.span());
}

fn round_trips(world: &World) {
    let (db, proxy) = world.proxied();
    let listener = Listener::default();
    let agree = |what: &str, work: &dyn Fn(&mut Tx<'_>) -> Result<(), Error>| {
        let before = proxy.round_trips();
        listener.during(|| db.unit("counted").run(work).expect("a plain unit"));
        assert_eq!(listener.span().number("round_trips"), proxy.round_trips() - before, "{what}");
        listener.span().number("round_trips")
    };
    let one = |tx: &mut Tx<'_>| tx.exec_drop("UPDATE account SET balance = ? WHERE id = 1", (1,));
    assert_eq!(agree("nothing", &|_| Ok(())), 0);
    assert_eq!(agree("to be prepared", &one), 3);
    assert_eq!(agree("prepared", &one), 2);
    agree("many rows at once", &|tx| {
        tx.exec_batch("UPDATE account SET balance = ? WHERE id = ?", (1..=3_u64).map(|id| (id, id)))
    });
    agree("a savepoint", &|tx| tx.savepoint(|tx| tx.query_drop("DO 1")));
}
