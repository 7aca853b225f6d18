//! The units of work that settle lines. A chunk is one transaction, in three round trips: where its lane is, what its accounts hold,
//! and then all that it writes together with COMMIT. If the server refuses a payment in it, all of it is undone, and it is settled once
//! more with each payment in a savepoint, so that the bad one is undone alone.

use std::collections::{BTreeMap, BTreeSet};

use unit_of_work::mysql::Value;
use unit_of_work::{Error, Tx, unit_of_work};

use crate::night::Night;
use crate::progress::Watch;
use crate::rows;
use crate::rules::{Account, Books, Directory, FEES, Posting, Refusal, Reject};
use crate::source::Line;
use crate::trouble::Trouble;

/// Lines of one lane, in their order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk<'n> {
    pub(crate) night: &'n Night,
    pub(crate) lane: u64,
    /// Where in its lane it begins, counted from 0.
    pub(crate) first: u64,
    pub(crate) lines: &'n [Line],
}

/// Settles the lines of a chunk that are not settled yet. An `Err` says that none of them was.
pub(crate) fn settle(chunk: Chunk<'_>, known: &Directory, watch: &Watch) -> Result<(), Trouble> {
    match together(chunk, known, watch) {
        Err(Trouble::Work(error)) if is_about_data(&error) => one_by_one(chunk, known, watch),
        settled => settled,
    }
}

#[unit_of_work(exactly_once, retry(within = "1m"))]
fn together(tx: &mut Tx<'_>, chunk: Chunk<'_>, known: &Directory, watch: &Watch) -> Result<(), Trouble> {
    watch.attempt(tx.attempt());
    let Some((chunk, mut books)) = open(tx, chunk)? else { return Ok(()) };
    let mut entries = Entries::default();
    chunk.lines.iter().for_each(|line| entries.add(books.judge(line, known)));
    write_payments(tx, chunk, &entries.postings)?;
    close(tx, chunk, entries, watch)
}

#[unit_of_work(exactly_once, retry(within = "1m"))]
fn one_by_one(tx: &mut Tx<'_>, chunk: Chunk<'_>, known: &Directory, watch: &Watch) -> Result<(), Trouble> {
    watch.attempt(tx.attempt());
    let Some((chunk, mut books)) = open(tx, chunk)? else { return Ok(()) };
    let mut entries = Entries::default();
    for line in chunk.lines {
        let judged = match books.judge(line, known) {
            Ok(posting) => post_alone(chunk.night.id, &posting)
                .map(|()| Ok(posting))
                .or_else(|error| refused_by_the_server(&mut books, line, &posting, error).map(Err))?,
            rejected => rejected,
        };
        entries.add(judged);
    }
    close(tx, chunk, entries, watch)
}

#[unit_of_work(propagation = "nested")]
fn post_alone(tx: &mut Tx<'_>, night: u64, posting: &Posting) -> Result<(), Error> {
    tx.exec_drop("INSERT INTO payment VALUES (?, ?, ?, ?, ?, ?, ?)", payment_row(night, posting).to_vec())?;
    let (amount, needed) = (posting.payment.amount, posting.payment.amount + posting.fee);
    tx.exec_drop(TAKE, (needed, amount, posting.payment.from))
}

/// The reject, if it is one; whatever else an error says, it is not the payment's fault.
fn refused_by_the_server(books: &mut Books, line: &Line, posting: &Posting, error: Error) -> Result<Reject, Error> {
    if !is_about_data(&error) {
        return Err(error);
    }
    books.take_back(posting);
    let why = match error.code() {
        Some(DUPLICATE_KEY) => Refusal::OtherNight(posting.payment.id),
        _ => Refusal::Server(said(&error)),
    };
    Ok(Reject::new(line, &why))
}

/// What remains of the chunk, and its accounts, locked in the order of their numbers; `None` if it was settled by now: the COMMIT of
/// a run that was killed may come late.
fn open<'n>(tx: &mut Tx<'_>, chunk: Chunk<'n>) -> Result<Option<(Chunk<'n>, Books)>, Error> {
    let lane = "SELECT done FROM lane WHERE night = ? AND number = ? FOR UPDATE";
    let done: Option<u64> = tx.exec_first(lane, (chunk.night.id, chunk.lane))?;
    let chunk = chunk.without(done.expect("a night has all its lanes").saturating_sub(chunk.first));
    if chunk.lines.is_empty() {
        return Ok(None);
    }
    let payers = chunk.lines.iter().filter_map(|line| line.entry.as_ref().ok()).map(|payment| payment.from);
    // The row of the fees is not locked before the end, because all chunks need it.
    let payers: Vec<u64> = payers.filter(|id| *id != FEES).collect::<BTreeSet<_>>().into_iter().collect();
    let Some((places, payers)) = rows::list(&payers) else { return Ok(Some((chunk, Books::from_iter([])))) };
    // Without the index a small table would be read, and locked, as a whole.
    let accounts = format!(
        "SELECT id, balance, spent, nightly_limit FROM account FORCE INDEX (PRIMARY) \
         WHERE id IN ({places}) ORDER BY id FOR UPDATE"
    );
    let books = tx.exec_map(accounts, payers, |(id, balance, spent, limit)| (id, Account { balance, spent, limit }))?;
    Ok(Some((chunk, books.into_iter().collect())))
}

