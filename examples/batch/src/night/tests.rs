//! How nights are begun, continued and closed, each test with a database of its own.

use std::fs;

use unit_of_work::{Database, Error, ErrorKind};

use super::{State, begin, close, open_accounts};
use crate::ledger;
use crate::source::Payments;
use crate::trouble::Trouble;

fn two_accounts(db: &Database) {
    ledger::create_tables(db).expect("the tables are made");
    open_accounts(2, 100, 90).expect("the accounts are opened");
}

/// One payment of so much.
fn file(amount: u64) -> Payments {
    let place = tempfile::tempdir().expect("a directory can be made");
    let path = place.path().join("payments.csv");
    fs::write(&path, format!("id,from,to,amount\n1,1,2,{amount}\n")).expect("a file can be written");
    Payments::read(&path).expect("it is a file of payments")
}

fn change(db: &Database, sql: &str) -> Result<(), Error> {
    db.session(|session| session.query_drop(sql))
}

#[unit_of_work::test(setup = two_accounts)]
fn a_night_is_continued_and_then_closed_once(db: &Database) -> Result<(), Trouble> {
    let first = begin("one", &file(10))?;
    let second = begin("one", &file(10))?;
    assert_eq!((first.run, second.run, first.id == second.id, second.done.len()), (1, 2, true, 64));
    change(db, &format!("INSERT INTO payment VALUES ({}, 2, 1, 1, 2, 10, 11)", first.id))?;
    change(db, "UPDATE account SET balance = balance - 21, spent = 10 WHERE id = 1")?;
    change(db, "UPDATE account SET balance = 11 WHERE id = 0")?;
    close(first.id)?;
    close(first.id)?;
    let accounts: Vec<(u64, u64)> =
        db.session(|session| session.query("SELECT balance, spent FROM account ORDER BY id"))?;
    assert_eq!(accounts, [(11, 0), (79, 0), (110, 0)], "paid out once");
    assert_eq!(begin("one", &file(10))?.state, State::Closed);
    assert_eq!(begin("two", &file(20))?.run, 1);
    Ok(())
}

#[unit_of_work::test(setup = two_accounts)]
fn another_file_of_the_same_name_and_another_night_before_its_time_are_refused() {
    begin("one", &file(10)).expect("the first night");
    assert!(matches!(begin("one", &file(11)), Err(Trouble::Changed { then: 1, now: 1, .. })));
    assert!(matches!(begin("two", &file(11)), Err(Trouble::Unfinished(open)) if open == "one"));
}

#[unit_of_work::test(setup = two_accounts)]
fn a_night_with_money_or_lines_missing_stays_open(db: &Database) -> Result<(), Trouble> {
    let night = begin("one", &file(10))?;
    assert!(matches!(close(night.id), Err(Trouble::Lines { lines: 1, accounted: 0 })));
    change(db, &format!("INSERT INTO payment VALUES ({}, 2, 1, 1, 2, 10, 11)", night.id))?;
    assert!(matches!(close(night.id), Err(Trouble::Money { before: 200, after: 210 })), "nobody paid");
    change(db, "UPDATE account SET balance = balance - 10 WHERE id = 1")?;
    change(db, "DELETE FROM account WHERE id = 2")?;
    change(db, "UPDATE account SET balance = balance + 100 WHERE id = 1")?;
    assert!(matches!(close(night.id), Err(Trouble::Money { before: 200, after: 190 })), "nobody received it");
    assert_eq!(begin("one", &file(10))?.state, State::Open);
    Ok(())
}

#[unit_of_work::test]
fn without_tables_the_server_says_so() {
    let error = open_accounts(1, 1, 1).expect_err("there is no table");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Statement, Some(1146)));
}
