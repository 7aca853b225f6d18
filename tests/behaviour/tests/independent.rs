//! Units that end on their own inside an attempt, and what that means for the next attempt: none follows one in which something
//! was done that would be done twice. The fault comes back and names what was done.

use std::cell::Cell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::testing::{Reply, Script};
use unit_of_work::{Database, Error, ErrorKind, OnError, Outcome, Propagation, Retry, Tx, UnitBuilder, unit_of_work};

use crate::rival::Rival;
use crate::wires::Wire;
use crate::world::{GIVE_TEN, TAKE_TEN, Trouble, World};

/// An outer unit whose `take` is refused with 1213 at its first attempt, after `inside` has run; how often it ran, and how it
/// ended.
fn conflict_after(
    wire: &Wire,
    script: &Script,
    inside: impl Fn(&mut Tx<'_>) -> Result<(), Error>,
) -> (u32, Result<(), Error>) {
    script.answer(TAKE_TEN, Reply::error(1213, "40001", "Deadlock found"));
    let runs = Cell::new(0);
    let outer = wire.db.unit("outer").retry(Retry::DEFAULT.base(Duration::ZERO)).run::<_, Error>(|tx| {
        runs.set(tx.attempt());
        inside(tx)?;
        tx.query_drop(TAKE_TEN)
    });
    (runs.get(), outer)
}

/// The fault of the outer's own, with the name and place of who forbids another attempt.
#[track_caller]
fn assert_not_again((runs, outer): (u32, Result<(), Error>), who: &str, line: u32) {
    let error = outer.expect_err("it is not run again");
    assert_eq!((runs, error.kind(), error.code()), (1, ErrorKind::Serialization, Some(1213)), "{error}");
    assert_eq!((error.unit(), error.outcome()), (Some("outer"), Some(Outcome::RolledBack)), "{error}");
    for part in [format!("`{who}` ({}:{line})", file!()).as_str(), "not run again", "Deadlock found"] {
        assert!(error.to_string().contains(part), "{part} is not in: {error}");
    }
}

#[track_caller]
fn assert_again((runs, outer): (u32, Result<(), Error>)) {
    outer.expect("the second attempt is committed");
    assert_eq!(runs, 2);
}

fn own(db: &Database) -> UnitBuilder<'_, unit_of_work::MySql> {
    db.unit("inner").propagation(Propagation::RequiresNew)
}

fn give(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop(GIVE_TEN)
}

#[test]
fn s107_an_attempt_in_which_another_unit_committed_is_not_run_again() {
    let (wire, script) = Wire::scripted();
    let line = line!() + 1;
    let inside = |_: &mut Tx<'_>| wire.db.unit("inner").propagation(Propagation::RequiresNew).run(give);
    assert_not_again(conflict_after(&wire, &script, inside), "inner", line);
    assert_eq!(wire.sent(), "1 give; 1 COMMIT; 2 take; 2 ROLLBACK");
}

#[test]
fn s107_nor_is_one_in_which_a_unit_ran_without_a_transaction() {
    let (wire, script) = Wire::scripted();
    let line = line!() + 1;
    let inside = |_: &mut Tx<'_>| wire.db.unit("inner").propagation(Propagation::NotSupported).run(give);
    let ended = conflict_after(&wire, &script, inside);
    assert!(ended.1.as_ref().is_err_and(|error| error.to_string().contains("without a transaction")), "{ended:?}");
    assert_not_again(ended, "inner", line);
    // It stands whether it failed or not.
    let line = line!() + 2;
    let failing = |_: &mut Tx<'_>| {
        let unit = wire.db.unit("inner").propagation(Propagation::NotSupported);
        unit.run(|tx| give(tx).map_err(Trouble::from).and(crate::world::FAIL)).or(Ok(()))
    };
    assert_not_again(conflict_after(&wire, &script, failing), "inner", line);
}

#[test]
fn s107_nor_is_one_in_which_a_unit_on_another_database_committed() {
    let (wire, script) = Wire::scripted();
    let (elsewhere, _) = Wire::scripted();
    let line = line!() + 1;
    let inside = |_: &mut Tx<'_>| elsewhere.db.unit("inner").run(give);
    assert_not_again(conflict_after(&wire, &script, inside), "inner", line);
    assert_eq!(elsewhere.sent(), "1 give; 1 COMMIT", "once");
}

#[test]
fn s107_what_may_be_done_twice_is() {
    for mode in [Propagation::RequiresNew, Propagation::NotSupported] {
        let (wire, script) = Wire::scripted();
        let repeatable = |_: &mut Tx<'_>| wire.db.unit("inner").propagation(mode).repeatable().run(give);
        assert_again(conflict_after(&wire, &script, repeatable));
        assert_eq!(wire.sent().matches("give").count(), 2, "{mode}");
        let reads = |tx: &mut Tx<'_>| tx.query_drop("SELECT 1");
        let read_only = |_: &mut Tx<'_>| wire.db.unit("inner").propagation(mode).read_only().run(reads);
        assert_again(conflict_after(&wire, &script, read_only));
    }
    let ((wire, script), (elsewhere, _)) = (Wire::scripted(), Wire::scripted());
    assert_again(conflict_after(&wire, &script, |_| elsewhere.db.unit("inner").repeatable().run(give)));
    assert_again(conflict_after(&wire, &script, |_| elsewhere.db.unit("inner").read_only().run(give)));
}

