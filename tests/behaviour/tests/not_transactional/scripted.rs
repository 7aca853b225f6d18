//! The same on a scripted server: what is asked when, and what is made of answers that do not come.

use std::cell::Cell;
use std::time::Duration;

use unit_of_work::testing::Reply::{self, LostAfter, NotTransactional, Warned};
use unit_of_work::{Error, ErrorKind, Outcome, Retry};

use super::LOG;
use crate::cases::{World, error};

const UPDATE: &str = "UPDATE account SET balance = 0";
const ROLLBACK: &str = "ROLLBACK AND NO CHAIN NO RELEASE";
const SHOW: &str = "SHOW WARNINGS";

/// What SHOW WARNINGS answers.
fn warning(code: &str) -> Reply {
    let columns = ["Level", "Code", "Message"].map(str::to_owned).to_vec();
    Reply::Rows(columns, vec![["Warning", code, "as scripted"].map(Into::into).to_vec()])
}

/// A unit that logs, then updates, with these answers of the server's.
fn logs(answers: &[(&str, Reply)]) -> (Error, Vec<String>, u32) {
    let World { db, server } = World::new();
    for (at, reply) in answers {
        server.answer(at, reply.clone());
    }
    let runs = Cell::new(0);
    let two = Retry::DEFAULT.max_attempts(2).base(Duration::ZERO);
    let unit = db.unit("logs").retry(two).run::<(), Error>(|tx| {
        runs.set(runs.get() + 1);
        tx.query_drop(LOG)?;
        tx.query_drop(UPDATE)
    });
    let mut sent = server.take_log();
    sent.retain(|text| !text.starts_with("SELECT CONCAT"));
    (unit.expect_err("it was rolled back"), sent, runs.get())
}

fn assert_incomplete(answers: &[(&str, Reply)], expected: &[&str]) {
    let (error, sent, runs) = logs(answers);
    let seen = (error.kind(), error.outcome(), runs);
    assert_eq!(seen, (ErrorKind::RollbackIncomplete, Some(Outcome::Torn), 1), "{answers:?}: {error}");
    assert_eq!(sent, expected, "{answers:?}");
}

#[test]
fn s103_a_tracker_and_a_warning_tell() {
    // Rolled back by the server with its error: that tells, and ROLLBACK does not.
    assert_incomplete(
        &[("INSERT", NotTransactional), ("UPDATE", error(1213)), (SHOW, warning("1196"))],
        &[LOG, UPDATE, SHOW, ROLLBACK, ROLLBACK],
    );
    // Rolled back by ROLLBACK: that tells.
    assert_incomplete(
        &[
            ("INSERT", NotTransactional),
            ("UPDATE", error(1062)),
            (SHOW, warning("1062")),
            ("ROLLBACK", Warned(1)),
            (SHOW, warning("1196")),
        ],
        &[LOG, UPDATE, SHOW, ROLLBACK, SHOW, ROLLBACK],
    );
    // Without a tracker.
    assert_incomplete(
        &[("UPDATE", error(1213)), ("ROLLBACK", Warned(1)), (SHOW, warning("1196"))],
        &[LOG, UPDATE, ROLLBACK, SHOW, ROLLBACK],
    );
    // By COMMIT.
    assert_incomplete(
        &[("INSERT", NotTransactional), ("COMMIT", error(1213)), (SHOW, warning("1196"))],
        &[LOG, UPDATE, "COMMIT AND NO CHAIN NO RELEASE", SHOW, ROLLBACK, ROLLBACK],
    );
}

#[test]
fn s103_where_nobody_can_be_asked_any_more_it_is_not_run_again_either() {
    assert_incomplete(&[("INSERT", NotTransactional), ("UPDATE", LostAfter)], &[LOG, UPDATE]);
    assert_incomplete(
        &[("INSERT", NotTransactional), ("UPDATE", error(1062)), (SHOW, LostAfter)],
        &[LOG, UPDATE, SHOW],
    );
    assert_incomplete(
        &[("INSERT", NotTransactional), ("UPDATE", error(1062)), ("ROLLBACK", LostAfter)],
        &[LOG, UPDATE, SHOW, ROLLBACK],
    );
}

#[test]
fn s103_a_warning_of_another_kind_is_none() {
    let (error, sent, runs) =
        logs(&[("UPDATE", error(1213)), ("UPDATE", error(1213)), ("ROLLBACK", Warned(1)), (SHOW, warning("1287"))]);
    assert_eq!((error.kind(), error.outcome(), runs), (ErrorKind::RetriesExhausted, Some(Outcome::RolledBack), 2));
    assert_eq!(sent, [LOG, UPDATE, ROLLBACK, SHOW, LOG, UPDATE, ROLLBACK]);
}

/// Resolved as rolled back is not as if it had never been.
#[test]
fn s103_nor_is_one_whose_commit_was_resolved_as_rolled_back() {
    let World { db, server } = World::new();
    server.answer("INSERT INTO log", NotTransactional);
    server.answer("INSERT INTO unit_of_work_outcome", LostAfter);
    let runs = Cell::new(0);
    let unit = db.unit("logs").exactly_once().run::<(), Error>(|tx| {
        runs.set(runs.get() + 1);
        tx.query_drop(LOG)
    });
    let error = unit.expect_err("the tombstone went in");
    let seen = (error.kind(), error.outcome(), runs.get());
    assert_eq!(seen, (ErrorKind::RollbackIncomplete, Some(Outcome::Torn), 1), "{error}");
}
