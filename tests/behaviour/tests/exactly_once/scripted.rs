//! Each way that the resolution of a lost COMMIT can go, on a scripted server.

use std::time::Duration;

use unit_of_work::testing::Clock;
use unit_of_work::testing::Reply::{self, Fewer, LostAfter, LostBefore};
use unit_of_work::{Error, ErrorKind, OnError, Outcome, Retry, Topology, UnitBuilder};

use super::scene::{KEY, LOOK, Said, Scene, WITHIN, check, says, taken, waits};
use crate::world::Trouble;

const EXHAUSTED: Said = Said::Error(ErrorKind::RetriesExhausted, Some(Outcome::RolledBack));
const UNKNOWN: Said = Said::Error(ErrorKind::CommitUnknown, Some(Outcome::Unknown));

#[test]
fn s06_the_row_travels_in_the_packet_of_commit() {
    check([(&[], Said::Value, "a M", "c")]);
}

#[test]
fn s81_a_tombstone_that_goes_in_means_rolled_back_for_ever_and_the_unit_runs_again() {
    check([
        (&[(KEY, LostAfter)], Said::Value, "a M x + w k1 T + a M", "rc"),
        (&[(KEY, LostBefore)], Said::Value, "a M x + w k1 T + a M", "rc"),
    ]);
}

#[test]
fn s81_a_key_that_is_taken_by_the_unit_itself_means_committed() {
    check([(&[(KEY, LostAfter), (KEY, taken()), (LOOK, says("committed"))], Said::Value, "a M x + w k1 T ?", "c")]);
}

/// MySQL (seen on 9.7) lets nobody lock rows FOR UPDATE who may not change them.
#[test]
fn s81_who_may_only_select_reads_the_row_with_a_shared_lock() {
    let denied = || Reply::error(1142, "42000", "SELECT with locking clause command denied to user");
    let answers = |state| [(KEY, LostAfter), (KEY, taken()), (LOOK, denied()), (LOOK, says(state))];
    check([
        (&answers("committed"), Said::Value, "a M x + w k1 T ? s", "c"),
        (&answers("tombstone"), Said::Value, "a M x + w k1 T ? s + a M", "rc"),
    ]);
}

#[test]
fn s81_a_key_that_is_taken_by_a_tombstone_means_rolled_back() {
    check([(
        &[(KEY, LostAfter), (KEY, taken()), (LOOK, says("tombstone"))],
        Said::Value,
        "a M x + w k1 T ? + a M",
        "rc",
    )]);
}

#[test]
fn s81_a_tombstone_whose_own_answer_is_lost_is_not_taken_for_the_units_row() {
    let answers = [(KEY, LostAfter), (KEY, LostAfter), (KEY, taken()), (LOOK, says("tombstone"))];
    check([(&answers, Said::Value, "a M x + w k1 T x + w k1 T ? + a M", "rc")]);
}

#[test]
fn s81_whatever_is_lost_while_asking_is_asked_again() {
    let killed = || Reply::error(1094, "HY000", "Unknown thread id: 1");
    let forbidden = || Reply::error(1095, "HY000", "You are not owner of thread 1");
    check([
        (&[(KEY, LostAfter), ("SET", LostAfter)], Said::Value, "a M x + w x + w k1 T + a M", "rc"),
        (&[(KEY, LostAfter), ("KILL", LostAfter)], Said::Value, "a M x + w k1 x + w k1 T + a M", "rc"),
        (&[(KEY, LostAfter), ("KILL", killed())], Said::Value, "a M x + w k1 T + a M", "rc"),
        // Where the old connection cannot be ended the tombstone decides all the same.
        (&[(KEY, LostAfter), ("KILL", forbidden())], Said::Value, "a M x + w k1 T + a M", "rc"),
        (
            &[(KEY, LostAfter), (KEY, taken()), (LOOK, LostAfter), (KEY, taken()), (LOOK, says("committed"))],
            Said::Value,
            "a M x + w k1 T ? x + w k1 T ?",
            "c",
        ),
        // A row that is gone again, because somebody purged what may not be purged, says nothing.
        (
            &[
                (KEY, LostAfter),
                (KEY, taken()),
                (KEY, taken()),
                (LOOK, Reply::Rows(vec![], vec![])),
                (LOOK, says("committed")),
            ],
            Said::Value,
            "a M x + w k1 T ? x + w k1 T ?",
            "c",
        ),
    ]);
}

