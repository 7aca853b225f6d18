//! The table of outcomes on a real server: how it is made, what is in it, how it is purged without getting in the way of units.

use std::time::Duration;

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Error, ErrorKind, Outcome, Tx};

use crate::world::{FAIL, TAKE_TEN, Trouble, World};

const DAY: Duration = Duration::from_secs(24 * 3600);
const ROWS: &str = "SELECT COUNT(*) FROM unit_of_work_outcome";

fn take(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop(TAKE_TEN)
}

#[test]
fn s19_without_the_table_nothing_is_committed_and_the_error_says_what_to_call() {
    let world = World::with_accounts(1..=1);
    let unit = || world.db.unit("take").exactly_once();
    let error = unit().run(take).expect_err("there is no table");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Configuration, Some(1146)), "{error}");
    assert_eq!((error.outcome(), error.attempts()), (Some(Outcome::RolledBack), 1));
    assert!(error.to_string().contains("call `Database::create_outcome_table`"), "{error}");
    assert_eq!(world.balances(), [100]);
    world.assert_clean(&world.db);
    world.db.create_outcome_table().expect("there is none");
    unit().run(take).expect("there is one");
    assert_eq!(world.balances(), [90]);
}

#[test]
fn s19_a_user_who_may_not_write_there_is_told_so() {
    let world = World::with_accounts(1..=1);
    world.db.create_outcome_table().expect("there is none");
    let user = format!("clerk_{}", world.name());
    world.execute(&format!("CREATE USER {user}@'127.0.0.1'"));
    world.execute(&format!("GRANT SELECT, UPDATE ON `{}`.account TO {user}@'127.0.0.1'", world.name()));
    let db = unit_of_work::Database::connect(&world.url().replace("root@", &format!("{user}@"))).expect("let in");
    let error = db.unit("take").exactly_once().run(take).expect_err("not allowed");
    world.execute(&format!("DROP USER {user}@'127.0.0.1'"));
    assert_eq!(
        (error.kind(), error.code(), error.outcome()),
        (ErrorKind::Configuration, Some(1142), Some(Outcome::RolledBack))
    );
    assert!(error.to_string().contains("INSERT into and SELECT from"), "{error}");
    assert_eq!(world.balances(), [100]);
}

#[test]
fn s81_the_table_has_a_row_for_each_commit_and_for_nothing_else() {
    let world = World::with_accounts(1..=1);
    world.db.create_outcome_table().expect("there is none");
    world.db.create_outcome_table().expect("a second call is harmless");
    let unit = || world.db.unit("take").exactly_once();
    unit().run(take).expect("committed");
    unit().run(take).expect("committed");
    unit().run(|tx| take(tx).map_err(Trouble::Work).and(FAIL)).expect_err("rolled back");
    world.db.unit("plain").run(take).expect("committed");
    assert_eq!(world.count(ROWS), 2);
    let good = "state = 'committed' AND LENGTH(id) = 16 AND ABS(TIMESTAMPDIFF(SECOND, at, UTC_TIMESTAMP())) < 60";
    assert_eq!(world.count(&format!("{ROWS} WHERE {good}")), 2);
    assert_eq!(world.balances(), [70]);
    world.assert_clean(&world.db);
}

/// The tombstone would always go in, and say "rolled back" of what was committed.
#[test]
fn s81_a_table_without_a_key_that_excludes_is_refused() {
    let keys = [
        "KEY (id)",
        "UNIQUE (id, at)",
        "PRIMARY KEY (id(8))",
        "PRIMARY KEY (at), KEY (id)",
        "UNIQUE (state), KEY (id)",
    ];
    for key in keys {
        let world = World::new();
        world.execute(&format!(
            "CREATE TABLE unit_of_work_outcome (id BINARY(16) NOT NULL, state INT, at DATETIME NOT NULL, {key}) ENGINE=InnoDB"
        ));
        let error = world.db.create_outcome_table().expect_err("a key could be there twice");
        assert_eq!(error.kind(), ErrorKind::Configuration, "{key}");
        assert!(error.to_string().contains("no unique key of `id`"), "{key}: {error}");
    }
}

/// Its rows would stay when their units are rolled back, and say that they were committed.
#[test]
fn s81_a_table_that_would_lie_is_refused() {
    let world = World::new();
    world
        .execute("CREATE TABLE unit_of_work_outcome (id BINARY(16) PRIMARY KEY, state INT, at DATETIME) ENGINE=MyISAM");
    let error = world.db.create_outcome_table().expect_err("the wrong engine");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("MyISAM") && error.to_string().contains("InnoDB"), "{error}");
}

