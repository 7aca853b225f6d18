//! What is said about a resolution: the texts of errors and hooks.

use std::error::Error as _;

use unit_of_work::testing::Reply::LostAfter;
use unit_of_work::{Error, ErrorKind, Outcome, Retry};

use super::scene::{KEY, Scene};

#[test]
fn s81_the_error_says_what_was_asked_what_is_true_now_and_what_the_fault_was() {
    let scene = Scene::new().answering(&[(KEY, LostAfter)]);
    let error = scene.unit().retry(Retry::NEVER).run(|tx| scene.body(tx)).expect_err("no second attempt");
    let text = error.to_string();
    for words in
        ["unit `once` (", "attempt 1", "COMMIT was sent and not answered", "never will be", "server disconnected"]
    {
        assert!(text.contains(words), "`{words}` is not in: {text}");
    }
    assert!(text.ends_with("; the unit was rolled back"), "{text}");
    let fault = error.source().and_then(|fault| fault.downcast_ref::<Error>()).expect("the fault itself");
    assert_eq!((fault.kind(), fault.outcome()), (ErrorKind::ConnectionLost, Some(Outcome::RolledBack)));
}

#[test]
fn s81_an_unknown_outcome_says_how_people_can_find_it_out() {
    let scene = Scene::new().answering(&[(KEY, LostAfter)]);
    scene.server.refuse_connections(Some(LostAfter));
    let error = scene.run().expect_err("nobody is there");
    let text = error.to_string();
    let sent = scene.server.take_log();
    let row = sent.iter().find(|text| text.starts_with(KEY)).expect("the packet of COMMIT");
    let key = row.split_once("X'").and_then(|(_, rest)| rest.split('\'').next()).expect("a key");
    for words in ["could not say", " times within 3.0s", "`tombstone`", &format!("X'{key}'"), "it was not run again"] {
        assert!(text.contains(words), "`{words}` is not in: {text}");
    }
    assert!(text.ends_with("; it is not known whether the unit was committed"), "{text}");
}
