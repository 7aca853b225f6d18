//! Every point at which a unit can fail, every way to fail there, on a scripted server: an error, a deadlock, a panic where user
//! code runs, the connection lost before and after. Decided for each: what the caller gets, what was sent, which hooks ran, and
//! that thread and pool are as before.

mod case;
mod stage;

use unit_of_work::testing::Reply;
use unit_of_work::{ErrorKind, Outcome};

use Act::{Fails, Panics, Touches, Works};
use Place::{AfterCommit, AfterRollback, BeforeCommit, End, Errors, Inner, Parameters, Row};
use Reply::{LostAfter, LostBefore};
use Said::{BodysOwn, Fault, Panic};
use case::{Case, OTHER, UNKNOWN, at, check, error, rolled_back};
use stage::{Act, Place, Said};

#[test]
fn s09_where_nothing_fails_each_point_is_passed_once() {
    check([
        Case::acting(&[]).sends("s a ( i ) h C"),
        Case::acting(&[(Inner, Fails), (Errors, Works)]).sends("s a ( i < h C").hooks("ibc"),
        Case::acting(&[(End, Fails)]).says(BodysOwn).sends("s a ( i ) R").hooks("ri"),
        Case::acting(&[(End, Touches)]).sends("s a ( i ) t h C z").next("s n C"),
        Case::acting(&[(AfterCommit, Works)]).sends("s a ( i ) h C j C"),
    ]);
}

#[test]
fn s09_a_failure_at_the_begin() {
    let at = |reply| Case::at(at::BEGIN, reply);
    let statement = rolled_back(ErrorKind::Statement);
    check([
        // Nobody knows how much of a packet that failed was done: the connection is given up.
        at(error(1231)).says(statement).sends("s x").hooks("r").next("+ k1 s n C"),
        at(error(1213)).sends("s x + k1 s a ( i ) h C").hooks("rbc"),
        at(LostBefore).sends("s x + k1 s a ( i ) h C").hooks("rbc"),
        at(LostAfter).sends("s x + k1 s a ( i ) h C").hooks("rbc"),
        Case::acting(&[(Parameters, Panics)]).says(Panic).sends("").hooks("r").next("s n C"),
    ]);
}

#[test]
fn s09_a_failure_at_a_statement() {
    let at = |reply| Case::at(at::FIRST, reply);
    let statement = rolled_back(ErrorKind::Statement);
    check([
        at(error(1062)).says(statement).sends("s a R").hooks("r"),
        at(error(1062)).with(&[(Errors, Works)]).sends("s a ( i ) h C"),
        at(error(1213)).sends("s a R a ( i ) h C").hooks("rbc"),
        at(error(1213)).with(&[(Errors, Works)]).sends("s a R a ( i ) h C").hooks("rbc"),
        at(error(1213)).with(&[(Errors, Works), (End, Panics)]).says(Panic).sends("s a R").hooks("r"),
        at(LostBefore).sends("s a x + k1 s a ( i ) h C").hooks("rbc"),
        at(LostAfter).sends("s a x + k1 s a ( i ) h C").hooks("rbc"),
        at(LostAfter).with(&[(Errors, Works)]).sends("s a x + k1 s a ( i ) h C").hooks("rbc"),
        Case::acting(&[(End, Panics)]).says(Panic).sends("s a ( i ) R").hooks("ri"),
    ]);
}

#[test]
fn s09_a_failure_at_a_statement_in_a_savepoint() {
    let at = |reply| Case::at(at::INNER, reply);
    let statement = rolled_back(ErrorKind::Statement);
    let rows = || Reply::value("b", 1);
    check([
        at(error(1062)).says(statement).sends("s a ( i < R").hooks("ir"),
        at(error(1062)).with(&[(Errors, Works)]).sends("s a ( i ) h C"),
        at(error(1213)).sends("s a ( i R a ( i ) h C").hooks("ribc"),
        at(error(1213)).with(&[(Errors, Works)]).sends("s a ( i R a ( i ) h C").hooks("ribc"),
        at(LostBefore).sends("s a ( i x + k1 s a ( i ) h C").hooks("ribc"),
        at(LostAfter).sends("s a ( i x + k1 s a ( i ) h C").hooks("ribc"),
        at(LostAfter).with(&[(Errors, Works)]).sends("s a ( i x + k1 s a ( i ) h C").hooks("ribc"),
        at(rows()).with(&[(Row, Panics)]).says(Panic).sends("s a ( i < R").hooks("ir"),
        Case::acting(&[(Inner, Panics)]).says(Panic).sends("s a ( i < R").hooks("ir"),
    ]);
}

