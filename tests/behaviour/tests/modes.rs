//! Spring's seven modes, each called with nothing active and inside a unit, succeeding and failing: what the caller of either gets
//! and what the server saw, on a scripted and on a real server. The eighth, `outermost`, and the
//! words of refusals are `refusals`'.

use std::cell::Cell;

use unit_of_work::{ErrorKind, Propagation};

use crate::wires::Wire;
use crate::world::{FAIL, GIVE_TEN, TAKE_TEN, Trouble};
use Said::{Fault, Own, Value};

/// What a caller gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Value,
    /// The body's own error.
    Own,
    Fault(ErrorKind),
}

impl Said {
    fn of(result: &Result<(), Trouble>) -> Self {
        match result {
            Ok(()) => Value,
            Err(Trouble::Refused(_)) => Own,
            Err(Trouble::Work(error)) => Fault(error.kind()),
        }
    }
}

const REFUSED: Said = Fault(ErrorKind::Propagation);

/// What the unit's own caller gets; what the caller of the unit around it gets, which goes on and returns `Ok` whatever the
/// inner one says; what was sent.
type Seen<'a> = (Said, Said, &'a str);

/// The unit sends `give` and then succeeds or fails; the unit around it sends `take` before and returns `Ok`.
struct Expected<'a> {
    alone: (Said, &'a str),
    alone_failing: (Said, &'a str),
    inside: Seen<'a>,
    inside_failing: Seen<'a>,
}

fn check(mode: Propagation, expected: &Expected<'_>) {
    for (end, expected) in [(Ok(()), expected.alone), (FAIL, expected.alone_failing)] {
        for wire in Wire::both() {
            let said = Said::of(&give(&wire, mode, &end));
            assert_eq!((said, wire.sent().as_str()), expected, "{mode}, alone: {end:?}, {wire:?}");
            wire.assert_clean();
        }
    }
    for (end, expected) in [(Ok(()), expected.inside), (FAIL, expected.inside_failing)] {
        for wire in Wire::both() {
            let inner = Cell::new(None);
            let outer = wire.db.unit("outer").run(|tx| {
                tx.query_drop(TAKE_TEN)?;
                inner.set(Some(Said::of(&give(&wire, mode, &end))));
                Ok(())
            });
            let inner = inner.get().expect("it was called");
            let seen = (inner, Said::of(&outer), wire.sent());
            assert_eq!((seen.0, seen.1, seen.2.as_str()), expected, "{mode}, inside: {end:?}, {wire:?}");
            wire.assert_clean();
        }
    }
}

/// The unit whose mode is looked at.
fn give(wire: &Wire, mode: Propagation, end: &Result<(), Trouble>) -> Result<(), Trouble> {
    wire.db.unit("inner").propagation(mode).run(|tx| {
        tx.query_drop(GIVE_TEN)?;
        if end.is_ok() { Ok(()) } else { FAIL }
    })
}

const BEGUN: (Said, &str) = (Value, "1 give; 1 COMMIT");
const BEGUN_FAILING: (Said, &str) = (Own, "1 give; 1 ROLLBACK");
const JOINED: Seen<'_> = (Value, Value, "1 take; 1 give; 1 COMMIT");
const JOINED_FAILING: Seen<'_> = (Own, Fault(ErrorKind::Doomed), "1 take; 1 give; 1 ROLLBACK");
const PLAIN: (Said, &str) = (Value, "1 SET SESSION autocommit=1; 1 give");
const PLAIN_FAILING: (Said, &str) = (Own, "1 SET SESSION autocommit=1; 1 give");

#[test]
fn s28_required() {
    check(
        Propagation::Required,
        &Expected { alone: BEGUN, alone_failing: BEGUN_FAILING, inside: JOINED, inside_failing: JOINED_FAILING },
    );
}

#[test]
fn s29_requires_new() {
    check(
        Propagation::RequiresNew,
        &Expected {
            alone: BEGUN,
            alone_failing: BEGUN_FAILING,
            inside: (Value, Value, "1 take; 2 give; 2 COMMIT; 1 COMMIT"),
            inside_failing: (Own, Value, "1 take; 2 give; 2 ROLLBACK; 1 COMMIT"),
        },
    );
}

#[test]
fn s30_nested() {
    let kept = "1 take; 1 SAVEPOINT unit_of_work_1; 1 give; 1 RELEASE SAVEPOINT unit_of_work_1; 1 COMMIT";
    let undone = "1 take; 1 SAVEPOINT unit_of_work_1; 1 give; 1 ROLLBACK TO SAVEPOINT unit_of_work_1; 1 COMMIT";
    check(
        Propagation::Nested,
        &Expected {
            alone: BEGUN,
            alone_failing: BEGUN_FAILING,
            inside: (Value, Value, kept),
            inside_failing: (Own, Value, undone),
        },
    );
}

#[test]
fn s31_mandatory() {
    check(
        Propagation::Mandatory,
        &Expected {
            alone: (REFUSED, ""),
            alone_failing: (REFUSED, ""),
            inside: JOINED,
            inside_failing: JOINED_FAILING,
        },
    );
}

#[test]
fn s32_supports() {
    check(
        Propagation::Supports,
        &Expected { alone: PLAIN, alone_failing: PLAIN_FAILING, inside: JOINED, inside_failing: JOINED_FAILING },
    );
}

#[test]
fn s33_not_supported() {
    check(
        Propagation::NotSupported,
        &Expected {
            alone: PLAIN,
            alone_failing: PLAIN_FAILING,
            inside: (Value, Value, "1 take; 2 SET SESSION autocommit=1; 2 give; 1 COMMIT"),
            inside_failing: (Own, Value, "1 take; 2 SET SESSION autocommit=1; 2 give; 1 COMMIT"),
        },
    );
}

#[test]
fn s34_never() {
    let inside = (REFUSED, Value, "1 take; 1 COMMIT");
    check(Propagation::Never, &Expected { alone: PLAIN, alone_failing: PLAIN_FAILING, inside, inside_failing: inside });
}
