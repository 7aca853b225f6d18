//! Which database a unit runs on that names none: the thread's entered one, else the process's installed one, else none, and then
//! it says what to call.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command;
use std::sync::Barrier;
use std::thread;

use unit_of_work::{Error, ErrorKind, Outcome, Tx, unit_of_work};

use crate::world::World;

/// A unit that names no database.
#[unit_of_work]
fn home(tx: &mut Tx<'_>) -> Result<Option<String>, Error> {
    Ok(tx.query_first("SELECT DATABASE()")?.expect("a row"))
}

fn is_at_home_in(world: &World) {
    assert_eq!(home().expect("a unit").as_deref(), Some(world.name()));
}

/// Whether this is a process that runs `test` alone. If not, starts one, and sees to it that the test passes there: for what is
/// the whole process's, and what other tests would notice or disturb.
pub(crate) fn is_alone(test: &str) -> bool {
    const ALONE: &str = "UNIT_OF_WORK_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut child = Command::new(std::env::current_exe().expect("a test has a program"));
    let output = child.args([test, "--exact"]).env(ALONE, "1").output().expect("the test binary can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    false
}

/// Alone, because other tests rely on there being no database.
#[test]
fn s77_a_second_install_is_an_error() {
    if !is_alone("threads::which_database::s77_a_second_install_is_an_error") {
        return;
    }
    let (first, second) = (World::new(), World::new());
    first.db.install().expect("the first");
    is_at_home_in(&first);
    for db in [&second.db, &first.db] {
        let error = db.install().expect_err("there is one");
        assert_eq!(error.kind(), ErrorKind::AlreadyInstalled);
        assert!(error.to_string().contains("`enter`"), "{error}");
    }
    is_at_home_in(&first);
    let elsewhere = thread::spawn(|| home().expect("a unit")).join().expect("no panic");
    assert_eq!(elsewhere.as_deref(), Some(first.name()));
    let entered = second.db.enter();
    is_at_home_in(&second);
    drop(entered);
    is_at_home_in(&first);
}

#[test]
fn s77_enter_nests_and_restores() {
    let (outer, inner) = (World::new(), World::new());
    let entered = outer.db.enter();
    is_at_home_in(&outer);
    {
        let _nested = inner.db.enter();
        is_at_home_in(&inner);
        let _again = outer.db.enter();
        is_at_home_in(&outer);
    }
    is_at_home_in(&outer);
    let nested = inner.db.enter();
    // In the wrong order: the guard that lives is the one that counts.
    drop(entered);
    is_at_home_in(&inner);
    drop(nested);
    assert_eq!(home().expect_err("none is left").kind(), ErrorKind::NoDatabase);
}

#[test]
fn s77_a_panic_leaves_what_was_entered() {
    let world = World::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _entered = world.db.enter();
        resume_unwind(Box::new("out of here"));
    }));
    assert!(panicked.is_err());
    assert_eq!(home().expect_err("none is left").kind(), ErrorKind::NoDatabase);
}

#[test]
fn s77_tests_run_at_once_each_on_its_own_database() {
    let both = Barrier::new(2);
    let one_test = || {
        let world = World::new();
        let _entered = world.db.enter();
        for _ in 0..20 {
            both.wait();
            is_at_home_in(&world);
        }
    };
    thread::scope(|scope| {
        for thread in [scope.spawn(one_test), scope.spawn(one_test)] {
            thread.join().expect("each at home");
        }
    });
}

#[test]
fn s78_a_unit_without_any_database_says_what_to_call() {
    let error = home().expect_err("no database was named, entered or installed");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::NoDatabase, Some(Outcome::NotStarted)));
    assert!(error.unit().is_some_and(|unit| unit.ends_with("home")), "{error}");
    for part in ["Database::connect(url)?.install()?", "enter()", "db ="] {
        assert!(error.to_string().contains(part), "`{part}` is not in: {error}");
    }
}
