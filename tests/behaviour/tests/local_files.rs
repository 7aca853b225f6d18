//! `LOCAL INFILE`: whoever answers, no file of this machine is ever sent, and the caller is told that one was asked for.

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;

use tempfile::TempDir;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::mysql::{Conn, LocalInfileHandler, OptsBuilder};
use unit_of_work::{Database, Error, ErrorKind, Outcome};

use crate::relay::Relay;
use crate::world::{GIVE_TEN, TAKE_TEN, World};

const CONTENT: &str = "the content of a file";

/// A file of this machine that somebody would like to have.
struct Secret {
    path: PathBuf,
    _directory: TempDir,
}

impl Secret {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("secret");
        std::fs::write(&path, CONTENT).expect("a file");
        Self { path, _directory: directory }
    }

    fn load(&self) -> String {
        format!("LOAD DATA LOCAL INFILE '{}' INTO TABLE note", self.path.display())
    }

    /// The packet with which a server asks for it.
    fn request(&self) -> Vec<u8> {
        [b"\xfb", self.path.to_str().expect("a path that is text").as_bytes()].concat()
    }
}

/// A world, and a way to its server on which somebody may answer in the server's place.
fn tapped() -> (World, Relay, Database) {
    let world = World::with_accounts(1..=2);
    let relay = Relay::start("127.0.0.1", world.port());
    let db = Database::connect(&format!("mysql://root@127.0.0.1:{}/{}", relay.port(), world.name()));
    (world, relay, db.unwrap_or_else(|error| panic!("{error}")))
}

fn assert_says_so(error: &Error, secret: &Secret) {
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    let text = error.to_string();
    assert!(text.contains(secret.path.to_str().expect("text")) && text.contains("nothing of it was sent"), "{text}");
}

/// The control: the attack works on who has a handler that reads files, and the relay would see it.
#[test]
fn s64_the_control_a_client_that_reads_files_is_robbed() {
    let (secret, world) = (Secret::new(), World::new());
    let relay = Relay::start("127.0.0.1", world.port());
    relay.answer("SELECT 'sesame'", &secret.request());
    let opts = OptsBuilder::new().ip_or_hostname(Some("127.0.0.1")).tcp_port(relay.port()).user(Some("root"));
    let mut conn = Conn::new(opts.prefer_socket(false)).expect("the server answers");
    conn.set_local_infile_handler(Some(LocalInfileHandler::new(|name, writer| {
        let mut content = Vec::new();
        File::open(std::str::from_utf8(name).expect("text"))?.read_to_end(&mut content)?;
        writer.write_all(&content)?;
        writer.flush()?;
        // What follows goes nowhere, so that nobody waits for an answer.
        Err(std::io::Error::other("robbed"))
    })));
    conn.query_drop("SELECT 'sesame'").expect_err("robbed");
    crate::world::until("the file has arrived", || relay.was_told(CONTENT));
}

#[test]
fn s64_a_statement_that_asks_for_a_file_is_not_sent_and_the_unit_goes_on() {
    let (world, relay, db) = tapped();
    world.execute("CREATE TABLE note (line TEXT)");
    let secret = Secret::new();
    let unit = db.unit("load").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let error = tx.query_drop(secret.load()).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.to_string().contains("`tx.exec_batch`"), "{error}");
        let error = tx.exec_drop(secret.load(), ()).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Refused);
        tx.query_drop(GIVE_TEN)
    });
    unit.expect("what was not sent does no harm");
    assert_eq!(world.balances(), [90, 110]);
    db.close(std::time::Duration::from_secs(5)).expect("nothing runs");
    relay.until_ended(0);
    assert!(!relay.was_told("INFILE") && !relay.was_told(CONTENT));
}

#[test]
fn s64_an_administrator_who_asks_for_a_file_is_told_that_it_is_not_sent() {
    let (world, relay, db) = tapped();
    world.execute("CREATE TABLE note (line TEXT)");
    // MySQL does not ask unless it is told to; MariaDB does.
    world.execute("SET GLOBAL local_infile = ON");
    let secret = Secret::new();
    let error = db.session(|session| session.query_drop(secret.load())).expect_err("no file is sent");
    assert_says_so(&error, &secret);
    relay.until_ended(0);
    assert!(relay.was_told("INFILE"), "the server did ask");
    assert!(!relay.was_told(CONTENT));
    assert_eq!(world.count("SELECT COUNT(*) FROM note"), 0);
    db.session(|session| session.query_drop("INSERT INTO note VALUES ('')")).expect("another session");
}

#[test]
fn s64_a_server_that_asks_for_a_file_unasked_gets_none_and_is_not_talked_to_any_more() {
    for how in ["text", "prepared", "lent"] {
        let (world, relay, db) = tapped();
        let secret = Secret::new();
        relay.answer("sesame", &secret.request());
        let error = db
            .unit("asked")
            .run::<_, Error>(|tx| {
                tx.query_drop(TAKE_TEN)?;
                match how {
                    "text" => tx.query_drop("SELECT 'sesame'"),
                    "prepared" => tx.exec_drop("SELECT ?", ("sesame",)),
                    _ => Ok(tx.connection()?.query_iter("SELECT 'sesame'").map(drop)?),
                }
            })
            .expect_err("no file is sent");
        assert_says_so(&error, &secret);
        assert_eq!((error.outcome(), error.attempts()), (Some(Outcome::RolledBack), 1), "{how}: {error}");
        relay.until_ended(0);
        assert!(!relay.was_told(CONTENT), "{how}");
        assert_eq!(world.balances(), [100, 100], "{how}");
        world.assert_clean(&db);
    }
}

#[test]
fn s64_a_server_that_answers_commit_with_such_a_question_leaves_the_outcome_unknown() {
    let (world, relay, db) = tapped();
    let secret = Secret::new();
    relay.answer("COMMIT", &secret.request());
    let error = db.unit("asked").run::<_, Error>(|tx| tx.query_drop(TAKE_TEN)).expect_err("nobody knows");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::CommitUnknown, Some(Outcome::Unknown)), "{error}");
    assert!(error.to_string().contains("nothing of it was sent"), "{error}");
    relay.until_ended(0);
    assert!(!relay.was_told(CONTENT));
    assert_eq!(world.balances(), [100, 100]);
}
