//! The units of work around the chunks: the accounts are opened, a night is begun, continued and closed. Closing counts first: a
//! night in which money or a line is missing stays open.

use unit_of_work::mysql::Value;
use unit_of_work::{Error, Tx, unit_of_work};

use crate::rows;
use crate::rules::{Directory, FEES};
use crate::source::{LANES, Payments};
use crate::trouble::Trouble;

/// A night as this run knows it.
#[derive(Debug, Clone)]
pub(crate) struct Night {
    pub(crate) id: u64,
    /// Of those that worked on it, counted from 1.
    pub(crate) run: u64,
    /// How many lines of each lane are settled.
    pub(crate) done: Vec<u64>,
    pub(crate) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    Closed,
}

/// Opens accounts 1 to `accounts`, and the one for fees, if there are none.
#[unit_of_work(exactly_once)]
pub(crate) fn open_accounts(tx: &mut Tx<'_>, accounts: u64, balance: u64, limit: u64) -> Result<(), Error> {
    if tx.query_first::<u64, _>("SELECT id FROM account LIMIT 1 FOR UPDATE")?.is_some() {
        return Ok(());
    }
    let account = |id, balance, limit| [id, balance, 0, limit].map(Value::from);
    let all = [account(FEES, 0, 0)].into_iter().chain((1..=accounts).map(|id| account(id, balance, limit)));
    rows::insert(tx, "account (id, balance, spent, nightly_limit)", all)
}

/// Begins the night, or continues it. A night that is closed is left as it is.
#[unit_of_work(exactly_once)]
pub(crate) fn begin(tx: &mut Tx<'_>, name: &str, payments: &Payments) -> Result<Night, Trouble> {
    let found = find(tx, name, payments, " FOR UPDATE")?;
    let night = match found {
        Some(night) if night.state == State::Closed => return Ok(night),
        Some(night) => night,
        None => first_run(tx, name, payments)?,
    };
    tx.defer("INSERT INTO run VALUES (?, ?, UTC_TIMESTAMP(6))", (night.id, night.run))?;
    Ok(night)
}

/// The night of this name, if there is one; it must have had the same file. `lock` is what the reading statement ends with.
pub(crate) fn find(tx: &mut Tx<'_>, name: &str, payments: &Payments, lock: &str) -> Result<Option<Night>, Trouble> {
    let by_name = format!("SELECT id, fingerprint, line_count, closed FROM night WHERE name = ?{lock}");
    let Some((id, fingerprint, then, closed)) = tx.exec_first::<(u64, String, u64, bool), _, _>(by_name, (name,))?
    else {
        return Ok(None);
    };
    if fingerprint != payments.fingerprint {
        return Err(Trouble::Changed { night: name.to_owned(), then, now: payments.count() });
    }
    let runs: Option<u64> = tx.exec_first("SELECT COUNT(*) FROM run WHERE night = ?", (id,))?;
    let run = runs.unwrap_or_default() + 1;
    let done = tx.exec("SELECT done FROM lane WHERE night = ? ORDER BY number", (id,))?;
    Ok(Some(Night { id, run, done, state: if closed { State::Closed } else { State::Open } }))
}

fn first_run(tx: &mut Tx<'_>, name: &str, payments: &Payments) -> Result<Night, Trouble> {
    if let Some(other) = tx.query_first("SELECT name FROM night WHERE closed = 0")? {
        return Err(Trouble::Unfinished(other));
    }
    let money = balances(tx)?;
    let night = "INSERT INTO night (name, fingerprint, line_count, money, closed) VALUES (?, ?, ?, ?, 0)";
    tx.exec_drop(night, (name, &payments.fingerprint, payments.count(), money))?;
    let id = tx.last_insert_id().expect("the table counts its rows");
    rows::insert(tx, "lane (night, number, done)", (0..LANES as u64).map(|lane| [id, lane, 0].map(Value::from)))?;
    Ok(Night { id, run: 1, done: vec![0; LANES], state: State::Open })
}

/// Pays out what was received, forgets what was spent, and closes the night; or says what is missing and changes nothing.
#[unit_of_work(exactly_once, retry(within = "1m"))]
pub(crate) fn close(tx: &mut Tx<'_>, id: u64) -> Result<(), Trouble> {
    let night = "SELECT line_count, money, closed FROM night WHERE id = ? FOR UPDATE";
    let (lines, before, closed): (u64, u64, bool) = tx.exec_first(night, (id,))?.expect("nights are not deleted");
    if closed {
        return Ok(());
    }
    let (posted, under_way) = posted(tx, id)?;
    let rejected: u64 = one(tx.exec_first("SELECT COUNT(*) FROM reject WHERE night = ?", (id,))?);
    if posted + rejected != lines {
        return Err(Trouble::Lines { lines, accounted: posted + rejected });
    }
    same_money(before, balances(tx)? + under_way)?;
    if posted > 0 {
        pay_out(tx, id)?;
    }
    // An account that was deleted meanwhile has received nothing.
    same_money(before, balances(tx)?)?;
    tx.defer("UPDATE account SET spent = 0 WHERE spent > 0", ())?;
    tx.defer("UPDATE night SET closed = 1 WHERE id = ?", (id,))?;
    Ok(())
}

fn pay_out(tx: &mut Tx<'_>, night: u64) -> Result<(), Error> {
    tx.exec_drop(
        "UPDATE account JOIN (SELECT to_account, SUM(amount) AS received FROM payment WHERE night = ? GROUP BY to_account) AS paid
         ON paid.to_account = account.id SET account.balance = account.balance + paid.received",
        (night,),
    )
}

fn same_money(before: u64, after: u64) -> Result<(), Trouble> {
    if before == after { Ok(()) } else { Err(Trouble::Money { before, after }) }
}

/// How many payments, and how much money that is, without fees.
fn posted(tx: &mut Tx<'_>, night: u64) -> Result<(u64, u64), Error> {
    let sum = "SELECT COUNT(*), CAST(COALESCE(SUM(amount), 0) AS UNSIGNED) FROM payment WHERE night = ?";
    tx.exec_first(sum, (night,)).map(one)
}

/// The money in all accounts, that of the fees included.
fn balances(tx: &mut Tx<'_>) -> Result<u64, Error> {
    tx.query_first("SELECT CAST(COALESCE(SUM(balance), 0) AS UNSIGNED) FROM account").map(one)
}

fn one<T>(row: Option<T>) -> T {
    row.expect("an aggregate is always one row")
}

/// Whom payments may go to. Read once: accounts are neither opened nor closed during a night.
#[unit_of_work(read_only, isolation = "repeatable read")]
pub(crate) fn directory(tx: &mut Tx<'_>) -> Result<Directory, Error> {
    tx.query::<u64, _>("SELECT id FROM account").map(Directory::from_iter)
}

#[cfg(test)]
mod tests;
