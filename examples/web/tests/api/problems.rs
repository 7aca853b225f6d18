//! What is told to a client that sent something wrong: a status, a type, and each field with what is wrong about it.

use ephemeral_mysql::{Server, shared};
use mysql::prelude::Queryable;
use serde_json::{Value, json};
use unit_of_work::mysql;

use crate::service::{Reply, Web, event, rows};

/// The fields that were complained of.
fn fields(reply: &Reply) -> Vec<&str> {
    assert_eq!(reply.said(), (400, "invalid-fields"), "{reply:?}");
    let errors = reply.body["errors"].as_array().expect("a list").iter();
    errors.map(|error| error["field"].as_str().expect("a name")).collect()
}

#[test]
fn each_field_is_looked_at_and_all_mistakes_are_told_at_once() {
    let web = Web::shared();
    let event = event(shared(), 2, 6, 12);
    let holds = format!("/api/events/{event}/holds");
    let post = |body: Value| web.post(&holds, &body);
    assert_eq!(fields(&post(json!({}))), ["customer", "seats"]);
    assert_eq!(fields(&post(json!({ "customer": "ada", "seats": ["A1"], "row": 1 }))), ["customer", "seats", "row"]);
    assert_eq!(fields(&post(json!({ "customer": 1, "seats": "A-1" }))), ["customer", "seats"]);
    assert_eq!(fields(&post(json!({ "customer": null, "seats": [1] }))), ["customer", "seats"]);
    for seats in [json!([]), json!(["A-1", "A-1"]), json!(["C-1"]), json!(["A-7"])] {
        assert_eq!(fields(&post(json!({ "customer": "ada@example.org", "seats": seats }))), ["seats"]);
    }
    assert_eq!(fields(&web.invite(event, " ")), ["name"]);
    assert_eq!(fields(&web.invite(event, &"a".repeat(101))), ["name"]);
    let hold = web.held(event, "ada@example.org", &["A-1"]);
    assert_eq!(fields(&web.order(&format!("/api/holds/{hold}/purchase"))), ["Idempotency-Key"]);
    assert_eq!(fields(&web.buy(hold, &"k".repeat(65))), ["Idempotency-Key"]);
    assert_eq!(fields(&web.buy(hold, "")), ["Idempotency-Key"]);
    assert_eq!(web.seats(event, "held"), ["A-1"], "nothing of it was done");
}

#[test]
fn what_cannot_be_read_is_told_apart_from_what_is_not_there() {
    let web = Web::shared();
    let json = "content-type: application/json\r\n";
    let holds = "/api/events/1/holds";
    assert_eq!(web.send("POST", holds, json, "{").said(), (400, "unreadable"));
    assert_eq!(web.send("POST", holds, json, "[]").said(), (400, "unreadable"));
    assert_eq!(web.send("POST", holds, "", "{}").said(), (415, "unreadable"));
    assert_eq!(web.get("/api/events/first").said(), (400, "unreadable"));
    assert_eq!(web.get("/api/events/-1").said(), (400, "unreadable"));
    assert_eq!(web.get("/static/%FF").said(), (400, "unreadable"));
    assert_eq!(web.get("/api/nowhere").said(), (404, "no-such-path"));
    assert_eq!(web.get(holds).said(), (405, "no-such-method"));
    let most = u64::MAX;
    for path in ["events", "holds", "purchases"] {
        assert_eq!(web.get(&format!("/api/{path}/{most}")).said(), (404, "not-found"), "{path}");
    }
    assert_eq!(web.get(&format!("/api/events/{most}/audit")).said(), (404, "not-found"));
    assert_eq!(web.hold(most, "ada@example.org", &["A-1"]).said(), (404, "not-found"));
    assert_eq!(web.invite(most, "Ada").said(), (404, "not-found"));
    assert_eq!(web.buy(most, "key").said(), (404, "not-found"));
    assert_eq!(web.delete(&format!("/api/holds/{most}")).said(), (404, "not-found"));
    assert_eq!(web.order(&format!("/api/purchases/{most}/cancel")).said(), (404, "not-found"));
}

#[test]
fn the_list_of_problems_has_each_of_them() {
    let web = Web::shared();
    let problems = web.get("/api/problems").body;
    let of = |word: &str| {
        let kind = format!("/api/problems#{word}");
        problems.as_array().expect("a list").iter().find(|problem| problem["type"] == kind).cloned()
    };
    let told = web.get("/api/events/9999999999");
    let listed = of("not-found").expect("it is in the list");
    assert_eq!((&listed["title"], &listed["status"]), (&told.body["title"], &json!(404)));
    assert!(of("stranded-seat").is_some() && of("outcome-unknown").is_some());
}

#[test]
fn what_the_service_does_not_know_is_a_500_whose_id_is_in_the_log() {
    let server = Server::start().expect("a private server starts");
    let web = Web::on(&server, &[]);
    rows(&server).query_drop("DROP TABLE guest").expect("root may");
    let reply = web.get("/api/events");
    assert_eq!(reply.said(), (500, "internal"));
    let id = reply.body["id"].as_str().expect("it has an id").to_owned();
    assert!(!reply.body.to_string().contains("unit_of_work_web"), "no detail goes to the client: {reply:?}");
    let log = web.killed();
    let line = log.lines().find(|line| line.contains(&id)).expect("the log has the id");
    assert!(line.contains("events::list") && line.contains("1146"), "{line}");
}
