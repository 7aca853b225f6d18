//! Units that take part in others, that may not write, or that run without a transaction: who writes the row.

use unit_of_work::testing::Reply::{self, LostAfter};
use unit_of_work::{Error, ErrorKind, Outcome, Propagation};

use super::scene::{KEY, LOOK, Scene, WORK, says, taken};
use crate::world::{FAIL, Trouble};

#[test]
fn s81_a_unit_that_joins_or_is_nested_makes_the_whole_so() {
    for (propagation, sent) in [
        (Propagation::Required, "a M x + w k1 T ?"),
        (Propagation::Mandatory, "a M x + w k1 T ?"),
        (Propagation::Supports, "a M x + w k1 T ?"),
        (Propagation::Nested, "SAVEPOINT unit_of_work_1 a RELEASE SAVEPOINT unit_of_work_1 M x + w k1 T ?"),
    ] {
        let scene = Scene::new().answering(&[(KEY, LostAfter), (KEY, taken()), (LOOK, says("committed"))]);
        let part = || scene.unit().propagation(propagation).run(|tx| scene.body(tx));
        let whole = scene.db.unit("whole").run::<_, Error>(|_| part());
        assert_eq!(whole.expect("resolved"), "a value", "{propagation}");
        assert_eq!((scene.sent().as_str(), scene.hooks().as_str()), (sent, "c"), "{propagation}");
    }
}

/// What the part wanted is a promise about the whole; that the part itself was undone does not take it back.
#[test]
fn s81_a_nested_part_that_is_undone_leaves_the_whole_so() {
    let scene = Scene::new();
    let whole = scene.db.unit("whole").run::<_, Error>(|tx| {
        let part = scene.unit().propagation(Propagation::Nested).run::<(), Trouble>(|_| FAIL);
        part.expect_err("the body's own");
        tx.query_drop(WORK)
    });
    whole.expect("committed");
    assert!(scene.sent().ends_with("a M"));
}

#[test]
fn s81_only_its_own_transaction_is_made_so() {
    let scene = Scene::new();
    let outer = scene.db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(WORK)?;
        scene.unit().propagation(Propagation::RequiresNew).run(|tx| scene.body(tx))
    });
    outer.expect("both are committed");
    assert_eq!(scene.sent(), "a + a M C");
}

#[test]
fn s05_one_that_sent_nothing_writes_no_row() {
    let scene = Scene::new();
    assert_eq!(scene.unit().run::<_, Error>(|_| Ok(7)).expect("nothing to fail"), 7);
    assert_eq!(scene.sent(), "");
}

#[test]
fn s02_one_that_is_rolled_back_writes_no_row() {
    let scene = Scene::new();
    scene.unit().run(|tx| scene.body(tx).map_err(Trouble::Work).and(FAIL)).expect_err("the body's own");
    assert_eq!((scene.sent().as_str(), scene.hooks().as_str()), ("a R", "r"));
}

/// It has nothing to lose: its lost COMMIT counts as committed anyway.
#[test]
fn s81_one_that_may_not_write_writes_no_row() {
    const LOOKS: &str = "SELECT 1";
    let scene = Scene::new();
    let read = || scene.unit().read_only().run::<_, Error>(|tx| tx.query_drop(LOOKS));
    read().expect("a read");
    scene.db.unit("whole").read_only().run::<_, Error>(|_| read()).expect("a read");
    scene.server.answer("COMMIT", LostAfter);
    read().expect("committed, whatever became of it");
    let sent: Vec<_> = scene.server.take_log().into_iter().filter(|text| !text.starts_with("SET SESSION")).collect();
    assert_eq!(sent, [LOOKS, "COMMIT AND NO CHAIN NO RELEASE"].repeat(3));
}

#[test]
fn s43_one_without_a_transaction_is_refused_because_nobody_could_keep_the_promise() {
    for propagation in [Propagation::Supports, Propagation::NotSupported, Propagation::Never] {
        let scene = Scene::new();
        let error = scene.unit().propagation(propagation).run(|tx| scene.body(tx)).expect_err("a contradiction");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Configuration, Some(Outcome::NotStarted)));
        assert_eq!((scene.runs(), scene.sent().as_str()), (0, ""));
        assert!(error.to_string().contains("exactly_once"), "{error}");
    }
}

#[test]
fn s19_a_missing_table_is_said_and_never_tried_again() {
    let scene = Scene::new()
        .answering(&[(KEY, Reply::error(1146, "42S02", "Table 'bank.unit_of_work_outcome' doesn't exist"))]);
    let error = scene.run().expect_err("there is no such table");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Configuration, Some(1146)));
    assert_eq!((error.outcome(), scene.runs()), (Some(Outcome::RolledBack), 1));
    assert_eq!((scene.sent().as_str(), scene.hooks().as_str()), ("a M R", "r"));
    assert!(error.to_string().contains("create_outcome_table"), "{error}");
}

/// The marker's statement may fail like any other.
#[test]
fn s15_a_conflict_in_the_packet_of_commit_runs_again() {
    let scene = Scene::new().answering(&[(KEY, Reply::error(1213, "40001", "Deadlock found"))]);
    scene.run().expect("the second attempt");
    assert_eq!((scene.sent().as_str(), scene.hooks().as_str()), ("a M R a M", "rc"));
}
