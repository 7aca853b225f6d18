//! The units without a file around them, each test with a database of its own.

use unit_of_work::{Database, Error, ErrorKind};

use super::{Payment, Posting, Refusal, open_accounts, pay, total};
use crate::ledger::SCHEMA;

fn ten_accounts(db: &Database) {
    db.session(|session| SCHEMA.iter().try_for_each(|table| session.query_drop(table))).expect("the tables are made");
    open_accounts(10, 100).expect("the accounts are opened");
}

fn post_one(id: u64, from: u64, to: u64, amount: u64) -> Result<Posting, Refusal> {
    pay(&Ok(Payment { id, from, to, amount }))
}

fn balance(db: &Database, id: u64) -> Result<u64, Error> {
    let balance = |tx: &mut unit_of_work::Tx<'_>| tx.exec_first("SELECT balance FROM account WHERE id = ?", (id,));
    db.unit("balance").read_only().run::<Option<u64>, Error>(balance).map(|found| found.expect("it was opened"))
}

#[unit_of_work::test(setup = ten_accounts)]
fn a_payment_is_posted_once(db: &Database) -> Result<(), Refusal> {
    assert!(matches!(post_one(1, 1, 2, 30)?, Posting::Now(30)));
    assert!(matches!(post_one(1, 1, 2, 30)?, Posting::Before));
    assert!(matches!(post_one(1, 1, 2, 31), Err(Refusal::OtherPayment(1))));
    assert_eq!((balance(db, 1)?, balance(db, 2)?, total()?), (70, 130, 1000));
    Ok(())
}

#[unit_of_work::test(setup = ten_accounts)]
fn what_is_refused_is_undone(db: &Database) -> Result<(), Refusal> {
    assert!(matches!(post_one(1, 1, 2, 101), Err(Refusal::Insufficient(1))));
    assert!(matches!(post_one(2, 1, 11, 10), Err(Refusal::NoAccount(11))));
    assert!(matches!(post_one(3, 11, 1, 10), Err(Refusal::NoAccount(11))));
    assert_eq!((balance(db, 1)?, total()?), (100, 1000));
    assert!(matches!(post_one(2, 1, 2, 10)?, Posting::Now(10)), "its number is free");
    Ok(())
}

#[unit_of_work::test]
fn without_tables_the_server_says_so() {
    let error = open_accounts(1, 1).expect_err("there is no table");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Statement, Some(1146)));
}
