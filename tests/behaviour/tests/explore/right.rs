//! Units in which nothing is to be found: whatever fails, all of them happens once, or nothing, and the caller is told which.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::testing::{Reply, Run, Script, WAYS, Way, explore};
use unit_of_work::{Database, Error, Tx, unit_of_work};

use super::{assert_nothing_open, bank, exploring};
use crate::world::{GIVE_TEN, TAKE_TEN, Trouble};

type Mails = Rc<RefCell<Vec<&'static str>>>;

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>, mails: &Mails) -> Result<i64, Trouble> {
    let balance: i64 = tx.exec_first("SELECT balance FROM account WHERE id = ?", (1,))?.unwrap_or_default();
    if balance < 10 {
        return Err(Trouble::Refused("insufficient"));
    }
    tx.query_drop(TAKE_TEN)?;
    tx.query_drop(GIVE_TEN)?;
    let mails = Rc::clone(mails);
    tx.after_commit(move || mails.borrow_mut().push("moved"));
    Ok(balance)
}

#[test]
fn s88_a_right_unit_passes() {
    let world = bank();
    let mails = Mails::default();
    let exploration = exploring(&world)
        .set_up(|db| {
            mails.borrow_mut().clear();
            super::renew(db)
        })
        .effects(|| mails.borrow().clone())
        .run(|_| transfer(&mails))
        .expect("it can be explored");
    exploration.assert_sound();
    let statements: Vec<_> = exploration.runs().iter().step_by(WAYS.len()).map(Run::statement).collect();
    let expected = ["SELECT balance FROM account WHERE id = ?", TAKE_TEN, GIVE_TEN, "COMMIT AND NO CHAIN NO RELEASE"];
    assert_eq!(statements, expected);
    let attempts: Vec<_> = exploration.runs().iter().skip(WAYS.len()).map(Run::attempts).collect();
    // A killed statement and a COMMIT without an answer are not run again.
    assert_eq!(attempts, [2, 2, 1, 2, 2, 2, 2, 1, 2, 2, 2, 2, 1, 1, 1], "{exploration}");
    assert_nothing_open(&world);
}

#[test]
fn s88_a_unit_that_refuses_is_compared_like_any_other() {
    let world = bank();
    let exploration = exploring(&world)
        .set_up(|db| db.session(|session| session.query_drop("UPDATE account SET balance = 9")))
        .run(|_| transfer(&Mails::default()))
        .expect("it can be explored");
    exploration.assert_sound();
    // What fails it is not what it refuses with: a ROLLBACK that is lost is not told.
    assert_eq!(exploration.runs().len(), 2 * WAYS.len());
}

#[test]
fn s88_so_does_one_that_fails_twice_in_a_row_and_one_with_a_rival() {
    let world = bank();
    let mails = Mails::default();
    let exploration = exploring(&world).in_a_row(2).run(|_| transfer(&mails)).expect("it can be explored");
    exploration.assert_sound();
    let attempts: Vec<_> = exploration.runs().iter().map(Run::attempts).skip(WAYS.len()).take(WAYS.len()).collect();
    assert_eq!(attempts, [3, 2, 1, 3, 3], "a lock wait is run again once: {exploration}");
    let rival = |db: &Database| db.session(|session| session.query_drop("UPDATE account SET balance = 3 WHERE id = 1"));
    exploring(&world).rival(rival).run(|_| transfer(&mails)).expect("it can be explored").assert_sound();
}

#[test]
fn s88_so_do_savepoints_and_whoever_goes_on_after_one_that_failed() {
    let world = bank();
    let unit = |db: &Database| {
        db.unit("with a savepoint").run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            tx.savepoint::<_, Error>(|tx| tx.query_drop(GIVE_TEN))?;
            let refused = tx.savepoint::<(), Trouble>(|tx| {
                tx.query_drop("INSERT INTO journal (amount) VALUES (7)")?;
                Err(Trouble::Refused("as always"))
            });
            match refused {
                Err(Trouble::Work(error)) => Err(error),
                Ok(()) | Err(Trouble::Refused(_)) => tx.query_drop("INSERT INTO journal (amount) VALUES (10)"),
            }
        })
    };
    exploring(&world).run(unit).expect("it can be explored").assert_sound();
    assert_nothing_open(&world);
}

#[test]
fn s88_so_does_one_that_is_exactly_once_and_none_of_its_commits_is_unknown() {
    let world = bank();
    world.db.create_outcome_table().expect("the table is made");
    let runs = Cell::new(0);
    let unit = |db: &Database| {
        runs.set(0);
        db.unit("once").exactly_once().run::<_, Error>(|tx| {
            runs.set(runs.get() + 1);
            tx.query_drop(TAKE_TEN).and_then(|()| tx.query_drop(GIVE_TEN))
        })
    };
    let ways = [Way::LostBefore, Way::ReplyLost];
    let exploration = exploring(&world).ways(ways).run(unit).expect("it can be explored");
    exploration.assert_sound();
    let commit: Vec<_> = exploration.runs().iter().skip(4).map(|run| (run.way(), run.attempts())).collect();
    assert_eq!(commit, [(Way::LostBefore, 2), (Way::ReplyLost, 1)], "{exploration}");
    assert!(!exploration.to_string().contains("unknown"), "{exploration}");
}

#[test]
fn s88_an_inner_unit_that_may_happen_twice_is_no_finding_where_its_rows_are_not_looked_at() {
    let world = bank();
    let unit = |db: &Database| {
        db.unit("outer").run::<_, Error>(|tx| {
            db.unit("audit")
                .propagation(unit_of_work::Propagation::RequiresNew)
                .repeatable()
                .run::<_, Error>(|tx| tx.query_drop("INSERT INTO journal (amount) VALUES (10)"))?;
            tx.query_drop(TAKE_TEN)
        })
    };
    let balances = |db: &Database| db.session(|session| session.query::<i64, _>("SELECT balance FROM account"));
    exploring(&world).observe(balances).run(unit).expect("it can be explored").assert_sound();
    assert!(!exploring(&world).run(unit).expect("it can be explored").is_sound(), "its rows are there twice");
}

/// Its rows come by the driver's own connection, in front of which failures can be planned too.
#[test]
fn s88_so_does_one_that_lends_its_connection() {
    let world = bank();
    let unit = |db: &Database| {
        db.unit("streams").run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            let mut connection = tx.connection()?;
            let balances: Vec<i64> = connection.query("SELECT balance FROM account ORDER BY id")?;
            connection.finish()?;
            tx.query_drop(GIVE_TEN).map(|()| balances)
        })
    };
    let exploration = exploring(&world).run(unit).expect("it can be explored");
    exploration.assert_sound();
    assert!(exploration.runs().iter().any(|run| run.statement().starts_with("SELECT balance") && run.attempts() == 2));
    assert_nothing_open(&world);
}

/// Without rows to look at, and in milliseconds.
#[test]
fn s88_on_a_scripted_server_too() {
    let server = Script::new();
    server.always("SELECT balance", Reply::value("balance", 100));
    let mails = Mails::default();
    explore(Database::builder().script(&server))
        .set_up(|_| {
            mails.borrow_mut().clear();
            Ok(())
        })
        .effects(|| mails.borrow().clone())
        .run(|_| transfer(&mails))
        .expect("it can be explored")
        .assert_sound();
}
