//! Errors of the body that commit: of a unit of its own, joined and nested, in the builder's words and in the attribute's. Those
//! that ask for another attempt are `again`; marks, which roll back although the body returned `Ok`, are `marks`.

mod again;
mod marks;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use unit_of_work::testing::{Reply, Script};
use unit_of_work::{Database, Error, ErrorKind, OnError, Outcome, Propagation, Retry, Tx, unit_of_work};

use crate::world::{GIVE_TEN, TAKE_TEN, Trouble, World};

const COMMIT: &str = "COMMIT AND NO CHAIN NO RELEASE";
const ROLLBACK: &str = "ROLLBACK AND NO CHAIN NO RELEASE";

const BLOCKED: Trouble = Trouble::Refused("the account is blocked");
const OUTDATED: Trouble = Trouble::Refused("what was read is outdated");

/// The blocked account's error commits, the outdated one's asks for another attempt, all others roll back.
fn judge(error: &Trouble) -> OnError {
    match error {
        Trouble::Refused("the account is blocked") => OnError::Commit,
        Trouble::Refused("what was read is outdated") => OnError::RunAgain,
        Trouble::Refused(_) | Trouble::Work(_) => OnError::RollBack,
    }
}

fn assert_refused<T: std::fmt::Debug>(result: &Result<T, Trouble>, expected: &Trouble) {
    let seen = result.as_ref().expect_err("the body's own error");
    assert_eq!(seen.to_string(), expected.to_string());
    assert!(matches!(seen, Trouble::Refused(_)), "{seen:?}");
}

fn scripted() -> (Database, Script) {
    let server = Script::new();
    (Database::builder().script(&server).connect().expect("a scripted server"), server)
}

fn deadlock() -> Reply {
    Reply::error(1213, "40001", "Deadlock found")
}

fn quickly(attempts: u32) -> Retry {
    Retry::DEFAULT.max_attempts(attempts).base(Duration::ZERO)
}

#[test]
fn s07_an_error_that_commits_is_committed_and_returned() {
    let world = World::with_accounts(1..=1);
    let hooks = Rc::new(Cell::new((0, 0)));
    let result = world.db.unit("block").on_error(judge).run::<(), _>(|tx| {
        let (committed, rolled_back) = (Rc::clone(&hooks), Rc::clone(&hooks));
        tx.after_commit(move || committed.set((committed.get().0 + 1, committed.get().1)));
        tx.after_rollback(move |_| rolled_back.set((rolled_back.get().0, rolled_back.get().1 + 1)));
        tx.query_drop(TAKE_TEN)?;
        Err(BLOCKED)
    });
    assert_refused(&result, &BLOCKED);
    assert_eq!(world.balances(), [90]);
    assert_eq!(hooks.get(), (1, 0));
    world.assert_clean(&world.db);
}

#[test]
fn s07_other_errors_of_that_unit_roll_back() {
    let world = World::with_accounts(1..=1);
    let result = world.db.unit("block").on_error(judge).run::<(), _>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        Err(Trouble::Refused("something else"))
    });
    assert_refused(&result, &Trouble::Refused("something else"));
    assert_eq!(world.balances(), [100]);
}

/// A unit whose body returns [`BLOCKED`] after one statement, at a server that answers COMMIT so.
fn blocked_at(commits: &[Reply], retry: Retry) -> (Error, Vec<String>) {
    let (db, server) = scripted();
    for reply in commits {
        server.answer("COMMIT", reply.clone());
    }
    let result = db.unit("block").retry(retry).on_error(judge).run::<(), _>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        Err(BLOCKED)
    });
    match result.expect_err("COMMIT fails") {
        Trouble::Work(error) => (error, server.take_log()),
        Trouble::Refused(text) => panic!("the body's error says that it was committed: {text}"),
    }
}

#[test]
fn s07_if_the_commit_fails_its_error_is_returned_and_carries_the_text_of_the_bodys() {
    let other = Reply::error(1062, "23000", "Duplicate entry");
    let once = [TAKE_TEN, COMMIT, ROLLBACK];
    let twice = [once, once].concat();
    let again = [deadlock(), deadlock()];
    for (commits, retry, kind, outcome, sent) in [
        (&[other][..], Retry::DEFAULT, ErrorKind::Statement, Outcome::RolledBack, &once[..]),
        (&[deadlock()], Retry::NEVER, ErrorKind::Serialization, Outcome::RolledBack, &once),
        (&again, quickly(2), ErrorKind::RetriesExhausted, Outcome::RolledBack, &twice),
        (&[Reply::LostBefore], Retry::DEFAULT, ErrorKind::CommitUnknown, Outcome::Unknown, &once[..2]),
        (&[Reply::LostAfter], Retry::DEFAULT, ErrorKind::CommitUnknown, Outcome::Unknown, &once[..2]),
    ] {
        let (error, log) = blocked_at(commits, retry);
        assert_eq!((error.kind(), error.outcome()), (kind, Some(outcome)), "{error}");
        assert!(error.to_string().contains("the account is blocked"), "{error}");
        assert_eq!(log, sent, "{error}");
    }
}

#[test]
fn s07_a_conflict_at_that_commit_runs_again() {
    let (db, server) = scripted();
    server.answer("COMMIT", deadlock());
    let result = db.unit("block").retry(quickly(2)).on_error(judge).run::<(), _>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        Err(BLOCKED)
    });
    assert_refused(&result, &BLOCKED);
    assert_eq!(server.take_log(), [TAKE_TEN, COMMIT, ROLLBACK, TAKE_TEN, COMMIT]);
}

