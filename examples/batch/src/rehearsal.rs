//! A dry run: the rules, asked for every line that is not settled yet, with the accounts as one snapshot shows them. Nothing is
//! written and nothing locked. It says exactly what a run would do, as long as nobody changes the accounts before it, but for what
//! only the server can refuse: a constraint, a trigger.

use std::collections::HashSet;

use unit_of_work::{Database, Error, Tx, unit_of_work};

use crate::args::Args;
use crate::night;
use crate::report::Report;
use crate::rules::{Account, Books, Directory, Refusal, Reject};
use crate::source::{LANES, Line, Payments};
use crate::trouble::Trouble;

/// What a run would find.
#[derive(Debug)]
struct Ledger {
    accounts: Vec<(u64, Account)>,
    /// How many lines of each lane are settled.
    done: Vec<u64>,
    /// Numbers of payments of other nights.
    taken: HashSet<u64>,
}

/// What would become of the lines that are not settled yet; and how many are.
pub(crate) fn rehearse(
    db: Option<&Database>,
    args: &Args,
    name: &str,
    payments: &Payments,
) -> Result<(Report, u64), Trouble> {
    let ledger = match db {
        Some(db) => {
            let _entered = db.enter();
            look(name, payments)?
        }
        None => Ledger { accounts: Vec::new(), done: vec![0; LANES], taken: HashSet::new() },
    };
    let before = ledger.done.iter().sum();
    Ok((ledger.opened(args).judge(name, payments), before))
}

#[unit_of_work(read_only, isolation = "repeatable read", snapshot)]
fn look(tx: &mut Tx<'_>, name: &str, payments: &Payments) -> Result<Ledger, Trouble> {
    let night = night::find(tx, name, payments, "")?;
    let id = night.as_ref().map_or(0, |night| night.id);
    if let Some(other) = tx.exec_first("SELECT name FROM night WHERE closed = 0 AND id <> ?", (id,))? {
        return Err(Trouble::Unfinished(other));
    }
    let accounts = tx
        .query_map("SELECT id, balance, spent, nightly_limit FROM account", |(id, balance, spent, limit)| {
            (id, Account { balance, spent, limit })
        })?;
    let taken = taken(tx, id, payments)?;
    Ok(Ledger { accounts, done: night.map_or_else(|| vec![0; LANES], |night| night.done), taken })
}

/// Of the numbers in the file, those that other nights have.
fn taken(tx: &mut Tx<'_>, night: u64, payments: &Payments) -> Result<HashSet<u64>, Error> {
    let ours = payments.lanes.iter().flatten().filter_map(|line| line.entry.as_ref().ok());
    let ours: HashSet<u64> = ours.map(|payment| payment.id).collect();
    let mut taken = HashSet::new();
    tx.exec_each("SELECT id FROM payment WHERE night <> ?", (night,), |id: u64| {
        if ours.contains(&id) {
            taken.insert(id);
        }
    })?;
    Ok(taken)
}

impl Ledger {
    /// With the accounts that a run opens where there are none.
    fn opened(mut self, args: &Args) -> Self {
        if self.accounts.is_empty() {
            let account = Account { balance: args.balance, spent: 0, limit: args.limit };
            self.accounts = (1..=args.accounts).map(|id| (id, account)).collect();
        }
        self
    }

    fn judge(self, name: &str, payments: &Payments) -> Report {
        let known = self.accounts.iter().map(|(id, _)| *id).collect::<Directory>();
        let money = self.accounts.iter().map(|(_, account)| account.balance).sum();
        let mut books = self.accounts.into_iter().collect::<Books>();
        let mut report = Report { night: name.to_owned(), lines: payments.count(), money, ..Report::default() };
        for (lane, done) in payments.lanes.iter().zip(self.done) {
            for line in lane.iter().skip(usize::try_from(done).unwrap_or(usize::MAX)) {
                match judge(&mut books, line, &known, &self.taken) {
                    Ok(posting) => report.sums.add(&posting),
                    Err(reject) => report.rejects.push(reject),
                }
            }
        }
        report.rejects.sort_by_key(|reject| reject.line);
        report
    }
}

/// As a unit does that posts line by line: the number is the last thing that is looked at.
fn judge(
    books: &mut Books,
    line: &Line,
    known: &Directory,
    taken: &HashSet<u64>,
) -> Result<crate::rules::Posting, Reject> {
    let posting = books.judge(line, known)?;
    if taken.contains(&posting.payment.id) {
        books.take_back(&posting);
        return Err(Reject::new(line, &Refusal::OtherNight(posting.payment.id)));
    }
    Ok(posting)
}