fn fill(world: &World, rows: u32, age: &str) {
    let numbers = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < ?)";
    let row = format!("LEFT(UNHEX(SHA2(CONCAT(i, '{age}'), 256)), 16), 'committed', UTC_TIMESTAMP() - INTERVAL {age}");
    let mut conn = world.conn();
    conn.exec_drop(format!("INSERT INTO unit_of_work_outcome {numbers} SELECT {row} FROM n"), (rows,)).expect("rows");
}

#[test]
fn s81_old_rows_are_purged_in_batches_and_those_of_a_day_never() {
    let world = World::new();
    world.db.create_outcome_table().expect("there is none");
    fill(&world, 600, "50 HOUR");
    fill(&world, 500, "49 HOUR");
    fill(&world, 40, "25 HOUR");
    fill(&world, 3, "23 HOUR");
    assert_eq!(world.db.purge_outcomes(Duration::MAX).expect("nothing is that old"), 0);
    let (db, proxy) = world.proxied();
    proxy.record();
    assert_eq!(db.purge_outcomes(2 * DAY).expect("a purge"), 1100);
    let sent: Vec<_> = proxy.take().into_iter().map(|command| command.text).collect();
    let deletes: Vec<_> = sent.iter().filter(|text| text.starts_with("DELETE")).collect();
    assert_eq!(deletes.len(), 3, "not all at once: {deletes:#?}");
    let begin = sent.iter().position(|text| text.contains("READ COMMITTED;SET SESSION innodb_lock_wait_timeout=1,"));
    assert!(begin.is_some() && begin < sent.iter().position(|text| text.starts_with("DELETE")), "{sent:#?}");
    assert_eq!(world.db.purge_outcomes(Duration::ZERO).expect("a purge"), 40);
    assert_eq!((world.db.purge_outcomes(DAY).expect("a purge"), world.count(ROWS)), (0, 3));
    world.assert_clean(&db);
}

/// At READ COMMITTED the purge locks its rows and not what is between them, where units write theirs.
#[test]
fn s81_a_purge_that_is_under_way_does_not_hold_units_up_nor_they_it() {
    let world = World::with_accounts(1..=1);
    world.db.create_outcome_table().expect("there is none");
    fill(&world, 5, "49 HOUR");
    world.execute("CREATE TRIGGER slow BEFORE DELETE ON unit_of_work_outcome FOR EACH ROW DO SLEEP(0.1)");
    std::thread::scope(|scope| {
        let purge = scope.spawn(|| world.db.purge_outcomes(DAY));
        while !purge.is_finished() {
            let unit = world.db.unit("take").exactly_once().lock_wait(Duration::from_secs(1));
            unit.run(|tx| tx.query_drop("UPDATE account SET balance = balance + 1 WHERE id = 1")).expect("not held up");
        }
        assert_eq!(purge.join().expect("no panic").expect("not held up"), 5);
    });
}

/// The row is newer than all others, so the purge comes to it last; and who waits for it must not have others wait.
#[test]
fn s81_a_row_that_is_not_committed_yet_does_not_hold_a_purge_up() {
    let world = World::with_accounts(1..=1);
    world.db.create_outcome_table().expect("there is none");
    fill(&world, 5, "49 HOUR");
    let mut other = world.conn();
    other.query_drop("BEGIN").expect("the server answers");
    let row =
        "INSERT INTO unit_of_work_outcome VALUES (REPEAT('x', 16), 'committed', UTC_TIMESTAMP() + INTERVAL 1 HOUR)";
    other.query_drop(row).expect("nobody has it");
    assert_eq!(world.db.purge_outcomes(DAY).expect("not held up"), 5);
    other.query_drop("COMMIT").expect("the server answers");
    assert_eq!(world.count(ROWS), 1);
}

#[test]
fn s98_neither_is_done_inside_a_unit() {
    let world = World::new();
    let inside = world.db.unit("unit").run::<_, Error>(|_| {
        let made = world.db.create_outcome_table().expect_err("it would tear the unit");
        let purged = world.db.purge_outcomes(DAY).expect_err("it would tear the unit");
        Ok([made.kind(), purged.kind()])
    });
    assert_eq!(inside.expect("nothing happened"), [ErrorKind::Propagation; 2]);
}
