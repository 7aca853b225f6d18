//! What customers do when all goes well, and what they are told when a rule across rows forbids it.

use ephemeral_mysql::shared;
use mysql::prelude::Queryable;
use serde_json::{Value, json};
use unit_of_work::mysql;

use crate::service::{Web, event, rows};

#[test]
fn a_new_office_has_three_events() {
    let web = Web::shared();
    let events = web.get("/api/events").body;
    let names: Vec<_> = events.as_array().expect("a list").iter().take(3).map(|event| event["name"].clone()).collect();
    assert_eq!(names, ["Night of the Choirs", "Chamber Concert", "Late Show"]);
}

#[test]
fn an_event_says_what_is_free_and_how_many_may_come_in() {
    let web = Web::shared();
    let event = event(shared(), 2, 3, 5);
    web.held(event, "ada@example.org", &["A-1", "A-2", "A-3"]);
    assert_eq!(web.invite(event, "Grace").status, 201);
    let plan = web.get(&format!("/api/events/{event}")).body;
    let figures = ["id", "rows", "seats_per_row", "quota", "price", "guests", "taken", "left"].map(|name| &plan[name]);
    assert_eq!(figures.map(Value::as_u64), [event, 2, 3, 5, 1000, 1, 3, 1].map(Some), "{plan}");
    assert_eq!(plan["seats"][0], json!({ "seat": "A-1", "state": "held" }));
    assert_eq!(plan["seats"][5], json!({ "seat": "B-3", "state": "free" }));
    let listed = web.get("/api/events").body;
    let listed = listed.as_array().expect("a list").iter().find(|listed| listed["id"] == event).expect("it is there");
    assert_eq!((&listed["left"], listed.get("seats")), (&json!(1), None));
}

#[test]
fn seats_are_held_and_given_back() {
    let web = Web::shared();
    let event = event(shared(), 2, 6, 12);
    let held = web.hold(event, "Ada@example.org", &["A-1", "A-2"]);
    assert_eq!((held.status, &held.body["customer"]), (201, &json!("ada@example.org")), "{held:?}");
    let path = format!("/api/holds/{}", held.body["id"]);
    assert!(held.head.contains(&format!("\r\nlocation: {path}\r\n")), "{held:?}");
    assert_eq!(web.seats(event, "held"), ["A-1", "A-2"]);
    let found = web.get(&path).body;
    assert_eq!((&found["seats"], &found["state"]), (&json!(["A-1", "A-2"]), &json!("open")));
    assert_eq!(found["expires_at"], held.body["expires_at"]);
    let left = found["seconds_left"].as_u64().expect("it is a number");
    assert!((60..=120).contains(&left), "{left}");
    assert_eq!(web.hold(event, "bob@example.org", &["A-2", "A-3"]).said(), (409, "seat-taken"));
    assert_eq!(web.delete(&path).status, 204);
    assert_eq!(web.delete(&path).status, 204, "what is over stays so");
    assert_eq!(web.get(&path).body["state"], "over");
    assert_eq!(web.seats(event, "held"), [""; 0]);
    web.assert_sound(event);
}

#[test]
fn what_is_held_is_bought_once_for_one_key() {
    let web = Web::shared();
    let event = event(shared(), 1, 10, 10);
    let hold = web.held(event, "ada@example.org", &["A-1", "A-2"]);
    let other = web.held(event, "ada@example.org", &["A-3", "A-4"]);
    let key = format!("once-{hold}");
    let first = web.buy(hold, &key);
    assert_eq!((first.status, &first.body["amount"]), (201, &json!(2000)), "{first:?}");
    let purchase = first.body["id"].as_u64().expect("it has a number");
    assert!(first.head.contains(&format!("\r\nlocation: /api/purchases/{purchase}\r\n")), "{first:?}");
    assert_eq!(web.settled(purchase), "paid");
    let again = web.buy(hold, &key);
    assert_eq!((again.status, &again.body["id"], &again.body["state"]), (200, &json!(purchase), &json!("paid")));
    let elsewhere = web.buy(other, &key);
    assert_eq!(elsewhere.said(), (409, "key-in-use"));
    assert!(elsewhere.detail().contains(&purchase.to_string()), "{elsewhere:?}");
    assert_eq!(web.buy(hold, &format!("{key}-new")).said(), (409, "already-bought"));
    assert_eq!(web.delete(&format!("/api/holds/{hold}")).said(), (409, "already-bought"));
    let found = web.get(&format!("/api/holds/{hold}")).body;
    assert_eq!((&found["state"], &found["purchase"]), (&json!("bought"), &json!(purchase)));
    assert_eq!((web.seats(event, "sold").len(), web.seats(event, "held").len()), (2, 2));
    web.assert_sound(event);
}

