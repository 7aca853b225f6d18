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
    // Some more than are let in: which of them are, nobody knows, and a request of ours may be among them for a moment.
    let waiting: Vec<TcpStream> = (0..300).map(|_| stalled(&web)).collect();
    // Once the service has taken them all, others are turned away: until one of the stalled ones is over.
    let mut replies = (0..10_000).map(|_| web.get("/api/problems"));
    let refused = replies.find(|reply| reply.status != 200).expect("256 at once are enough");
    assert_eq!(refused.said(), (503, "too-busy"));
    assert!(refused.head.contains("\r\nretry-after: 1"), "{refused:?}");
    // Who watches the service is no such other.
    for path in ["/health", "/metrics", "/units"] {
        let reply = web.get(path);
        // A database that is busy is another matter.
        assert!(reply.status == 200 || reply.said() == (503, "unavailable"), "{path}: {reply:?}");
    }
    let answers: Vec<Reply> = waiting.iter().map(answer).collect();
    let (slow, turned_away): (Vec<&Reply>, Vec<_>) = answers.iter().partition(|answer| answer.status == 504);
    assert!(slow.len() >= 255 && slow.iter().all(|answer| answer.said() == (504, "too-slow")), "{}", slow.len());
    assert!(turned_away.iter().all(|answer| answer.said() == (503, "too-busy")), "{turned_away:?}");
    assert_eq!(web.get("/api/problems").status, 200);
}