#[test]
fn s107_what_was_rolled_back_or_never_begun_forbids_nothing() {
    let (wire, script) = Wire::scripted();
    let fails = |tx: &mut Tx<'_>| give(tx).map_err(Trouble::from).and(crate::world::FAIL);
    assert_again(conflict_after(&wire, &script, |_| own(&wire.db).run(fails).or(Ok(()))));
    script.answer(GIVE_TEN, Reply::error(1213, "40001", "Deadlock found"));
    assert_again(conflict_after(&wire, &script, |_| own(&wire.db).retry(Retry::NEVER).run(give).or(Ok(()))));
    let refused = |_: &mut Tx<'_>| wire.db.unit("inner").propagation(Propagation::Never).run(give).or(Ok(()));
    assert_again(conflict_after(&wire, &script, refused));
    // Those that take part share the fate of the attempt.
    assert_again(conflict_after(&wire, &script, |_| wire.db.unit("inner").run(give)));
    assert_again(conflict_after(&wire, &script, |_| wire.db.unit("inner").propagation(Propagation::Nested).run(give)));
}

#[test]
fn s107_after_an_unknown_end_no_attempt_follows_repeatable_or_not() {
    for repeatable in [false, true] {
        let (wire, script) = Wire::scripted();
        script.answer("COMMIT", Reply::LostAfter);
        let line = line!() + 2;
        let inside = |_: &mut Tx<'_>| {
            let unit = wire.db.unit("inner").propagation(Propagation::RequiresNew);
            let unit = if repeatable { unit.repeatable() } else { unit };
            let error = unit.run(give).expect_err("nobody knows");
            assert_eq!(error.kind(), ErrorKind::CommitUnknown);
            Ok(())
        };
        let ended = conflict_after(&wire, &script, inside);
        assert!(ended.1.as_ref().is_err_and(|error| error.to_string().contains("unknown")), "{ended:?}");
        assert_not_again(ended, "inner", line);
        assert_eq!(wire.sent().matches("give").count(), 1);
    }
}

#[test]
fn s107_nor_does_one_follow_after_a_unit_of_which_part_is_in_the_database() {
    let (wire, script) = Wire::scripted();
    script.answer("RELEASE", Reply::error(1305, "42000", "SAVEPOINT does not exist"));
    let line = line!() + 2;
    let inside = |_: &mut Tx<'_>| {
        let torn = wire.db.unit("inner").propagation(Propagation::RequiresNew);
        let error = torn.run::<(), Error>(|tx| tx.query_drop("CALL that_commits()")).expect_err("it committed");
        assert_eq!(error.outcome(), Some(Outcome::Torn));
        Ok(())
    };
    assert_not_again(conflict_after(&wire, &script, inside), "inner", line);
}

#[test]
fn s107_a_unit_in_a_hook_of_an_inner_unit_counts_too() {
    let ((wire, script), (elsewhere, _)) = (Wire::scripted(), Wire::scripted());
    for (inner, mode) in [(&wire.db, Propagation::RequiresNew), (&elsewhere.db, Propagation::Required)] {
        let line = Rc::new(Cell::new(0));
        let inside = |_: &mut Tx<'_>| {
            inner.unit("inner").propagation(mode).repeatable().run(|tx| {
                let (line, db) = (Rc::clone(&line), wire.db.clone());
                tx.after_commit(move || {
                    line.set(line!() + 1);
                    db.unit("in the hook").propagation(Propagation::RequiresNew).run(give)
                });
                give(tx)
            })
        };
        let ended = conflict_after(&wire, &script, inside);
        assert_not_again(ended, "in the hook", line.get());
    }
}

#[test]
fn s107_a_read_only_unit_whose_commit_gets_no_answer_may_run_again() {
    let (wire, script) = Wire::scripted();
    script.answer("COMMIT", Reply::LostAfter);
    assert_again(conflict_after(&wire, &script, |_| own(&wire.db).read_only().run(|tx| tx.query_drop("SELECT 1"))));
}

