//! Units with a mistake, and what cannot be explored.

use std::cell::{Cell, OnceCell};

use unit_of_work::testing::{Finding, Script, WAYS, Way, explore};
use unit_of_work::{Database, Error, ErrorKind, Propagation, Tx, unit_of_work};

use super::{bank, exploring, found, renew};
use crate::world::{GIVE_TEN, TAKE_TEN};

/// Those after which another attempt follows.
const AGAIN: [Way; 4] = [Way::Deadlock, Way::Refused(1205), Way::LostBefore, Way::ReplyLost];

fn each(round_trip: u64, ways: &[Way]) -> Vec<(u64, Way)> {
    ways.iter().map(|way| (round_trip, *way)).collect()
}

#[unit_of_work]
fn counting(tx: &mut Tx<'_>, counter: &Cell<u32>) -> Result<(), Error> {
    tx.query_drop(TAKE_TEN)?;
    counter.set(counter.get() + 1);
    tx.query_drop(GIVE_TEN)
}

/// A counter, a mail: whatever is done where the body stands and not after COMMIT.
#[test]
fn s88_what_is_done_outside_of_the_database_once_per_attempt_is_found() {
    let world = bank();
    let counter = Cell::new(0);
    let exploration = exploring(&world)
        .set_up(|db| {
            counter.set(0);
            renew(db)
        })
        .effects(|| counter.get())
        .run(|_| counting(&counter))
        .expect("it can be explored");
    let effects = found(&exploration, |finding| matches!(finding, Finding::OtherEffects { .. }));
    // The second statement: all ways. COMMIT: a roll-back makes another attempt or an error, and of what is unknown nobody can say.
    let commit = each(3, &[Way::Deadlock, Way::Refused(1205), Way::Refused(1317)]);
    assert_eq!(effects, [each(2, &WAYS), commit].concat(), "{exploration}");
    assert_eq!(exploration.findings().count(), effects.len(), "{exploration}");
    let table = exploration.to_string();
    assert!(
        table.contains(&format!("#2 `{GIVE_TEN}`, deadlock (1213)")) && table.contains("are 1; they are 2"),
        "{table}"
    );
    let panic = std::panic::catch_unwind(|| exploration.assert_sound()).expect_err("it is not sound");
    assert_eq!(panic.downcast_ref::<String>(), Some(&table));
}

#[unit_of_work]
fn add_ten(tx: &mut Tx<'_>, read: &OnceCell<i64>) -> Result<(), Error> {
    if read.get().is_none() {
        let balance = tx.query_first("SELECT balance FROM account WHERE id = 1")?;
        read.set(balance.expect("it is there")).expect("it is empty");
    }
    let sum = read.get().expect("it is set") + 10;
    tx.exec_drop("UPDATE account SET balance = ? WHERE id = 1", (sum,))
}

#[test]
fn s88_a_read_that_is_kept_from_the_first_attempt_is_found() {
    let world = bank();
    let exploration = exploring(&world).run(|_| add_ten(&OnceCell::new())).expect("it can be explored");
    let statement = "SELECT balance FROM account WHERE id = 1".to_owned();
    let kept = Finding::NotAskedAgain { statement };
    let seen = found(&exploration, |finding| *finding == kept);
    let commit = each(3, &[Way::Deadlock, Way::Refused(1205)]);
    assert_eq!(seen, [each(2, &AGAIN), commit].concat(), "{exploration}");
    assert_eq!(exploration.findings().count(), seen.len(), "{exploration}");
}

/// It asks again and does not listen.
#[test]
fn s88_a_read_that_is_made_again_and_not_used_is_found_by_a_rival() {
    let world = bank();
    let unit = |db: &Database| {
        let read = OnceCell::new();
        db.unit("deaf").run::<_, Error>(|tx| {
            let balance: i64 = tx.query_first("SELECT balance FROM account WHERE id = 1")?.expect("it is there");
            let sum = read.get_or_init(|| balance) + 10;
            tx.exec_drop("UPDATE account SET balance = ? WHERE id = 1", (sum,))
        })
    };
    exploring(&world).run(unit).expect("it can be explored").assert_sound();
    let rival = |db: &Database| {
        db.unit("rival").run::<_, Error>(|tx| tx.query_drop("UPDATE account SET balance = balance + 1 WHERE id = 1"))
    };
    let exploration = exploring(&world).rival(rival).run(unit).expect("it can be explored");
    let lost = Finding::OtherRows { expected: "([111, 100], [])".to_owned(), got: "([110, 100], [])".to_owned() };
    let seen = found(&exploration, |finding| *finding == lost);
    assert_eq!(seen, [each(2, &AGAIN), each(3, &[Way::Deadlock, Way::Refused(1205)])].concat(), "{exploration}");
}

#[test]
fn s88_an_error_that_is_swallowed_and_the_rest_committed_is_found() {
    let world = bank();
    let unit = |db: &Database| {
        db.unit("careless").run::<_, Error>(|tx| {
            let _ignored = tx.query_drop(TAKE_TEN);
            tx.query_drop(GIVE_TEN)
        })
    };
    let exploration = exploring(&world).run(unit).expect("it can be explored");
    // After all others the library runs it again, whatever the body makes of them.
    assert_eq!(found(&exploration, |finding| matches!(finding, Finding::OtherRows { .. })), [(1, Way::Refused(1317))]);
    assert_eq!(exploration.findings().count(), 1, "{exploration}");
}

