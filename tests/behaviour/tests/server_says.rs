//! What the server says about a unit: its isolation and access, what a procedure did to it, what is left on its session; and that
//! settings of the server change none of it. What the texts that are refused look like in all their disguises is tested beside
//! the lexer; here a sample meets the server.

use std::cell::Cell;
use std::thread;

use ephemeral_mysql::Server;
use proxy::Kind;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Error, ErrorKind, Isolation, Outcome, Tx};

use crate::rival::Rival;
use crate::world::{Trouble, World};

const LEVELS: [Isolation; 4] =
    [Isolation::ReadUncommitted, Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable];

/// The isolation of a unit: what its session says, and what its transaction turns out to be.
fn isolation(world: &World) -> impl Fn(&mut Tx<'_>) -> Result<[Isolation; 2], Error> {
    |tx| {
        let said: String = tx.query_first("SELECT @@tx_isolation")?.expect("a row");
        let is_said = |level: &Isolation| level.to_string().to_uppercase().replace(' ', "-") == said;
        let said = LEVELS.into_iter().find(is_said).unwrap_or_else(|| panic!("{said} is no level"));
        Ok([said, proven(tx, world)?])
    }
}

/// Which level it is by what the unit sees of another client's write, and whether it lets that client write at all.
fn proven(tx: &mut Tx<'_>, world: &World) -> Result<Isolation, Error> {
    let mut balance = || Ok::<_, Error>(tx.query_first::<i64, _>("SELECT balance FROM account WHERE id = 1")?.expect("an account"));
    let mut other = world.conn();
    let before = balance()?;
    other.query_drop("BEGIN").expect("the server answers");
    if other.query_drop("SELECT * FROM account WHERE id = 1 FOR UPDATE NOWAIT").is_err() {
        return Ok(Isolation::Serializable);
    }
    other.query_drop("UPDATE account SET balance = balance + 1 WHERE id = 1").expect("it holds the lock");
    let uncommitted = balance()?;
    other.query_drop("COMMIT").expect("the server answers");
    Ok(match (uncommitted == before, balance()? == before) {
        (false, _) => Isolation::ReadUncommitted,
        (true, false) => Isolation::ReadCommitted,
        (true, true) => Isolation::RepeatableRead,
    })
}

#[test]
fn s61_each_level_is_what_the_server_reports_and_the_default_is_serializable() {
    let world = World::with_accounts(1..=1);
    for level in LEVELS {
        let unit = world.db.unit("level").isolation(level).run(isolation(&world));
        assert_eq!(unit.expect("a unit"), [level; 2]);
        let unit = world.db.unit("default").run(isolation(&world));
        assert_eq!(unit.expect("a unit"), [Isolation::Serializable; 2], "after {level}");
    }
    world.assert_clean(&world.db);
}

#[test]
fn s61_the_builders_level_is_the_default_of_its_units() {
    let world = World::with_accounts(1..=1);
    for level in LEVELS {
        let db = world.connect(|builder| builder.isolation(level));
        for other in LEVELS {
            assert_eq!(db.unit("default").run(isolation(&world)).expect("a unit"), [level; 2]);
            let unit = db.unit("other").isolation(other).run(isolation(&world));
            assert_eq!(unit.expect("a unit"), [other; 2]);
        }
    }
}

#[test]
fn s62_a_write_in_a_read_only_unit_is_a_clear_error() {
    let world = World::with_accounts(1..=1);
    let write = |tx: &mut Tx<'_>| tx.query_drop("UPDATE account SET balance = 0");
    let error = world.db.unit("report").read_only().run::<_, Error>(write).expect_err("it may not write");
    assert_eq!((error.kind(), error.code(), error.attempts()), (ErrorKind::ReadOnly, Some(1792), 1));
    assert_eq!(error.outcome(), Some(Outcome::RolledBack));
    for part in ["`report`", "UPDATE account", "declare it without `read_only`"] {
        assert!(error.to_string().contains(part), "`{part}` is not in: {error}");
    }
    assert_eq!(world.balances(), [100]);
    world.db.unit("write").run::<_, Error>(write).expect("the next unit may write");
    assert_eq!(world.balances(), [0]);
}

