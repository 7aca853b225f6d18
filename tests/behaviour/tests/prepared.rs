//! Prepared statements and their limits: a cache that is smaller than the program's statements, and a server that has no room for
//! another one. Both work, slower.

use std::cell::Cell;
use std::time::Duration;

use ephemeral_mysql::Server;
use proxy::Kind;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::mysql::{Conn, Statement, Value, params};
use unit_of_work::{Error, ErrorKind, Outcome, Retry, Tx};

use crate::server;
use crate::world::World;

/// The room that a server has for prepared statements.
const ROOM: usize = 4;

fn server(room: usize) -> Server {
    let server = server::builder().option("max_prepared_stmt_count", room.to_string());
    server.start().unwrap_or_else(|error| panic!("{error}"))
}

/// Statements that the server keeps, of all clients.
fn kept(world: &World) -> u64 {
    let status: Option<(String, u64)> =
        world.conn().query_first("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'").expect("a status");
    status.expect("every server has it").1
}

/// Twenty different statements, each of them twice.
fn twenty(tx: &mut Tx<'_>) -> Result<(), Error> {
    for number in (0..20).chain(0..20) {
        let doubled: Option<u64> = tx.exec_first(format!("SELECT 2 * ? /* {number} */"), (number,))?;
        assert_eq!(doubled, Some(2 * number));
    }
    Ok(())
}

#[test]
fn s100_a_cache_smaller_than_the_statements_works_slower_and_leaks_nothing() {
    let server = server(100);
    let world = World::on(&server, |builder| builder);
    let trips = [20, 5, 0].map(|cache| {
        let proxy = proxy::Proxy::start(("127.0.0.1", world.port())).expect("a loopback port is free");
        let url = proxy.url(world.name());
        let db = unit_of_work::Database::builder().url(url).statement_cache(cache).connect().expect("a server");
        db.unit("warm").run(twenty).expect("a unit");
        let before = proxy.round_trips();
        db.unit("twenty").run(twenty).expect("a unit");
        assert!(kept(&world) <= cache.max(1) as u64, "{} with a cache of {cache}", kept(&world));
        let trips = proxy.round_trips() - before;
        drop(db);
        crate::world::until("the server has forgotten them", || kept(&world) == 0);
        trips
    });
    assert_eq!(trips, [41, 81, 81], "each statement, and COMMIT; then each prepared once more");
}

/// Guard and unit have one connection, and what it has prepared is the same for both.
#[test]
fn s100_what_a_guard_prepares_the_unit_finds_and_what_it_closes_is_prepared_anew() {
    const TWICE: &str = "SELECT 2 * ?";
    let server = server(100);
    let world = World::on(&server, |builder| builder);
    let (db, proxy) = world.proxied();
    let unit = db.unit("guards").run::<_, Error>(|tx| {
        let mut guard = tx.connection()?;
        for number in 1..=3_u64 {
            assert_eq!(guard.exec_first(TWICE, (number,)).expect("a row"), Some(2 * number));
        }
        guard.finish()?;
        let before = proxy.round_trips();
        assert_eq!(tx.exec_first(TWICE, (4,))?, Some(8));
        assert_eq!((proxy.round_trips() - before, kept(&world)), (1, 1), "prepared once, for all of them");
        let mut guard = tx.connection()?;
        let statement = guard.prep(TWICE).expect("it is prepared");
        guard.close(statement).expect("it is this guard's");
        guard.finish()?;
        let before = proxy.round_trips();
        assert_eq!(tx.exec_first(TWICE, (5,))?, Some(10));
        assert_eq!((proxy.round_trips() - before, kept(&world)), (2, 1), "prepared once more");
        Ok(())
    });
    unit.expect("a unit");
}

