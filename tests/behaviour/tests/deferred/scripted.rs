//! What each answer to a packet means, on a scripted server: which statement failed, what is true of COMMIT, what is sent afterwards.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::slice::from_ref;
use std::time::Duration;

use unit_of_work::testing::Reply::{self, Fewer, KilledInSilence, LostAfter, LostBefore};
use unit_of_work::testing::{Failures, Record, Script, Way};
use unit_of_work::{Database, Error, ErrorKind, Outcome, Retry, Tx};

use crate::cases::error;
use crate::world::World;

const A: &str = "UPDATE a SET x = 1";
const B: &str = "INSERT INTO b VALUES (1)";
const READ: &str = "SELECT 1";

/// What the body does behind its two deferred writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Returns,
    Reads,
    ReadsAndIgnores,
}

/// What the caller got.
type Told = Result<(), (ErrorKind, Outcome)>;

struct Case {
    told: Told,
    /// `a`, `b`, `n` the statements, `C` COMMIT, `R` ROLLBACK, `?` the question whether a transaction is open, `w` SHOW WARNINGS, `+` a
    /// new connection, `x` one that was shut, `k` KILL CONNECTION; what went out in one packet stands together.
    sent: String,
    text: String,
}

fn body(tx: &mut Tx<'_>, then: Then) -> Result<(), Error> {
    tx.defer(A, ())?;
    tx.defer(B, ())?;
    match (then, tx.attempt()) {
        (Then::Returns, _) => Ok(()),
        (Then::Reads, _) => tx.query_drop(READ),
        (Then::ReadsAndIgnores, _) => tx.query_drop(READ).or(Ok(())),
    }
}

fn run(answers: &[(&str, Reply)], then: Then) -> Case {
    let server = Script::new();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    drop(server.take_sent());
    for (at, reply) in answers {
        server.answer(at, reply.clone());
    }
    let two = Retry::DEFAULT.max_attempts(2).base(Duration::ZERO);
    let unit = db.unit("defers").retry(two).run::<_, Error>(|tx| body(tx, then));
    let text = unit.as_ref().err().map(Error::to_string).unwrap_or_default();
    let told = unit.map_err(|error| (error.kind(), error.outcome().expect("it has ended")));
    Case { told, sent: sent(&server), text }
}

fn sent(server: &Script) -> String {
    let short = |text: &str| -> String {
        let one = |text: &str| match text {
            A => "a",
            B => "b",
            READ => "n",
            "COMMIT AND NO CHAIN NO RELEASE" => "C",
            "ROLLBACK AND NO CHAIN NO RELEASE" => "R",
            "SET TRANSACTION READ WRITE" => "?",
            "SHOW WARNINGS" => "w",
            "CONNECT" => "+",
            "SHUT" => "x",
            text if text == format!("EXPLAIN {A}") => "e",
            text if text.starts_with("KILL CONNECTION") => "k",
            text => panic!("{text}"),
        };
        text.split("\n;\n").map(one).collect()
    };
    server.take_sent().iter().map(|sent| short(&sent.text)).collect::<Vec<_>>().join(" ")
}