/// A world with procedures of every kind.
fn world_with_procedures() -> World {
    let world = World::with_accounts(1..=30);
    for procedure in [
        "commits() COMMIT",
        "writes_and_commits() BEGIN UPDATE account SET balance = 3 WHERE id = 3; COMMIT; END",
        "commits_and_writes() BEGIN COMMIT; UPDATE account SET balance = 3 WHERE id = 3; END",
        "swallows() BEGIN DECLARE CONTINUE HANDLER FOR 1213 BEGIN END; UPDATE account SET balance = 0 WHERE id = 2; END",
        "creates() CREATE TABLE made_inside (id INT PRIMARY KEY)",
        "writes() UPDATE account SET balance = 3 WHERE id = 3",
        "uses_a_temporary_table() BEGIN CREATE TEMPORARY TABLE some (id INT PRIMARY KEY); INSERT INTO some VALUES (1); \
         UPDATE account SET balance = 4 WHERE id = 3; SELECT COUNT(*) FROM some; DROP TEMPORARY TABLE some; END",
    ] {
        world.execute(&format!("CREATE PROCEDURE {procedure}"));
    }
    world
}

/// Runs `before` and `CALL procedure()` in a unit whose body then goes on as if nothing had happened.
fn swallowing(db: &Database, before: &str, procedure: &str) -> (Error, Error) {
    let (runs, seen) = (Cell::new(0), std::cell::RefCell::new(None));
    let call = format!("CALL {procedure}()");
    let unit = db.unit("careless").run::<_, Error>(|tx| {
        runs.set(runs.get() + 1);
        tx.query_drop(before)?;
        *seen.borrow_mut() = tx.query_drop(&call).err();
        let after = tx.query_drop("UPDATE account SET balance = 5 WHERE id = 5");
        assert_eq!(after.expect_err("nothing can be added any more").kind(), ErrorKind::ImplicitCommit);
        Ok(())
    });
    assert_eq!(runs.get(), 1, "{procedure}: part of it may be in the database");
    let at_the_call = seen.take().unwrap_or_else(|| panic!("{procedure} ended the transaction, and nobody was told"));
    (at_the_call, unit.expect_err("it cannot be committed"))
}

fn assert_torn(world: &World, before: &str, procedure: &str) {
    let (at_the_call, at_the_end) = swallowing(&world.db, before, procedure);
    for error in [at_the_call, at_the_end] {
        assert_eq!(error.kind(), ErrorKind::ImplicitCommit, "{error}");
        assert_eq!((error.attempts(), error.outcome()), (1, Some(Outcome::Torn)), "{error}");
        assert!(error.to_string().contains(&format!("`CALL {procedure}()`")), "{error}");
    }
    assert_eq!(world.balance(5), Some(100), "{procedure}");
    world.assert_clean(&world.db);
}

const WRITE: &str = "UPDATE account SET balance = 1 WHERE id = 1";

#[test]
fn s63_a_procedure_that_commits_is_found_out_at_its_call() {
    let world = world_with_procedures();
    for procedure in ["commits", "writes_and_commits", "commits_and_writes", "creates"] {
        assert_torn(&world, WRITE, procedure);
    }
    assert_eq!((world.balance(1), world.balance(3)), (Some(1), Some(3)));
}

#[test]
fn s63_a_procedure_that_commits_after_a_mere_select_is_found_out_too() {
    let world = world_with_procedures();
    assert_torn(&world, "SELECT * FROM account WHERE id = 1", "commits");
    assert_torn(&world, "SELECT * FROM account WHERE id = 1", "commits_and_writes");
    assert_torn(&world, "DO 1", "commits");
}

