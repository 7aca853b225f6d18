//! The comparison, case by case. Undisturbed the unit turns rows 0 into 1 and effects 0 into 1, and returns 7.

use super::super::stage::State;
use super::*;
use crate::backend::mysql::wire::failing::Record;
use crate::label::Label;

type Case = Seen<u8, u8, u8>;

fn undisturbed() -> Case {
    let sent = ["SELECT 1", "UPDATE a", "COMMIT AND NO CHAIN NO RELEASE"].map(str::to_owned).to_vec();
    Seen {
        before: State { rows: 0, effects: 0 },
        said: Said::Returned(7),
        after: State { rows: 1, effects: 1 },
        record: Record { sent, until_failed: None },
        rival_came: false,
        attempts: 1,
        outcomes: vec![Outcome::Committed],
        in_the_way: None,
    }
}

fn failed(outcomes: Vec<Outcome>, rows: u8, effects: u8) -> Case {
    let said = Said::Failed("as planned".to_owned());
    Seen { said, after: State { rows, effects }, outcomes, ..undisturbed() }
}

fn returned(value: u8, rows: u8, effects: u8) -> Case {
    Seen { said: Said::Returned(value), after: State { rows, effects }, ..undisturbed() }
}

fn word(seen: &Case) -> &'static str {
    match judge(&undisturbed(), seen) {
        None => "sound",
        Some(Finding::OtherResult { .. }) => "result",
        Some(Finding::OtherRows { .. }) => "rows",
        Some(Finding::OtherEffects { .. }) => "effects",
        Some(Finding::NotAskedAgain { .. }) => "kept",
        Some(Finding::EndedOnItsOwn { .. }) => "own",
        Some(Finding::Torn) => "torn",
        Some(Finding::Panicked { .. }) => "panic",
    }
}

#[test]
fn what_it_returns_says_what_must_be_there() {
    let unknown = || vec![Outcome::Unknown];
    for (seen, verdict) in [
        (returned(7, 1, 1), "sound"),
        (returned(7, 2, 1), "rows"),
        (returned(7, 1, 2), "effects"),
        (returned(7, 0, 0), "rows"),
        (returned(8, 1, 1), "result"),
        (failed(vec![], 0, 0), "sound"),
        (failed(vec![], 1, 0), "rows"),
        (failed(vec![], 0, 1), "effects"),
        // Rows that are there, and no hook that ran.
        (failed(unknown(), 1, 0), "sound"),
        (failed(unknown(), 0, 0), "sound"),
        (failed(unknown(), 2, 0), "rows"),
        (failed(unknown(), 0, 2), "effects"),
        (failed(vec![Outcome::Torn], 0, 0), "torn"),
        (Seen { said: Said::Panicked("at once".to_owned()), ..failed(vec![], 0, 0) }, "panic"),
    ] {
        assert_eq!(word(&seen), verdict, "{seen:?}");
    }
}

#[test]
fn a_unit_in_the_way_of_another_attempt_counts_where_none_followed() {
    let in_the_way = || Some(Label::new("audit", "bank.rs", 1));
    assert_eq!(word(&Seen { in_the_way: in_the_way(), ..failed(vec![Outcome::Committed], 0, 0) }), "own");
    assert_eq!(word(&Seen { in_the_way: in_the_way(), ..returned(7, 1, 1) }), "sound");
}

#[test]
fn a_whole_attempt_follows_the_failure() {
    let again = |after: &[&str], attempts| {
        let sent = [&["SELECT 1", "UPDATE a"], after].concat().into_iter().map(str::to_owned).collect();
        Seen { record: Record { sent, until_failed: Some(2) }, attempts, ..returned(7, 1, 1) }
    };
    let end = "COMMIT AND NO CHAIN NO RELEASE";
    let whole = ["ROLLBACK AND NO CHAIN NO RELEASE", "SELECT 2", "UPDATE a", end];
    assert_eq!(word(&again(&whole, 2)), "sound");
    let less =
        ["KILL CONNECTION 7", "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE", "UPDATE a", end];
    assert_eq!(word(&again(&less, 2)), "kept");
    // A connection that was dead from the beginning is replaced without another attempt.
    assert_eq!(word(&again(&less, 1)), "sound");
}
