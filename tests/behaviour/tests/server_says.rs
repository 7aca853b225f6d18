//! What the server says about a unit: its isolation and access, and what a procedure did to it. What is not sent at all is
//! `refused`, what is asked while opening is `at_open`, what is left on a session is `left_behind`, and settings of the server that must change none of it are `settings`.

mod at_open;
mod left_behind;
mod refused;
mod settings;

use std::cell::{Cell, RefCell};
use std::thread;

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Error, ErrorKind, Isolation, Outcome, Tx};

use crate::rival::Rival;
use crate::server::ISOLATION;
use crate::world::{Trouble, World};

const LEVELS: [Isolation; 4] =
    [Isolation::ReadUncommitted, Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable];

/// The isolation of a unit: what its session says, and what its transaction turns out to be.
fn isolation(world: &World) -> impl Fn(&mut Tx<'_>) -> Result<[Isolation; 2], Error> {
    |tx| {
        let said: String = tx.query_first(format!("SELECT {ISOLATION}"))?.expect("a row");
        let is_said = |level: &Isolation| level.to_string().to_uppercase().replace(' ', "-") == said;
        let said = LEVELS.into_iter().find(is_said).unwrap_or_else(|| panic!("{said} is no level"));
        Ok([said, proven(tx, world)?])
    }
}

/// Which level it is by what the unit sees of another client's write, and whether it lets that client write at all.
fn proven(tx: &mut Tx<'_>, world: &World) -> Result<Isolation, Error> {
    let mut balance =
        || Ok::<_, Error>(tx.query_first::<i64, _>("SELECT balance FROM account WHERE id = 1")?.expect("an account"));
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
    let (runs, seen) = (Cell::new(0), RefCell::new(None));
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
fn s63_a_procedure_that_commits_on_a_lent_connection_is_found_out_when_it_comes_back() {
    let world = world_with_procedures();
    let unit = world.db.unit("lends").run::<(), Error>(|tx| {
        tx.query_drop(WRITE)?;
        let mut guard = tx.connection()?;
        guard.query_drop("CALL commits()")?;
        let torn = guard.finish().expect_err("the transaction is gone");
        assert_eq!(torn.kind(), ErrorKind::ImplicitCommit, "{torn}");
        Ok(())
    });
    let error = unit.expect_err("part of it is committed");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::ImplicitCommit, Some(Outcome::Torn)), "{error}");
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