#[test]
fn s81_a_tombstone_that_waits_is_tried_again() {
    check([
        (&[(KEY, LostAfter), (KEY, waits())], Said::Value, "a M x + w k1 T x + w k1 T + a M", "rc"),
        (
            &[(KEY, LostAfter), (KEY, waits()), (KEY, taken()), (LOOK, says("committed"))],
            Said::Value,
            "a M x + w k1 T x + w k1 T ?",
            "c",
        ),
    ]);
}

/// Many times, so that the script never runs out of it.
fn never_decided() -> Scene {
    let scene = Scene::new().answering(&[(KEY, LostAfter)]);
    (0..100).for_each(|_| scene.server.answer(KEY, waits()));
    scene
}

#[test]
fn s81_what_stays_undecided_is_unknown_after_the_time_for_it() {
    let scene = never_decided();
    let began = scene.clock.now();
    let error = scene.run().expect_err("nobody knows");
    assert_eq!(scene.clock.now() - began, WITHIN, "to the end, and not longer");
    assert_eq!((error.kind(), error.outcome(), scene.runs()), (ErrorKind::CommitUnknown, Some(Outcome::Unknown), 1));
    assert_eq!(scene.hooks(), "u");
    assert!(scene.sent().matches('T').count() > 5, "it is asked again and again");
    let stats = scene.db.stats();
    assert_eq!((stats.resolved_committed, stats.resolved_rolled_back, stats.unresolved), (0, 0, 1));
}

#[test]
fn s81_a_unit_with_a_deadline_asks_until_then() {
    for (timeout, times) in [(Duration::from_millis(5), 2), (WITHIN * 10, 20)] {
        let scene = never_decided();
        let began = scene.clock.now();
        let error = scene.unit().timeout(timeout).run(|tx| scene.body(tx)).expect_err("nobody knows");
        assert_eq!((error.kind(), scene.clock.now() - began), (ErrorKind::CommitUnknown, timeout));
        let asked = scene.sent().split(' ').filter(|sent| *sent == "T").count();
        assert!(asked >= times && (times > 2 || asked == times), "{asked} times in {timeout:?}");
    }
}

/// A purge may have taken the unit's row by then, and the tombstone would go in.
#[test]
fn s81_nobody_asks_for_as_long_as_rows_are_kept() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    for timeout in [None, Some(3 * DAY)] {
        let scene = Scene::with(|builder| builder.resolve_within(Duration::MAX)).answering(&[(KEY, LostAfter)]);
        scene.server.refuse_connections(Some(LostAfter));
        let began = scene.clock.now();
        let unit = timeout.into_iter().fold(scene.unit(), UnitBuilder::timeout);
        let error = unit.run(|tx| scene.body(tx)).expect_err("nobody is there");
        assert_eq!(error.kind(), ErrorKind::CommitUnknown);
        assert_eq!(scene.clock.now() - began, DAY / 2, "{timeout:?}");
    }
}

#[test]
fn s81_another_server_is_not_believed_and_not_touched() {
    let scene = Scene::new().answering(&[(KEY, LostAfter)]);
    scene.server.fail_over();
    let error = scene.run().expect_err("nobody knows");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::CommitUnknown, Some(Outcome::Unknown)));
    assert_eq!((scene.sent().as_str(), scene.hooks().as_str()), ("a M x +", "u"));
    for words in ["server id 1", "server id 2", "Topology::Synchronous", "may or may not", "X'"] {
        assert!(error.to_string().contains(words), "`{words}` is not in: {error}");
    }
}