#[test]
fn s63_a_procedure_whose_handler_swallows_a_deadlock_is_found_out() {
    let world = world_with_procedures();
    let unit = thread::scope(|scope| {
        let rival = Rival::start(scope, &world);
        let unit = world.db.unit("careless").run::<_, Error>(|tx| {
            tx.query_drop(WRITE)?;
            rival.strike();
            tx.query_drop("CALL swallows()")?;
            tx.query_drop("UPDATE account SET balance = 5 WHERE id = 5")
        });
        rival.join();
        unit
    });
    let error = unit.expect_err("what it wrote before the call is gone");
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::ImplicitCommit, 1), "{error}");
    assert!(error.to_string().contains("`CALL swallows()`"), "{error}");
    // The rival's thousand and ones, and nothing of the unit's.
    assert_eq!((world.balance(1), world.balance(5)), (Some(1100), Some(101)));
    world.assert_clean(&world.db);
}

#[test]
fn s63_a_harmless_procedure_is_no_false_alarm() {
    let world = world_with_procedures();
    let unit = world.db.unit("careful").run::<_, Error>(|tx| {
        tx.query_drop(WRITE)?;
        tx.query_drop("CALL writes()")?;
        let counted: Option<u64> = tx.query_first("CALL uses_a_temporary_table()")?;
        tx.exec_drop("CALL uses_a_temporary_table()", ())?;
        tx.query_drop("UPDATE account SET balance = 5 WHERE id = 5")?;
        Ok(counted)
    });
    assert_eq!(unit.expect("nothing in it commits"), Some(1));
    assert_eq!([1, 3, 5].map(|id| world.balance(id)), [1, 4, 5].map(Some));
    let taken_back = world.db.unit("taken back").run::<(), Trouble>(|tx| {
        tx.query_drop("CALL writes()")?;
        Err(Trouble::Refused("on second thoughts"))
    });
    assert!(matches!(taken_back, Err(Trouble::Refused(_))), "{taken_back:?}");
    assert_eq!(world.balance(3), Some(4), "what a procedure wrote is rolled back with its unit");
}

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
        for sql in ["CREATE TABLE other (id INT PRIMARY KEY)", "ALTER TABLE other ADD COLUMN x INT", "LOCK TABLES other WRITE"] {
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
    let server = Server::builder().option("character-set-server", "latin1").option("collation-server", "latin1_swedish_ci");
    let server = server.start().unwrap_or_else(|error| panic!("{error}"));
    let world = World::on(&server, |builder| builder);
    world.execute("CREATE TABLE note (id INT PRIMARY KEY, text VARCHAR(100) CHARACTER SET utf8mb4)");
    let words = "naïve 😀 \u{1F980} 漢字";
    let (db, proxy) = world.proxied();
    proxy.record();
    for id in 0..3 {
        // What it leaves makes the reset; the database is one of the things that a reset does not put back.
        let session = db.session(|session| session.query_drop("SET NAMES latin1; USE mysql; SET @q = 1"));
        session.expect("outside of a unit everything is allowed");
        let unit = db.unit("write").isolation(LEVELS[id]).run::<_, Error>(|tx| {
            tx.query_drop("SET @q = 1")?;
            tx.exec_drop("INSERT INTO note VALUES (?, ?)", (id, words))?;
            tx.query_drop(format!("INSERT INTO note VALUES ({id} + 10, '{words}')"))
        });
        unit.expect("it is back in its database");
        world.assert_clean(&db);
    }
    assert!(proxy.take().iter().any(|command| command.kind == Kind::Reset), "there was no reset");
    let read = db.unit("read").run::<Vec<String>, Error>(|tx| tx.exec("SELECT text FROM note", ()));
    assert_eq!(read.expect("a unit"), [words; 6]);
    assert_eq!(world.count(&format!("SELECT COUNT(*) FROM note WHERE HEX(text) = '{}'", hex(words))), 6);
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}