type Row<'r> = (&'r [(&'r str, Reply)], Then, Told, &'r str);

fn check<const N: usize>(cases: [Row<'_>; N]) {
    for (answers, then, told, expected) in cases {
        let case = run(answers, then);
        assert_eq!((case.told, &*case.sent), (told, expected), "{answers:?}, {then:?}: {}", case.text);
    }
}

const UNKNOWN: Told = Err((ErrorKind::CommitUnknown, Outcome::Unknown));

fn rolled_back(kind: ErrorKind) -> Told {
    Err((kind, Outcome::RolledBack))
}

#[test]
fn s90_what_waits_goes_out_in_one_packet() {
    check([(&[], Then::Returns, Ok(()), "abC"), (&[], Then::Reads, Ok(()), "ab n C")]);
}

/// The server goes no further behind an error; so nothing is committed, whatever that error means when COMMIT itself is answered with it.
#[test]
fn s91_an_error_before_commit_is_that_of_its_statement_and_nothing_is_committed() {
    let statement = || rolled_back(ErrorKind::Statement);
    check([
        (&[("UPDATE a", error(1062))], Then::Returns, statement(), "abC R"),
        (&[("INSERT", error(1062))], Then::Returns, statement(), "abC R"),
        (&[("INSERT", error(1105))], Then::Returns, statement(), "abC R"),
        (&[("UPDATE a", error(1213))], Then::Returns, Ok(()), "abC R abC"),
        // A statement before it was answered with OK: it may have changed a table that keeps what is rolled back.
        (&[("INSERT", error(1213))], Then::Returns, Ok(()), "abC w R abC"),
        (&[("INSERT", error(1053))], Then::Returns, Ok(()), "abC x + k abC"),
        (&[("COMMIT", error(1213))], Then::Returns, Ok(()), "abC w R abC"),
        (&[("COMMIT", error(1105))], Then::Returns, UNKNOWN, "abC x"),
        (&[("INSERT", error(1062))], Then::Reads, statement(), "ab R"),
        (&[("INSERT", error(1062))], Then::ReadsAndIgnores, statement(), "ab R"),
        (&[("UPDATE a", error(1213))], Then::ReadsAndIgnores, Ok(()), "ab R ab n C"),
    ]);
    for (start, text) in [("UPDATE a", A), ("INSERT", B)] {
        let case = run(&[(start, error(1062))], Then::Returns);
        assert!(case.text.contains(&format!("`{text}`: deferred at {}:", file!())), "{}", case.text);
    }
}

#[test]
fn s92_the_lost_reply_to_a_packet_that_holds_commit_is_unknown_and_to_another_is_not() {
    check([
        (&[("UPDATE a", LostAfter)], Then::Returns, UNKNOWN, "abC x"),
        (&[("UPDATE a", LostBefore)], Then::Returns, UNKNOWN, "abC x"),
        (&[("INSERT", LostAfter)], Then::Returns, UNKNOWN, "abC x"),
        (&[("COMMIT", LostAfter)], Then::Returns, UNKNOWN, "abC x"),
        (&[("INSERT", LostAfter)], Then::Reads, Ok(()), "ab x + k ab n C"),
        (&[("INSERT", LostAfter)], Then::ReadsAndIgnores, Ok(()), "ab x + k ab n C"),
    ]);
}

/// A proxy's word about its own connection says nothing of what the server behind it did with the packet.
#[test]
fn s92_a_proxy_that_lost_the_server_behind_it_does_not_know_what_became_of_commit() {
    check([
        (&[("UPDATE a", error(2013))], Then::Returns, UNKNOWN, "abC x"),
        (&[("INSERT", error(2006))], Then::Returns, UNKNOWN, "abC x"),
        (&[("INSERT", error(2099))], Then::Returns, UNKNOWN, "abC x"),
        (&[("INSERT", error(2013))], Then::Reads, Ok(()), "ab x + k ab n C"),
    ]);
    for (code, told) in [(1105, None), (1047, None), (1927, None), (1062, Some(Outcome::RolledBack))] {
        for lost_commit in [OnLostCommit::Reported, OnLostCommit::Resolved] {
            let server = Script::new();
            server.behind_a_proxy();
            let db = Database::builder().script(&server).connect().expect("a scripted server");
            server.answer("INSERT INTO b", error(code));
            server.answer("INSERT INTO unit_of_work_outcome", error(code));
            let unit = match lost_commit {
                OnLostCommit::Reported => db.unit("defers"),
                OnLostCommit::Resolved => db.unit("defers").exactly_once(),
            };
            let ran = Cell::new(0);
            let ended = unit.run::<_, Error>(|tx| {
                ran.set(ran.get() + 1);
                body(tx, Then::Returns)
            });
            match (told, lost_commit) {
                (None, OnLostCommit::Reported) => {
                    let error = ended.expect_err("nobody knows");
                    assert_eq!((error.kind(), ran.get()), (ErrorKind::CommitUnknown, 1), "{code}: {error}");
                }
                // The tombstone that goes in says that it was rolled back.
                (None, OnLostCommit::Resolved) => {
                    let asked = server.take_log().iter().filter(|text| text.contains("'tombstone'")).count();
                    assert!(asked > 0, "{code}: {ended:?}");
                }
                (Some(outcome), _) => assert_eq!(ended.expect_err("refused").outcome(), Some(outcome), "{code}"),
            }
        }
    }
}

/// A server that says that a transaction is open has not carried out the COMMIT behind it; one that says nothing has shown nothing.
#[test]
fn s92_fewer_results_than_statements_drop_the_session_and_are_committed_only_if_nobody_knows() {
    let open = || {
        Reply::error(1568, "25001", "Transaction characteristics can't be changed while a transaction is in progress")
    };
    check([
        (&[("UPDATE a", Fewer(1)), ("SET TRANSACTION", open())], Then::Returns, Ok(()), "abC ? x + k abC"),
        (&[("INSERT", Fewer(2)), ("SET TRANSACTION", open())], Then::Returns, Ok(()), "abC ? x + k abC"),
        (&[("UPDATE a", Fewer(1))], Then::Returns, UNKNOWN, "abC ? x"),
        (&[("UPDATE a", Fewer(0))], Then::Returns, UNKNOWN, "abC ? x"),
        (&[("UPDATE a", Fewer(1)), ("SET TRANSACTION", LostAfter)], Then::Returns, UNKNOWN, "abC ? x"),
        (&[("UPDATE a", Fewer(1))], Then::Reads, Ok(()), "ab x + k ab n C"),
        (&[("UPDATE a", Fewer(1))], Then::ReadsAndIgnores, Ok(()), "ab x + k ab n C"),
    ]);
}

/// MariaDB's answer to an UPDATE that KILL QUERY ended stops no packet: the rest is committed, and nobody may be told otherwise. The row of
/// `exactly_once` is part of that rest, and is not asked.
#[test]
fn s92_a_write_that_is_killed_in_silence_in_the_packet_of_commit_tears_the_unit() {
    const TORN: Told = Err((ErrorKind::ImplicitCommit, Outcome::Torn));
    let killed = ("UPDATE a", KilledInSilence);
    check([
        (from_ref(&killed), Then::Returns, TORN, "abC e R"),
        // Nothing is known of COMMIT: the best that could have become of it is nothing.
        (&[killed.clone(), ("COMMIT", LostAfter)], Then::Returns, TORN, "abC x"),
        (&[killed.clone(), ("COMMIT", error(1105))], Then::Returns, TORN, "abC x"),
        (&[killed.clone(), ("INSERT", error(1062))], Then::Returns, rolled_back(ErrorKind::Statement), "abC R"),
        (from_ref(&killed), Then::Reads, rolled_back(ErrorKind::Statement), "ab e R"),
        (from_ref(&killed), Then::ReadsAndIgnores, rolled_back(ErrorKind::Statement), "ab e R"),
        (&[killed.clone(), ("EXPLAIN", LostBefore)], Then::Returns, TORN, "abC e x"),
        (&[killed.clone(), ("INSERT", LostAfter)], Then::Reads, Ok(()), "ab x + k ab n C"),
        // Of an INSERT the counts say nothing.
        (&[("INSERT", KilledInSilence)], Then::Returns, Ok(()), "abC"),
        // A KILL QUERY that reaches EXPLAIN may make it say the same.
        (&[killed.clone(), nothing_to_do(8)], Then::Returns, Ok(()), "abC e R"),
        (&[killed.clone(), nothing_to_do(7)], Then::Returns, TORN, "abC e R"),
        (&[killed.clone(), nothing_to_do(8)], Then::Reads, Ok(()), "ab e n C"),
    ]);
    for lost_commit in [OnLostCommit::Reported, OnLostCommit::Resolved] {
        let (told, hooks, sent) = torn(lost_commit);
        assert_eq!((told.kind(), told.outcome()), (ErrorKind::ImplicitCommit, Some(Outcome::Torn)), "{told}");
        let text = told.to_string();
        assert!(text.contains(&format!("`{A}`: deferred at {}:", file!())) && !text.contains("rolled back"), "{text}");
        assert!(!hooks.contains(&"committed"), "{hooks:?}");
        assert_eq!(sent, 3, "one packet, EXPLAIN, the end of its transaction; and no question");
    }
}

/// So often, in one packet.
fn nothing_to_do(times: usize) -> (&'static str, Reply) {
    ("EXPLAIN", Reply::rows(&["id", "Extra"], vec![(1, "Impossible WHERE"); times]))
}

#[derive(Debug, Clone, Copy)]
enum OnLostCommit {
    Reported,
    Resolved,
}

/// What the caller got, which hooks ran, how many packets were sent.
fn torn(lost_commit: OnLostCommit) -> (Error, Vec<&'static str>, usize) {
    let server = Script::new();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    server.answer("UPDATE a", KilledInSilence);
    let hooks = Rc::new(RefCell::new(Vec::new()));
    let unit = match lost_commit {
        OnLostCommit::Reported => db.unit("defers"),
        OnLostCommit::Resolved => db.unit("defers").exactly_once(),
    };
    let ended = unit.run::<_, Error>(|tx| {
        let (committed, rolled_back) = (Rc::clone(&hooks), Rc::clone(&hooks));
        tx.after_commit(move || committed.borrow_mut().push("committed"));
        tx.after_rollback(move |_| rolled_back.borrow_mut().push("rolled back"));
        body(tx, Then::Returns)
    });
    let sent = server.take_log().len();
    (ended.expect_err("a write is missing"), hooks.take(), sent)
}

/// Everything in the packet is one round trip: what fails it as a whole is found by its number.
#[test]
fn s91_each_way_to_fail_each_packet() {
    let failures = Failures::new();
    let server = Script::new();
    let db = Database::builder().script(&server).failures(&failures).connect().expect("a scripted server");
    let two = Retry::DEFAULT.max_attempts(2).base(Duration::ZERO);
    let unknown = ErrorKind::CommitUnknown;
    for (round_trip, way, expected, runs) in [
        (1, Way::Refused(1062), Err(ErrorKind::Statement), 1),
        (1, Way::Deadlock, Ok(()), 2),
        (1, Way::LostBefore, Ok(()), 2),
        (1, Way::ReplyLost, Ok(()), 2),
        (3, Way::Refused(1062), Err(ErrorKind::Statement), 1),
        (3, Way::Deadlock, Ok(()), 2),
        (3, Way::LostBefore, Err(unknown), 1),
        (3, Way::ReplyLost, Err(unknown), 1),
    ] {
        failures.plan(round_trip, way);
        let ran = Cell::new(0);
        let unit = db.unit("defers").retry(two).run::<_, Error>(|tx| {
            ran.set(ran.get() + 1);
            tx.defer(A, ())?;
            tx.query_drop(READ)?;
            tx.defer(B, ())
        });
        assert!(!failures.is_pending());
        let told = unit.map_err(|error| error.kind());
        assert_eq!((told, ran.get()), (expected, runs), "{way:?} at {round_trip}");
        failures.plan(u64::MAX, way);
        db.unit("next").run::<_, Error>(|tx| tx.query_drop(READ)).expect("the next unit is fine");
    }
}

/// The server rolled back with its error, and only a warning tells that a table does not take part.
#[test]
fn s103_a_packet_that_changed_a_table_that_is_not_transactional_is_not_run_again() {
    let columns = ["Level", "Code", "Message"].map(str::to_owned).to_vec();
    let warning = Reply::Rows(columns, vec![["Warning", "1196", "as scripted"].map(Into::into).to_vec()]);
    let server = Script::new();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    server.answer("INSERT", error(1213));
    server.answer("SHOW WARNINGS", warning);
    let error = db.unit("defers").run::<_, Error>(|tx| body(tx, Then::Returns)).expect_err("something stays");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::RollbackIncomplete, Some(Outcome::Torn)), "{error}");
}