#[test]
fn s09_a_failure_at_a_savepoint() {
    let at = |reply| Case::at(at::SAVEPOINT, reply);
    let statement = rolled_back(ErrorKind::Statement);
    check([
        at(error(1105)).says(statement).sends("s a ( R").hooks("r"),
        at(error(1064)).with(&[(Errors, Works)]).sends("s a ( h C"),
        at(error(1213)).sends("s a ( R a ( i ) h C").hooks("rbc"),
        at(error(1213)).with(&[(Errors, Works)]).sends("s a ( R a ( i ) h C").hooks("rbc"),
        at(LostBefore).sends("s a ( x + k1 s a ( i ) h C").hooks("rbc"),
        at(LostAfter).sends("s a ( x + k1 s a ( i ) h C").hooks("rbc"),
    ]);
}

#[test]
fn s09_a_failure_at_a_release() {
    let at = |reply| Case::at(at::RELEASE, reply);
    let statement = rolled_back(ErrorKind::Statement);
    let torn = Fault(ErrorKind::ImplicitCommit, Outcome::Torn);
    check([
        at(error(1105)).says(statement).sends("s a ( i ) R").hooks("ri"),
        at(error(1305)).says(torn).sends("s a ( i ) R").hooks("ri"),
        at(error(1305)).with(&[(Errors, Works)]).says(torn).sends("s a ( i ) R").hooks("ri"),
        at(error(1213)).sends("s a ( i ) R a ( i ) h C").hooks("ribc"),
        at(error(1213)).with(&[(Errors, Works)]).sends("s a ( i ) R a ( i ) h C").hooks("ribc"),
        at(LostBefore).sends("s a ( i ) x + k1 s a ( i ) h C").hooks("ribc"),
        at(LostAfter).sends("s a ( i ) x + k1 s a ( i ) h C").hooks("ribc"),
    ]);
}

/// Its caller was told that the inner unit failed; so nothing of it may be committed.
#[test]
fn s42_a_release_that_is_refused_dooms_who_swallows_it() {
    let statement = rolled_back(ErrorKind::Statement);
    check([Case::at(at::RELEASE, error(1105))
        .with(&[(Errors, Works)])
        .says(statement)
        .sends("s a ( i ) R")
        .hooks("ri")]);
}

/// The hook of the inner unit runs when the whole is rolled back, since it could not be by itself.
#[test]
fn s09_a_failure_at_a_rollback_to_a_savepoint() {
    const UNDOES: &[(Place, Act)] = &[(Inner, Fails), (Errors, Works)];
    let at = |reply| Case::at(at::ROLLBACK_TO, reply).with(UNDOES);
    let torn = Fault(ErrorKind::ImplicitCommit, Outcome::Torn);
    check([
        at(error(1213)).sends("s a ( i < R a ( i < h C").hooks("riibc"),
        at(error(1305)).says(torn).sends("s a ( i < R").hooks("ri"),
        at(LostBefore).sends("s a ( i < x + k1 s a ( i < h C").hooks("riibc"),
        at(LostAfter).sends("s a ( i < x + k1 s a ( i < h C").hooks("riibc"),
        at(LostBefore).with(&[(Inner, Panics)]).says(Panic).sends("s a ( i < x").hooks("ri").next(OTHER),
        at(error(1105)).with(&[(Inner, Panics)]).says(Panic).sends("s a ( i < R").hooks("ri"),
    ]);
}

/// What the inner unit did is still there: so it must not be committed.
#[test]
fn s09_a_rollback_to_a_savepoint_that_is_refused_dooms_the_whole() {
    let case = Case::at(at::ROLLBACK_TO, error(1105)).with(&[(Inner, Fails), (Errors, Works)]);
    check([case.says(rolled_back(ErrorKind::Statement)).sends("s a ( i < R").hooks("ri")]);
}

/// The body's own error is the reason; that undoing it failed too is not what its caller must be told.
#[test]
fn s02_a_rollback_to_a_savepoint_that_fails_does_not_hide_the_inner_units_error() {
    let case = Case::at(at::ROLLBACK_TO, error(1105)).with(&[(Inner, Fails)]);
    check([case.says(BodysOwn).sends("s a ( i < R").hooks("ri")]);
}

#[test]
fn s51_a_failure_at_a_hook_before_commit() {
    let at = |reply| Case::at(at::HOOK, reply);
    let refused = rolled_back(ErrorKind::HookRefused);
    check([
        Case::acting(&[(BeforeCommit, Fails)]).says(refused).sends("s a ( i ) h R").hooks("bri"),
        Case::acting(&[(BeforeCommit, Panics)]).says(Panic).sends("s a ( i ) h R").hooks("bri"),
        at(error(1062)).says(refused).sends("s a ( i ) h R").hooks("bri"),
        at(error(1062)).with(&[(Errors, Works)]).sends("s a ( i ) h C"),
        at(error(1213)).sends("s a ( i ) h R a ( i ) h C").hooks("bribc"),
        at(error(1213)).with(&[(Errors, Works)]).sends("s a ( i ) h R a ( i ) h C").hooks("bribc"),
        at(error(1213))
            .with(&[(Errors, Works), (BeforeCommit, Panics)])
            .says(Panic)
            .sends("s a ( i ) h R")
            .hooks("bri"),
        at(LostBefore).sends("s a ( i ) h x + k1 s a ( i ) h C").hooks("bribc"),
        at(LostAfter).sends("s a ( i ) h x + k1 s a ( i ) h C").hooks("bribc"),
        at(LostAfter).with(&[(Errors, Works)]).sends("s a ( i ) h x + k1 s a ( i ) h C").hooks("bribc"),
    ]);
}

