//! Statements that have no place in a unit: a sample meets the server, that is, does not. What the texts look like in all their
//! disguises is tested beside the lexer.

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Error, ErrorKind, Tx};

use crate::world::World;

/// A sample: one of each kind, and each kind of disguise once.
const REFUSED: &[&str] = &[
    "COMMIT",
    "  rollback",
    "-- a comment\nBEGIN",
    "# another\nSTART TRANSACTION",
    "/* a third */ SAVEPOINT s",
    "RELEASE SAVEPOINT s",
    "ROLLBACK TO s",
    "XA START 'x'",
    "/*!50000 COMMIT */",
    "/*M! COMMIT */",
    "UPDATE account SET balance = 0; COMMIT",
    "SET autocommit = 1",
    "SET @a = 1, SESSION autocommit = 1",
    "SET STATEMENT max_statement_time = 1 FOR COMMIT",
    "CREATE TABLE other (id INT)",
    "drop table account",
    "ALTER TABLE account ADD COLUMN x INT",
    "TRUNCATE account",
    "LOCK TABLES account WRITE",
    "FLUSH TABLES",
    "CHECK TABLE account",
    "ANALYZE TABLE account",
    "HANDLER account OPEN",
    "USE mysql",
    "PREPARE p FROM 'COMMIT'",
    "EXECUTE IMMEDIATE 'COMMIT'",
    "KILL 1",
    "IF 1 THEN COMMIT; END IF",
    "BEGIN NOT ATOMIC COMMIT; END",
];

#[test]
fn s64_what_would_end_the_transaction_is_not_sent() {
    let world = World::with_accounts(1..=2);
    let (db, proxy) = world.proxied();
    let unit = db.unit("bold").run::<_, Error>(|tx| {
        tx.query_drop("UPDATE account SET balance = 7 WHERE id = 1")?;
        proxy.record();
        for sql in REFUSED {
            for result in [tx.query_drop(sql), tx.exec_drop(sql, ()), tx.exec_batch(sql, [()]), lent(tx, sql)] {
                let error = result.expect_err("it is on the list");
                assert_eq!(error.kind(), ErrorKind::Refused, "{sql}: {error}");
                assert!(error.to_string().contains("not sent"), "{sql}: {error}");
            }
        }
        // Lending sets and releases a savepoint of its own.
        let sent = proxy.take().into_iter().map(|command| command.text);
        let texts: Vec<_> = sent.filter(|text| !text.contains("SAVEPOINT unit_of_work_")).collect();
        assert_eq!(texts, Vec::<String>::new());
        tx.query_drop("UPDATE account SET balance = 8 WHERE id = 2")
    });
    unit.expect("a refused statement dooms nothing");
    assert_eq!(world.balances(), [7, 8]);
    world.assert_clean(&db);
}

/// By the guard that lends the driver's connection.
fn lent(tx: &mut Tx<'_>, sql: &str) -> Result<(), Error> {
    let result = tx.connection()?.query_drop(sql);
    let error = result.expect_err("it is on the list");
    let unit_of_work::mysql::Error::IoError(carrier) = &error else { panic!("{sql}: {error}") };
    let ours = carrier.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    Err(ours.unwrap_or_else(|| panic!("{sql}: {error} does not carry ours")).clone())
}

#[test]
fn s64_words_in_strings_comments_and_names_are_sent() {
    let world = World::with_accounts(1..=1);
    let unit = world.db.unit("words").run::<_, Error>(|tx| {
        let said: Option<String> = tx.query_first("SELECT 'COMMIT; ROLLBACK' /* COMMIT; */ -- COMMIT;")?;
        tx.query_drop("UPDATE account SET balance = 3 # ; COMMIT")?;
        tx.query_drop("INSERT INTO account (id, balance) SELECT id + 1, balance AS `commit` FROM account;")?;
        Ok(said)
    });
    assert_eq!(unit.expect("nothing here ends a transaction").as_deref(), Some("COMMIT; ROLLBACK"));
    assert_eq!(world.balances(), [3, 3]);
}

#[test]
fn s64_a_session_runs_what_a_unit_refuses() {
    let world = World::with_accounts(1..=1);
    let session = world.db.session(|session| {
        for sql in
            ["CREATE TABLE other (id INT PRIMARY KEY)", "ALTER TABLE other ADD COLUMN x INT", "LOCK TABLES other WRITE"]
        {
            session.query_drop(sql)?;
        }
        session.query_drop("UNLOCK TABLES")?;
        session.query_drop("SET SESSION autocommit = 0")?;
        session.query_drop("BEGIN; UPDATE account SET balance = 2; COMMIT")?;
        session.query_drop("DROP TABLE other")?;
        session.query_drop("ANALYZE TABLE account")
    });
    session.expect("outside of a unit everything is allowed");
    assert_eq!(world.balances(), [2]);
    world.assert_clean(&world.db);
}
