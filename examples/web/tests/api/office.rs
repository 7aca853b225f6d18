//! What customers do when all goes well, and what they are told when a rule forbids it.

use ephemeral_mysql::shared;
use serde_json::json;

use crate::service::{Web, event};

#[test]
fn a_new_office_has_three_events() {
    let web = Web::shared();
    let events = web.get("/api/events").body;
    let names: Vec<_> = events.as_array().expect("a list").iter().take(3).map(|event| event["name"].clone()).collect();
    assert_eq!(names, ["Night of the Choirs", "Chamber Concert", "Late Show"]);
}

#[test]
fn seats_are_held_and_given_back() {
    let web = Web::shared();
    let event = event(shared(), 2, 6, 12);
    let held = web.hold(event, "Ada@example.org", &["A-1", "A-2"]);
    assert_eq!((held.status, &held.body["customer"]), (201, &json!("ada@example.org")), "{held:?}");
    assert_eq!(web.seats(event, "held"), ["A-1", "A-2"]);
    let path = format!("/api/holds/{}", held.body["id"]);
    assert_eq!(web.get(&path).body["seats"], json!(["A-1", "A-2"]));
    assert_eq!(web.hold(event, "bob@example.org", &["A-2", "A-3"]).said(), (409, "seat-taken"));
    assert_eq!(web.delete(&path).status, 204);
    assert_eq!(web.seats(event, "held"), [""; 0]);
    web.assert_sound(event);
}