impl Chunk<'_> {
    fn without(self, settled: u64) -> Self {
        let skip = usize::try_from(settled).unwrap_or(usize::MAX).min(self.lines.len());
        Self { first: self.first + skip as u64, lines: &self.lines[skip..], ..self }
    }
}

/// What becomes of a chunk's lines.
#[derive(Debug, Default)]
struct Entries {
    postings: Vec<Posting>,
    rejects: Vec<Reject>,
}

impl Entries {
    fn add(&mut self, judged: Result<Posting, Reject>) {
        match judged {
            Ok(posting) => self.postings.push(posting),
            Err(reject) => self.rejects.push(reject),
        }
    }
}

/// Takes the money of several payments from their account.
const TAKE: &str = "UPDATE account SET balance = balance - ?, spent = spent + ? WHERE id = ?";

fn write_payments(tx: &mut Tx<'_>, chunk: Chunk<'_>, postings: &[Posting]) -> Result<(), Error> {
    let rows = postings.iter().map(|posting| payment_row(chunk.night.id, posting));
    rows::insert(tx, "payment", rows)?;
    let mut payers = BTreeMap::<u64, (u64, u64)>::new();
    for Posting { payment, fee, .. } in postings {
        let (needed, amount) = payers.entry(payment.from).or_default();
        *needed += payment.amount + fee;
        *amount += payment.amount;
    }
    payers.into_iter().try_for_each(|(id, (needed, amount))| tx.defer(TAKE, (needed, amount, id)))
}

fn payment_row(night: u64, posting: &Posting) -> [Value; 7] {
    let Posting { line, payment, fee } = posting;
    [night, *line, payment.id, payment.from, payment.to, payment.amount, *fee].map(Value::from)
}

/// Writes down what else there is to be known of the chunk, and last what all chunks write to, so that its lock is held for no
/// round trip but that of COMMIT.
fn close(tx: &mut Tx<'_>, chunk: Chunk<'_>, entries: Entries, watch: &Watch) -> Result<(), Trouble> {
    let Chunk { night, lane, first, lines } = chunk;
    let counts = (entries.postings.len(), entries.rejects.len(), tx.attempt() - 1);
    let fees: u64 = entries.postings.iter().map(|posting| posting.fee).sum();
    let rejects = entries.rejects.into_iter().map(|reject| reject_row(night.id, reject));
    rows::insert(tx, "reject (night, line, text, rule, reason)", rejects)?;
    let note = "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(6))";
    tx.defer(note, (night.id, lane, first, night.run, counts.0, counts.1, counts.2))?;
    let done = first + lines.len() as u64;
    tx.defer("UPDATE lane SET done = ? WHERE night = ? AND number = ?", (done, night.id, lane))?;
    tx.defer("UPDATE account SET balance = balance + ? WHERE id = ?", (fees, FEES))?;
    tx.after_commit(watch.settled(lines.len() as u64));
    Ok(())
}

fn reject_row(night: u64, reject: Reject) -> [Value; 5] {
    let Reject { line, text, rule, reason } = reject;
    [night.into(), line.into(), text.into(), rule.into(), reason.into()]
}

/// `ER_DUP_ENTRY`. Numbers that a file has twice never come so far, so the other one is of another night.
const DUPLICATE_KEY: u16 = 1062;
/// MySQL's `ER_CHECK_CONSTRAINT_VIOLATED`, the only one of its kind that is in no class of SQLSTATE.
const CHECK_VIOLATED: u16 = 3819;

/// Whether the server minds the values (out of range, a constraint, a trigger that says so), and not that it was asked.
fn is_about_data(error: &Error) -> bool {
    let class = error.sqlstate().and_then(|state| state.get(..2));
    matches!(class, Some("22" | "23" | "45")) || error.code() == Some(CHECK_VIOLATED)
}

/// What the server said, in one line that fits its column.
fn said(error: &Error) -> String {
    let said = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod explored;
#[cfg(test)]
mod tests;
