//! What a unit, or a session outside of units, leaves on its connection: nothing that the next one could see, at no cost for
//! those that leave nothing.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use proxy::Kind;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Error, ErrorKind, Outcome, Tx};

use super::LEVELS;
use crate::server;
use crate::world::{Trouble, World};

/// What a unit could leave on its session, one at a time, with the number of the connection it ran on.
const LEFT_BEHIND: [&str; 6] = [
    "SET @q = 7",
    "SELECT balance FROM account WHERE id = 1 INTO @q",
    "SELECT @q := 7",
    "CREATE TEMPORARY TABLE scratch (id INT PRIMARY KEY)",
    "DO GET_LOCK('unit_of_work_test', 0)",
    "DO LAST_INSERT_ID(7) + (SELECT @q := 8)",
];

#[test]
fn s67_what_a_unit_leaves_is_not_visible_to_the_next() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    for sql in LEFT_BEHIND {
        for end in [Ok(()), Err(Trouble::Refused("rolled back"))] {
            let committed = end.is_ok();
            let id = Cell::new(None);
            let unit = db.unit("untidy").run::<(), Trouble>(|tx| {
                tx.query_drop(sql)?;
                id.set(tx.query_first::<u64, _>("SELECT CONNECTION_ID()")?);
                if committed { Ok(()) } else { Err(Trouble::Refused("rolled back")) }
            });
            assert_eq!(unit.is_ok(), committed, "{sql}: {unit:?}");
            let next = db.unit("next").run::<_, Error>(|tx| Ok((tx.query_first("SELECT CONNECTION_ID()")?, left(tx)?)));
            assert_eq!(next.expect("a unit"), (id.get(), Left::default()), "{sql}");
        }
    }
    assert_eq!(proxy.connections(), 1, "it was reset, not replaced");
    world.assert_clean(&db);
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    variable: Option<String>,
    lock: Option<u64>,
    table: bool,
}

fn left(tx: &mut Tx<'_>) -> Result<Left, Error> {
    let variable = tx.query_first("SELECT @q")?.expect("a row");
    let lock = tx.query_first("SELECT IS_USED_LOCK('unit_of_work_test')")?.expect("a row");
    Ok(Left { variable, lock, table: tx.query_drop("SELECT * FROM scratch").is_ok() })
}

#[test]
fn s67_a_unit_that_left_nothing_pays_no_reset() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    let tidy = || {
        db.unit("tidy").run::<_, Error>(|tx| {
            tx.query_drop("SELECT 'SET @q = 1', '@@autocommit' FROM account")?;
            tx.query_drop("INSERT INTO account VALUES (LAST_INSERT_ID(2), 0) ON DUPLICATE KEY UPDATE balance = 1")?;
            tx.exec_drop("UPDATE account SET balance = balance + ?", (1,))
        })
    };
    tidy().expect("a unit");
    proxy.record();
    for _ in 0..3 {
        tidy().expect("a unit");
    }
    let kinds: Vec<_> = proxy.take().into_iter().map(|command| command.kind).collect();
    assert_eq!(kinds, [Kind::Query, Kind::Query, Kind::Execute, Kind::Query].repeat(3));
    db.unit("untidy").run::<_, Error>(|tx| tx.query_drop("SET @q = 1")).expect("a unit");
    let resets = proxy.take().into_iter().filter(|command| command.kind == Kind::Reset).count();
    assert_eq!(resets, 1, "the control: a unit that left something pays one");
}

#[test]
fn s67_after_a_reset_database_character_set_and_characteristics_are_right() {
    let server =
        server::builder().option("character-set-server", "latin1").option("collation-server", "latin1_swedish_ci");
    let server = server.start().unwrap_or_else(|error| panic!("{error}"));
    let world = World::on(&server, |builder| builder);
    world.execute("CREATE TABLE note (id INT PRIMARY KEY, text VARCHAR(100) CHARACTER SET utf8mb4)");
    let words = "naïve 😀 \u{1F980} 漢字";
    let (db, proxy) = world.proxied();
    proxy.record();
    for (id, level) in (0..).zip(LEVELS) {
        // What it leaves makes the reset; the database is one of the things that a reset does not put back.
        let session = db.session(|session| session.query_drop("SET NAMES latin1; USE mysql; SET @q = 1"));
        session.expect("outside of a unit everything is allowed");
        let unit = db.unit("write").isolation(level).run::<_, Error>(|tx| {
            tx.query_drop("SET @q = 1")?;
            tx.exec_drop("INSERT INTO note VALUES (?, ?)", (id, words))?;
            tx.query_drop(format!("INSERT INTO note VALUES ({id} + 10, '{words}')"))
        });
        unit.expect("it is back in its database");
        world.assert_clean(&db);
    }
    assert!(proxy.take().iter().any(|command| command.kind == Kind::Reset), "there was no reset");
    let read = db.unit("read").run::<Vec<String>, Error>(|tx| tx.exec("SELECT text FROM note", ()));
    assert_eq!(read.expect("a unit"), [words; 8]);
    let mut outside = world.conn();
    let as_bytes = "SELECT COUNT(*) FROM note WHERE CAST(text AS BINARY) = ?";
    let stored: Option<u64> = outside.exec_first(as_bytes, (words.as_bytes(),)).expect("the server answers");
    assert_eq!(stored, Some(8), "garbled on the way in, and back on the way out");
}

