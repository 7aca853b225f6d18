//! What goes with every answer, and who is refused.

use std::io::{Read, Write};
use std::net::TcpStream;

use ephemeral_mysql::shared;
use serde_json::json;

use crate::service::{Reply, Web, event};
use crate::visitor::Visitor;

const HTML: &str = "accept: text/html\r\n";
const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

#[test]
fn every_answer_of_every_kind_has_the_headers() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 6);
    let here = format!("/events/{event}");
    let mut ada = Visitor::at(&web, &here);
    ada.submit(&format!("{here}/holds"), &[("seats", "A-1"), ("customer", "ada@example.org")]);
    let long = "x".repeat(17 * 1024);
    let tag = web.send("GET", "/static/office.css", "", "").header("etag");
    let requests: &[(u16, &str, &str, &str, &str)] = &[
        (200, "GET", "/", HTML, ""),
        (200, "GET", &here, HTML, ""),
        (200, "HEAD", &here, HTML, ""),
        (200, "GET", &ada.path, HTML, ""),
        (200, "GET", "/api/events", "", ""),
        (200, "GET", "/metrics", "", ""),
        (200, "GET", "/units", "", ""),
        (200, "GET", "/health", "", ""),
        (200, "GET", "/static/office.js", "", ""),
        (304, "GET", "/static/office.css", &format!("if-none-match: {tag}\r\n"), ""),
        (404, "GET", "/static/none", "", ""),
        (404, "GET", "/static/%2e%2e%2fsrc", "", ""),
        (404, "GET", "/nowhere", HTML, ""),
        (404, "GET", "/nowhere", "", ""),
        (404, "GET", "/events/999999999", HTML, ""),
        (404, "GET", "/holds/999999999", HTML, ""),
        (404, "GET", "/purchases/999999999", HTML, ""),
        (404, "GET", "/api/events/999999999", "", ""),
        (400, "GET", "/events/one", HTML, ""),
        (400, "GET", "/purchases/-1", HTML, ""),
        (405, "DELETE", "/", HTML, ""),
        (405, "PUT", "/api/events", "", ""),
        (403, "POST", &format!("{here}/holds"), &format!("{HTML}{FORM}"), "seats=A-2"),
        (415, "POST", &format!("{here}/holds"), HTML, "seats=A-2"),
        (413, "POST", &format!("{here}/holds"), &format!("{HTML}{FORM}"), &long),
        (413, "POST", &format!("/api/events/{event}/holds"), "content-type: application/json\r\n", &long),
        (403, "POST", "/api/purchases/1/cancel", "sec-fetch-site: cross-site\r\n", ""),
    ];
    for (status, method, path, headers, body) in requests {
        let reply = web.send(method, path, headers, body);
        assert_eq!(reply.status, *status, "{method} {path}: {reply:?}");
        assert_hardened(&reply);
    }
    let sent = web.send("GET", "/nowhere", "", "");
    assert_eq!(sent.header("cache-control"), "no-store");
}

fn assert_hardened(reply: &Reply) {
    for header in [
        "content-security-policy: default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "referrer-policy: same-origin",
        "cross-origin-opener-policy: same-origin",
        "cross-origin-resource-policy: same-origin",
    ] {
        assert!(reply.head.contains(&format!("\r\n{header}")), "{header} of {}", reply.head);
    }
    assert!(reply.head.contains("\r\ncache-control: "), "{}", reply.head);
    for other in ["unsafe-inline", "strict-transport-security", "server:", "x-powered-by"] {
        assert!(!reply.head.contains(other), "{other} in {}", reply.head);
    }
}

#[test]
fn a_forged_form_is_refused_and_nothing_is_done() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 6);
    let here = format!("/events/{event}");
    let action = format!("{here}/holds");
    let mut ada = Visitor::at(&web, &here);
    let token = ada.hidden(&action)[0].1.clone();
    let eve = Visitor::at(&web, &here);
    assert!(ada.cookie("visitor").is_some() && ada.cookie("visitor") != eve.cookie("visitor"));
    let of_eve = eve.hidden(&action)[0].1.clone();
    let form = |token: &str| format!("token={token}&seats=A-1&customer=ada%40example.org");
    for forged in ["", &of_eve, &token[1..], &"0".repeat(64), "%00"] {
        let reply = &ada.post(&action, &form(forged)).page;
        assert!(
            reply.status == 403 && reply.text.contains("The form is not from a page of yours"),
            "{forged}: {reply:?}"
        );
    }
    for foreign in [
        "sec-fetch-site: cross-site\r\n",
        "sec-fetch-site: same-site\r\n",
        "origin: http://evil.example\r\n",
        "origin: null\r\n",
    ] {
        foreign.clone_into(&mut ada.headers);
        let reply = &ada.post(&action, &form(&token)).page;
        assert!(reply.status == 403 && reply.text.contains("Another site asked for this"), "{foreign}: {reply:?}");
    }
    ada.headers.clear();
    let mut cookieless = Visitor::at(&web, &here);
    cookieless.forget("visitor");
    assert_eq!(cookieless.post(&action, &form(&of_eve)).page.status, 403);
    // The token of another service, or of this one before it was started again.
    let other = Web::shared();
    let mut there = Visitor::at(&other, &here);
    assert_eq!(there.post(&action, &form(&token)).page.status, 403);
    assert_eq!(web.seats(event, "held"), [""; 0]);
    // The same form with its own token is good.
    let own = format!("origin: http://{}\r\nsec-fetch-site: same-origin\r\n", web.address);
    own.clone_into(&mut ada.headers);
    assert!(ada.post(&action, &form(&token)).path.starts_with("/holds/"), "{ada:?}");
    assert_eq!(web.seats(event, "held"), ["A-1"]);
}

