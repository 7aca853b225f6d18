//! What happens when too much is asked at once, or nothing more comes.

use std::io::{Read, Write};
use std::net::TcpStream;

use ephemeral_mysql::shared;

use crate::service::{Reply, Web};

/// A request whose body does not come.
fn stalled(web: &Web) -> TcpStream {
    let mut stream = TcpStream::connect(&web.address).expect("the service listens");
    let address = &web.address;
    write!(
        stream,
        "POST /api/events/1/holds HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n"
    )
    .expect("the service reads");
    stream
}

fn answer(mut stream: &TcpStream) -> Reply {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the service answers");
    Reply::read(&answer)
}

#[test]
fn who_is_one_too_many_is_told_at_once_and_who_says_no_more_after_a_time() {
    let web = Web::start(&["--url", &shared().url(""), "--patience", "1"]);
    let waiting: Vec<TcpStream> = (0..256).map(|_| stalled(&web)).collect();
    // Once the service has taken them all, others are turned away: until one of the stalled ones is over.
    let mut replies = (0..10_000).map(|_| web.get("/api/problems"));
    let refused = replies.find(|reply| reply.status != 200).expect("256 at once are enough");
    assert_eq!(refused.said(), (503, "too-busy"));
    assert!(refused.head.contains("\r\nretry-after: 1"), "{refused:?}");
    for stream in &waiting {
        assert_eq!(answer(stream).said(), (504, "too-slow"));
    }
    assert_eq!(web.get("/api/problems").status, 200);
}