#[test]
fn s81_another_server_is_asked_where_all_are_declared_to_know_the_same() {
    let scene = Scene::with(|builder| builder.topology(Topology::Synchronous)).answering(&[(KEY, LostAfter)]);
    scene.server.fail_over();
    scene.run().expect("resolved");
    // The number of a connection means nothing there.
    assert_eq!((scene.sent().as_str(), scene.hooks().as_str()), ("a M x + w T + a M", "rc"));
}

#[test]
fn s81_the_same_server_started_again_is_asked_and_nothing_is_killed_there() {
    let scene = Scene::new().answering(&[(KEY, LostAfter), (KEY, taken()), (LOOK, says("committed"))]);
    scene.server.restart();
    scene.run().expect("resolved");
    assert_eq!((scene.sent().as_str(), scene.hooks().as_str()), ("a M x + w T ?", "c"));
}

#[test]
fn s81_a_server_that_cannot_be_reached_is_asked_until_it_can() {
    let scene = Scene::new().answering(&[(KEY, LostAfter)]);
    scene.server.refuse_connections(Some(LostBefore));
    let error = scene.run().expect_err("nobody knows");
    assert_eq!((error.kind(), scene.hooks().as_str()), (ErrorKind::CommitUnknown, "u"));
    assert!(error.to_string().contains("no connection could be opened"), "{error}");
    assert!(scene.clock.slept().len() > 5);
    assert!(scene.clock.slept().iter().all(|pause| *pause <= Duration::from_secs(1)), "{:?}", scene.clock.slept());
}

#[test]
fn s84_through_a_proxy_nothing_is_killed_and_the_tombstone_decides() {
    let scene = Scene::new();
    scene.server.behind_a_proxy();
    // A connection that knows of the proxy.
    scene.server.answer("PING", LostBefore);
    scene.clock.advance(Duration::from_secs(60));
    scene.server.answer(KEY, LostAfter);
    scene.run().expect("resolved");
    assert_eq!(scene.sent(), "PING x + START TRANSACTION a M x + w T + START TRANSACTION a M");
}

#[test]
fn s20_a_unit_that_may_not_run_again_is_told_that_it_was_rolled_back() {
    let scene = Scene::new().answering(&[(KEY, LostAfter)]);
    let error = scene.unit().retry(Retry::NEVER).run(|tx| scene.body(tx)).expect_err("no second attempt");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::ConnectionLost, Some(Outcome::RolledBack)));
    assert_eq!((scene.sent().as_str(), scene.hooks().as_str()), ("a M x + w k1 T", "r"));
    check([(&[(KEY, LostAfter), ("nothing", LostAfter)], Said::Value, "a M x + w k1 T + a M", "rc")]);
    let twice = Scene::new().answering(&[(KEY, LostAfter), (KEY, Reply::Done { affected_rows: 1, last_insert_id: 0 })]);
    twice.server.answer(KEY, LostAfter);
    let error = twice.run().expect_err("two attempts, both lost");
    assert_eq!(Said::Error(error.kind(), error.outcome()), EXHAUSTED, "{error}");
    assert_eq!((twice.runs(), twice.hooks().as_str()), (2, "rr"));
}

const COMMIT: &str = "COMMIT";

/// To COMMIT, that is: an error of the row before it says that the server went no further.
#[test]
fn s81_an_answer_that_leaves_it_open_is_resolved_too_and_not_run_again_for_it() {
    let odd = Reply::error(1105, "HY000", "Unknown error");
    let done = Reply::Done { affected_rows: 1, last_insert_id: 0 };
    let rolled_back = Said::Error(ErrorKind::Statement, Some(Outcome::RolledBack));
    check([
        (&[(COMMIT, odd.clone())], rolled_back, "a M x + w k1 T", "r"),
        (
            &[(KEY, done), (COMMIT, odd.clone()), (KEY, taken()), (LOOK, says("committed"))],
            Said::Value,
            "a M x + w k1 T ?",
            "c",
        ),
        (&[(KEY, odd.clone())], rolled_back, "a M R", "r"),
        (&[(COMMIT, Reply::error(1053, "08S01", "Server shutdown"))], Said::Value, "a M x + w k1 T + k1 a M", "rc"),
    ]);
}

