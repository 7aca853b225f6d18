//! The table of errors, row by row and phase by phase: what a unit does when the server answers with that number in the body, to
//! COMMIT, to ROLLBACK, and while connecting. What is expected stands here once more, in terms of what is seen from outside; a row
//! of the table that is missing here is found out. Scripted: what was also seen on a real server is marked in the table itself.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use unit_of_work::testing::Reply;
use unit_of_work::{Error, ErrorKind, Outcome, Retry};

use crate::cases::Body::{Fails, Ignores, Passes};
use crate::cases::Said::{self, Body as BodysOwn, Fault, Value};
use crate::cases::{A, UNKNOWN, World};

/// What units do with errors of one kind. Each is what the caller gets and what was sent, in the letters of `cases`.
#[derive(Debug, Clone, Copy)]
struct Class {
    /// The second statement fails twice, and the body returns that with `?`; there are two attempts at most.
    twice: (Said, &'static str),
    /// The first statement fails once, and the body does not mind.
    ignored: (Said, &'static str),
    /// COMMIT fails once.
    commit: (Said, &'static str),
    /// A unit for which no connection can be had fails with this, after so many attempts; 0 = it is not tried again.
    connecting: (ErrorKind, u32),
}

const EXHAUSTED: Said = Fault(ErrorKind::RetriesExhausted, Outcome::RolledBack);
const NOBODY_KNOWS: (Said, &str) = (UNKNOWN, "s a b C x");
const TRIED: (ErrorKind, u32) = (ErrorKind::RetriesExhausted, 2);

/// All is undone: again, on the same session, which is rolled back all the same.
const SERIALIZATION: Class = Class {
    twice: (EXHAUSTED, "s a b R a b R"),
    ignored: (Value, "s a R a b C"),
    commit: (Value, "s a b C R a b C"),
    connecting: TRIED,
};
/// Again, on the same session; as an answer to COMMIT it says nothing.
const STALE_OR_BUSY: Class = Class { commit: NOBODY_KNOWS, ..SERIALIZATION };
/// Again, once.
const ONCE: Class = Class {
    twice: (Fault(ErrorKind::LockTimeout, Outcome::RolledBack), "s a b R a b R"),
    connecting: (ErrorKind::LockTimeout, 0),
    ..SERIALIZATION
};
/// Again, once, on a session that has forgotten what it had prepared.
const REPREPARED: Class = Class {
    twice: (Fault(ErrorKind::Serialization, Outcome::RolledBack), "s a b R RESET CONNECTION s a b R RESET CONNECTION"),
    ignored: (Value, "s a R RESET CONNECTION s a b C"),
    commit: NOBODY_KNOWS,
    connecting: (ErrorKind::Serialization, 0),
};
/// Again, on a session that has given back what it had prepared.
const NO_ROOM: Class = Class { twice: (EXHAUSTED, REPREPARED.twice.1), connecting: TRIED, ..REPREPARED };
/// Again, on another session, and the server side of this one is ended first.
const ELSEWHERE: Class = Class {
    twice: (EXHAUSTED, "s a b x + k1 s a b x"),
    ignored: (Value, "s a x + k1 s a b C"),
    commit: NOBODY_KNOWS,
    connecting: TRIED,
};
/// The same, of a server that refuses a COMMIT before it runs.
const REFUSING: Class = Class { commit: (Value, "s a b C x + k1 s a b C"), ..ELSEWHERE };
/// Nobody's fault but the statement's.
const STATEMENT: Class = never(ErrorKind::Statement, (Value, "s a b C"));
/// The same; as an answer to COMMIT it says nothing.
const NAMED: Class = Class { commit: NOBODY_KNOWS, ..STATEMENT };
/// Not to be run again, and what is left must not be committed.
const UNCLEAR: Class = Class { ignored: (Fault(ErrorKind::Statement, Outcome::RolledBack), "s a R"), ..NAMED };
/// The same, where a COMMIT is known to be none.
const UNDONE: Class = Class { commit: STATEMENT.commit, ..UNCLEAR };

const fn never(kind: ErrorKind, ignored: (Said, &'static str)) -> Class {
    let said = Fault(kind, Outcome::RolledBack);
    let connecting = match kind {
        ErrorKind::Statement | ErrorKind::ConnectionLost => ErrorKind::Connect,
        kind => kind,
    };
    Class { twice: (said, "s a b R"), ignored, commit: (said, "s a b C R"), connecting: (connecting, 0) }
}

/// What must not be run again and costs the session.
const fn shut(kind: ErrorKind) -> Class {
    let said = Fault(kind, Outcome::RolledBack);
    Class { twice: (said, "s a b x"), ignored: (said, "s a x"), commit: NOBODY_KNOWS, ..never(kind, NOBODY_KNOWS) }
}

const fn denied() -> Class {
    Class { commit: NOBODY_KNOWS, ..never(ErrorKind::AccessDenied, (Value, "s a b C")) }
}

const fn configuration() -> Class {
    Class { commit: NOBODY_KNOWS, ..never(ErrorKind::Configuration, (Value, "s a b C")) }
}

const fn too_large() -> Class {
    let said = Fault(ErrorKind::TooLarge, Outcome::RolledBack);
    Class { commit: NOBODY_KNOWS, ..never(ErrorKind::TooLarge, (said, "s a R")) }
}

/// By number, whatever the SQLSTATE and the text.
const BY_NUMBER: &[(Class, &[u16])] = &[
    (SERIALIZATION, &[1213, 1020, 3101, 1613, 1614, 9007, 8002, 8005, 8022, 8028, 1206]),
    (STALE_OR_BUSY, &[1412, 3058, 8027, 8055, 8229, 9006, 9004]),
    (STALE_OR_BUSY, &[1637, 1041, 1203, 9001, 9002, 9003, 9005, 9008, 9010]),
    (ONCE, &[1205]),
    (REPREPARED, &[1615]),
    (NO_ROOM, &[1461]),
    (never(ErrorKind::LockNotAvailable, (Value, "s a b C")), &[3572]),
    (UNCLEAR, &[1105, 1180, 1598, 8001, 8252]),
    (UNDONE, &[1402, 8147]),
    (shut(ErrorKind::ConnectionLost), &[1181]),
    (shut(ErrorKind::TooLarge), &[1153]),
    (too_large(), &[8004, 8025, 9500]),
    (ELSEWHERE, &[1053, 1927, 3168, 3169, 1152, 1158, 1159, 1160, 1161, 1184]),
    (ELSEWHERE, &[2002, 2003, 2005, 2006, 2013, 2014, 2055]),
    (ELSEWHERE, &[1040, 1135, 1047, 1836, 1874, 3032, 3100, 3796, 3797, 3798]),
    (REFUSING, &[1226, 4031]),
    (STATEMENT, &[1290, 1317, 1969, 1399, 1062, 1586, 1451, 1452, 1216, 1217, 1048, 1364, 3819, 4025]),
    (NAMED, &[1021, 1114, 1142, 1227, 1305, 1397, 1398, 1400, 1401, 1422, 1440, 1568, 1665, 1815, 3024, 3098, 1049]),
    (denied(), &[1044, 1045, 1129, 1251, 1698, 1820, 1862]),
    (configuration(), &[8048]),
    // To a unit that may write: the primary is none any more. To one that may not, see statement 62.
    (Class { connecting: (ErrorKind::ReadOnly, 0), ..ELSEWHERE }, &[1792]),
];

const VITESS: &str = "target: ks.-80.primary: vttablet: rpc error: ";

/// Number, SQLSTATE, text.
type Row = (u16, &'static str, &'static str);

/// By SQLSTATE, and by the few texts that decide.
const BY_OTHERS: &[(Class, &[Row])] = &[
    (SERIALIZATION, &[(60_000, "40001", ""), (60_001, "40000", "")]),
    (UNCLEAR, &[(60_002, "40002", ""), (60_003, "40003", "")]),
    (ELSEWHERE, &[(60_004, "08S01", ""), (60_005, "08004", "")]),
    (STATEMENT, &[(60_006, "23000", ""), (60_007, "42S02", ""), (60_008, "22003", ""), (60_009, "21S01", "")]),
    (NAMED, &[(60_010, "HY000", ""), (60_011, "", ""), (60_012, "70100", "")]),
    (SERIALIZATION, &[(1180, "HY000", "Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT")]),
    (UNCLEAR, &[(1180, "HY000", "Got error 28 - 'No space left on device' during COMMIT")]),
    (REFUSING, &[(1290, "HY000", "The MySQL server is running with the --read-only option so it cannot execute this")]),
    (REFUSING, &[(1290, "HY000", "The MySQL server is running with the --super-read-only option")]),
    (STATEMENT, &[(1290, "HY000", "The MySQL server is running with the --secure-file-priv option")]),
    (SERIALIZATION, &[(8147, "23000", "LazyUniquenessCheck: Write conflict, txnStartTS=1 is stale")]),
    (SERIALIZATION, &[(1105, "HY000", "tikv aborts txn [try again later]"), (8_999, "HY000", "[try again later]")]),
    // Not TiDB's, and with somebody's text in it.
    (STATEMENT, &[(1062, "23000", "Duplicate entry '[try again later]' for key 'PRIMARY'")]),
    // Vitess: the number of the MySQL behind it counts; but of its COMMIT nothing says that all shards were rolled back.
    (
        STALE_OR_BUSY,
        &[(1105, "HY000", "vttablet: rpc error: code = Aborted desc = Deadlock found (errno 1213) (sqlstate 40001)")],
    ),
    (NAMED, &[(1105, "HY000", "vttablet: rpc error: code = AlreadyExists desc = dup (errno 1062) (sqlstate 23000)")]),
    (UNCLEAR, &[(1317, "70100", "vttablet: rpc error: code = DeadlineExceeded desc = context deadline exceeded")]),
    (UNCLEAR, &[(1105, "HY000", "vttablet: rpc error: code = Unknown desc = something (errno x) (sqlstate y)")]),
];

/// Vitess again: after these words the transaction, or its tablet, is gone.
const GONE: &[(u16, &str)] = &[
    (1317, "code = Aborted desc = transaction 1683: ended at 2026-01-01 12:00:00 UTC (exceeded timeout: 20s)"),
    (1317, "code = Aborted desc = transaction 1683: not found (errno 1317) (sqlstate 70100)"),
    (1105, "code = Unavailable desc = all SubConns are in TransientFailure"),
    (1105, "code = FailedPrecondition desc = operation not allowed in state NOT_SERVING"),
    (1105, "code = ResourceExhausted desc = transaction pool connection limit exceeded"),
];

/// Every row that is checked.
fn rows() -> impl Iterator<Item = (Class, Reply)> {
    let by_number = BY_NUMBER.iter().flat_map(|(class, codes)| codes.iter().map(|code| (*class, *code, "HY000", "")));
    let by_others = BY_OTHERS
        .iter()
        .flat_map(|(class, rows)| rows.iter().map(|(code, state, text)| (*class, *code, *state, *text)));
    let gone = GONE.iter().map(|(code, text)| (ELSEWHERE, Reply::error(*code, "HY000", &format!("{VITESS}{text}"))));
    let rows = by_number.chain(by_others);
    rows.map(|(class, code, state, text)| (class, Reply::error(code, state, text))).chain(gone)
}

/// Holds what is seen of each row against what its class says.
fn check<T: PartialEq + std::fmt::Debug>(expected: impl Fn(Class) -> T, seen: impl Fn(&Reply) -> T) {
    let wrong: Vec<_> = rows()
        .map(|(class, reply)| (expected(class), seen(&reply), reply))
        .filter(|(expected, seen, _)| expected != seen)
        .map(|(expected, seen, reply)| format!("{reply:?}:\n  expected {expected:?}\n  seen     {seen:?}"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn answering(at: &str, times: u32, reply: &Reply) -> World {
    let world = World::new();
    for _ in 0..times {
        world.server.answer(at, reply.clone());
    }
    world
}

#[test]
fn s14_each_row_of_the_table_in_a_body_that_passes_it_on() {
    check(
        |class| (class.twice.0, class.twice.1.to_owned()),
        |reply| {
            let world = answering("UPDATE b", 2, reply);
            (world.run(Passes).0, world.sent())
        },
    );
}

#[test]
fn s14_each_row_of_the_table_in_a_body_that_swallows_it() {
    check(
        |class| (class.ignored.0, class.ignored.1.to_owned()),
        |reply| {
            let world = answering("UPDATE a", 1, reply);
            (world.run(Ignores).0, world.sent())
        },
    );
}

#[test]
fn s16_each_row_of_the_table_at_commit() {
    check(
        |class| (class.commit.0, class.commit.1.to_owned()),
        |reply| {
            let world = answering("COMMIT", 1, reply);
            (world.run(Passes).0, world.sent())
        },
    );
}

/// Whatever it is: the session keeps its transaction, and must not live.
#[test]
fn s109_each_row_of_the_table_at_rollback() {
    check(
        |_| ((BodysOwn, "s a b R x".to_owned()), (Value, "+ k1 s a b C".to_owned())),
        |reply| {
            let world = answering("ROLLBACK", 1, reply);
            ((world.run(Fails).0, world.sent()), (world.run(Passes).0, world.sent()))
        },
    );
}

#[test]
fn s74_each_row_of_the_table_while_connecting() {
    check(
        |class| (class.connecting, Some(Outcome::NotStarted), true),
        |reply| {
            let World { db, server } = World::new();
            server.refuse_connections(Some(reply.clone()));
            let two = Retry::DEFAULT.max_attempts(2).base(Duration::ZERO);
            let unit = || db.unit("two").retry(two).run::<(), Error>(|tx| tx.query_drop(A));
            // The session that there is belongs to another unit meanwhile.
            let held = db.unit("holds").run::<_, Error>(|tx| {
                tx.query_drop(A)?;
                Ok(thread::scope(|scope| scope.spawn(unit).join()).expect("no panic").expect_err("it is refused"))
            });
            let error = held.expect("its own session is alive");
            ((error.kind(), error.attempts()), error.outcome(), server.connections() == 1)
        },
    );
}

#[test]
fn s14_no_row_of_the_table_is_left_out_here() {
    let table = include_str!("../../../runtime/src/backend/mysql/faults/table.rs");
    let rows = table.lines().filter_map(|line| line.trim().strip_prefix('('));
    let in_the_table: BTreeSet<u16> =
        rows.filter_map(|row| row.split_once(',')).filter_map(|(number, _)| number.parse().ok()).collect();
    let here: BTreeSet<u16> = BY_NUMBER.iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
    assert!(in_the_table.len() > 100, "the table is not read as it is written any more");
    assert_eq!(in_the_table, here);
}
