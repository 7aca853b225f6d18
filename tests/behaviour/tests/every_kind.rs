//! Every kind of error, provoked: that its message names the unit and its place, wherever there is a unit, and says what is true.
//! That each kind has its page in the documentation is tested there (`runtime/src/kind.rs`); what leads to which kind is the other
//! files' matter.

use std::collections::BTreeSet;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use unit_of_work::testing::{Reply, Script};
use unit_of_work::{Database, Error, Isolation, Propagation, Retry, Tx, UnitBuilder, unit_of_work};

use crate::world::World;

const UPDATE: &str = "UPDATE account SET balance = 0";
/// How each unit here is called, and where they are.
const NAMED: &str = "unit `pay` (tests/behaviour/tests/every_kind.rs:";

/// Kinds that are no unit's.
const WITHOUT_A_UNIT: &[&str] = &["Tls", "NotInUnit", "Panicked", "NoRuntime"];

/// Kinds that are not provoked here, and why.
const NOT_HERE: &[(&str, &str)] = &[
    (
        "AlreadyInstalled",
        "what is installed stays so for the whole process: `threads/which_database.rs` starts another one",
    ),
    ("Internal", "no answer of a server leads to it: it is what nobody foresaw"),
];

fn scripted() -> (Database, Script) {
    let server = Script::new();
    let db = Database::builder().script(&server).max_connections(1).connect().expect("a scripted server");
    (db, server)
}

fn pay(db: &Database) -> UnitBuilder<'_, unit_of_work::MySql> {
    db.unit("pay").retry(Retry::NEVER)
}

/// What a unit is told whose update is answered so.
fn answered(start: &str, reply: Reply) -> Result<(), Error> {
    let (db, server) = scripted();
    server.answer(start, reply);
    pay(&db).run(|tx| tx.query_drop(UPDATE))
}

#[unit_of_work(name = "pay")]
fn without_a_database(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop(UPDATE)
}

fn refuses_connections() -> Result<(), Error> {
    let (db, server) = scripted();
    server.answer(UPDATE, Reply::LostBefore);
    let lost = pay(&db).run::<(), Error>(|tx| tx.query_drop(UPDATE));
    assert!(lost.is_err());
    server.refuse_connections(Some(Reply::LostBefore));
    pay(&db).run(|tx| tx.query_drop(UPDATE))
}

fn inside(
    outer: fn(UnitBuilder<'_, unit_of_work::MySql>) -> UnitBuilder<'_, unit_of_work::MySql>,
    inner: fn(&Database) -> Result<(), Error>,
) -> Result<(), Error> {
    let (db, _) = scripted();
    let mut result = Ok(());
    let cell = std::cell::RefCell::new(&mut result);
    let _rolled_back = outer(db.unit("outer")).run::<(), Error>(|tx| {
        tx.query_drop(UPDATE)?;
        **cell.borrow_mut() = inner(&db);
        Ok(())
    });
    result
}

fn a_table_that_is_not_transactional() -> Result<(), Error> {
    let (db, server) = scripted();
    server.answer(UPDATE, Reply::NotTransactional);
    server.answer("ROLLBACK", Reply::Warned(1));
    let columns = ["Level", "Code", "Message"].map(str::to_owned).to_vec();
    let warning = Reply::Rows(columns, vec![["Warning", "1196", "not rolled back"].map(Into::into).to_vec()]);
    server.always("SHOW WARNINGS", warning);
    pay(&db).run(|tx| {
        tx.query_drop(UPDATE)?;
        tx.query_drop("COMMIT")
    })
}

fn too_large() -> Result<(), Error> {
    let world = World::new();
    let limit = usize::try_from(world.count("SELECT @@max_allowed_packet")).expect("it fits into memory");
    pay(&world.db).run(|tx| tx.exec_drop("DO ?", ("x".repeat(limit),)))
}

fn lent() -> Result<(), Error> {
    let world = World::new();
    pay(&world.db).run(|tx| {
        let _guard = tx.connection()?;
        world.db.unit("inner").propagation(Propagation::Nested).run(|tx| tx.query_drop("DO 1"))
    })
}

fn without_tls() -> Result<(), Error> {
    let world = World::new();
    Database::connect(&format!("{}?ssl-mode=REQUIRED", world.url())).map(drop)
}

fn closed() -> Result<(), Error> {
    let (db, _) = scripted();
    db.close(Duration::ZERO)?;
    pay(&db).run(|tx| tx.query_drop(UPDATE))
}

fn exhausted() -> Result<(), Error> {
    let (db, server) = scripted();
    server.always(UPDATE, Reply::deadlock());
    db.unit("pay").retry(Retry::DEFAULT.max_attempts(2).base(Duration::ZERO)).run(|tx| tx.query_drop(UPDATE))
}

fn doomed() -> Result<(), Error> {
    let (db, _) = scripted();
    pay(&db).run(|tx| {
        tx.query_drop(UPDATE)?;
        let swallowed = db.unit("inner").run::<(), Error>(|tx| tx.query_drop("COMMIT"));
        assert!(swallowed.is_err());
        Ok(())
    })
}

fn panicked() -> Result<(), Error> {
    let (db, _) = scripted();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a thread can be started");
    runtime.block_on(db.run_blocking(|| std::panic::panic_any("a bug")))
}

fn without_a_runtime() -> Result<(), Error> {
    let (db, _) = scripted();
    let mut call = db.run_blocking(|| Ok(()));
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(told) => told,
        Poll::Pending => panic!("nobody would wake it"),
    }
}