#[test]
fn what_is_cancelled_can_be_bought_by_somebody_else() {
    let web = Web::shared();
    let event = event(shared(), 1, 4, 4);
    let hold = web.held(event, "ada@example.org", &["A-1", "A-2", "A-3", "A-4"]);
    let key = format!("first-{hold}");
    let purchase = web.bought(hold, &key);
    assert_eq!(web.settled(purchase), "paid");
    for _ in 0..2 {
        let cancelled = web.order(&format!("/api/purchases/{purchase}/cancel"));
        assert_eq!((cancelled.status, &cancelled.body["state"]), (200, &json!("cancelled")), "{cancelled:?}");
    }
    assert_eq!(web.buy(hold, &key).body["state"], "cancelled", "the same key is the same purchase");
    assert_eq!(web.buy(hold, &format!("{key}-new")).said(), (409, "hold-over"));
    let next = web.held(event, "bob@example.org", &["A-1", "A-2", "A-3", "A-4"]);
    let next = web.bought(next, &format!("second-{hold}"));
    assert_eq!(web.settled(next), "paid");
    web.assert_sound(event);
}

#[test]
fn seats_whose_payment_is_refused_are_free_again() {
    let web = Web::shared();
    let event = event(shared(), 1, 4, 4);
    let hold = web.held(event, "broke@example.org", &["A-1", "A-2"]);
    let purchase = web.bought(hold, &format!("broke-{hold}"));
    assert_eq!(web.settled(purchase), "refused");
    assert_eq!(web.seats(event, "free").len(), 4);
    assert_eq!(web.order(&format!("/api/purchases/{purchase}/cancel")).said(), (409, "payment-refused"));
    assert_eq!(web.buy(hold, &format!("broke-{hold}-again")).said(), (409, "hold-over"));
    web.assert_sound(event);
}

#[test]
fn a_customer_has_four_seats_at_most_bought_ones_included() {
    let web = Web::shared();
    let event = event(shared(), 2, 10, 20);
    let five = ["A-1", "A-2", "A-3", "A-4", "A-5"];
    assert_eq!(web.hold(event, "ada@example.org", &five).said(), (409, "too-many-seats"));
    let hold = web.held(event, "ada@example.org", &["A-1", "A-2", "A-3"]);
    web.bought(hold, &format!("three-{hold}"));
    let more = web.hold(event, "ADA@example.org", &["B-1", "B-2"]);
    assert_eq!(more.said(), (409, "too-many-seats"));
    assert!(more.detail().contains("has 3 and asks for 2 more"), "{more:?}");
    web.held(event, "ada@example.org", &["B-1"]);
    web.held(event, "bob@example.org", &["B-2", "B-3"]);
    web.assert_sound(event);
}

#[test]
fn no_single_seat_is_left_but_where_others_gave_theirs_back() {
    let web = Web::shared();
    let event = event(shared(), 1, 8, 8);
    let aisle = web.hold(event, "ada@example.org", &["A-2"]);
    assert_eq!(aisle.said(), (409, "stranded-seat"));
    assert!(aisle.detail().contains("A-1"), "{aisle:?}");
    let first = web.held(event, "ada@example.org", &["A-1", "A-2"]);
    assert_eq!(web.hold(event, "bob@example.org", &["A-4"]).said(), (409, "stranded-seat"));
    let third = web.held(event, "bob@example.org", &["A-3"]);
    web.held(event, "eve@example.org", &["A-4", "A-5"]);
    assert_eq!(web.delete(&format!("/api/holds/{third}")).status, 204);
    assert_eq!(web.delete(&format!("/api/holds/{first}")).status, 204);
    assert_eq!(web.seats(event, "free"), ["A-1", "A-2", "A-3", "A-6", "A-7", "A-8"]);
    web.assert_sound(event);
}