/// A suspicion that nobody can look into is no reason to give the unit up.
#[test]
fn s103_where_nothing_was_seen_to_stay_a_connection_that_is_lost_at_rollback_is_one_that_is_lost() {
    check([
        (&[("INSERT", error(1213)), ("SHOW WARNINGS", LostBefore)], Then::Returns, Ok(()), "abC w x + k abC"),
        (&[("INSERT", error(1213)), ("ROLLBACK", LostBefore)], Then::Returns, Ok(()), "abC w R x + k abC"),
    ]);
}

/// Only the last answer of a packet tells of such a table; what the others did is asked for when the server rolls back by itself.
#[test]
fn s103_what_an_earlier_packet_may_have_changed_is_asked_for() {
    let server = Script::new();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    server.answer("SELECT", error(1213));
    server.answer("SHOW WARNINGS", Reply::rows(&["Level", "Code", "Message"], [("Warning", "1196", "as scripted")]));
    let unit = db.unit("defers").run::<_, Error>(|tx| {
        body(tx, Then::Returns)?;
        tx.query_drop("INSERT INTO c VALUES (1)")?;
        tx.query_drop(READ)
    });
    assert_eq!(unit.expect_err("something stays").kind(), ErrorKind::RollbackIncomplete);
}

#[test]
fn s84_behind_a_proxy_the_transaction_begins_before_what_was_deferred() {
    let server = Script::new();
    server.behind_a_proxy();
    let db = Database::builder().script(&server).connect().expect("a scripted server");
    drop(server.take_sent());
    db.unit("defers").run::<_, Error>(|tx| tx.defer(A, ())).expect("a unit");
    assert_eq!(server.take_log(), ["START TRANSACTION".to_owned(), format!("{A}\n;\nCOMMIT AND NO CHAIN NO RELEASE")]);
}