/// Runs what matters most on a server with these options, as a user without special rights: `init_connect` spares others.
fn is_not_impressed_by(options: &[(&str, &str)]) {
    let mut builder = Server::builder();
    for (name, value) in options {
        builder = builder.option(name, value);
    }
    let server = builder.start().unwrap_or_else(|error| panic!("{options:?}: {error}"));
    let world = World::on(&server, |builder| builder);
    world.make_accounts(1..=2);
    world.execute("CREATE USER plain@'127.0.0.1' IDENTIFIED BY 'plain'");
    world.execute(&format!("GRANT ALL ON `{}`.* TO plain@'127.0.0.1'", world.name()));
    world.execute("GRANT PROCESS ON *.* TO plain@'127.0.0.1'");
    let url = world.url().replace("root@", "plain:plain@");
    let db = Database::connect(&url).unwrap_or_else(|error| panic!("{options:?}: {error}"));
    for round in 1..=2 {
        commit_and_roll_back(&db);
        assert_eq!(world.balances(), [100 - 10 * round, 100 + 10 * round], "{options:?}");
        world.assert_clean(&db);
        db.session(|session| session.query_drop("SET @q = 1")).expect("a session");
    }
    let words = "back\\slash 'quote' 😀";
    let said = db.unit("words").run::<Option<String>, Error>(|tx| tx.exec_first("SELECT ?", (words,)));
    assert_eq!(said.expect("a unit").as_deref(), Some(words), "{options:?}");
}

fn commit_and_roll_back(db: &Database) {
    let transfer = |tx: &mut Tx<'_>| {
        tx.query_drop("UPDATE account SET balance = balance - 10 WHERE id = 1")?;
        tx.query_drop("UPDATE account SET balance = balance + 10 WHERE id = 2")
    };
    db.unit("transfer").run::<_, Error>(transfer).expect("a transfer");
    let taken_back = db.unit("taken back").run::<(), Trouble>(|tx| {
        transfer(tx)?;
        Err(Trouble::Refused("on second thoughts"))
    });
    assert!(matches!(taken_back, Err(Trouble::Refused(_))), "{taken_back:?}");
}

#[test]
fn s68_completion_type_and_autocommit_of_the_server_change_nothing() {
    is_not_impressed_by(&[("completion-type", "CHAIN"), ("autocommit", "1")]);
    is_not_impressed_by(&[("completion-type", "RELEASE"), ("autocommit", "0")]);
}

#[test]
fn s68_init_connect_changes_nothing() {
    let settings = "SET NAMES latin1; SET SESSION autocommit=1, completion_type=1, tx_isolation='READ-UNCOMMITTED', \
                    tx_read_only=1, session_track_state_change=0";
    is_not_impressed_by(&[("init-connect", settings)]);
}

#[test]
fn s68_no_backslash_escapes_changes_how_texts_are_read() {
    is_not_impressed_by(&[("sql-mode", "NO_BACKSLASH_ESCAPES")]);
    let server = Server::builder().option("sql-mode", "NO_BACKSLASH_ESCAPES");
    let server = server.start().unwrap_or_else(|error| panic!("{error}"));
    let world = World::on(&server, |builder| builder);
    let unit = world.db.unit("texts").run::<_, Error>(|tx| {
        // With escapes this would be one unfinished string; without them it holds a second statement.
        let refused = tx.query_drop(r"SELECT 'a\'; COMMIT; -- '").expect_err("a second statement");
        assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
        tx.query_first::<String, _>(r"SELECT 'a\'")
    });
    assert_eq!(unit.expect("a backslash is a letter").as_deref(), Some(r"a\"));
}

#[test]
fn s98_a_session_has_autocommit_on_and_is_reset_after() {
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    proxy.record();
    let inside = db.session(|session| {
        session.query_drop("UPDATE account SET balance = 6")?;
        assert_eq!(world.balances(), [6], "seen by others at once");
        session.query_drop("SET @q = 1; SET SESSION tx_isolation = 'READ-COMMITTED', tx_read_only = 1")?;
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
        let refused = db.session(|_| -> Result<(), Error> { panic!("the work must not run") }).expect_err("inside a unit");
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
    assert_eq!((error.kind(), error.code(), error.outcome()), (ErrorKind::Statement, Some(1146), Some(Outcome::Untransacted)));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        db.session(|session| -> Result<(), Error> {
            session.query_drop("BEGIN; UPDATE account SET balance = 7")?;
            std::panic::resume_unwind(Box::new(7_u8));
        })
    }));
    assert_eq!(panicked.expect_err("the panic goes on").downcast_ref::<u8>(), Some(&7));
    world.assert_clean(&db);
    assert_eq!(world.balances(), [100], "what was begun by hand is not committed by accident");
    assert_eq!(proxy.connections(), 1);
}
