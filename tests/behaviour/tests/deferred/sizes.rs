//! How much is deferred: what does not fit into one packet goes out in several, in its order, and what fits into none is refused.

use proxy::{Kind, Proxy};
use unit_of_work::{Error, ErrorKind};

use crate::server;
use crate::world::World;

const INSERT: &str = "INSERT INTO line (text) VALUES (?)";
/// What the server takes in a packet. Bytes.
const LIMIT: usize = 16 * 1024;

fn with_lines(world: &World) {
    world.execute("CREATE TABLE line (id INT AUTO_INCREMENT PRIMARY KEY, text LONGTEXT NOT NULL) ENGINE=InnoDB");
}

/// The lengths of the texts that went out since recording began, of queries alone.
fn packets(proxy: &Proxy) -> Vec<usize> {
    let sent = proxy.take().into_iter().filter(|command| command.kind == Kind::Query);
    sent.map(|command| command.text.len()).collect()
}

#[test]
fn s94_more_than_the_server_takes_in_a_packet_goes_out_in_several_in_its_order() {
    let server = server::builder().option("max_allowed_packet", LIMIT.to_string());
    let server = server.start().unwrap_or_else(|error| panic!("{error}"));
    let world = World::on(&server, |builder| builder);
    with_lines(&world);
    let (db, proxy) = world.proxied();
    db.unit("warm").run::<_, Error>(|tx| tx.query_drop("DO 1")).expect("the session is warm");
    proxy.record();
    let lines: Vec<String> = (0..100).map(|number| format!("{number:0>width$}", width = 10 + number * 13)).collect();
    db.unit("many").run::<_, Error>(|tx| lines.iter().try_for_each(|line| tx.defer(INSERT, (line,)))).expect("a unit");
    let sent = packets(&proxy);
    assert!(sent.len() > 5 && sent.iter().all(|bytes| *bytes < LIMIT), "{sent:?}");
    assert!(sent.len() < 20, "no more packets than it takes: {sent:?}");
    let found = db.unit("looks").run::<Vec<String>, Error>(|tx| tx.query("SELECT text FROM line ORDER BY id"));
    assert_eq!(found.expect("a unit"), lines);

    // Larger than a packet as a literal, which has two digits for a byte, but not as a parameter.
    let nearly = "x".repeat(LIMIT - 1000);
    let too_large = "x".repeat(LIMIT);
    let unit = db.unit("large").run::<_, Error>(|tx| {
        tx.defer(INSERT, ("before",))?;
        tx.defer(INSERT, (&nearly,))?;
        let error = tx.defer(INSERT, (&too_large,)).expect_err("no packet takes it");
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
        tx.defer(INSERT, ("after",))
    });
    unit.expect("nothing was doomed");
    let last: Vec<usize> = world
        .db
        .unit("looks")
        .run::<_, Error>(|tx| tx.query("SELECT LENGTH(text) FROM line ORDER BY id DESC LIMIT 3"))
        .expect("a unit");
    assert_eq!(last, ["after".len(), nearly.len(), "before".len()]);
}

/// Where the server would take more, the memory of a session is bounded all the same.
#[test]
fn s94_what_waits_is_at_most_a_megabyte() {
    let world = World::new();
    with_lines(&world);
    let (db, proxy) = world.proxied();
    let line = "x".repeat(100_000);
    db.unit("warm").run::<_, Error>(|tx| tx.query_drop("DO 1")).expect("the session is warm");
    proxy.record();
    db.unit("many").run::<_, Error>(|tx| (0..12).try_for_each(|_| tx.defer(INSERT, (&line,)))).expect("a unit");
    let sent = packets(&proxy);
    assert_eq!(sent.len(), 3, "five of them are a megabyte: {sent:?}");
    assert!(sent.iter().all(|bytes| *bytes <= 1 << 20), "{sent:?}");
    assert_eq!(world.count("SELECT COUNT(*) FROM line WHERE LENGTH(text) = 100000"), 12);
}