#[test]
fn each_form_wants_its_token() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 6);
    let hold = web.held(event, "ada@example.org", &["A-1"]);
    let of_bob = web.held(event, "bob@example.org", &["A-6"]);
    let purchase = web.bought(of_bob, &format!("token-{of_bob}"));
    for action in [
        format!("/events/{event}/holds"),
        format!("/events/{event}/guests"),
        format!("/holds/{hold}/purchase"),
        format!("/holds/{hold}/release"),
        format!("/purchases/{purchase}/cancel"),
    ] {
        // With a cookie, but without a token.
        let mut eve = Visitor::at(&web, &format!("/events/{event}"));
        assert!(eve.cookie("visitor").is_some());
        assert_eq!(
            eve.post(&action, "name=Eve&key=1&seats=A-3&customer=eve%40example.org").page.status,
            403,
            "{action}"
        );
    }
    assert_eq!((web.seats(event, "held").len(), web.seats(event, "sold").len()), (1, 1));
}

#[test]
fn the_api_takes_no_form() {
    let web = Web::shared();
    let event = event(shared(), 1, 6, 6);
    let body = json!({ "customer": "ada@example.org", "seats": ["A-1"] }).to_string();
    for simple in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let reply =
            web.send("POST", &format!("/api/events/{event}/holds"), &format!("content-type: {simple}\r\n"), &body);
        assert_eq!(reply.status, 415, "{reply:?}");
    }
    let answer = web.answer(
        "OPTIONS",
        "/api/events",
        "origin: http://evil.example\r\naccess-control-request-method: POST\r\n",
        b"",
    );
    assert!(!answer.to_lowercase().contains("access-control-allow"), "{answer}");
}

#[test]
fn other_names_than_ours_are_refused() {
    let web = Web::on(shared(), &["--host", "tickets.example"]);
    let asked = |host: &str| {
        let mut stream = TcpStream::connect(&web.address).expect("the service listens");
        write!(stream, "GET /api/events HTTP/1.1\r\n{host}connection: close\r\n\r\n").expect("the service reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the service answers");
        Reply::read(&answer)
    };
    for ours in ["host: localhost:3000\r\n", "host: 127.0.0.1\r\n", "host: tickets.example\r\n"] {
        assert_eq!(asked(ours).status, 200, "{ours}");
    }
    for other in ["host: rebound.example:3000\r\n", "host: \r\n"] {
        let reply = asked(other);
        assert_eq!(reply.said(), (421, "wrong-host"), "{other}");
        assert_hardened(&reply);
    }
}

#[test]
fn people_see_the_problem_that_programs_read() {
    let web = Web::shared();
    for path in ["/nowhere", "/events/999999999", "/holds/one"] {
        let json = web.get(path);
        assert!(json.head.contains("content-type: application/problem+json"), "{json:?}");
        let page = web.send("GET", path, HTML, "");
        assert!(page.status == json.status && page.head.contains("content-type: text/html; charset=utf-8"), "{page:?}");
        for part in ["title", "detail"] {
            let said = json.body[part].as_str().expect("a problem has it");
            assert!(page.text.contains(said), "{said} in {page:?}");
        }
    }
    assert!(web.send("GET", "/api/nowhere", HTML, "").head.contains("application/problem+json"));
    assert!(web.send("DELETE", "/", HTML, "").head.contains("\r\nallow: get,head"));
}

#[test]
fn files_are_kept_as_long_as_they_are_the_same() {
    let web = Web::shared();
    for (name, kind) in [("office.css", "text/css"), ("office.js", "text/javascript"), ("icon.svg", "image/svg+xml")] {
        let path = format!("/static/{name}");
        let first = web.send("GET", &path, "", "");
        assert!(first.header("content-type").starts_with(kind) && !first.text.is_empty(), "{first:?}");
        let tag = first.header("etag");
        let again = web.send("GET", &path, &format!("if-none-match: \"other\", {tag}\r\n"), "");
        assert!(again.status == 304 && again.text.is_empty() && again.header("etag") == tag, "{again:?}");
        assert_eq!(web.send("GET", &path, "if-none-match: \"other\"\r\n", "").status, 200);
        assert!(first.header("cache-control").contains("must-revalidate"), "{first:?}");
    }
}
