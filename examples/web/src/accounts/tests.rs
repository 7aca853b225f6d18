//! The units without HTTP around them. Those that read rows which are there run in sandboxes of one database, side by side; who
//! looks for what is not there would lock the place where it could be, and has a database of its own.

use super::{Account, BankError, Made, Transfer, find, list, open, transfer};
use crate::bank::SCHEMA;

fn schema() -> String {
    SCHEMA.join(";")
}

fn two_accounts() -> Result<(u64, u64), BankError> {
    Ok((open("Ada", 100)?.id, open("Bob", 0)?.id))
}

#[unit_of_work::test(sandbox, schema = schema())]
fn money_moves_once_for_one_key() -> Result<(), BankError> {
    let (from, to) = two_accounts()?;
    let order = Transfer { from, to, amount: 30 };
    let first = transfer(&order, Some("key"))?;
    let second = transfer(&order, Some("key"))?;
    assert!(matches!((&first, &second), (Made::Now(one), Made::Before(other)) if one == other), "{first:?} {second:?}");
    assert_eq!((find(from)?.balance, find(to)?.balance), (70, 30));
    let other = transfer(&Transfer { amount: 31, ..order }, Some("key"));
    assert!(matches!(other, Err(BankError::KeyInUse(_))), "{other:?}");
    Ok(())
}

#[unit_of_work::test(sandbox, schema = schema())]
fn what_is_refused_has_no_effect() -> Result<(), BankError> {
    let (from, to) = two_accounts()?;
    let refused = transfer(&Transfer { from, to, amount: 101 }, None);
    assert!(matches!(refused, Err(BankError::Insufficient { balance: 100, amount: 101, .. })), "{refused:?}");
    assert_eq!((find(from)?.balance, find(to)?.balance), (100, 0));
    Ok(())
}

#[unit_of_work::test(schema = schema())]
fn nobody_pays_to_nobody() -> Result<(), BankError> {
    let (from, to) = two_accounts()?;
    let refused = transfer(&Transfer { from, to: to + 1, amount: 10 }, None);
    assert!(matches!(refused, Err(BankError::NoAccount(id)) if id == to + 1), "{refused:?}");
    let balances: Vec<u64> = list()?.iter().map(|Account { balance, .. }| *balance).collect();
    assert_eq!(balances, [100, 0]);
    Ok(())
}
