//! What is said about a resolution: the texts of errors, and its own events.

use std::error::Error as _;

use unit_of_work::testing::Reply::LostAfter;
use unit_of_work::{Error, ErrorKind, Outcome, Retry};

use super::scene::{KEY, LOOK, Scene, says, taken, waits};
use crate::faults::secrets::Heard;
use crate::threads::which_database::is_alone;

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
    for words in
        ["could not say", "24 hours", " times within 3.0s", "`tombstone`", &format!("X'{key}'"), "it was not run again"]
    {
        assert!(text.contains(words), "`{words}` is not in: {text}");
    }
    assert!(text.ends_with("; it is not known whether the unit was committed"), "{text}");
}

/// Alone, because with one subscriber `tracing` asks whichever thread comes to an event first whether anybody listens.
#[test]
fn s81_a_resolution_has_its_own_events() {
    if !is_alone("exactly_once::told::s81_a_resolution_has_its_own_events") {
        return;
    }
    let heard = Heard::default();
    let scene = Scene::new().answering(&[(KEY, LostAfter), (KEY, waits()), (KEY, taken()), (LOOK, says("committed"))]);
    tracing::subscriber::with_default(heard.clone(), || scene.run()).expect("resolved");
    let said = heard.said();
    let at = |text: &str| said.find(text).unwrap_or_else(|| panic!("`{text}` is not in: {said}"));
    let begin = at("COMMIT was not answered; the server is asked what became of it");
    let undecided = at("the outcome of COMMIT is still undecided");
    let resolved = at("the outcome of COMMIT was resolved");
    assert!(begin < undecided && undecided < resolved, "{said}");
    assert!(said.contains("outcome = \"committed\"") && said.contains("tries = 2"), "{said}");
    assert!(!said.contains("commit outcome unknown"), "it is known: {said}");
}