#[test]
fn s88_a_body_that_panics_at_a_fault_is_found() {
    let world = bank();
    let unit = |db: &Database| {
        db.unit("rash").run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN).expect("what should go wrong");
            Ok(())
        })
    };
    let exploration = exploring(&world).run(unit).expect("it can be explored");
    let panics = found(&exploration, |finding| matches!(finding, Finding::Panicked { .. }));
    // A connection that was dead before the first statement is replaced in silence.
    assert!(panics.starts_with(&each(1, &[Way::Deadlock, Way::Refused(1205), Way::Refused(1317)])), "{exploration}");
    assert!(panics.iter().all(|(round_trip, _)| *round_trip == 1), "{exploration}");
}

fn with_journal(mode: Propagation) -> impl Fn(&Database) -> Result<(), Error> {
    move |db| {
        db.unit("outer").run::<_, Error>(|tx| {
            tx.query_drop(TAKE_TEN)?;
            db.unit("journal")
                .propagation(mode)
                .run::<_, Error>(|tx| tx.query_drop("INSERT INTO journal (amount) VALUES (10)"))?;
            tx.query_drop(GIVE_TEN)
        })
    }
}

/// Also where nobody looks at what it writes.
#[test]
fn s88_a_unit_inside_that_would_be_done_twice_is_found() {
    for mode in [Propagation::RequiresNew, Propagation::NotSupported] {
        let world = bank();
        let balances = |db: &Database| db.session(|session| session.query::<i64, _>("SELECT balance FROM account"));
        let exploration = exploring(&world).observe(balances).run(with_journal(mode)).expect("it can be explored");
        let is_it =
            |finding: &Finding| matches!(finding, Finding::EndedOnItsOwn { unit } if unit.contains("`journal`"));
        let give = exploration.runs().iter().find(|run| run.statement() == GIVE_TEN).expect("it is asked").round_trip();
        let seen = found(&exploration, is_it);
        assert!(each(give, &AGAIN).iter().all(|run| seen.contains(run)), "{mode}: {exploration}");
        assert!(seen.iter().all(|(round_trip, _)| *round_trip > 1), "{mode}: {exploration}");
    }
}

/// The table is not transactional: what was written there stays when the rest is rolled back.
#[test]
fn s88_a_unit_that_is_torn_is_found() {
    let world = bank();
    world.execute("ALTER TABLE journal ENGINE=MyISAM");
    let unit = |db: &Database| {
        db.unit("torn").run::<_, Error>(|tx| {
            tx.query_drop("INSERT INTO journal (amount) VALUES (10)")?;
            tx.query_drop(TAKE_TEN)
        })
    };
    let ways = [Way::Deadlock, Way::Refused(1205), Way::Refused(1317)];
    let exploration = exploring(&world).ways(ways).run(unit).expect("it can be explored");
    let torn = found(&exploration, |finding| *finding == Finding::Torn);
    let take = exploration.runs().iter().find(|run| run.statement() == TAKE_TEN).expect("it is asked").round_trip();
    assert!(each(take, &ways).iter().all(|run| torn.contains(run)), "{exploration}");
}

/// Where each is a unit and both together are none.
#[test]
fn s88_two_units_in_turn_are_not_taken_for_one() {
    let world = bank();
    let unit = |db: &Database| {
        db.unit("take").run::<_, Error>(|tx| tx.query_drop(TAKE_TEN))?;
        db.unit("give").run::<_, Error>(|tx| tx.query_drop(GIVE_TEN))
    };
    let exploration = exploring(&world).run(unit).expect("it can be explored");
    let half = Finding::OtherRows { expected: "([100, 100], [])".to_owned(), got: "([90, 100], [])".to_owned() };
    assert_eq!(found(&exploration, |finding| *finding == half), [(3, Way::Refused(1317)), (4, Way::Refused(1317))]);
    // The first is there, or the second is not.
    let unknown = [(2, Way::ReplyLost), (4, Way::LostBefore)];
    let half = found(
        &exploration,
        |finding| matches!(finding, Finding::OtherRows { expected, .. } if expected.contains(" or ")),
    );
    assert_eq!(half, unknown, "{exploration}");
}

#[test]
fn s88_what_cannot_be_explored_is_told_with_the_reason() {
    let script = Script::new();
    let scripted = || explore(Database::builder().script(&script));
    let deposit = |db: &Database| db.unit("deposit").run::<_, Error>(|tx| tx.query_drop(GIVE_TEN));
    let count = Cell::new(0);
    let counted = || count.replace(count.get() + 1);
    let elsewhere = Database::builder().script(&script).connect().expect("a script answers");
    let refusals = [
        (scripted().run(|_| deposit(&elsewhere)), "no round trip on the database that it was given"),
        (scripted().run(|db| deposit(db).map(|()| counted())), "what it returns differs from run to run"),
        (scripted().effects(counted).run(deposit), "`effects` tells when all was set up differs"),
        (scripted().observe(|_| Ok(counted())).run(deposit), "`observe` sees of what was set up differs"),
        (scripted().run(|_| -> Result<(), Error> { panic!("by itself") }), "panics without any failure: by itself"),
        (scripted().set_up(|_| deposit(&Database::builder().connect()?)).run(deposit), "`set_up` failed"),
        (
            scripted().rival(|_| Database::builder().connect().map(drop)).run(deposit),
            "the rival failed: the unit cannot be explored",
        ),
    ];
    for (refused, why) in refusals {
        let error = refused.expect_err(why);
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(why) || why.starts_with("the rival"), "{error}");
    }
}
