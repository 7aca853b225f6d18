//! The units without a file around them, each test with a database of its own.

use ephemeral_mysql::Server;
use proxy::Proxy;
use unit_of_work::{Database, Error};

use super::{Chunk, settle};
use crate::night::{Night, State};
use crate::progress::Watch;
use crate::rules::{Directory, Payment};
use crate::source::Line;
use crate::trouble::Trouble;
use crate::{ledger, night};

pub(super) fn night() -> Night {
    Night { id: 7, run: 1, done: vec![0], state: State::Open }
}

pub(super) fn line(number: u64, id: u64, from: u64, amount: u64) -> Line {
    Line { number, entry: Ok(Payment { id, from, to: 3 - from, amount }) }
}

pub(super) fn chunk_of<'n>(night: &'n Night, first: u64, lines: &'n [Line]) -> Chunk<'n> {
    Chunk { night, lane: 0, first, lines }
}

fn two_accounts(db: &Database) {
    ledger::create_tables(db).expect("the tables are made");
    night::open_accounts(2, 100, 90).expect("the accounts are opened");
    db.session(|session| session.query_drop("INSERT INTO lane VALUES (7, 0, 0)")).expect("a lane");
}

fn settle_from(first: u64, lines: &[Line]) -> Result<(), Trouble> {
    settle(chunk_of(&night(), first, lines), &Directory::from_iter([1, 2]), &Watch::hidden())
}

/// Numbers of lines: posted, rejected; and what accounts 0 to 2 hold.
type Rows = (Vec<u64>, Vec<(u64, String)>, Vec<u64>);

fn rows(db: &Database) -> Result<Rows, Error> {
    db.session(|session| {
        let posted = session.query("SELECT line FROM payment WHERE night = 7 ORDER BY line")?;
        let rejected = session.query("SELECT line, reason FROM reject ORDER BY line")?;
        Ok((posted, rejected, session.query("SELECT balance FROM account ORDER BY id")?))
    })
}

#[unit_of_work::test(setup = two_accounts)]
fn what_was_settled_by_a_commit_that_came_late_is_left_out(db: &Database) -> Result<(), Trouble> {
    let lines = [line(2, 1, 1, 10), line(3, 2, 1, 20), line(4, 3, 2, 30), line(5, 4, 1, 5)];
    settle_from(0, &lines[..2])?;
    settle_from(0, &lines[..2])?;
    settle_from(0, &lines[..3])?;
    settle_from(2, &lines[2..])?;
    let (posted, rejected, balances) = rows(db)?;
    assert_eq!((posted, rejected, balances), (vec![2, 3, 4, 5], vec![], vec![44, 100 - 35 - 33, 100 - 30 - 11]));
    Ok(())
}

#[unit_of_work::test(setup = two_accounts)]
fn what_the_server_refuses_is_undone_and_rejected_alone(db: &Database) -> Result<(), Trouble> {
    db.session(|session| {
        session.query_drop("INSERT INTO payment VALUES (1, 2, 99, 1, 2, 5, 11)")?;
        session.query_drop("ALTER TABLE account ADD CONSTRAINT not_too_poor CHECK (id = 0 OR balance >= 20)")
    })?;
    let lines = [line(2, 99, 1, 10), line(3, 1, 1, 75), line(4, 2, 1, 50), line(5, 3, 2, 30)];
    settle_from(0, &lines)?;
    let (posted, rejected, balances) = rows(db)?;
    assert_eq!((posted, balances), (vec![4, 5], vec![22, 39, 59]));
    assert_eq!(rejected[0], (2, "payment 99 was posted on another night".to_owned()));
    assert!(
        rejected[1].1.starts_with("the server refused it: ") && rejected[1].1.contains("not_too_poor"),
        "{rejected:?}"
    );
    Ok(())
}

#[unit_of_work::test(setup = two_accounts)]
fn what_is_not_about_a_payment_rejects_none(db: &Database) -> Result<(), Trouble> {
    db.session(|session| session.query_drop("DROP TABLE payment"))?;
    let failed = settle_from(0, &[line(2, 1, 1, 10)]).expect_err("there is no table");
    assert!(matches!(&failed, Trouble::Work(error) if error.code() == Some(1146)), "{failed}");
    let rejected: Option<u64> = db.session(|session| session.query_first("SELECT COUNT(*) FROM reject"))?;
    assert_eq!(rejected, Some(0));
    Ok(())
}

#[test]
fn three_round_trips_settle_a_chunk_of_any_length() {
    let server = Server::start().expect("a private server starts");
    let home = server.database();
    let proxy = Proxy::start(("127.0.0.1", server.port())).expect("a proxy can be started");
    let db = Database::connect(&proxy.url(home.name())).expect("the server answers");
    let _entered = db.enter();
    two_accounts(&db);
    db.session(|session| session.query_drop("UPDATE account SET balance = 10000")).expect("they are rich");
    let lines: Vec<_> = (1..=500).map(|n| line(n + 1, n, n % 2 + 1, u64::from(n > 9 && n < 100))).collect();
    settle_from(0, &lines[..10]).expect("the first chunk is settled, and what is prepared is so from now on");
    let before = proxy.round_trips();
    settle_from(10, &lines[10..]).expect("the second one too");
    assert_eq!(proxy.round_trips() - before, 3, "the lane, the accounts, and everything else");
    assert_eq!(rows(&db).expect("the rows can be read").0.len(), 90);
}
