//! Whatever is sent, it is the sender's mistake and no panic: random paths, headers and bodies, from a fixed seed.

use ephemeral_mysql::Server;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::service::{Reply, Web, event};

const REQUESTS: u32 = 800;

#[test]
fn no_request_is_a_500_and_none_a_panic() {
    // Of its own: other tests would miss what is given back and cancelled here.
    let server = Server::start().expect("a private server starts");
    let web = Web::on(&server, &[]);
    let event = event(&server, 4, 9, 30);
    let mut random = Rng::with_seed(8);
    let mut done = 0;
    for _ in 0..REQUESTS {
        let path = any_path(event, &mut random);
        let method = *random
            .choice(["GET", "GET", "GET", "POST", "POST", "POST", "POST", "DELETE", "PUT"].iter())
            .expect("one of them");
        let (headers, body) = (any_headers(&mut random), any_body(&mut random));
        let answer = web.answer(method, &path, &headers, &body);
        let reply = Reply::read(&answer);
        let asked = || format!("{method} {path} {headers:?} {}: {reply:?}", String::from_utf8_lossy(&body));
        assert!((200..500).contains(&reply.status), "{}", asked());
        if reply.status >= 400 {
            assert!(reply.head.contains("application/problem+json"), "{}", asked());
            assert_eq!(reply.body["status"], reply.status, "{}", asked());
        } else {
            done += 1;
        }
    }
    assert!(done > REQUESTS / 20, "some of it makes sense: {done}");
    web.assert_sound(event);
    let said = web.killed();
    assert!(!said.contains("panicked"), "{said}");
}

/// Half of them are there.
fn any_path(event: u64, random: &mut Rng) -> String {
    let thing = *random.choice(["events", "holds", "purchases", "problems", "nothing"].iter()).expect("one of them");
    let action =
        *random.choice(["", "/holds", "/guests", "/audit", "/purchase", "/cancel", "/"].iter()).expect("one of them");
    match random.u8(0..8) {
        0 => format!("/api/events/{event}"),
        1 | 2 => format!("/api/events/{event}/holds"),
        3 => format!("/api/events/{event}/guests"),
        4 => format!("/api/{thing}/{}{action}", random.u64(..40)),
        _ => format!("/api/{thing}/{}{action}", any_id(random)),
    }
}

fn any_id(random: &mut Rng) -> String {
    let odd = ["", "18446744073709551616", "1e3", "0x1", "..", "%00", "%F0%9F%8E%AD", "%FF", "1%2F2", "1?a=b#c"];
    match random.u8(0..3) {
        0 => random.i64(..).to_string(),
        1 => odd[random.usize(..odd.len())].to_owned(),
        _ => "9".repeat(random.usize(..2000)),
    }
}

fn any_headers(random: &mut Rng) -> String {
    let kind = ["application/json", "application/json; charset=latin1", "text/plain", "", "multipart/form-data"];
    let kind = kind[if random.bool() { 0 } else { random.usize(..kind.len()) }];
    let last = if random.bool() { '~' } else { 'ÿ' };
    let key: String = (0..random.usize(..70)).map(|_| random.char('!'..=last)).collect();
    format!("content-type: {kind}\r\nidempotency-key: {key}\r\n").replace('\u{7f}', "")
}

fn any_body(random: &mut Rng) -> Vec<u8> {
    match random.u8(0..10) {
        0 => (0..random.usize(..200)).map(|_| random.u8(..)).collect(),
        1 => "[".repeat(random.usize(..3000)).into_bytes(),
        2 => any_json(3, random).to_string().into_bytes(),
        _ => {
            let customer = *random.choice(["a@b.org", "c@d.org", "broke@e.org"].iter()).expect("one of them");
            let seat = format!("{}-{}", random.char('A'..='E'), random.u8(0..11));
            let mut body = if random.bool() {
                json!({ "customer": customer, "seats": [seat] })
            } else {
                json!({ "name": any_text(random) })
            };
            if random.u8(0..3) == 0 {
                let field = *random.choice(["customer", "seats", "name", "more"].iter()).expect("one of them");
                body[field] = any_json(2, random);
            }
            body.to_string().into_bytes()
        }
    }
}

fn any_json(depth: u8, random: &mut Rng) -> Value {
    match random.u8(0..if depth == 0 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => random.i64(..).into(),
        3 => random.f64().into(),
        4 => any_text(random).into(),
        5 => (0..random.usize(..5)).map(|_| any_json(depth - 1, random)).collect(),
        _ => (0..random.usize(..5)).map(|_| (any_text(random), any_json(depth - 1, random))).collect(),
    }
}

fn any_text(random: &mut Rng) -> String {
    (0..random.usize(..20)).map(|_| if random.bool() { random.alphabetic() } else { random.char(..) }).collect()
}