fn on_its_own(db: &Database, end: fn(&mut Tx<'_>) -> Result<(), Error>) -> Result<(), Error> {
    pay(db).run(|tx| {
        tx.query_drop(UPDATE)?;
        end(tx)
    })
}

/// One error of each kind.
fn provoked() -> Vec<Error> {
    let (db, _) = scripted();
    let conversion = |tx: &mut Tx<'_>| tx.query_first::<u64, _>("SELECT name").map(drop);
    let (words, server) = scripted();
    server.answer("SELECT name", Reply::value("name", "Ada"));
    let (procedures, server) = scripted();
    server.answer("RELEASE", Reply::error(1305, "42000", "SAVEPOINT does not exist"));
    let results = vec![
        without_a_database(),
        pay(&db).lock_wait(Duration::from_secs(3600)).run(|tx| tx.query_drop(UPDATE)),
        refuses_connections(),
        without_tls(),
        answered(UPDATE, Reply::error(1044, "42000", "Access denied")),
        closed(),
        inside(|outer| outer, |db| pay(db).propagation(Propagation::RequiresNew).run(|tx| tx.query_drop(UPDATE))),
        answered(UPDATE, Reply::error(1146, "42S02", "Table 'account' doesn't exist")),
        pay(&words).run(conversion),
        on_its_own(&db, |tx| tx.query_drop("COMMIT")),
        too_large(),
        lent(),
        answered_read_only(),
        answered(UPDATE, Reply::deadlock()),
        pay(&db).timeout(Duration::ZERO).run(|tx| tx.query_drop(UPDATE)),
        answered(UPDATE, Reply::error(1205, "HY000", "Lock wait timeout exceeded")),
        answered(UPDATE, Reply::error(3572, "HY000", "Statement aborted because lock(s) could not be acquired")),
        answered(UPDATE, Reply::LostBefore),
        answered(UPDATE, Reply::error(1047, "08S01", "WSREP has not yet prepared node")),
        pay(&procedures).run(|tx| tx.query_drop("CALL settle()")),
        a_table_that_is_not_transactional(),
        exhausted(),
        doomed(),
        on_its_own(&db, |tx| {
            tx.set_rollback_only();
            Ok(())
        }),
        on_its_own(&db, |tx| {
            tx.before_commit(|_| Err::<(), _>("the books do not balance"));
            Ok(())
        }),
        unit_of_work::with_current(|_: &mut Tx<'_>| ()),
        answered("COMMIT", Reply::LostAfter),
        inside(
            |outer| outer.isolation(Isolation::ReadCommitted),
            |db| pay(db).isolation(Isolation::Serializable).run(|tx| tx.query_drop(UPDATE)),
        ),
        inside(|outer| outer.read_only().retry(Retry::NEVER), |db| pay(db).run(|tx| tx.query_drop(UPDATE))),
        panicked(),
        without_a_runtime(),
        pay(&db).propagation(Propagation::Mandatory).run(|tx| tx.query_drop(UPDATE)),
    ];
    let errors = results.into_iter().enumerate();
    errors.map(|(at, result)| result.expect_err(&format!("number {at} was provoked"))).collect()
}

fn answered_read_only() -> Result<(), Error> {
    let (db, server) = scripted();
    server.answer(UPDATE, Reply::error(1792, "25006", "Cannot execute statement in a READ ONLY transaction"));
    pay(&db).read_only().run(|tx| tx.query_drop(UPDATE))
}

/// The kinds that there are, by the source.
fn kinds() -> BTreeSet<String> {
    let source = include_str!("../../../runtime/src/kind.rs");
    let (_, variants) = source.split_once("pub enum ErrorKind {\n").expect("it is there");
    let (variants, _) = variants.split_once("\n}\n").expect("it ends");
    let names = variants.lines().map(str::trim).filter(|line| !line.starts_with("///"));
    names.map(|line| line.trim_end_matches(',').to_owned()).collect()
}

#[test]
fn each_kind_of_error_names_its_unit_and_says_what_is_true_now() {
    let mut seen: BTreeSet<String> = NOT_HERE.iter().map(|(kind, _)| (*kind).to_owned()).collect();
    for error in provoked() {
        let (kind, text) = (format!("{:?}", error.kind()), error.to_string());
        assert!(seen.insert(kind.clone()), "{kind} twice, or said not to be here: {text}");
        if WITHOUT_A_UNIT.contains(&kind.as_str()) {
            continue;
        }
        assert!(text.starts_with(NAMED), "{kind}: {text}");
        let outcome = error.outcome().unwrap_or_else(|| panic!("{kind} says not what became of the unit: {text}"));
        assert!(text.ends_with(&outcome.to_string()), "{kind}: {text}");
        assert!(!text.contains("  ") && text.len() < 700, "{kind} is hard to read: {text}");
    }
    assert_eq!(seen, kinds());
}
