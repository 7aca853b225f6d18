//! Values that live as long as an attempt or a savepoint.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use unit_of_work::testing::Reply;
use unit_of_work::{Error, Retry, Tx, with_current};

use super::scripted;
use crate::world::{FAIL, TAKE_TEN, World};

#[derive(Debug, Default)]
struct Audit(RefCell<Vec<String>>);

/// A library's function: it gathers lines in a value of the unit's and writes them before COMMIT.
fn audit(tx: &mut Tx<'_>, line: &str) {
    let audit = tx.local::<Audit>();
    if audit.0.borrow().is_empty() {
        let lines = Rc::clone(&audit);
        tx.before_commit(move |tx| {
            tx.exec_batch("INSERT INTO audit (line) VALUES (?)", lines.0.take().into_iter().map(|line| (line,)))
        });
    }
    audit.0.borrow_mut().push(line.to_owned());
}

fn lines(tx: &mut Tx<'_>) -> Vec<String> {
    tx.local::<Audit>().0.borrow().clone()
}

#[test]
fn s59_one_value_per_unit_and_type_shared_by_joined_units_and_usable_in_hooks() {
    let world = World::with_accounts(1..=1);
    world.execute("CREATE TABLE audit (number INT AUTO_INCREMENT PRIMARY KEY, line TEXT NOT NULL) ENGINE=InnoDB");
    let unit = world.db.unit("outer").run::<_, Error>(|tx| {
        audit(tx, "outer");
        tx.local::<Cell<u8>>().set(7);
        world.db.unit("inner").run::<_, Error>(|tx| {
            assert_eq!(tx.local::<Cell<u8>>().get(), 7);
            audit(tx, "inner");
            Ok(())
        })?;
        tx.before_commit(|tx| assert_eq!(tx.local::<Cell<u8>>().get(), 7));
        assert_eq!(lines(tx), ["outer", "inner"]);
        tx.query_drop(TAKE_TEN)
    });
    unit.expect("it is committed");
    assert_eq!(world.count("SELECT COUNT(*) FROM audit"), 2);
    let next = world.db.unit("next").run::<_, Error>(|tx| Ok(lines(tx)));
    assert!(next.expect("another unit").is_empty(), "it is gone with its unit");
}

#[test]
fn s59_it_is_gone_with_the_attempt() {
    let (db, server) = scripted();
    server.answer("UPDATE", Reply::error(1213, "40001", "Deadlock found"));
    let seen = RefCell::new(Vec::new());
    let unit = db.unit("take").retry(Retry::DEFAULT.base(Duration::ZERO)).run::<_, Error>(|tx| {
        let count = tx.local::<Cell<u8>>();
        count.set(count.get() + 1);
        seen.borrow_mut().push(count.get());
        tx.query_drop(TAKE_TEN)
    });
    unit.expect("the second attempt is committed");
    assert_eq!(seen.take(), [1, 1]);
}

#[test]
fn s59_of_a_savepoint_it_is_gone_if_that_is_rolled_back_and_stays_if_it_is_released() {
    let world = World::new();
    let unit = world.db.unit("outer").run::<_, Error>(|tx| {
        let undone = tx.savepoint(|tx| {
            tx.local::<Audit>().0.borrow_mut().push("undone".into());
            FAIL
        });
        undone.expect_err("its own error");
        let released = tx.savepoint::<_, Error>(|tx| {
            assert!(lines(tx).is_empty(), "the savepoint before is gone");
            tx.local::<Audit>().0.borrow_mut().push("released".into());
            Ok(())
        });
        released.expect("it is kept");
        assert_eq!(lines(tx), ["released"]);
        Ok(())
    });
    unit.expect("it is committed");
}

/// So that what a savepoint gathered is not flushed when it is rolled back, and is when it is not.
#[test]
fn s59_what_a_savepoint_gathers_shares_its_fate() {
    let world = World::new();
    world.execute("CREATE TABLE audit (number INT AUTO_INCREMENT PRIMARY KEY, line TEXT NOT NULL) ENGINE=InnoDB");
    let unit = world.db.unit("outer").run::<_, Error>(|tx| {
        audit(tx, "outer");
        let undone = tx.savepoint(|tx| {
            audit(tx, "undone");
            FAIL
        });
        undone.expect_err("its own error");
        tx.savepoint::<_, Error>(|tx| {
            audit(tx, "released");
            Ok(())
        })
    });
    unit.expect("it is committed");
    assert_eq!(world.count("SELECT COUNT(*) FROM audit WHERE line IN ('outer', 'released')"), 2);
    assert_eq!(world.count("SELECT COUNT(*) FROM audit"), 2);
}

/// Who makes a value of a type while one is being made gets one all the same, and there is one in the end.
#[test]
fn s59_a_default_that_looks_for_the_unit_itself() {
    #[derive(Debug, Default)]
    struct Number(Cell<u8>);
    #[derive(Debug)]
    struct Reader(u8);
    impl Default for Reader {
        fn default() -> Self {
            Self(with_current(|tx: &mut Tx<'_>| tx.local::<Number>().0.get()).expect("a unit is active"))
        }
    }
    let (db, _server) = scripted();
    let unit = db.unit("take").run::<_, Error>(|tx| {
        tx.local::<Number>().0.set(7);
        Ok(tx.local::<Reader>().0)
    });
    assert_eq!(unit.expect("it is committed"), 7);
}
