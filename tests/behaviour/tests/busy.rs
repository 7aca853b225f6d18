//! A session that is lent out: to a guard or a row stream that is alive while somebody else wants it, or was leaked.

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Error, ErrorKind, Outcome};

use crate::world::{TAKE_TEN, World};

#[test]
fn s48_a_guard_that_is_alive_makes_an_inner_unit_busy_and_both_go_on() {
    let world = World::with_accounts(1..=1);
    let inner = |db: &Database| db.unit("inner").run::<_, Error>(|tx| tx.query_drop(TAKE_TEN));
    let outer = world.db.unit("outer").run::<_, Error>(|tx| {
        let mut guard = tx.connection()?;
        let refused = inner(&world.db).expect_err("the session is lent out");
        assert_eq!(refused.kind(), ErrorKind::Busy, "{refused}");
        guard.query_drop(TAKE_TEN).expect("the guard is as before");
        drop(guard);
        inner(&world.db)
    });
    outer.expect("both are usable");
    assert_eq!(world.balances(), [80]);
    world.assert_clean(&world.db);
}

#[test]
fn s48_a_row_stream_that_is_alive_makes_an_inner_unit_busy() {
    let world = World::with_accounts(1..=3);
    let kinds = world.db.unit("outer").run::<_, Error>(|tx| {
        let mut kinds = Vec::new();
        tx.query_each("SELECT id FROM account ORDER BY id", |id: u64| {
            let inner = world.db.unit("inner").run::<_, Error>(|tx| tx.query_drop(TAKE_TEN));
            kinds.push((id, inner.expect_err("the rows are still being read").kind()));
        })?;
        tx.query_drop(TAKE_TEN)?;
        Ok(kinds)
    });
    assert_eq!(kinds.expect("the outer goes on"), [1, 2, 3].map(|id| (id, ErrorKind::Busy)));
    assert_eq!(world.balances(), [90, 100, 100]);
}

#[test]
fn s48_a_leaked_guard_counts_as_a_broken_session() {
    let world = World::with_accounts(1..=1);
    let before: u64 = connection(&world.db);
    let leaked = world.db.unit("leaky").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        std::mem::forget(tx.connection()?);
        Ok(())
    });
    let error = leaked.expect_err("what the guard did is not known");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Busy, Some(Outcome::RolledBack)));
    world.assert_clean(&world.db);
    assert_eq!(world.balances(), [100]);
    assert_ne!(connection(&world.db), before);
}

fn connection(db: &Database) -> u64 {
    let asked = db.unit("who").run::<_, Error>(|tx| tx.query_first("SELECT CONNECTION_ID()"));
    asked.expect("the server answers").expect("a row")
}
