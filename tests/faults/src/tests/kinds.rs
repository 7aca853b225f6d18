//! What one unit is told of each disturbance of the server when it is not run again, and that the next one is served.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use unit_of_work::mysql::Conn;
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Error, ErrorKind, Outcome, Retry, Tx};

use crate::arena::Arena;
use crate::audit::Rows;

/// Longer than a unit needs that nobody disturbs, even on a busy machine; for units that are to meet it.
const SHORT: Duration = Duration::from_secs(2);
/// For units that are not.
const LONG: Duration = Duration::from_secs(30);
const ADD: &str = "UPDATE account SET balance = balance + 1 WHERE id = 1";
const NOTE: &str = "INSERT INTO entry (unit, source, target, amount) VALUES (1, 0, 1, 1)";

/// What the caller is told: the kind of error, its number, and what became of the unit.
type Told = (ErrorKind, Option<u16>, Option<Outcome>);

/// What happens in the middle of a unit.
type Disturb = fn(&mut Tx<'_>, &mut World) -> Result<(), Error>;

struct World {
    arena: Rc<Arena>,
    db: Database,
    admin: Conn,
}

impl World {
    /// The units' user has no rights over the server: who has them may write whatever it is set to.
    fn new(network_timeout: Duration) -> Self {
        let arena = Arena::durable(1).unwrap_or_else(|failure| panic!("{failure}"));
        let mut admin = arena.server.conn().expect("the server answers");
        admin.query_drop("CREATE USER app").expect("a new user");
        admin.query_drop(format!("GRANT ALL ON {}.* TO app", arena.name())).expect("a user's rights");
        let url = format!("mysql://app@127.0.0.1:{}/{}", arena.server.port(), arena.name());
        let settings = Database::builder().url(url).retry(Retry::NEVER).network_timeout(network_timeout);
        let db = settings.lock_wait(Duration::from_secs(1)).connect().expect("the server answers");
        Self { arena: Rc::new(arena), db, admin }
    }

    fn add(&mut self, before: Disturb) -> Result<(), Error> {
        let db = self.db.clone();
        let disturb = RefCell::new(self);
        db.unit("add").run(|tx| {
            tx.query_drop(ADD)?;
            before(tx, &mut disturb.borrow_mut())?;
            tx.query_drop(NOTE)
        })
    }

    /// Runs one unit that is disturbed in its middle, then ends the disturbance. What it was told has to be true, and the next
    /// unit has to be served.
    fn told(&mut self, disturb: Disturb, end: fn(&mut Self)) -> Told {
        let before = self.entries();
        let error = self.add(disturb).expect_err("it was disturbed");
        end(self);
        self.add(|_, _| Ok(())).unwrap_or_else(|error| panic!("the next unit fails: {error}"));
        let there = self.entries() - before - 1;
        match error.outcome() {
            Some(Outcome::RolledBack | Outcome::NotStarted) => assert_eq!(there, 0, "{error}"),
            Some(Outcome::Unknown) => assert!(there <= 1, "{error}"),
            other => panic!("{other:?}: {error}"),
        }
        (error.kind(), error.code(), error.outcome())
    }

    fn entries(&self) -> u64 {
        let rows = Rows::read(&mut self.arena.conn().expect("the server answers")).expect("the tables are there");
        assert_eq!(rows.wrong_balances, [""; 0], "half of a unit is there");
        rows.entries.values().sum()
    }

    fn admin(&mut self, sql: impl AsRef<str>) {
        self.admin.query_drop(sql).expect("an administrator may");
    }
}

fn id(tx: &mut Tx<'_>) -> Result<u64, Error> {
    Ok(tx.query_first("SELECT CONNECTION_ID()")?.expect("a row"))
}

const ROLLED_BACK: Option<Outcome> = Some(Outcome::RolledBack);

#[test]
fn s83_a_killed_connection_is_lost_and_a_killed_statement_is_an_error_of_its_own() {
    let mut world = World::new(LONG);
    let told = world.told(
        |tx, world| {
            let id = id(tx)?;
            world.admin(format!("KILL CONNECTION {id}"));
            Ok(())
        },
        |_| (),
    );
    // The server may still say so, or just hang up.
    assert_eq!((told.0, told.2), (ErrorKind::ConnectionLost, ROLLED_BACK));
    let told = world.told(
        |tx, world| {
            let (id, mut admin) = (id(tx)?, world.arena.server.conn().expect("the server answers"));
            thread::spawn(move || {
                let running =
                    "SELECT COUNT(*) FROM information_schema.processlist WHERE id = ? AND state = 'User sleep'";
                while admin.exec_first(running, (id,)).expect("the server answers") != Some(1_u64) {}
                admin.query_drop(format!("KILL QUERY {id}"))
            });
            // With a table: a bare `SELECT SLEEP(…)` answers a kill with a value instead of an error.
            tx.query_drop("UPDATE account SET balance = balance + SLEEP(60) WHERE id = 1")
        },
        |_| (),
    );
    assert_eq!(told, (ErrorKind::Statement, Some(1317), ROLLED_BACK));
}

#[test]
fn s83_a_read_only_server_is_unavailable() {
    let told = World::new(LONG).told(
        |_, world| {
            world.admin("SET GLOBAL read_only = 1");
            Ok(())
        },
        |world| world.admin("SET GLOBAL read_only = 0"),
    );
    assert_eq!(told, (ErrorKind::Unavailable, Some(1290), ROLLED_BACK));
}

#[test]
fn s83_a_commit_that_waits_for_a_backup_is_a_lock_timeout_and_rolled_back() {
    let mut world = World::new(LONG);
    let told = world.told(
        |tx, world| {
            // Inside the body the global lock would wait for the unit's own statement locks; at COMMIT it is there.
            let mut backup = world.arena.server.conn().expect("the server answers");
            tx.before_commit(move |_| {
                backup.query_drop("FLUSH TABLES WITH READ LOCK").expect("nobody else locks");
                // Its locks are held until it is killed.
                std::mem::forget(backup);
            });
            Ok(())
        },
        |world| {
            let lockers = "SELECT id FROM information_schema.processlist WHERE user = 'root' AND id <> CONNECTION_ID()";
            for id in world.admin.query::<u64, _>(lockers).expect("the server answers") {
                world.admin(format!("KILL {id}"));
            }
        },
    );
    assert_eq!(told, (ErrorKind::LockTimeout, Some(1205), ROLLED_BACK));
}

#[test]
fn s83_a_server_without_room_for_connections_is_unavailable_and_nothing_is_begun() {
    let mut world = World::new(LONG);
    world.admin("SET GLOBAL max_connections = 10");
    let mut others = Vec::new();
    let full = loop {
        let url = format!("mysql://app@127.0.0.1:{}/?prefer_socket=false", world.arena.server.port());
        match Conn::new(unit_of_work::mysql::Opts::from_url(&url).expect("a URL")) {
            Ok(conn) => others.push(conn),
            Err(full) => break full,
        }
    };
    assert!(full.to_string().contains("1040"), "{full}");
    // The only session is busy here, and another one cannot be had.
    let told = world.db.unit("first").run(|_| {
        let db = world.db.clone();
        thread::scope(|scope| scope.spawn(move || db.unit("second").run(|tx| tx.query_drop(ADD))).join())
            .expect("no panic")
    });
    let told = told.expect_err("there is no room");
    assert_eq!(
        (told.kind(), told.code(), told.outcome()),
        (ErrorKind::Unavailable, Some(1040), Some(Outcome::NotStarted))
    );
    drop(others);
    world.admin("SET GLOBAL max_connections = 300");
    world.add(|_, _| Ok(())).unwrap_or_else(|error| panic!("the next unit fails: {error}"));
}

#[test]
fn s83_a_server_that_stands_still_is_lost_and_at_commit_unknown() {
    let mut world = World::new(SHORT);
    let stopped = world.told(
        |_, world| {
            world.arena.server.pause();
            Ok(())
        },
        |world| world.arena.server.resume(),
    );
    assert_eq!(stopped, (ErrorKind::ConnectionLost, None, ROLLED_BACK));
    let stopped_at_commit = world.told(
        |tx, world| {
            let arena = Rc::clone(&world.arena);
            tx.before_commit(move |_| arena.server.pause());
            Ok(())
        },
        |world| world.arena.server.resume(),
    );
    assert_eq!(stopped_at_commit, (ErrorKind::CommitUnknown, None, Some(Outcome::Unknown)));
}
