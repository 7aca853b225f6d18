//! Values on the way to a server and back: those that do not fit are a clear error, all others come back as they went, and the
//! next unit is fine in either case.

use std::fmt::Debug;

use unit_of_work::mysql::{Params, Value, params};
use unit_of_work::{Database, Error, ErrorKind, Tx};

use super::SELECT;
use crate::relay::Relay;
use crate::server;
use crate::world::{TAKE_TEN, World};

/// What one statement says in a unit that goes on after it.
fn said<T: Debug>(db: &Database, ask: impl Fn(&mut Tx<'_>) -> Result<T, Error>) -> Error {
    let unit = db.unit("ask").run::<_, Error>(|tx| {
        let error = ask(tx).expect_err("it does not fit");
        assert_eq!(tx.exec_first(SELECT, (1,))?, Some(100_i64), "the unit goes on after: {error}");
        Ok(error)
    });
    unit.unwrap_or_else(|error| panic!("the unit goes on: {error}"))
}

#[test]
fn s85_a_value_of_another_type_is_a_clear_error_and_the_unit_goes_on() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    let errors = [
        said(&db, |tx| tx.query_first::<i64, _>("SELECT REVERSE('eulav-terces') AS word")),
        said(&db, |tx| tx.query::<i64, _>("SELECT 1 AS word UNION SELECT REVERSE('eulav-terces')")),
        said(&db, |tx| tx.exec_first::<i64, _, _>("SELECT NULL AS word", ())),
        said(&db, |tx| tx.exec::<(i64, i64), _, _>("SELECT 1 AS word", ())),
        said(&db, |tx| tx.query_map("SELECT 300 AS word", |n: u8| n)),
        said(&db, |tx| tx.query_fold("SELECT -1 AS word", 0, |sum, n: u64| sum + n)),
        said(&db, |tx| tx.exec_each("SELECT X'FF' AS word", (), |_: String| ())),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Conversion, "{error}");
        assert!(error.to_string().contains("word"), "which column? {error}");
        assert!(!format!("{error:?}").contains("secret-value"), "values do not belong into a message: {error:?}");
    }
    let two = said(&db, |tx| tx.query_first::<(i64, i64), _>("SELECT 1 AS one, NULL AS none"));
    assert!(two.to_string().contains("NULL is in `none`, and needs an `Option`"), "{two}");
    for wrong in [
        said(&db, |tx| tx.exec_drop("SELECT ?", ())),
        said(&db, |tx| tx.exec_drop("SELECT ?, ?", (1,))),
        said(&db, |tx| tx.exec_drop("SELECT ?", (1, 2))),
        said(&db, |tx| tx.exec_drop("SELECT :a, :b", params! { "a" => 1 })),
        said(&db, |tx| tx.exec_drop("SELECT :a", (1, 2))),
    ] {
        assert_eq!(wrong.kind(), ErrorKind::Conversion, "{wrong}");
    }
    assert_eq!(proxy.connections(), 1, "none of this is a reason to drop a connection");
    world.assert_clean(&db);
}

#[test]
fn s85_nul_bytes_and_four_byte_characters_come_back_as_they_went() {
    let world = World::with_accounts(1..=1);
    world.execute("CREATE TABLE kept (id INT PRIMARY KEY, words TEXT CHARACTER SET utf8mb4, bytes BLOB)");
    let (words, bytes) = ("a\0b 😀\u{10FFFF} \\' \" % _ \u{1a}\r\n;--", (0..=255).collect::<Vec<u8>>());
    let unit = world.db.unit("keep").run::<_, Error>(|tx| {
        tx.exec_drop("INSERT INTO kept VALUES (1, ?, ?)", (words, &bytes))?;
        tx.query_first::<(String, Vec<u8>), _>("SELECT words, bytes FROM kept")
    });
    let expected = (words.to_owned(), bytes);
    assert_eq!(unit.expect("a unit").as_ref(), Some(&expected));
    let again = world
        .db
        .unit("read")
        .run::<_, Error>(|tx| tx.exec_first("SELECT words, bytes FROM kept WHERE words = ?", (words,)));
    assert_eq!(again.expect("a unit"), Some(expected));
    let in_text = world.db.unit("text").run::<Option<String>, Error>(|tx| tx.query_first("SELECT 'a\0b 😀'"));
    assert_eq!(in_text.expect("a unit").as_deref(), Some("a\0b 😀"));
}