/// A client that prepares statements until the server has no room left.
fn fill(world: &World) -> (Conn, Vec<Statement>) {
    let mut other = world.conn();
    let mut prepared = Vec::new();
    loop {
        match other.prep(format!("SELECT {}", prepared.len())) {
            Ok(statement) => prepared.push(statement),
            Err(unit_of_work::mysql::Error::MySqlError(full)) if full.code == 1461 => break (other, prepared),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Values of every kind go in and come out; by a prepared statement or not.
fn values(tx: &mut Tx<'_>) -> Result<Vec<Vec<Value>>, Error> {
    const INSERT: &str =
        "INSERT INTO kinds (id, text, bytes, number, fraction, moment, span) VALUES (?, ?, ?, ?, ?, ?, ?)";
    let text = "it's \\ a \"question\"? 😀 -- /* :no */";
    let moment = Value::Date(2026, 2, 3, 4, 5, 6, 700_000);
    let span = Value::Time(true, 2, 3, 4, 5, 600_000);
    tx.exec_drop(INSERT, (1, text, vec![0_u8, 159, 255, 39], i64::MIN, 0.1_f64, &moment, &span))?;
    assert_eq!(tx.affected_rows(), 1);
    tx.exec_drop(INSERT, (2, "", Vec::<u8>::new(), -1, 1e300_f64, None::<u8>, None::<u8>))?;
    let named = "INSERT INTO kinds (id, text, number) VALUES (:id, :text, :number) /* :id */";
    tx.exec_drop(named, params! { "id" => 3, "text" => "named ':id'", "number" => u32::MAX })?;
    let batch = "INSERT INTO kinds (id, text) VALUES (?, ?)";
    tx.exec_batch(batch, (4..7).map(|id| (id, format!("row {id}"))))?;
    let found: Option<u64> = tx.exec_first("SELECT id FROM kinds WHERE text = ? LIMIT ?", (text, 1))?;
    assert_eq!(found, Some(1));
    // What a value is where another type is expected: bytes are no number, and a moment has no more digits than it needs.
    let (day, noon) = (Value::Date(2026, 2, 3, 0, 0, 0, 0), Value::Time(false, 0, 12, 0, 0, 0));
    let seen: Option<(f64, bool, String)> =
        tx.exec_first("SELECT 0 + ?, 159 = ?, CONCAT(?, ' ', ?)", (vec![159_u8], vec![159_u8], day, noon))?;
    assert_eq!(seen, Some((0.0, false, "2026-02-03 00:00:00 12:00:00".to_owned())));
    let sum: Option<i64> = tx.exec_first("SELECT 5-? FROM kinds WHERE id = ?", (-3, 1))?;
    assert_eq!(sum, Some(8));
    let all = "SELECT id, text, HEX(text), HEX(bytes), number, fraction, CAST(moment AS CHAR), CAST(span AS CHAR) FROM kinds ORDER BY id";
    tx.query_map(all, |row: unit_of_work::mysql::Row| row.unwrap())
}

fn make_kinds(world: &World) {
    world.execute(
        "CREATE TABLE kinds (id INT PRIMARY KEY, text VARCHAR(100), bytes VARBINARY(100), number BIGINT, fraction DOUBLE, \
         moment DATETIME(6), span TIME(6)) ENGINE=InnoDB CHARACTER SET utf8mb4",
    );
}

#[test]
fn s100_where_the_server_has_no_room_for_another_statement_it_is_sent_as_a_text() {
    let server = server(ROOM);
    for mode in ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"] {
        server.conn().expect("a server").query_drop(format!("SET GLOBAL sql_mode = '{mode}'")).expect("root may");
        let world = World::on(&server, |builder| builder);
        make_kinds(&world);
        let (db, proxy) = world.proxied();
        let filled = fill(&world);
        proxy.record();
        let as_texts = db.unit("values").run::<_, Error>(|tx| Ok((tx.attempt(), values(tx)?)));
        let (attempt, as_texts) = as_texts.expect("it works");
        assert_eq!(attempt, 1);
        assert!(!proxy.take().iter().any(|command| command.kind == Kind::Execute), "nothing could be prepared");
        drop(filled);
        crate::world::until("there is room", || kept(&world) == 0);
        world.execute("DELETE FROM kinds");
        proxy.record();
        let prepared = db.unit("values").run(values).expect("it works");
        assert!(proxy.take().iter().any(|command| command.kind == Kind::Execute), "there is room again");
        assert_eq!(as_texts, prepared, "sql_mode '{mode}'");
        assert_eq!(as_texts.len(), 6);
        drop(db);
        crate::world::until("the server has forgotten them", || kept(&world) == 0);
    }
}

#[test]
fn s100_what_cannot_be_written_as_a_text_waits_for_room() {
    let server = server(ROOM);
    let world = World::on(&server, |builder| builder);
    let filled = Cell::new(Some(fill(&world)));
    let unit = world.db.unit("asks").run::<_, Error>(|tx| {
        let not_a_number = tx.exec_first::<Option<f64>, _, _>("SELECT ?", (f64::NAN,));
        if let Err(error) = &not_a_number {
            assert_eq!((error.kind(), error.code()), (ErrorKind::Unavailable, Some(1461)), "{error}");
            assert!(error.to_string().contains("statement_cache"), "{error}");
            drop(filled.take());
        }
        not_a_number.map(|_| tx.attempt())
    });
    assert!(unit.expect("there is room") > 1);
    let _filled = fill(&world);
    let two = Retry::DEFAULT.max_attempts(2).base(Duration::ZERO);
    let unit = world
        .connect(|builder| builder)
        .unit("asks")
        .retry(two)
        .run::<(), Error>(|tx| tx.exec_drop("DO ?", (f64::NAN,)));
    let error = unit.expect_err("there is no room");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::RetriesExhausted, Some(Outcome::RolledBack)), "{error}");
}
