//! `snapshot`: when a transaction's read view is taken, and where that cannot be said.

use std::cell::Cell;

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::testing::Script;
use unit_of_work::{Database, Error, ErrorKind, Isolation, Tx};

use crate::world::World;

const BALANCE: &str = "SELECT balance FROM account WHERE id = 1";

/// Begins, lets somebody else commit a change, and reads.
fn read_after_a_change(world: &World, tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
    // It reads no table, so it begins the transaction and takes no view by itself.
    tx.query_drop("DO 1")?;
    world.conn().query_drop("UPDATE account SET balance = 7 WHERE id = 1").expect("its lock is free");
    tx.query_first(BALANCE)
}

#[test]
fn s10_with_snapshot_the_read_view_is_that_of_the_begin() {
    let world = World::with_accounts(1..=1);
    let unit = world.db.unit("snapshot").snapshot();
    assert_eq!(unit.run(|tx| read_after_a_change(&world, tx)).expect("the server answers"), Some(100));
    assert_eq!(world.balances(), [7]);
    world.assert_clean(&world.db);
}

#[test]
fn s10_without_it_the_read_view_is_that_of_the_first_read() {
    let world = World::with_accounts(1..=1);
    let unit = world.db.unit("plain").isolation(Isolation::RepeatableRead);
    let seen = unit.run(|tx| {
        let first = read_after_a_change(&world, tx)?;
        world.conn().query_drop("UPDATE account SET balance = 8 WHERE id = 1").expect("its lock is free");
        Ok::<_, Error>((first, tx.query_first(BALANCE)?))
    });
    assert_eq!(seen.expect("the server answers"), (Some(7), Some(7)));
    assert_eq!(world.balances(), [8]);
}

#[test]
fn s10_it_is_begun_in_so_many_words_and_only_when_something_is_sent() {
    let server = Script::new();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    db.unit("nothing").snapshot().run::<_, Error>(|_| Ok(())).expect("nothing to fail");
    assert!(server.take_log().is_empty());
    for _ in 0..2 {
        db.unit("snapshot").snapshot().run::<_, Error>(|tx| tx.query_drop(BALANCE)).expect("nothing fails");
    }
    let begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT";
    let commit = "COMMIT AND NO CHAIN NO RELEASE";
    let level = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE";
    assert_eq!(server.take_log(), [level, begin, BALANCE, commit, begin, BALANCE, commit]);
}

#[test]
fn s10_at_another_level_it_is_refused() {
    let world = World::new();
    for isolation in [Isolation::ReadUncommitted, Isolation::ReadCommitted, Isolation::Serializable] {
        let ran = Cell::new(false);
        let body = |_: &mut Tx<'_>| {
            ran.set(true);
            Ok::<(), Error>(())
        };
        let before = world.db.unit("snapshot").isolation(isolation).snapshot().run(body);
        let after = world.db.unit("snapshot").snapshot().isolation(isolation).run(body);
        for refused in [before, after] {
            assert_eq!(refused.expect_err("servers ignore it there").kind(), ErrorKind::Configuration);
        }
        assert!(!ran.get());
    }
    let fits = world.db.unit("snapshot").isolation(Isolation::RepeatableRead).snapshot();
    fits.run::<_, Error>(|tx| tx.query_drop("DO 1")).expect("it fits");
}

#[test]
fn s10_it_cannot_join_a_unit_without_it() {
    let world = World::with_accounts(1..=1);
    let inner = || world.db.unit("inner").snapshot().run::<_, Error>(|tx| tx.query_first::<i64, _>(BALANCE));
    let without = world.db.unit("without").isolation(Isolation::RepeatableRead).run::<_, Error>(|_| inner());
    assert_eq!(without.expect_err("its view may be older").kind(), ErrorKind::IsolationConflict);
    let with = world.db.unit("with").snapshot().run::<_, Error>(|_| inner());
    assert_eq!(with.expect("it joins"), Some(100));
}
