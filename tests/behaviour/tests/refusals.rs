//! Units that may not run where they are called: `mandatory` without a transaction, `never` and `outermost` inside one. The body
//! does not run, nothing is sent, both units are named, and the one around is as before.

use unit_of_work::{Error, ErrorKind, Outcome, Propagation, Tx, outside, unit_of_work};

use crate::wires::Wire;
use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble, World};

/// Runs `work` in a unit that has sent `take`, and then lets that unit go on to its end.
fn inside(wire: &Wire, work: impl Fn() -> Error) -> Error {
    let outer = wire.db.unit("outer").run::<_, Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        Ok(work())
    });
    outer.expect("a refusal dooms nobody")
}

fn refuse(wire: &Wire, mode: Propagation) -> Error {
    let refused = wire.db.unit("inner").propagation(mode).run::<(), Error>(|_| unreachable!("the body does not run"));
    refused.expect_err("it may not run here")
}

fn assert_refused(error: &Error, words: &[&str]) {
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Propagation, Some(Outcome::NotStarted)), "{error}");
    assert_eq!((error.unit(), error.attempts()), (Some("inner"), 0), "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word} is not in: {error}");
    }
}

/// Where the unit around says that it is.
const OUTER: &str = concat!("`outer` (", file!(), ":");

#[test]
fn s43_mandatory_without_a_transaction_is_refused_and_nothing_is_sent() {
    for wire in Wire::both() {
        assert_refused(&refuse(&wire, Propagation::Mandatory), &["`mandatory`", "no transaction"]);
        assert_refused(&outside(|| refuse(&wire, Propagation::Mandatory)), &["`mandatory`"]);
        assert_eq!(wire.sent(), "");
        // A unit without a transaction has none to offer.
        let plain = wire.db.unit("plain").propagation(Propagation::Supports);
        let error = plain.run::<_, Error>(|_| Ok(refuse(&wire, Propagation::Mandatory)));
        assert_refused(&error.expect("the one around goes on"), &["`mandatory`", "no transaction"]);
        assert_eq!(wire.sent(), "");
    }
}

#[test]
fn s43_never_inside_a_transaction_is_refused_and_nothing_is_sent() {
    for wire in Wire::both() {
        assert_refused(&inside(&wire, || refuse(&wire, Propagation::Never)), &["`never`", OUTER]);
        assert_eq!(wire.sent(), "1 take; 1 COMMIT");
    }
}

#[test]
fn s43_a_refusal_that_is_passed_on_is_the_callers_error() {
    let (wire, _) = Wire::scripted();
    let outer = wire.db.unit("outer").run::<(), Error>(|tx| {
        tx.query_drop(TAKE_TEN)?;
        Err(refuse(&wire, Propagation::Never))
    });
    assert_refused(&outer.expect_err("passed on"), &["`never`"]);
    assert_eq!(wire.sent(), "1 take; 1 ROLLBACK");
}

#[test]
fn s106_outermost_with_nothing_active_is_as_required() {
    for wire in Wire::both() {
        let take = |end: Result<(), Trouble>| {
            let unit = wire.db.unit("outermost").propagation(Propagation::Outermost);
            let result = unit.run(|tx| {
                tx.query_drop(TAKE_TEN)?;
                wire.db.unit("joins").run::<_, Error>(|tx| tx.query_drop(GIVE_TEN))?;
                if end.is_ok() { Ok(()) } else { FAIL }
            });
            (result.is_ok(), wire.sent())
        };
        assert_eq!(take(Ok(())), (true, "1 take; 1 give; 1 COMMIT".into()));
        assert_eq!(take(FAIL), (false, "1 take; 1 give; 1 ROLLBACK".into()));
        wire.assert_clean();
    }
}

#[test]
fn s106_outermost_inside_a_unit_is_refused_and_its_body_does_not_run() {
    for wire in Wire::both() {
        assert_refused(&inside(&wire, || refuse(&wire, Propagation::Outermost)), &["`outermost`", OUTER]);
        assert_eq!(wire.sent(), "1 take; 1 COMMIT");
        for mode in [Propagation::Nested, Propagation::RequiresNew, Propagation::NotSupported] {
            let error = inside(&wire, || {
                let between = wire.db.unit("between").propagation(mode);
                between.run::<_, Error>(|_| Ok(refuse(&wire, Propagation::Outermost))).expect("it goes on")
            });
            assert_refused(&error, &["`outermost`"]);
        }
        wire.assert_clean();
    }
}

#[test]
fn s106_outermost_is_outermost_again_in_a_hook_and_on_another_database() {
    let (one, other) = (World::with_accounts(1..=2), World::with_accounts(1..=2));
    let outermost = |world: &World| {
        let unit = world.db.unit("inner").propagation(Propagation::Outermost);
        unit.run::<_, Error>(|tx| tx.query_drop(GIVE_TEN))
    };
    one.db.unit("outer").run::<_, Error>(|_| outermost(&other)).expect("nothing is active on the other");
    let inside = one.db.clone();
    let hooked = one.db.unit("outer").run::<_, Error>(|tx| {
        let inside = inside.clone();
        tx.after_commit(move || {
            let unit = inside.unit("inner").propagation(Propagation::Outermost);
            unit.run::<_, Error>(|tx| tx.query_drop(GIVE_TEN))
        });
        tx.query_drop(TAKE_TEN)
    });
    hooked.expect("it is committed");
    assert_eq!((one.balances(), other.balances()), (vec![90, 110], vec![100, 110]));
}

#[unit_of_work(propagation = "outermost")]
fn place_order(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop(GIVE_TEN)
}

#[unit_of_work]
fn careless(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop(TAKE_TEN)?;
    place_order()
}

#[test]
fn s106_the_attribute_says_it_too() {
    let (wire, _) = Wire::scripted();
    let _entered = wire.db.enter();
    place_order().expect("nothing is active");
    assert_eq!(wire.sent(), "1 give; 1 COMMIT");
    let error = careless().expect_err("its caller could not rely on it");
    assert_eq!(error.kind(), ErrorKind::Propagation, "{error}");
    for name in ["place_order", "careless"] {
        assert!(error.to_string().contains(name), "{name} is not in: {error}");
    }
    assert_eq!(wire.sent(), "1 take; 1 ROLLBACK");
}
