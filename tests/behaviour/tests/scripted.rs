//! Faults that no real server gives on request, on a scripted one: every point of a unit, every way to fail there, and what the
//! caller gets, what was sent, and that the next unit on the thread is fine.

use std::cell::Cell;
use std::rc::Rc;

use unit_of_work::testing::Reply::{self, LostAfter, LostBefore};
use unit_of_work::testing::Script;
use unit_of_work::{Database, Error, ErrorKind, Outcome, Retry, Tx};

use crate::cases::Body::{Fails, Ignores, Panics, Passes};
use crate::cases::Said::{Body as BodysOwn, Panic, Value};
use crate::cases::{A, UNKNOWN, World, check, error, rolled_back};
use crate::world::Trouble;

#[test]
fn s14_whatever_fails_at_the_begin_ends_the_attempt_cleanly() {
    check(vec![
        ("SET", 1, error(1213), Passes, Value, "s x + k1 s a b C", "n C"),
        ("SET", 1, error(1231), Passes, rolled_back(ErrorKind::Statement), "s x", "+ k1 s n C"),
        ("SET", 1, error(1231), Fails, BodysOwn, "s x", "+ k1 s n C"),
        ("SET", 1, LostBefore, Passes, Value, "s x + k1 s a b C", "n C"),
        ("SET", 1, LostAfter, Ignores, Value, "s x + k1 s a b C", "n C"),
        ("SET", 1, error(1047), Passes, Value, "s x + k1 s a b C", "n C"),
        ("SET", 2, LostBefore, Passes, rolled_back(ErrorKind::RetriesExhausted), "s x + k1 s x", "+ k2 s n C"),
    ]);
}

#[test]
fn s14_whatever_fails_at_a_statement_ends_the_attempt_cleanly() {
    check(vec![
        ("UPDATE a", 1, error(1213), Passes, Value, "s a R a b C", "n C"),
        ("UPDATE b", 1, error(1213), Passes, Value, "s a b R a b C", "n C"),
        ("UPDATE a", 1, error(1213), Ignores, Value, "s a R a b C", "n C"),
        ("UPDATE b", 1, error(1213), Ignores, Value, "s a b R a b C", "n C"),
        ("UPDATE b", 1, error(1213), Fails, BodysOwn, "s a b R a b R", "n C"),
        ("UPDATE b", 1, error(1213), Panics, Panic, "s a b R", "n C"),
        ("UPDATE b", 2, error(1213), Passes, rolled_back(ErrorKind::RetriesExhausted), "s a b R a b R", "n C"),
        ("UPDATE b", 2, error(1213), Ignores, rolled_back(ErrorKind::RetriesExhausted), "s a b R a b R", "n C"),
        ("UPDATE b", 1, error(1020), Ignores, Value, "s a b R a b C", "n C"),
        ("UPDATE b", 1, error(1205), Ignores, Value, "s a b R a b C", "n C"),
        ("UPDATE b", 1, error(1062), Passes, rolled_back(ErrorKind::Statement), "s a b R", "n C"),
        ("UPDATE a", 1, error(1062), Passes, rolled_back(ErrorKind::Statement), "s a R", "n C"),
        ("UPDATE a", 1, error(1062), Ignores, Value, "s a b C", "n C"),
        ("UPDATE b", 1, error(1062), Panics, Panic, "s a b R", "n C"),
        ("UPDATE b", 1, LostBefore, Passes, Value, "s a b x + k1 s a b C", "n C"),
        ("UPDATE b", 1, LostAfter, Passes, Value, "s a b x + k1 s a b C", "n C"),
        ("UPDATE a", 1, LostAfter, Ignores, Value, "s a x + k1 s a b C", "n C"),
        ("UPDATE b", 1, LostAfter, Fails, BodysOwn, "s a b x + k1 s a b R", "n C"),
        ("UPDATE b", 1, LostAfter, Panics, Panic, "s a b x", "+ k1 s n C"),
        (
            "UPDATE b",
            2,
            LostAfter,
            Passes,
            rolled_back(ErrorKind::RetriesExhausted),
            "s a b x + k1 s a b x",
            "+ k2 s n C",
        ),
    ]);
}

#[test]
fn s27_without_another_attempt_the_bodys_words_for_the_fault_come_out_and_a_swallowed_fault_by_itself() {
    let World { db, server } = World::new();
    server.answer("UPDATE a", error(1213));
    let never = || db.unit("never").retry(Retry::NEVER);
    let dressed = never().run::<(), _>(|tx| tx.query_drop(A).map_err(|_| Trouble::Refused("in the body's words")));
    assert!(matches!(dressed, Err(Trouble::Refused("in the body's words"))), "{dressed:?}");
    server.answer("UPDATE a", error(1213));
    let swallowed = never().run::<_, Error>(|tx| Ok(tx.query_drop(A).is_ok()));
    let fault = swallowed.expect_err("nothing was committed");
    assert_eq!((fault.kind(), fault.outcome()), (ErrorKind::Serialization, Some(Outcome::RolledBack)));
}