#[test]
fn s07_in_a_joined_unit_it_does_not_doom() {
    let world = World::with_accounts(1..=2);
    let outer = world.db.unit("outer").run::<_, Trouble>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let inner = world.db.unit("inner").on_error(judge).run::<(), _>(|tx| {
            tx.query_drop(GIVE_TEN)?;
            Err(BLOCKED)
        });
        assert_refused(&inner, &BLOCKED);
        Ok("the outer goes on")
    });
    assert_eq!(outer.expect("nothing dooms it"), "the outer goes on");
    assert_eq!(world.balances(), [90, 110]);
    world.assert_clean(&world.db);
}

#[test]
fn s07_in_a_joined_unit_it_commits_only_if_the_outermost_does() {
    let world = World::with_accounts(1..=2);
    let outer = world.db.unit("outer").run::<(), Trouble>(|_| {
        world.db.unit("inner").on_error(judge).run::<(), _>(|tx| {
            tx.query_drop(GIVE_TEN)?;
            Err(BLOCKED)
        })
    });
    assert_refused(&outer, &BLOCKED);
    assert_eq!(world.balances(), [100, 100]);
}

#[test]
fn s07_in_a_nested_unit_it_does_not_roll_back_to_the_savepoint() {
    let world = World::with_accounts(1..=2);
    let outer = world.db.unit("outer").run::<_, Trouble>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let inner = world.db.unit("inner").propagation(Propagation::Nested).on_error(judge).run::<(), _>(|tx| {
            tx.query_drop(GIVE_TEN)?;
            Err(BLOCKED)
        });
        assert_refused(&inner, &BLOCKED);
        Ok(())
    });
    outer.expect("nothing dooms it");
    assert_eq!(world.balances(), [90, 110]);
    world.assert_clean(&world.db);
}

#[test]
fn s07_doom_wins_over_an_error_that_commits() {
    let (db, server) = scripted();
    for _ in 0..2 {
        server.answer("UPDATE", deadlock());
    }
    let result = db.unit("block").retry(quickly(2)).on_error(judge).run::<(), _>(|tx| {
        tx.query_drop(TAKE_TEN).expect_err("a deadlock");
        Err(BLOCKED)
    });
    let Err(Trouble::Work(error)) = result else { panic!("{result:?} says that it was committed") };
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::RetriesExhausted, Some(Outcome::RolledBack)));
    assert_eq!(server.take_log(), [TAKE_TEN, ROLLBACK, TAKE_TEN, ROLLBACK]);
}

#[test]
fn s07_doom_wins_also_in_joined_and_nested_units() {
    for propagation in [Propagation::Required, Propagation::Nested] {
        let (db, server) = scripted();
        server.answer("UPDATE", deadlock());
        let outer = db.unit("outer").retry(Retry::NEVER).run::<_, Trouble>(|_| {
            let inner = db.unit("inner").propagation(propagation).on_error(judge).run::<(), _>(|tx| {
                tx.query_drop(TAKE_TEN).expect_err("a deadlock");
                Err(BLOCKED)
            });
            assert_refused(&inner, &BLOCKED);
            Ok("as if it were committed")
        });
        let Err(Trouble::Work(error)) = outer else { panic!("{propagation}: {outer:?}") };
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Serialization, Some(Outcome::RolledBack)));
        assert!(!server.take_log().contains(&COMMIT.to_owned()), "{propagation}");
    }
}

#[test]
fn s07_a_joined_units_failure_and_a_mark_win_over_an_error_that_commits() {
    let world = World::with_accounts(1..=1);
    let swallows = |tx: &mut Tx<'_>| {
        tx.query_drop(TAKE_TEN)?;
        let joined = world.db.unit("joined").run::<(), _>(|_| Err(Trouble::Refused("a decision")));
        assert_refused(&joined, &Trouble::Refused("a decision"));
        Err::<(), _>(BLOCKED)
    };
    let marks = |tx: &mut Tx<'_>| {
        tx.query_drop(TAKE_TEN)?;
        tx.set_rollback_only();
        Err::<(), _>(BLOCKED)
    };
    // The body's own error, as without the mark: it says nothing of a commit.
    assert_refused(&world.db.unit("outer").on_error(judge).run(swallows), &BLOCKED);
    assert_eq!(world.balances(), [100]);
    assert_refused(&world.db.unit("outer").on_error(judge).run(marks), &BLOCKED);
    assert_eq!(world.balances(), [100]);
}

#[test]
fn s07_a_mark_wins_over_an_error_that_commits_in_a_nested_unit_too() {
    let world = World::with_accounts(1..=2);
    let outer = world.db.unit("outer").run::<_, Trouble>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let inner = world.db.unit("inner").propagation(Propagation::Nested).on_error(judge).run::<(), _>(|tx| {
            tx.query_drop(GIVE_TEN)?;
            tx.set_rollback_only();
            Err(BLOCKED)
        });
        assert_refused(&inner, &BLOCKED);
        Ok(())
    });
    outer.expect("the mark was the savepoint's");
    assert_eq!(world.balances(), [90, 100]);
}

#[unit_of_work(commit_on(Trouble::Refused("the account is blocked")), retry_on(Trouble::Refused(_)))]
fn matches_both(tx: &mut Tx<'_>, runs: &Cell<u32>) -> Result<(), Trouble> {
    runs.set(runs.get() + 1);
    tx.query_drop(TAKE_TEN)?;
    Err(BLOCKED)
}

#[test]
fn s07_an_error_that_matches_both_patterns_commits() {
    let world = World::with_accounts(1..=1);
    let _entered = world.db.enter();
    let runs = Cell::new(0);
    assert_refused(&matches_both(&runs), &BLOCKED);
    assert_eq!(runs.get(), 1);
    assert_eq!(world.balances(), [90]);
}
