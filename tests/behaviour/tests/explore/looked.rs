//! Where `explore` did not look it does not say "sound": it refuses to, or says where it did not.

use std::cell::Cell;

use unit_of_work::testing::{Explore, Script, Way, explore};
use unit_of_work::{Database, Error, ErrorKind, Tx, unit_of_work};

use crate::world::{GIVE_TEN, TAKE_TEN};

#[unit_of_work]
fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop(TAKE_TEN)?;
    tx.query_drop(GIVE_TEN)
}

fn exploring<'a>() -> Explore<'a> {
    explore(Database::builder().script(&Script::new()))
}

#[track_caller]
fn refused<T>(result: Result<T, Error>, words: &str) {
    let Err(error) = result else { panic!("it says that it looked") };
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn s88_no_failure_at_all_is_refused() {
    refused(exploring().ways([]).run(|_| transfer()), "no failure is asked for");
    refused(exploring().in_a_row(0).run(|_| transfer()), "no failure is asked for");
}

/// After the two undisturbed runs it does less.
#[test]
fn s88_a_failure_that_never_comes_is_told() {
    let runs = Cell::new(0);
    let result = exploring().ways([Way::Deadlock]).run(|db| {
        runs.set(runs.get() + 1);
        if runs.get() > 2 { db.unit("less").run(|tx| tx.query_drop(TAKE_TEN)) } else { transfer() }
    });
    refused(
        result,
        "the failure that was planned at round trip 3 never came: undisturbed the unit made 3 round trips, and then 2",
    );
}

#[test]
fn s88_the_table_says_what_was_not_observed() {
    let unseen = exploring().run(|_| transfer()).expect("it can be explored").to_string();
    assert!(unseen.contains("\nneither rows nor effects were observed, only results were compared"), "{unseen}");
    assert!(unseen.contains("failed, who knows what stays") && !unseen.contains("nothing stays"), "{unseen}");
    let effects = exploring().effects(|| 0).run(|_| transfer()).expect("it can be explored").to_string();
    assert!(effects.contains("\nrows were not observed, only results and effects were compared"), "{effects}");
    let rows = exploring().observe(|_| Ok(0)).run(|_| transfer()).expect("it can be explored").to_string();
    assert!(!rows.contains("observed") && rows.contains("failed, nothing stays"), "{rows}");
}