#[test]
fn guests_and_seats_share_the_quota() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 3);
    assert_eq!(web.invite(event, "Grace Hopper").status, 201);
    assert_eq!(web.invite(event, " Grace Hopper ").said(), (409, "already-invited"));
    let many = web.hold(event, "ada@example.org", &["A-1", "A-2", "A-3"]);
    assert_eq!(many.said(), (409, "event-full"));
    assert!(many.detail().contains("2 more may come in"), "{many:?}");
    let hold = web.held(event, "ada@example.org", &["A-1", "A-2"]);
    assert_eq!(web.invite(event, "Alan").said(), (409, "event-full"));
    assert_eq!(web.invite(event, "Grace Hopper").said(), (409, "already-invited"));
    assert_eq!(web.hold(event, "bob@example.org", &["A-3"]).said(), (409, "event-full"));
    assert_eq!(web.delete(&format!("/api/holds/{hold}")).status, 204);
    assert_eq!(web.invite(event, "Alan").status, 201);
    web.assert_sound(event);
}

#[test]
fn a_hold_that_is_over_counts_as_free_and_cannot_be_bought() {
    let web = Web::shared();
    let event = event(shared(), 1, 4, 4);
    let hold = web.held(event, "ada@example.org", &["A-1", "A-2", "A-3", "A-4"]);
    let sql = "UPDATE seat_hold SET created_at = created_at - INTERVAL 2 MINUTE, ends_at = ends_at - INTERVAL 2 MINUTE WHERE id = ?";
    rows(shared()).exec_drop(sql, (hold,)).expect("time can be moved");
    assert_eq!(web.seats(event, "free").len(), 4);
    assert_eq!(web.get(&format!("/api/holds/{hold}")).body["state"], "over");
    assert_eq!(web.buy(hold, &format!("late-{hold}")).said(), (409, "hold-over"));
    let next = web.held(event, "ada@example.org", &["A-1", "A-2", "A-3", "A-4"]);
    assert_eq!(web.buy(hold, &format!("late-{hold}")).said(), (409, "hold-over"));
    web.bought(next, &format!("in-time-{hold}"));
    web.assert_sound(event);
}

#[test]
fn the_audit_counts_what_was_done_behind_the_services_back() {
    let web = Web::shared();
    let event = event(shared(), 1, 8, 4);
    let sql = "INSERT INTO seat_hold (event, customer, created_at, ends_at)
        VALUES (?, 'ada@example.org', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 1 HOUR)";
    let mut rows = rows(shared());
    for seats in [&[2, 3, 4][..], &[4, 6]] {
        rows.exec_drop(sql, (event,)).expect("it can be inserted");
        let hold = rows.last_insert_id();
        let sql = "INSERT INTO held_seat (hold, seat_row, seat_number) VALUES (?, 0, ?)";
        rows.exec_batch(sql, seats.iter().map(|seat| (hold, seat))).expect("they can be inserted");
    }
    let audit = web.broken(event);
    let expected =
        json!({ "sold_twice": 1, "too_many": 1, "stranded": 2, "above_quota": 1, "mismatched": 0, "broken": 5 });
    assert_eq!(audit, expected);
    rows.exec_drop("UPDATE seat_hold SET ends_at = created_at WHERE event = ?", (event,)).expect("it can be updated");
    let sql = "INSERT INTO purchase (hold, idempotency_key, amount, state)
        SELECT MAX(id), CONCAT('behind-', MAX(id)), 1, 'paid' FROM seat_hold WHERE event = ?";
    rows.exec_drop(sql, (event,)).expect("it can be inserted");
    assert_eq!(web.broken(event)["mismatched"], 1);
}

#[test]
fn what_the_units_do_can_be_read_by_prometheus_and_by_people() {
    let web = Web::shared();
    let event = event(shared(), 1, 4, 4);
    web.held(event, "ada@example.org", &["A-1", "A-2"]);
    assert_eq!(web.hold(event, "bob@example.org", &["A-2"]).status, 409);
    let text = web.get("/metrics").text;
    for (figure, value) in [
        ("unit_of_work_units_total{unit=\"web::office::seats::hold\",outcome=\"committed\"}", "1"),
        ("unit_of_work_units_total{unit=\"web::office::seats::hold\",outcome=\"rolled_back\"}", "1"),
        ("unit_of_work_unit_duration_seconds_count{unit=\"web::office::seats::hold\"}", "2"),
    ] {
        let line =
            text.lines().find_map(|line| line.strip_prefix(figure)).unwrap_or_else(|| panic!("{figure}: {text}"));
        assert_eq!(line.trim(), value, "{figure}");
    }
    let units = web.get("/units").body;
    let hold = units.as_array().expect("a list").iter().find(|unit| unit["name"] == "web::office::seats::hold");
    let hold = hold.unwrap_or_else(|| panic!("it has run: {units}"));
    assert_eq!((&hold["runs"], &hold["committed"], &hold["rolled_back"]), (&json!(2), &json!(1), &json!(1)));
}