/// No word of the text tells: only the server's tracker does.
#[test]
fn s67_what_a_trigger_leaves_is_not_visible_to_the_next() {
    let world = World::with_accounts(1..=1);
    world.execute("CREATE TRIGGER remembers AFTER UPDATE ON account FOR EACH ROW SET @q = NEW.balance");
    world.db.unit("untidy").run::<_, Error>(|tx| tx.query_drop("UPDATE account SET balance = 7")).expect("a unit");
    assert_eq!(world.db.unit("next").run::<_, Error>(left).expect("a unit"), Left::default());
}

/// There is no way back to no database but another connection.
#[test]
fn s67_a_session_without_a_database_has_none_after_it_was_used_for_another() {
    let world = World::new();
    let db = unit_of_work::Database::connect(&world.url().replace(world.name(), "")).expect("a server");
    let place = || db.unit("where").run::<_, Error>(|tx| tx.query_first::<Option<String>, _>("SELECT DATABASE()"));
    assert_eq!(place().expect("a unit"), Some(None));
    db.session(|session| session.query_drop("USE mysql")).expect("outside of a unit everything is allowed");
    assert_eq!(place().expect("a unit"), Some(None));
}

#[test]
fn s98_a_session_has_autocommit_on_and_is_reset_after() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    proxy.record();
    let inside = db.session(|session| {
        session.query_drop("UPDATE account SET balance = 6")?;
        assert_eq!(world.balances(), [6], "seen by others at once");
        session.query_drop("SET @q = 1; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY")?;
        Ok(session.query_first::<(u8, u64), _>("SELECT @@autocommit, CONNECTION_ID()")?.expect("a row"))
    });
    let (autocommit, id) = inside.expect("a session");
    assert_eq!(autocommit, 1);
    assert_eq!(proxy.take().into_iter().filter(|command| command.kind == Kind::Reset).count(), 1);
    let next = db.unit("next").run::<_, Error>(|tx| Ok((tx.query_first("SELECT CONNECTION_ID()")?, left(tx)?)));
    assert_eq!(next.expect("a unit"), (Some(id), Left::default()));
    world.assert_clean(&db);
}

#[test]
fn s98_a_session_is_refused_inside_a_unit() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    let unit = db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop("UPDATE account SET balance = 6")?;
        let before = proxy.round_trips();
        let refused =
            db.session(|_| -> Result<(), Error> { panic!("the work must not run") }).expect_err("inside a unit");
        assert_eq!(refused.kind(), ErrorKind::Propagation, "{refused}");
        assert!(refused.to_string().contains("`outer`"), "{refused}");
        assert_eq!(proxy.round_trips(), before);
        Ok(())
    });
    unit.expect("the unit is none the worse for it");
    assert_eq!(world.balances(), [6]);
}

#[test]
fn s98_work_that_fails_or_panics_gives_its_session_back() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied_with(|builder| builder.max_connections(1));
    let error = db.session(|session| {
        session.query_drop("BEGIN; UPDATE account SET balance = 6")?;
        session.query_drop("SELECT * FROM nowhere")
    });
    let error = error.expect_err("there is no such table");
    assert_eq!(
        (error.kind(), error.code(), error.outcome()),
        (ErrorKind::Statement, Some(1146), Some(Outcome::Untransacted))
    );
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        db.session(|session| -> Result<(), Error> {
            session.query_drop("BEGIN; UPDATE account SET balance = 7")?;
            resume_unwind(Box::new(7_u8));
        })
    }));
    assert_eq!(panicked.expect_err("the panic goes on").downcast_ref::<u8>(), Some(&7));
    world.assert_clean(&db);
    assert_eq!(world.balances(), [100], "what was begun by hand is not committed by accident");
    assert_eq!(proxy.connections(), 1);
}
