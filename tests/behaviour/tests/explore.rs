//! `explore` on the real server: units with a mistake in them, each found where it lies, and right units, in which nothing is found.

mod looked;
mod mistakes;
mod right;
mod wire;

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::testing::{Exploration, Explore, Finding, Way, explore};
use unit_of_work::{Database, Error};

use crate::world::World;

/// Two accounts with 100 each and an empty journal.
fn bank() -> World {
    let world = World::with_accounts(1..=2);
    world.execute(
        "CREATE TABLE journal (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, amount BIGINT NOT NULL) ENGINE=InnoDB",
    );
    world
}

/// Of this bank, with all rows looked at.
fn exploring<'a>(world: &World) -> Explore<'a, (Vec<i64>, Vec<i64>)> {
    explore(Database::builder().url(world.url())).set_up(renew).observe(rows)
}

fn renew(db: &Database) -> Result<(), Error> {
    db.session(|session| {
        session.query_drop("UPDATE account SET balance = 100")?;
        session.query_drop("DELETE FROM journal")
    })
}

fn rows(db: &Database) -> Result<(Vec<i64>, Vec<i64>), Error> {
    db.session(|session| {
        let balances = session.query("SELECT balance FROM account ORDER BY id")?;
        Ok((balances, session.query("SELECT amount FROM journal ORDER BY id")?))
    })
}

/// Failures at which the findings that `wanted` likes were made: the number of the round trip and the way.
fn found(exploration: &Exploration, wanted: impl Fn(&Finding) -> bool) -> Vec<(u64, Way)> {
    let runs = exploration.findings().filter(|run| run.finding().is_some_and(&wanted));
    runs.map(|run| (run.round_trip(), run.way())).collect()
}

/// Nothing of all the runs is left on the server.
#[track_caller]
fn assert_nothing_open(world: &World) {
    crate::world::until("no transaction is open", || world.open_transactions().is_empty());
    world.conn().query_drop("UPDATE account SET balance = 1").expect("nothing is locked");
}