/// An answer that does not say that the tombstone was committed says nothing.
#[test]
fn s92_fewer_results_than_statements_decide_nothing() {
    check([
        (&[(KEY, LostAfter), (KEY, Fewer(1))], Said::Value, "a M x + w k1 T x + w k1 T + a M", "rc"),
        (
            &[(KEY, LostAfter), (KEY, Fewer(1)), (KEY, taken()), (LOOK, says("tombstone"))],
            Said::Value,
            "a M x + w k1 T x + w k1 T ? + a M",
            "rc",
        ),
    ]);
}

#[test]
fn s92_fewer_results_than_statements_commit_nothing_and_drop_the_session() {
    check([
        (&[(KEY, Fewer(1))], Said::Value, "a M x + w k1 T + a M", "rc"),
        (&[(KEY, Fewer(0))], Said::Value, "a M x + w k1 T + a M", "rc"),
    ]);
}

#[test]
fn s07_what_was_returned_to_be_committed_comes_back_when_it_was() {
    for (state, said) in [("committed", true), ("tombstone", false)] {
        let scene = Scene::new().answering(&[(KEY, LostAfter), (KEY, taken()), (LOOK, says(state))]);
        let unit = scene.unit().retry(Retry::NEVER).on_error(|_: &Trouble| OnError::Commit);
        let result =
            unit.run::<(), Trouble>(|tx| scene.body(tx).map_err(Trouble::Work).and(Err(Trouble::Refused("kept"))));
        match result.expect_err("the body returned one") {
            Trouble::Refused(text) => assert_eq!((text, said), ("kept", true)),
            Trouble::Work(error) => {
                assert!(!said, "{error}");
                assert_eq!(error.outcome(), Some(Outcome::RolledBack));
                assert!(error.to_string().contains("the body had returned Refused(\"kept\")"), "{error}");
            }
        }
        assert_eq!(scene.hooks(), if said { "c" } else { "r" });
    }
}

#[test]
fn s58_only_what_stays_unknown_runs_the_hooks_for_it() {
    let plain = Scene::new().answering(&[("COMMIT", LostAfter)]);
    plain.db.unit("plain").run(|tx| plain.body(tx)).expect_err("it did not ask for more");
    assert_eq!((plain.sent().as_str(), plain.hooks().as_str()), ("a C x", "u"));
    assert_eq!(plain.db.stats().unresolved, 0, "nobody tried");
    let resolved = Scene::new().answering(&[(KEY, LostAfter), (KEY, taken()), (LOOK, says("committed"))]);
    resolved.run().expect("resolved");
    assert_eq!((resolved.hooks().as_str(), resolved.db.stats().resolved_committed), ("c", 1));
}

#[test]
fn s81_each_attempt_has_a_key_of_its_own() {
    let scene = Scene::new().answering(&[(KEY, LostAfter)]);
    scene.run().expect("the second attempt");
    let sent = scene.server.take_log();
    let keys: Vec<_> = sent.iter().filter_map(|text| text.split_once("X'")?.1.split('\'').next()).collect();
    assert_eq!((keys.len(), keys[0] == keys[1], keys[0] == keys[2]), (3, true, false), "{keys:?}");
}

#[test]
fn s81_a_unit_that_is_unknown_is_never_run_again_by_who_is_around_it() {
    let scene = never_decided();
    let again = Retry::DEFAULT.base(Duration::ZERO);
    let result = scene.db.unit("outer").retry(again).run::<(), Error>(|tx| {
        let inner = scene.unit().propagation(unit_of_work::Propagation::RequiresNew);
        let unknown = inner.run(|tx| scene.body(tx)).expect_err("nobody knows");
        assert_eq!(Said::Error(unknown.kind(), unknown.outcome()), UNKNOWN);
        scene.server.answer("SELECT 1", Reply::error(1213, "40001", "Deadlock found"));
        tx.query_drop("SELECT 1")
    });
    result.expect_err("another attempt could do it twice");
    assert_eq!(scene.runs(), 1);
}
