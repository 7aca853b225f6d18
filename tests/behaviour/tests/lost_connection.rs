//! Connections that are lost before COMMIT is sent: cut by a proxy, killed by an administrator, given up for want of a reply.

use std::cell::{Cell, RefCell};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use proxy::{Cut, Packet, Side};
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Error, ErrorKind, Retry};

use crate::world::{GIVE_TEN, TAKE_TEN, World, until};

#[test]
fn s17_a_connection_lost_before_commit_is_sent_runs_again_on_a_new_session() {
    for (at, side) in [(1, Side::BeforeServer), (1, Side::AfterServer), (2, Side::BeforeServer), (2, Side::AfterServer)]
    {
        let world = World::with_accounts(1..=2);
        let (db, proxy) = world.proxied();
        let connections = RefCell::new(Vec::new());
        proxy.cut(Cut { at: Packet::Command(at), side });
        let unit = db.unit("transfer").run::<_, Error>(|tx| {
            let who: Option<u64> = tx.query_first("SELECT CONNECTION_ID() FROM account WHERE id = 1")?;
            connections.borrow_mut().push(who);
            tx.query_drop(TAKE_TEN)?;
            tx.query_drop(GIVE_TEN)?;
            Ok(tx.attempt())
        });
        assert_eq!(unit.expect("the second attempt is committed"), 2, "cut {at} {side:?}");
        let connections = connections.take();
        assert_ne!(connections.first(), connections.get(1), "cut {at} {side:?}");
        assert_eq!(world.balances(), [90, 110], "cut {at} {side:?}");
        world.assert_clean(&db);
    }
}

#[test]
fn s17_the_old_session_is_killed_before_the_next_attempt_would_wait_for_its_locks() {
    let world = World::with_accounts(1..=2);
    // The reply does not come: the client gives the connection up, the server knows nothing of it and keeps the locks.
    let (db, proxy) = world.proxied_with(|builder| builder.network_timeout(Duration::from_secs(2)));
    let _never_released = proxy.hold(Packet::Text(TAKE_TEN), Side::AfterServer);
    let first = Cell::new(0_u64);
    let unit = db.unit("take").run::<_, Error>(|tx| {
        if tx.attempt() == 1 {
            first.set(tx.query_first("SELECT CONNECTION_ID()")?.unwrap_or(0));
        }
        tx.query_drop(TAKE_TEN)?;
        Ok(tx.attempt())
    });
    assert_eq!(unit.expect("the second attempt is committed"), 2);
    assert_eq!(world.balances(), [90, 100]);
    let ghost = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {}", first.get());
    until("the ghost is gone", || world.count(&ghost) == 0);
    world.assert_clean(&db);
}

#[test]
fn s18_a_session_that_died_while_idle_is_replaced_unseen() {
    let world = World::with_accounts(1..=1);
    let who =
        || world.db.unit("who").run::<u64, Error>(|tx| Ok(tx.query_first("SELECT CONNECTION_ID()")?.unwrap_or(0)));
    let first = who().expect("the session is warm");
    world.conn().query_drop(format!("KILL CONNECTION {first}")).expect("root may");
    let listed = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {first}");
    until("the session is dead", || world.count(&listed) == 0);
    assert_ne!(who().expect("invisible to the caller"), first);
    world.assert_clean(&world.db);
}

/// Not to be mistaken for [`Retry::NEVER`]: this one could be retried.
#[test]
fn s20_max_attempts_counts_the_first_run_too() {
    let world = World::with_accounts(1..=1);
    for limit in 2..=4 {
        let runs = Cell::new(0);
        let kill = Retry::DEFAULT.max_attempts(limit).base(Duration::ZERO);
        let result = world.db.unit("lost").retry(kill).run::<(), Error>(|tx| {
            runs.set(runs.get() + 1);
            let who: Option<u64> = tx.query_first("SELECT CONNECTION_ID()")?;
            world.conn().query_drop(format!("KILL CONNECTION {}", who.unwrap_or(0))).expect("root may");
            tx.query_drop(TAKE_TEN)
        });
        let error = result.expect_err("each session is killed");
        assert_eq!((error.kind(), error.attempts(), runs.get()), (ErrorKind::RetriesExhausted, limit, limit));
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<Error>());
        assert_eq!(source.map(Error::kind), Some(ErrorKind::ConnectionLost));
        assert!(error.to_string().contains(&format!("{limit} attempts in ")), "{error}");
    }
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&world.db);
}

/// One lost connection makes the others doubtful: the next unit does not try its luck with a dead one.
#[test]
fn s18_of_several_connections_that_died_at_once_only_the_first_is_noticed() {
    const SESSIONS: usize = 4;
    let world = World::with_accounts(1..=1);
    let (db, proxy) = world.proxied();
    let all = Barrier::new(SESSIONS);
    let opens = || {
        db.unit("opens").run::<_, Error>(|tx| {
            tx.query_drop("DO 1")?;
            all.wait();
            Ok(())
        })
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..SESSIONS).map(|_| scope.spawn(opens)).collect();
        for thread in threads {
            thread.join().expect("no panic").expect("a session for each");
        }
    });
    let take = || db.unit("take").retry(Retry::NEVER);
    let noticed = take().run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        proxy.close_all();
        Ok(())
    });
    // Nothing is killed after a COMMIT without an answer, so that no killer finds the others dead.
    assert_eq!(noticed.expect_err("no answer to COMMIT").kind(), ErrorKind::CommitUnknown);
    let before = world.balances();
    take().run::<_, Error>(|tx| tx.query_drop(TAKE_TEN)).expect("it was asked whether it is alive");
    assert_eq!(world.balances(), [before[0] - 10]);
}
