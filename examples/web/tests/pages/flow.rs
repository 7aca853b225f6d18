//! From the list of events to a purchase and back, and what is said when the office says no.

use ephemeral_mysql::shared;

use crate::service::{Web, event};
use crate::visitor::Visitor;

#[test]
fn a_seat_is_bought_and_cancelled() {
    let web = Web::shared();
    let event = event(shared(), 2, 6, 12);
    let mut ada = Visitor::at(&web, "/");
    assert!(ada.cookie("visitor").is_some(), "what is opened from here, all at once, is the same visitor's");
    let there = format!("/events/{event}");
    assert!(ada.page.text.contains(&format!("href=\"{there}\"")), "{:?}", ada.page);
    ada.open(&there);
    ada.submit(&format!("{there}/holds"), &[("seats", "A-1"), ("seats", "A-2"), ("customer", "Ada@example.org")]);
    assert!(ada.path.starts_with("/holds/") && ada.page.status == 200, "{ada:?}");
    for shown in ["A-1", "A-2", "ada@example.org", "€ 20.00", "data-seconds=\"1"] {
        assert!(ada.page.text.contains(shown), "{shown} in {:?}", ada.page);
    }
    assert_eq!(web.seats(event, "held"), ["A-1", "A-2"]);

    let purchase = format!("{}/purchase", ada.path);
    ada.submit(&purchase, &[]);
    assert!(ada.path.starts_with("/purchases/"), "{ada:?}");
    let number = ada.path.trim_start_matches("/purchases/").parse().expect("a purchase has a number");
    assert_eq!(web.settled(number), "paid");
    let path = ada.path.clone();
    ada.open(&path);
    assert!(ada.page.text.contains("<span class=\"state paid\">"), "{:?}", ada.page);
    assert_eq!(web.seats(event, "sold"), ["A-1", "A-2"]);

    ada.submit(&format!("{path}/cancel"), &[]);
    assert!(ada.path == path && ada.page.text.contains("<span class=\"state cancelled\">"), "{ada:?}");
    assert_eq!(web.seats(event, "free").len(), 12);
    // The address is remembered for the next time.
    assert!(ada.open(&there).page.text.contains("value=\"ada@example.org\""), "{:?}", ada.page);
    web.assert_sound(event);
}

#[test]
fn a_hold_is_given_back() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 6);
    let mut ada = Visitor::at(&web, &format!("/events/{event}"));
    ada.submit(&format!("/events/{event}/holds"), &[("seats", "A-1"), ("customer", "ada@example.org")]);
    let hold = ada.path.clone();
    ada.submit(&format!("{hold}/release"), &[]);
    assert!(ada.path == format!("/events/{event}") && ada.page.status == 200, "{ada:?}");
    assert_eq!(web.seats(event, "held"), [""; 0]);
    assert!(ada.open(&hold).page.text.contains("<span class=\"state over\">"), "{:?}", ada.page);
}

#[test]
fn a_page_that_is_out_of_date_leads_to_what_is_so_now() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 6);
    let late = web.held(event, "ada@example.org", &["A-1"]);
    let mut ada = Visitor::at(&web, &format!("/holds/{late}"));
    assert_eq!(web.delete(&format!("/api/holds/{late}")).status, 204);
    ada.submit(&format!("/holds/{late}/purchase"), &[]);
    assert!(ada.path == format!("/holds/{late}") && ada.page.status == 200, "{ada:?}");
    assert!(ada.page.text.contains("Choose seats again"), "{:?}", ada.page);

    let bought = web.held(event, "ada@example.org", &["A-1"]);
    ada.open(&format!("/holds/{bought}"));
    let purchase = web.bought(bought, &format!("out-of-date-{bought}"));
    ada.submit(&format!("/holds/{bought}/release"), &[]);
    assert!(ada.path == format!("/purchases/{purchase}") && ada.page.status == 200, "{ada:?}");
}

#[test]
fn a_form_that_is_sent_twice_is_one_purchase() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 6);
    let mut ada = Visitor::at(&web, &format!("/events/{event}"));
    ada.submit(&format!("/events/{event}/holds"), &[("seats", "A-1"), ("customer", "ada@example.org")]);
    let hold = ada.path.clone();
    let action = format!("{hold}/purchase");
    let hidden = ada.hidden(&action);
    let again: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let first = ada.submit(&action, &[]).path.clone();
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&again).finish();
    assert_eq!(ada.post(&action, &body).path, first);
    // Another page of the same hold, with another key.
    assert_eq!(ada.post(&action, &body.replace("key=", "key=0")).path, first);
    assert_eq!(ada.open(&hold).path, first);
}