#[test]
fn s15_a_conflict_at_commit_runs_again() {
    check(vec![
        ("COMMIT", 1, error(1213), Passes, Value, "s a b C R a b C", "n C"),
        ("COMMIT", 2, error(1213), Passes, rolled_back(ErrorKind::RetriesExhausted), "s a b C R a b C R", "n C"),
    ]);
}

#[test]
fn s16_group_replications_conflicts_at_commit_run_again() {
    check(vec![
        ("COMMIT", 1, error(3101), Passes, Value, "s a b C R a b C", "n C"),
        ("COMMIT", 1, error(1180), Passes, Value, "s a b C R a b C", "n C"),
    ]);
}

#[test]
fn s16_other_errors_during_commit_do_not() {
    let other = Reply::error(1180, "HY000", "Got error 28 - 'No space left on device' during COMMIT");
    check(vec![("COMMIT", 1, other, Passes, UNKNOWN, "s a b C x", "+ k1 s n C")]);
}

/// Nor is the session killed: the server may be about to commit, and a kill would undo it.
#[test]
fn s92_the_lost_reply_to_commit_is_unknown_and_never_run_again() {
    // What was lost may still be committing, and is left alone; what was answered can only hold locks, and is ended.
    check(vec![
        ("COMMIT", 1, LostBefore, Passes, UNKNOWN, "s a b C x", "+ s n C"),
        ("COMMIT", 1, LostAfter, Passes, UNKNOWN, "s a b C x", "+ s n C"),
        ("COMMIT", 1, error(1053), Passes, UNKNOWN, "s a b C x", "+ k1 s n C"),
        ("COMMIT", 1, error(1105), Passes, UNKNOWN, "s a b C x", "+ k1 s n C"),
    ]);
}

#[test]
fn s92_after_an_unknown_commit_no_hook_runs() {
    let World { db, server } = World::new();
    server.answer("COMMIT", LostAfter);
    let hooks = Rc::new(Cell::new(0));
    let result = db.unit("unknown").run::<_, Error>(|tx| {
        let (committed, rolled_back) = (hooks.clone(), hooks.clone());
        tx.after_commit(move || committed.set(committed.get() + 1));
        tx.after_rollback(move |_| rolled_back.set(rolled_back.get() + 1));
        tx.query_drop(A)
    });
    assert_eq!(hooks.get(), 0);
    let error = result.expect_err("nobody knows");
    assert_eq!(
        (error.kind(), error.outcome(), error.attempts()),
        (ErrorKind::CommitUnknown, Some(Outcome::Unknown), 1)
    );
    assert!(error.to_string().contains("may or may not"), "{error}");
}

#[test]
fn s81_a_read_only_unit_whose_commit_gets_no_answer_is_committed() {
    let World { db, server } = World::new();
    server.answer("SELECT", Reply::value("balance", 7));
    server.answer("COMMIT", LostAfter);
    let hook = Rc::new(Cell::new(0));
    let read = |tx: &mut Tx<'_>| {
        let hook = hook.clone();
        tx.after_commit(move || hook.set(hook.get() + 1));
        tx.query_first::<u32, _>("SELECT balance FROM account")
    };
    assert_eq!(db.unit("read").read_only().run(read).expect("nothing can be lost"), Some(7));
    assert_eq!(hook.get(), 1);
}

/// A roll-back that fails hides nothing, and its session is never used again.
#[test]
fn s02_a_rollback_that_fails_hides_neither_error_nor_panic() {
    check(vec![
        ("ROLLBACK", 1, LostBefore, Fails, BodysOwn, "s a b R x", "+ k1 s n C"),
        ("ROLLBACK", 1, LostAfter, Fails, BodysOwn, "s a b R x", "+ k1 s n C"),
        ("ROLLBACK", 1, LostAfter, Panics, Panic, "s a b R x", "+ k1 s n C"),
        ("ROLLBACK", 1, error(1105), Fails, BodysOwn, "s a b R x", "+ k1 s n C"),
        ("ROLLBACK", 1, error(1181), Panics, Panic, "s a b R x", "+ k1 s n C"),
    ]);
}

#[test]
fn s14_a_rollback_that_fails_after_a_swallowed_deadlock_does_not_stop_the_next_attempt() {
    let World { db, server } = World::new();
    server.answer("UPDATE b", error(1213));
    server.answer("ROLLBACK", LostBefore);
    let world = World { db, server };
    assert_eq!(world.run(Ignores), (Value, 2));
    assert_eq!(world.sent(), "s a b R x + k1 s a b C");
}

#[test]
fn s19_faults_that_nothing_would_change_run_once() {
    let once = |code, kind, sent, next| ("UPDATE a", 1, error(code), Passes, rolled_back(kind), sent, next);
    check(vec![
        once(1062, ErrorKind::Statement, "s a R", "n C"),
        once(1451, ErrorKind::Statement, "s a R", "n C"),
        once(1317, ErrorKind::Statement, "s a R", "n C"),
        once(3819, ErrorKind::Statement, "s a R", "n C"),
        once(3572, ErrorKind::LockNotAvailable, "s a R", "n C"),
        once(1153, ErrorKind::TooLarge, "s a x", "+ k1 s n C"),
    ]);
}