#[test]
fn s107_what_stands_inside_a_unit_stands_inside_the_one_around_it() {
    for middle in [Propagation::Required, Propagation::Nested, Propagation::RequiresNew] {
        for middle_end in [Ok(()), crate::world::FAIL] {
            let (wire, script) = Wire::scripted();
            let line = Cell::new(0);
            let inside = |_: &mut Tx<'_>| {
                let unit = wire.db.unit("middle").propagation(middle).repeatable();
                let result = unit.on_error(|_: &Trouble| OnError::RollBack).run(|_| {
                    line.set(line!() + 1);
                    wire.db.unit("innermost").propagation(Propagation::RequiresNew).run(give)?;
                    if middle_end.is_ok() { Ok(()) } else { crate::world::FAIL }
                });
                assert_eq!(result.is_ok(), middle_end.is_ok());
                Ok(())
            };
            let ended = conflict_after(&wire, &script, inside);
            assert_not_again(ended, "innermost", line.get());
            assert_eq!(wire.sent().matches("give").count(), 1, "{middle}");
        }
    }
}

#[test]
fn s107_a_unit_in_the_middle_is_not_run_again_either() {
    let (wire, script) = Wire::scripted();
    script.answer("UPDATE middle", Reply::error(1213, "40001", "Deadlock found"));
    let runs = Cell::new(0);
    let outer = wire.db.unit("outer").run::<(), Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        wire.db.unit("middle").propagation(Propagation::RequiresNew).run(|tx| {
            runs.set(tx.attempt());
            own(&wire.db).run(give)?;
            tx.query_drop("UPDATE middle SET x = 1")
        })
    });
    let error = outer.expect_err("passed on");
    assert_eq!((error.unit(), error.kind(), runs.get()), (Some("middle"), ErrorKind::Serialization, 1));
    assert!(error.to_string().contains("`inner`"), "{error}");
}

#[test]
fn s107_a_fault_at_the_outers_commit_obeys_too() {
    let (wire, script) = Wire::scripted();
    let runs = Cell::new(0);
    let outer = wire.db.unit("outer").run::<(), Error>(|tx| {
        runs.set(tx.attempt());
        own(&wire.db).run(give)?;
        script.answer("COMMIT", Reply::error(1213, "40001", "certification"));
        tx.query_drop(TAKE_TEN)
    });
    let error = outer.expect_err("it is not run again");
    assert_eq!((error.kind(), runs.get()), (ErrorKind::Serialization, 1));
    assert!(error.to_string().contains("`inner`"), "{error}");
}

#[test]
fn s107_an_error_that_asks_for_another_attempt_obeys_too() {
    let outer = |wire: &Wire, inside: &dyn Fn() -> Result<(), Error>| {
        let runs = Cell::new(0);
        let unit = wire.db.unit("outer").retry(Retry::DEFAULT.max_attempts(3).base(Duration::ZERO));
        let result = unit.on_error(|_: &Trouble| OnError::RunAgain).run::<(), _>(|tx| {
            runs.set(tx.attempt());
            tx.query_drop(TAKE_TEN)?;
            inside()?;
            Err(Trouble::Refused("try again"))
        });
        assert!(matches!(result, Err(Trouble::Refused("try again"))), "{result:?}");
        runs.get()
    };
    let (wire, script) = Wire::scripted();
    assert_eq!(outer(&wire, &|| own(&wire.db).run(give)), 1);
    assert_eq!(outer(&wire, &|| own(&wire.db).repeatable().run(give)), 3);
    assert_eq!(outer(&wire, &|| Ok(())), 3);
    script.answer("COMMIT", Reply::LostAfter);
    assert_eq!(outer(&wire, &|| own(&wire.db).repeatable().run(give).or(Ok(()))), 1, "unknown");
}

#[unit_of_work(propagation = "requires_new")]
fn note(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop("INSERT INTO note () VALUES ()")
}

#[unit_of_work(propagation = "requires_new", repeatable)]
fn note_each_attempt(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop("INSERT INTO note () VALUES ()")
}

/// A unit that notes something on its own and then is the victim of a real deadlock; how it ended, and how many notes there are.
fn deadlock_after(note: fn() -> Result<(), Error>) -> (Result<u32, Error>, u64) {
    let world = World::with_accounts(1..=30);
    world.execute("CREATE TABLE note (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB");
    let _entered = world.db.enter();
    let result = thread::scope(|scope| {
        let rival = Rival::start(scope, &world);
        let outer = world.db.unit("outer").run::<_, Error>(|tx| {
            note()?;
            tx.query_drop(TAKE_TEN)?;
            if tx.attempt() == 1 {
                rival.strike();
            }
            tx.query_drop(GIVE_TEN)?;
            Ok(tx.attempt())
        });
        rival.join();
        outer
    });
    world.assert_clean(&world.db);
    let notes = world.conn().query_first("SELECT COUNT(*) FROM note").expect("the table is there");
    (result, notes.expect("a row"))
}

#[test]
fn s107_after_a_real_deadlock_the_rows_of_the_other_unit_are_there_once() {
    let (result, notes) = deadlock_after(note);
    let error = result.expect_err("it is not run again");
    assert_eq!((error.code(), notes), (Some(1213), 1));
    assert!(error.to_string().contains("note"), "{error}");
    let (result, notes) = deadlock_after(note_each_attempt);
    assert_eq!((result.expect("it is run again"), notes), (2, 2));
}