#[test]
fn a_payment_that_is_refused_is_said() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 6);
    let mut ada = Visitor::at(&web, &format!("/events/{event}"));
    ada.submit(&format!("/events/{event}/holds"), &[("seats", "A-1"), ("customer", "broke@example.org")]);
    let action = format!("{}/purchase", ada.path);
    let path = ada.submit(&action, &[]).path.clone();
    web.settled(path.trim_start_matches("/purchases/").parse().expect("a purchase has a number"));
    assert!(ada.open(&path).page.text.contains("<span class=\"state refused\">"), "{:?}", ada.page);
}

#[test]
fn a_purchase_that_is_pending_looks_again_by_itself() {
    // On a server of its own: on a shared one, others would do its errands.
    let web = Web::start(&["--payment-delay", "600000"]);
    let mut ada = Visitor::at(&web, "/events/1");
    ada.submit("/events/1/holds", &[("seats", "A-1"), ("customer", "ada@example.org")]);
    let action = format!("{}/purchase", ada.path);
    ada.submit(&action, &[]);
    for shown in ["<span class=\"state pending\">", "<noscript><meta http-equiv=\"refresh\"", "data-purchase=\""] {
        assert!(ada.page.text.contains(shown), "{shown} in {:?}", ada.page);
    }
}

#[test]
fn a_broken_rule_is_explained_where_it_was_chosen() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 6);
    let mut ada = Visitor::at(&web, &format!("/events/{event}"));
    let action = format!("/events/{event}/holds");
    ada.submit(&action, &[("seats", "A-2"), ("customer", "ada@example.org")]);
    assert_eq!(ada.page.status, 409, "{:?}", ada.page);
    for shown in [
        "seat A-1 would be left alone",
        "class=\"seat free blamed\" data-seat=\"A-1\"",
        "value=\"A-2\" aria-label=\"Seat A-2, free\" checked",
        "value=\"ada@example.org\"",
        "role=\"alert\"",
        "<title>Not done: Test",
    ] {
        assert!(ada.page.text.contains(shown), "{shown} in {:?}", ada.page);
    }
    // From there it goes on.
    ada.submit(&action, &[("seats", "A-1"), ("seats", "A-2"), ("customer", "ada@example.org")]);
    assert!(ada.path.starts_with("/holds/"), "{ada:?}");
    ada.open(&format!("/events/{event}"));
    let seats = [("seats", "A-3"), ("seats", "A-4"), ("seats", "A-5"), ("customer", "ada@example.org")];
    assert!(ada.submit(&action, &seats).page.text.contains("has at most 4 seats"), "{:?}", ada.page);
    assert!(
        ada.submit(&action, &[("seats", "A-1"), ("customer", "bob@example.org")]).page.text.contains("A-1 is taken")
    );
    web.assert_sound(event);
}

#[test]
fn every_field_that_cannot_be_used_is_said_at_once() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 6);
    let mut ada = Visitor::at(&web, &format!("/events/{event}"));
    let action = format!("/events/{event}/holds");
    ada.submit(&action, &[("seats", "first row"), ("customer", "nobody")]);
    assert_eq!(ada.page.status, 400, "{:?}", ada.page);
    for shown in
        ["seats: a seat is a row and a number", "customer: a customer is an e-mail address", "aria-invalid=\"true\""]
    {
        assert!(ada.page.text.contains(shown), "{shown} in {:?}", ada.page);
    }
    assert_eq!(ada.submit(&action, &[("customer", "ada@example.org")]).page.status, 400, "no seat at all");
    assert_eq!(ada.submit(&action, &[("seats", "Z-9"), ("customer", "ada@example.org")]).page.status, 400);
    let guests = format!("/events/{event}/guests");
    assert_eq!(ada.submit(&format!("{guests}#guests"), &[("name", " ")]).page.status, 400);
    // Who opens what the address bar shows then.
    for action in [action, guests] {
        assert_eq!(ada.open(&action).path, format!("/events/{event}"));
    }
}

#[test]
fn guests_share_the_quota() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 1);
    let mut ada = Visitor::at(&web, &format!("/events/{event}"));
    let action = format!("/events/{event}/guests#guests");
    assert!(
        ada.submit(&action, &[("name", "Grace Hopper")]).page.text.contains("<li>Grace Hopper</li>"),
        "{:?}",
        ada.page
    );
    ada.submit(&action, &[("name", "Grace Hopper")]);
    assert_eq!(ada.page.status, 409, "{:?}", ada.page);
    ada.submit(&format!("/events/{event}/holds"), &[("seats", "A-1"), ("customer", "ada@example.org")]);
    assert!(ada.page.status == 409 && ada.page.text.contains("0 more may come in"), "{:?}", ada.page);
}
