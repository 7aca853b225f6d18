//! Units that join: no statement of their own, one session, one outcome that nobody inside can turn into something else.

use std::cell::Cell;

use unit_of_work::testing::{Reply, Script};
use unit_of_work::{Database, Error, ErrorKind, Outcome, Retry};

use crate::world::{Trouble, World};

const TAKE_TEN: &str = "UPDATE account SET balance = balance - 10 WHERE id = 1";
const COMMIT: &str = "COMMIT AND NO CHAIN NO RELEASE";
const ROLLBACK: &str = "ROLLBACK AND NO CHAIN NO RELEASE";

fn scripted() -> (Database, Script) {
    let server = Script::new();
    (Database::builder().script(&server).connect().expect("a scripted server"), server)
}

#[test]
fn s08_a_joined_unit_marks_the_whole_and_is_named_with_its_place() {
    let world = World::with_accounts(1..=1);
    let line = Cell::new(0);
    let marked = world.db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        line.set(line!() + 1);
        world.db.unit("inner").run::<_, Error>(|tx| {
            tx.set_rollback_only();
            Ok(())
        })?;
        Ok("as if it were committed")
    });
    let error = marked.expect_err("a value would lie");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::RollbackOnly, Some(Outcome::RolledBack)));
    assert_eq!(error.unit(), Some("outer"));
    let by = format!("`inner` ({}:{})", file!(), line.get());
    assert!(error.to_string().contains(&by), "{by} is not in: {error}");
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&world.db);
}

#[test]
fn s21_three_joined_units_of_five_attempts_each_run_five_times() {
    let (db, server) = scripted();
    for _ in 0..130 {
        server.answer("UPDATE", Reply::error(1213, "40001", "Deadlock found"));
    }
    let five = Retry::DEFAULT.max_attempts(5).base(std::time::Duration::ZERO);
    let runs = Cell::new([0; 3]);
    let count = |level: usize| {
        let mut all = runs.get();
        all[level] += 1;
        runs.set(all);
    };
    let result = db.unit("first").retry(five).run::<(), Error>(|_| {
        count(0);
        db.unit("second").retry(five).run::<(), Error>(|_| {
            count(1);
            db.unit("third").retry(five).run::<(), Error>(|tx| {
                count(2);
                tx.query_drop("UPDATE account SET balance = 0")
            })
        })
    });
    let error = result.expect_err("it never succeeds");
    assert_eq!((error.kind(), error.attempts(), error.unit()), (ErrorKind::RetriesExhausted, 5, Some("first")));
    assert_eq!(runs.get(), [5, 5, 5]);
}

#[test]
fn s35_a_joined_unit_sends_no_statement_of_its_own_and_uses_the_same_session() {
    let (db, server) = scripted();
    let joined = db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop("UPDATE account SET balance = 1")?;
        db.unit("inner").run::<_, Error>(|tx| tx.query_drop("UPDATE account SET balance = 2"))?;
        db.unit("silent").run::<_, Error>(|_| Ok(()))?;
        tx.query_drop("UPDATE account SET balance = 3")
    });
    joined.expect("the whole is committed");
    let sent = server.take_log();
    let update = |n: u32| format!("UPDATE account SET balance = {n}");
    assert_eq!(sent, [update(1), update(2), update(3), COMMIT.into()]);
    assert_eq!(server.connections(), 1);
}

#[test]
fn s35_what_a_joined_unit_wrote_stays_or_goes_with_the_outer() {
    let world = World::with_accounts(1..=2);
    let (db, proxy) = world.proxied();
    let both = |fail: bool| {
        db.unit("outer").run(|tx| {
            let who: Option<u64> = tx.query_first("SELECT CONNECTION_ID()")?;
            db.unit("inner").run::<_, Trouble>(|tx| {
                assert_eq!(tx.query_first("SELECT CONNECTION_ID()")?, who);
                Ok(tx.query_drop(TAKE_TEN)?)
            })?;
            assert_eq!(world.balance(1), Some(100), "the inner's end is no commit");
            if fail { Err(Trouble::Refused("by the outer")) } else { Ok(()) }
        })
    };
    both(true).expect_err("the outer fails");
    assert_eq!(world.balances(), [100, 100]);
    proxy.record();
    both(false).expect("the outer succeeds");
    assert_eq!(world.balances(), [90, 100]);
    assert_eq!(proxy.take().len(), 4, "three statements and COMMIT");
}

#[test]
fn s42_a_swallowed_failure_of_a_joined_unit_dooms_the_whole_and_is_told() {
    let world = World::with_accounts(1..=1);
    let (line, hooks) = (Cell::new(0), std::rc::Rc::new(Cell::new(0)));
    let doomed = world.db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        let hooks = hooks.clone();
        tx.after_commit(move || hooks.set(hooks.get() + 1));
        line.set(line!() + 1);
        let inner = world.db.unit("inner").run(|tx| {
            tx.query_drop(TAKE_TEN)?;
            Err::<(), _>(Trouble::Refused("insufficient funds"))
        });
        assert!(matches!(inner, Err(Trouble::Refused("insufficient funds"))), "{inner:?}");
        Ok("as if it were committed")
    });
    let error = doomed.expect_err("half of the unit failed");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Doomed, Some(Outcome::RolledBack)));
    assert_eq!(error.unit(), Some("outer"));
    let by = format!("`inner` ({}:{})", file!(), line.get());
    for part in [by.as_str(), "insufficient funds"] {
        assert!(error.to_string().contains(part), "{part} is not in: {error}");
    }
    assert_eq!((world.balances(), hooks.get()), (vec![100], 0));
    world.assert_clean(&world.db);
}

#[test]
fn s42_a_failure_that_the_outer_passes_on_is_the_outers_own() {
    let (db, server) = scripted();
    let result = db.unit("outer").run(|tx| {
        tx.query_drop("UPDATE account SET balance = 1")?;
        db.unit("inner").run(|_| Err::<(), _>(Trouble::Refused("insufficient funds")))
    });
    assert!(matches!(result, Err(Trouble::Refused("insufficient funds"))), "{result:?}");
    assert_eq!(server.take_log(), ["UPDATE account SET balance = 1", ROLLBACK]);
}

#[test]
fn s42_a_swallowed_panic_of_a_joined_unit_dooms_the_whole() {
    let (db, server) = scripted();
    let doomed = db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop("UPDATE account SET balance = 1")?;
        let inner = || db.unit("inner").run::<(), Error>(|_| std::panic::panic_any("out of paper"));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(inner));
        panicked.expect_err("the panic goes through the inner unit");
        Ok(())
    });
    let error = doomed.expect_err("half of the unit failed");
    assert_eq!(error.kind(), ErrorKind::Doomed);
    assert!(error.to_string().contains("out of paper"), "{error}");
    assert_eq!(server.take_log(), ["UPDATE account SET balance = 1", ROLLBACK]);
}