#[test]
fn s09_a_failure_at_commit() {
    let at = |reply| Case::at(at::COMMIT, reply);
    let (statement, exhausted) = (rolled_back(ErrorKind::Statement), rolled_back(ErrorKind::RetriesExhausted));
    let unknown = |reply| at(reply).says(UNKNOWN).sends("s a ( i ) h C x").hooks("bu").next("+ s n C");
    check([
        at(error(1062)).says(statement).sends("s a ( i ) h C R").hooks("bri"),
        at(error(1213)).sends("s a ( i ) h C R a ( i ) h C").hooks("bribc"),
        at(error(1213))
            .and(at::COMMIT, error(1213))
            .says(exhausted)
            .sends("s a ( i ) h C R a ( i ) h C R")
            .hooks("bribri"),
        // The server has answered: no COMMIT is on its way that ending the connection could undo.
        unknown(error(1105)).next(OTHER),
        unknown(LostBefore),
        unknown(LostAfter),
    ]);
}

#[test]
fn s09_a_failure_at_rollback() {
    let at = |reply| Case::at(at::ROLLBACK, reply).sends("s a ( i ) R x").hooks("ri").next(OTHER);
    let fails = |reply| at(reply).with(&[(End, Fails)]).says(BodysOwn);
    let panics = |reply| at(reply).with(&[(End, Panics)]).says(Panic);
    check([
        fails(error(1105)),
        fails(error(1213)),
        fails(LostBefore),
        fails(LostAfter),
        panics(error(1105)),
        panics(error(1213)),
        panics(LostBefore),
        panics(LostAfter),
    ]);
}

#[test]
fn s56_a_failure_in_a_hook_after_commit() {
    let at = |reply| Case::at(at::LATER, reply).with(&[(AfterCommit, Works)]);
    check([
        Case::acting(&[(AfterCommit, Fails)]).sends("s a ( i ) h C").hooks("bc!"),
        Case::acting(&[(AfterCommit, Panics)]).sends("s a ( i ) h C").hooks("bc!"),
        at(error(1062)).sends("s a ( i ) h C j R").hooks("bc!"),
        at(error(1213)).sends("s a ( i ) h C j R j C"),
        at(LostBefore).sends("s a ( i ) h C j x + k1 s j C"),
        at(LostAfter).sends("s a ( i ) h C j x + k1 s j C"),
        at(LostAfter).and(at::LATER, LostAfter).sends("s a ( i ) h C j x + k1 s j x").hooks("bc!").next("+ k2 s n C"),
    ]);
}

#[test]
fn s56_a_failure_in_a_hook_after_rollback() {
    let at = |reply| Case::at(at::LATER, reply).with(&[(End, Fails), (AfterRollback, Works)]).says(BodysOwn);
    check([
        Case::acting(&[(End, Fails), (AfterRollback, Fails)]).says(BodysOwn).sends("s a ( i ) R").hooks("r!i"),
        Case::acting(&[(End, Fails), (AfterRollback, Panics)]).says(BodysOwn).sends("s a ( i ) R").hooks("r!i"),
        Case::acting(&[(End, Panics), (AfterRollback, Panics)]).says(Panic).sends("s a ( i ) R").hooks("r!i"),
        at(error(1062)).sends("s a ( i ) R j R").hooks("r!i"),
        at(error(1213)).sends("s a ( i ) R j R j C").hooks("ri"),
        at(LostBefore).sends("s a ( i ) R j x + k1 s j C").hooks("ri"),
        at(LostAfter).sends("s a ( i ) R j x + k1 s j C").hooks("ri"),
    ]);
}

/// The unit has ended, and its caller is not concerned.
#[test]
fn s67_a_failure_at_the_reset_of_a_touched_session() {
    let at = |reply| Case::at(at::RESET, reply).next(OTHER);
    let commits = |reply| at(reply).with(&[(End, Touches)]).sends("s a ( i ) t h C z x");
    let refuses = |reply| {
        let case = at(reply).with(&[(End, Touches), (BeforeCommit, Fails)]);
        case.says(rolled_back(ErrorKind::HookRefused)).sends("s a ( i ) t h R z x").hooks("bri")
    };
    check([error(1105), error(1213), LostBefore, LostAfter].map(commits));
    check([error(1105), error(1213), LostBefore, LostAfter].map(refuses));
}
