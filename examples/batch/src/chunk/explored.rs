//! A chunk, failed at each of its round trips in each way, on a real server: all of its lines are settled once and counted once as
//! progress, or none of them is.

use ephemeral_mysql::Server;
use unit_of_work::testing::explore;
use unit_of_work::{Database, Error};

use super::tests::{chunk_of, line, night};
use super::{one_by_one, together};
use crate::ledger;
use crate::progress::Watch;
use crate::rules::Directory;
use crate::source::Line;
use crate::trouble::Trouble;

/// The second asks for more than there is, the third names a payment of another night, the fourth is none.
fn lines() -> [Line; 5] {
    [line(2, 1, 1, 60), line(3, 2, 1, 60), line(4, 99, 1, 5), Line::read(5, b"4,1"), line(6, 3, 2, 15)]
}

fn set_up(db: &Database, watch: &Watch) -> Result<(), Error> {
    ledger::create_tables(db)?;
    watch.restart();
    db.session(|session| {
        let emptied = ["payment", "reject", "chunk"];
        emptied.iter().try_for_each(|table| session.query_drop(format!("TRUNCATE {table}")))?;
        session.query_drop("REPLACE INTO account VALUES (0, 0, 0, 0), (1, 100, 0, 90), (2, 100, 0, 90)")?;
        session.query_drop("INSERT INTO payment VALUES (1, 2, 99, 1, 2, 5, 11)")?;
        session.query_drop("REPLACE INTO lane VALUES (7, 0, 0)")
    })
}

type Rows = (Vec<(u64, u64, u64)>, Vec<(u64, u64)>, Vec<(u64, String)>, Vec<(u64, u64)>, Vec<u64>);

fn rows(db: &Database) -> Result<Rows, Error> {
    db.session(|session| {
        let accounts = session.query("SELECT id, balance, spent FROM account ORDER BY id")?;
        let payments = session.query("SELECT line, fee FROM payment ORDER BY night, line")?;
        let rejects = session.query("SELECT line, rule FROM reject ORDER BY line")?;
        let chunks = session.query("SELECT posted, rejected FROM chunk")?;
        Ok((accounts, payments, rejects, chunks, session.query("SELECT done FROM lane")?))
    })
}

fn explored(settle: impl Fn(&[Line], &Directory, &Watch) -> Result<(), Trouble>, lines: &[Line]) {
    let server = Server::start().expect("a private server starts");
    let home = server.database();
    let watch = Watch::hidden();
    let known = Directory::from_iter([1, 2]);
    explore(Database::builder().url(home.url()))
        .set_up(|db| set_up(db, &watch))
        .observe(rows)
        .effects(|| watch.position())
        .run(|_db| settle(lines, &known, &watch))
        .expect("the server is there")
        .assert_sound();
}

#[test]
fn a_chunk_is_settled_once_whatever_fails() {
    let [first, second, _of_another_night, fourth, fifth] = lines();
    let lines = [first, second, fourth, fifth];
    explored(|lines, known, watch| together(chunk_of(&night(), 0, lines), known, watch), &lines);
}

#[test]
fn so_it_is_when_its_payments_are_posted_one_by_one() {
    explored(|lines, known, watch| one_by_one(chunk_of(&night(), 0, lines), known, watch), &lines());
}