#[test]
fn s86_what_a_test_prints_shows_deferred_writes_without_their_values() {
    let record = Record::new();
    let db = Database::builder().script(&Script::new()).record(&record).connect().expect("a scripted server");
    db.unit("defers").run::<_, Error>(|tx| tx.defer("INSERT INTO b VALUES (?)", ("secret",))).expect("a unit");
    let text = record.to_string();
    assert!(text.contains("INSERT INTO b VALUES (?)  [in a packet] -> OK") && text.contains("COMMIT"), "{text}");
    let hexadecimal = "736563726574";
    assert!(!text.contains("secret") && !text.contains(hexadecimal), "{text}");
}

/// The server quotes from where it did not understand, its neighbours in the packet included.
#[test]
fn s86_a_text_that_is_not_understood_is_told_without_the_values_behind_it() {
    let (world, record) = (World::with_accounts(1..=1), Record::new());
    let db = world.connect(|builder| builder.record(&record));
    let unit = db.unit("defers").run::<_, Error>(|tx| {
        tx.defer("UPDATE account SET nonsense balance = ?", ("secret",))?;
        tx.defer("UPDATE account SET balance = 0 WHERE id = ?", ("secret",))
    });
    let error = unit.expect_err("the server does not understand it");
    assert_eq!(error.code(), Some(1064), "{error}");
    let mut told = vec![format!("{error} {error:?} {record}")];
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        told.push(format!("{cause} {cause:?}"));
        source = cause.source();
    }
    let told = told.concat();
    assert!(!told.contains("secret") && !told.contains("736563726574"), "{told}");
}
