//! A broken connection that is encrypted is dropped as any other: the driver would still write when its value is dropped, and
//! the server, which only seemed gone, would still read it.

use std::cell::Cell;
use std::time::Duration;

use unit_of_work::{Error, ErrorKind, Retry};

use super::certificates::{Authority, directory, right};
use crate::relay::Relay;
use crate::world::until;

#[test]
fn s105_nothing_more_is_sent_on_an_encrypted_connection_that_is_broken() {
    let directory = directory();
    let relay = Relay::start("127.0.0.1", right().port());
    let builder = super::builder("127.0.0.1", relay.port(), &Authority::trusted().file(&directory));
    let db = builder.network_timeout(Duration::from_millis(300)).connect().expect("a right certificate");
    db.unit("warm").run::<_, Error>(|tx| tx.exec_drop("DO ?", (1,))).expect("nothing is broken yet");
    let warm = relay.sent(0).len();
    relay.silence(0);
    let at_the_fault = Cell::new(0);
    let error = db
        .unit("silence")
        .retry(Retry::NEVER)
        .run::<(), Error>(|tx| {
            let silence = tx.exec_drop("DO ?", (2,));
            until("the statement has left", || relay.sent(0).len() > warm);
            at_the_fault.set(relay.sent(0).len());
            silence
        })
        .expect_err("nobody answers");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    relay.until_ended(0);
    assert_eq!(
        relay.sent(0).len(),
        at_the_fault.get(),
        "neither ROLLBACK nor what the driver sends when it is dropped"
    );
}

#[test]
fn s105_the_control_a_healthy_one_says_good_bye() {
    let directory = directory();
    let relay = Relay::start("127.0.0.1", right().port());
    let db = super::builder("127.0.0.1", relay.port(), &Authority::trusted().file(&directory)).connect();
    let db = db.expect("a right certificate");
    db.unit("warm").run::<_, Error>(|tx| tx.exec_drop("DO ?", (1,))).expect("nothing is broken");
    let warm = relay.sent(0).len();
    db.close(Duration::from_secs(5)).expect("nothing runs");
    relay.until_ended(0);
    assert!(relay.sent(0).len() > warm);
}