#[test]
fn s85_a_thousand_parameters() {
    let world = World::with_accounts(1..=20);
    let marks = vec!["?"; 1000].join(",");
    let sql = format!("SELECT COUNT(*) FROM account WHERE id IN ({marks})");
    let ids: Vec<Value> = (11..1011).map(Value::from).collect();
    let unit =
        world.db.unit("many").run::<Option<u64>, Error>(|tx| tx.exec_first(&sql, Params::Positional(ids.clone())));
    assert_eq!(unit.expect("a unit"), Some(10));
    world.assert_clean(&world.db);
}

const MEBIBYTE: usize = 1 << 20;

fn noise(bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(85);
    std::iter::repeat_with(|| random.u8(..)).take(bytes).collect()
}

#[test]
fn s85_a_blob_of_sixteen_mebibytes_where_the_server_takes_it() {
    let log = server::either("innodb-log-file-size", "innodb-redo-log-capacity");
    let server = server::builder().option("max_allowed_packet", "64M").option(log, "256M");
    let server = server.start().unwrap_or_else(|error| panic!("{error}"));
    let world = World::on(&server, |builder| builder);
    world.execute("CREATE TABLE large (id INT PRIMARY KEY, bytes LONGBLOB)");
    // Around the size at which a packet needs a second frame.
    for (id, bytes) in (0..).zip([16 * MEBIBYTE - 20, 16 * MEBIBYTE, 17 * MEBIBYTE]) {
        let blob = noise(bytes);
        let unit = world.db.unit("large").run::<_, Error>(|tx| {
            tx.exec_drop("INSERT INTO large VALUES (?, ?)", (id, &blob))?;
            tx.exec_first::<Vec<u8>, _, _>("SELECT bytes FROM large WHERE id = ?", (id,))
        });
        assert!(unit.expect("a unit").as_deref() == Some(&*blob), "{bytes} bytes came back as others");
        world.assert_clean(&world.db);
    }
}

#[test]
fn s85_a_blob_that_the_server_does_not_take_is_not_sent() {
    let world = World::with_accounts(1..=1);
    world.execute("CREATE TABLE large (id INT PRIMARY KEY, bytes LONGBLOB)");
    let (db, proxy) = world.proxied();
    let limit: usize = world.count("SELECT @@max_allowed_packet").try_into().expect("a size");
    let blob = noise(limit);
    proxy.record();
    let errors = [
        said(&db, |tx| tx.exec_drop("INSERT INTO large VALUES (1, ?)", (&blob,))),
        said(&db, |tx| tx.query_drop(format!("INSERT INTO large VALUES (1, '{}')", "x".repeat(limit)))),
        said(&db, |tx| tx.exec_batch("INSERT INTO large VALUES (1, ?)", [(&blob,)])),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::TooLarge, 1));
        assert!(error.to_string().contains(&limit.to_string()), "{}", error.to_string().len());
    }
    assert!(proxy.take().iter().all(|command| !command.text.starts_with("INSERT")));
    assert_eq!(proxy.connections(), 1);
    world.assert_clean(&db);
}

#[test]
fn s85_an_answer_that_no_server_gives_is_a_lost_connection_and_not_a_panic() {
    let world = World::with_accounts(1..=2);
    let relay = Relay::start("127.0.0.1", world.port());
    let db = Database::connect(&format!("mysql://root@127.0.0.1:{}/{}", relay.port(), world.name()));
    let db = db.expect("the server answers");
    relay.answer("sesame", b"");
    let unit = db.unit("strange").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let strange = if tx.attempt() == 1 { "SELECT 'sesame'" } else { "SELECT 1" };
        tx.query_drop(strange)?;
        Ok(tx.attempt())
    });
    assert_eq!(unit.expect("the second attempt"), 2);
    assert_eq!(world.balances(), [90, 100]);
    let strange = db.session(|session| session.query_drop("SELECT 'sesame'")).expect_err("an empty answer");
    assert_eq!(strange.kind(), ErrorKind::ConnectionLost, "{strange}");
    assert!(strange.to_string().contains("the driver panicked"), "{strange}");
    world.assert_clean(&db);
}