#[test]
fn s84_behind_a_proxy_a_unit_begins_in_so_many_words_and_nothing_is_killed() {
    let server = Script::new();
    server.behind_a_proxy();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    drop(server.take_sent());
    let world = World { db, server };
    assert_eq!(world.run(Passes), (Value, 1));
    assert_eq!(world.sent(), "s t a b C");
    assert_eq!(world.run(Fails), (BodysOwn, 1));
    assert_eq!(world.sent(), "t a b R");
    world.server.answer("UPDATE b", LostAfter);
    assert_eq!(world.run(Passes), (Value, 2));
    assert_eq!(world.sent(), "t a b x + s t a b C");
    world.server.answer("UPDATE b", error(1213));
    assert_eq!(world.run(Passes), (Value, 2));
    assert_eq!(world.sent(), "t a b R t a b C");
    world.db.unit("nothing").run::<_, Error>(|_| Ok(())).expect("nothing to fail");
    assert_eq!(world.sent(), "");
}

/// Each of the two signs of something in between is enough.
#[test]
fn s84_either_sign_of_a_proxy_is_enough() {
    for sign in [Script::without_tracking, Script::with_other_connection_ids] {
        let server = Script::new();
        sign(&server);
        let db = Database::builder().script(&server).connect().expect("a scripted server");
        drop(server.take_sent());
        let world = World { db, server };
        world.server.answer("UPDATE b", LostAfter);
        assert_eq!(world.run(Passes), (Value, 2));
        assert_eq!(world.sent(), "s t a b x + s t a b C");
    }
}

/// What would be killed is whoever has that number behind the proxy, or on the server that was started since.
#[test]
fn s84_nothing_is_killed_by_who_cannot_tell_that_it_is_the_same_server() {
    let stranger: [fn(&Script); 3] =
        [Script::behind_a_proxy, |server| server.restarted(500), |server| server.restarted(1)];
    for becomes in stranger {
        let world = World::new();
        becomes(&world.server);
        world.server.answer("UPDATE b", LostAfter);
        assert_eq!(world.run(Passes), (Value, 2));
        assert!(!world.sent().contains('k'));
    }
}

/// After a restart as quick as that the number may be somebody else's.
#[test]
fn s17_connections_of_a_server_that_was_just_started_are_not_killed() {
    let server = Script::new();
    server.restarted(1);
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    drop(server.take_sent());
    let world = World { db, server };
    world.server.answer("UPDATE b", LostAfter);
    assert_eq!(world.run(Passes), (Value, 2));
    assert_eq!(world.sent(), "s a b x + s a b C");
}

/// Who was sent to end a ghost and died on the way has not ended it: the next one goes.
#[test]
fn s17_a_ghost_is_ended_by_the_next_if_the_first_dies_of_it() {
    let world = World::new();
    world.server.answer("UPDATE b", LostAfter);
    world.server.answer("KILL", LostBefore);
    assert_eq!(world.run(Passes), (Value, 2));
    assert_eq!(world.sent(), "s a b x + k1 x + k1 k2 s a b C");
}

#[test]
fn s109_1047_in_a_body_makes_another_attempt_on_a_new_session() {
    check(vec![
        ("UPDATE a", 1, error(1047), Passes, Value, "s a x + k1 s a b C", "n C"),
        ("UPDATE b", 1, error(1047), Ignores, Value, "s a b x + k1 s a b C", "n C"),
        (
            "UPDATE b",
            2,
            error(1047),
            Passes,
            rolled_back(ErrorKind::RetriesExhausted),
            "s a b x + k1 s a b x",
            "+ k2 s n C",
        ),
    ]);
}

#[test]
fn s109_1047_at_commit_is_unknown() {
    check(vec![("COMMIT", 1, error(1047), Passes, UNKNOWN, "s a b C x", "+ k1 s n C")]);
}

/// The node keeps the transaction open and would commit it with the next COMMIT on that session, once it has recovered.
#[test]
fn s109_1047_at_rollback_shuts_and_kills_the_session() {
    check(vec![
        ("ROLLBACK", 1, error(1047), Fails, BodysOwn, "s a b R x", "+ k1 s n C"),
        ("ROLLBACK", 1, error(1047), Panics, Panic, "s a b R x", "+ k1 s n C"),
    ]);
}

/// What the last attempt came to is not what the unit came to.
#[test]
fn s18_a_unit_that_was_rolled_back_is_not_called_never_begun_when_the_server_stays_away() {
    let script = Script::new();
    let db = Database::builder().script(&script).connect().expect("a script answers");
    script.answer("UPDATE a", LostAfter);
    let retry = Retry::DEFAULT.max_attempts(3).base(std::time::Duration::ZERO);
    let result = db.unit("away").retry(retry).run::<(), Error>(|tx| {
        script.refuse_connections(Some(Reply::error(1040, "08004", "Too many connections")));
        tx.query_drop("UPDATE a SET n = 1")
    });
    let error = result.expect_err("the server stays away");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RetriesExhausted, 3));
    assert_eq!(error.outcome(), Some(Outcome::RolledBack), "{error}");
    assert!(error.to_string().contains("the unit was rolled back"), "{error}");
}
