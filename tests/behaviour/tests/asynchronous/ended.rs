//! Calls that do not come to their end as usual: the caller goes away, the work panics, there is no runtime, or none any more. A
//! unit of theirs is whole in each case.

use std::future::Future;
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::mpsc::{self, Receiver, Sender};
use std::task::{Context, Poll, Waker};
use std::thread;

use unit_of_work::testing::{Reply, Script};
use unit_of_work::{Database, Error, ErrorKind, Outcome, Tx, unit_of_work};

use super::{on_one_blocking_thread, one_blocking_thread, runtimes};
use crate::world::{GIVE_TEN, TAKE_TEN, World, until};

/// Both ends of a wait.
fn gate() -> (Sender<()>, Receiver<()>) {
    mpsc::channel()
}

/// A transfer that stops between its halves until it may go on.
#[unit_of_work(retry = "never")]
fn transfer(tx: &mut Tx<'_>, half: Sender<()>, go_on: Receiver<()>) -> Result<(), Error> {
    tx.query_drop(TAKE_TEN)?;
    half.send(()).expect("the test waits");
    go_on.recv().expect("the test goes on");
    tx.query_drop(GIVE_TEN)
}

/// One look at a future, from where the caller stands.
fn polled<T>(future: &mut Pin<Box<dyn Future<Output = T> + Send>>) -> Poll<T> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn s99_a_dropped_future_lets_the_unit_finish() {
    for runtime in runtimes() {
        let world = World::with_accounts(1..=2);
        let ((half, halved), (go_on, gone_on)) = (gate(), gate());
        let mut call = world.db.run_blocking(move || transfer(half, gone_on));
        {
            let _inside = runtime.enter();
            assert!(polled(&mut call).is_pending());
        }
        halved.recv().expect("it is in the middle of the unit");
        drop(call);
        assert_eq!(world.balances(), [100, 100], "as others see it");
        go_on.send(()).expect("it waits");
        until("both halves are committed", || world.balances() == [90, 110]);
        until("the session is given back", || world.db.stats().in_use == 0);
        world.assert_clean(&world.db);
    }
}

#[test]
fn s99_work_that_no_thread_has_begun_is_withdrawn_with_its_future() {
    let server = Script::new();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    let runtime = one_blocking_thread();
    let _inside = runtime.enter();
    let ((occupy, occupied), (go_on, gone_on)) = (gate(), gate());
    let mut first = db.run_blocking(move || {
        occupy.send(()).expect("the test waits");
        gone_on.recv().expect("the test goes on");
        Ok::<_, Error>(())
    });
    assert!(polled(&mut first).is_pending());
    occupied.recv().expect("it has the only thread");
    let (ran, ran_at_all) = gate();
    let unwanted = || {
        let ran = ran.clone();
        db.run_blocking(move || Ok::<_, Error>(ran.send(()).is_ok()))
    };
    let mut second = unwanted();
    assert!(polled(&mut second).is_pending());
    drop(second);
    // Nor one that nobody ever looked at.
    drop(unwanted());
    let third = db.run_blocking(|| Ok::<_, Error>("on the same thread, and behind what was withdrawn"));
    go_on.send(()).expect("it waits");
    runtime.block_on(async { first.await.and(third.await) }).expect("both were wanted");
    ran_at_all.try_recv().expect_err("nobody wanted it any more");
}

#[test]
fn s99_a_panic_becomes_the_callers_error() {
    let world = World::with_accounts(1..=2);
    for runtime in runtimes() {
        let before = world.balances();
        let work = || {
            change(TAKE_TEN, None)?;
            change(GIVE_TEN, Some("a bug"))
        };
        let error = runtime.block_on(world.db.run_blocking(work)).expect_err("it panics");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Panicked, None));
        let text = error.to_string();
        assert!(text.starts_with("the work panicked: a bug; ") && text.ends_with(" stand"), "{text}");
        // The first unit had ended, the second was rolled back.
        assert_eq!(world.balances(), [before[0] - 10, before[1]]);
        let next = runtime.block_on(world.db.run_blocking(|| change(GIVE_TEN, None)));
        next.expect("the thread and its connection are as before");
        world.execute("UPDATE account SET balance = 100");
        world.assert_clean(&world.db);
    }
}

#[unit_of_work]
fn change(tx: &mut Tx<'_>, sql: &str, bug: Option<&'static str>) -> Result<(), Error> {
    tx.query_drop(sql)?;
    bug.map_or(Ok(()), |bug| panic_any(bug))
}

#[test]
fn s99_a_panics_text_is_told_whatever_its_type() {
    let db = Database::builder().script(&Script::new()).connect().expect("a scripted server");
    let panics: [fn() -> Result<(), Error>; 3] = [|| panic_any("plain"), || panic!("number {}", 7), || panic_any(7_u8)];
    for (work, told) in panics.into_iter().zip(["plain", "number 7", "a value that is not text"]) {
        let error = on_one_blocking_thread(db.run_blocking(work)).expect_err("it panics");
        assert!(error.to_string().starts_with(&format!("the work panicked: {told}; ")), "{error}");
    }
}

/// What units tell is not told otherwise.
#[test]
fn s99_an_unknown_outcome_stays_one() {
    let server = Script::new();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    server.answer("COMMIT", Reply::LostAfter);
    let error = on_one_blocking_thread(db.run_blocking(|| change(TAKE_TEN, None))).expect_err("nobody answered");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::CommitUnknown, Some(Outcome::Unknown)));
}

#[test]
fn s99_outside_of_a_runtime_nothing_is_begun_and_it_says_so() {
    let server = Script::new();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    server.take_log();
    let mut call = db.run_blocking(|| change(TAKE_TEN, None));
    let Poll::Ready(Err(error)) = polled(&mut call) else { panic!("it is not to wait") };
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::NoRuntime, Some(Outcome::NotStarted)));
    assert!(error.to_string().contains("outside of any"), "{error}");
    assert_eq!(server.take_log(), [""; 0]);
    // Made outside and awaited inside is how `block_on` is called.
    on_one_blocking_thread(db.run_blocking(|| change(TAKE_TEN, None))).expect("inside of one it runs");
}

#[test]
fn s99_a_runtime_that_has_shut_down_begins_nothing_and_it_says_so() {
    let server = Script::new();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    server.take_log();
    let runtime = one_blocking_thread();
    let handle = runtime.handle().clone();
    drop(runtime);
    let _inside = handle.enter();
    let mut call = db.run_blocking(|| change(TAKE_TEN, None));
    let Poll::Ready(Err(error)) = polled(&mut call) else { panic!("it is not to wait") };
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::NoRuntime, Some(Outcome::NotStarted)));
    assert!(error.to_string().contains("shutting down"), "{error}");
    assert_eq!(server.take_log(), [""; 0]);
}

#[test]
fn s99_a_runtime_that_is_dropped_waits_for_the_unit() {
    for runtime in runtimes() {
        let world = World::with_accounts(1..=2);
        let ((half, halved), (go_on, gone_on)) = (gate(), gate());
        let mut call = world.db.run_blocking(move || transfer(half, gone_on));
        {
            let _inside = runtime.enter();
            assert!(polled(&mut call).is_pending());
        }
        halved.recv().expect("it is in the middle of the unit");
        thread::scope(|threads| {
            threads.spawn(|| drop(runtime));
            go_on.send(()).expect("it waits");
        });
        assert_eq!(world.balances(), [90, 110]);
        match polled(&mut call) {
            Poll::Ready(done) => done.expect("its result is still there"),
            Poll::Pending => panic!("it has ended"),
        }
        world.assert_clean(&world.db);
    }
}
