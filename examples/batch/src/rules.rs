//! Which payments are posted, at which fee, and why others are not. Pure: the same accounts and the same lines give the same
//! answers, in a unit of work and in a dry run. Nothing here looks at what an account receives: money that comes in during a
//! night can be spent the night after, so that the answer for an account depends on its own lines only, in their order.

use std::collections::{HashMap, HashSet};

use crate::source::Line;

/// The account that fees go to. No payment may name it.
pub(crate) const FEES: u64 = 0;
/// The most that one payment may be, in cents.
pub(crate) const LARGEST: u64 = 5_000_000;

/// A line that can be read. Amounts are in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) id: u64,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) amount: u64,
}

/// 10 cents and a thousandth, rounded up; 5.00 at most. The payer pays it.
pub(crate) fn fee(amount: u64) -> u64 {
    (10 + amount.div_ceil(1000)).min(500)
}

/// Why a line is not posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{0}")]
    Unreadable(String),
    #[error("payment {id} stands in line {line} already")]
    Repeated { id: u64, line: u64 },
    #[error("payment {0} was posted on another night")]
    OtherNight(u64),
    #[error("the amount is 0")]
    NoAmount,
    #[error("{0} cents are more than one payment may be, {LARGEST}")]
    TooLarge(u64),
    #[error("from and to are the same account")]
    SameAccount,
    #[error("there is no account {0}")]
    NoAccount(u64),
    #[error("account {account} has {left} cents left of its limit for this night")]
    Limit { account: u64, left: u64 },
    #[error("account {account} has {balance} cents, and {needed} are needed with the fee")]
    Insufficient { account: u64, balance: u64, needed: u64 },
    #[error("the server refused it: {0}")]
    Server(String),
}

impl Refusal {
    /// What such refusals are counted under.
    pub(crate) fn rule(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "not readable",
            Self::Repeated { .. } => "number repeated",
            Self::OtherNight(_) => "posted on another night",
            Self::NoAmount => "no amount",
            Self::TooLarge(_) => "too large",
            Self::SameAccount => "same account",
            Self::NoAccount(_) => "no such account",
            Self::Limit { .. } => "limit of the night",
            Self::Insufficient { .. } => "insufficient funds",
            Self::Server(_) => "refused by the server",
        }
    }
}

/// What the rules need to know of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) balance: u64,
    /// This night, fees not counted.
    pub(crate) spent: u64,
    /// Of what it may spend in a night.
    pub(crate) limit: u64,
}

/// The numbers of all accounts that payments may name.
#[derive(Debug, Default)]
pub(crate) struct Directory(HashSet<u64>);

impl FromIterator<u64> for Directory {
    fn from_iter<I: IntoIterator<Item = u64>>(ids: I) -> Self {
        Self(ids.into_iter().filter(|id| *id != FEES).collect())
    }
}

/// A line that the rules let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Posting {
    pub(crate) line: u64,
    pub(crate) payment: Payment,
    pub(crate) fee: u64,
}

/// A line that is not posted, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reject {
    pub(crate) line: u64,
    pub(crate) text: String,
    pub(crate) rule: String,
    pub(crate) reason: String,
}

impl Reject {
    pub(crate) fn new(line: &Line, why: &Refusal) -> Self {
        Self { line: line.number, text: line.text(), rule: why.rule().to_owned(), reason: why.to_string() }
    }
}

/// The accounts that pay, as they are after the lines that were judged so far.
#[derive(Debug)]
pub(crate) struct Books(HashMap<u64, Account>);

impl FromIterator<(u64, Account)> for Books {
    fn from_iter<I: IntoIterator<Item = (u64, Account)>>(accounts: I) -> Self {
        Self(accounts.into_iter().collect())
    }
}

impl Books {
    /// Judges a line, and takes the money from its account if it is posted.
    pub(crate) fn judge(&mut self, line: &Line, known: &Directory) -> Result<Posting, Reject> {
        let judged = match &line.entry {
            Ok(payment) => self.pay(payment, known).map(|fee| Posting { line: line.number, payment: *payment, fee }),
            Err(unreadable) => Err(unreadable.why.clone()),
        };
        judged.map_err(|why| Reject::new(line, &why))
    }

    /// The server refused it after all.
    pub(crate) fn take_back(&mut self, posting: &Posting) {
        if let Some(account) = self.0.get_mut(&posting.payment.from) {
            account.balance += posting.payment.amount + posting.fee;
            account.spent -= posting.payment.amount;
        }
    }

    fn pay(&mut self, payment: &Payment, known: &Directory) -> Result<u64, Refusal> {
        let Payment { from, to, amount, .. } = *payment;
        if amount == 0 {
            return Err(Refusal::NoAmount);
        }
        if amount > LARGEST {
            return Err(Refusal::TooLarge(amount));
        }
        if from == to {
            return Err(Refusal::SameAccount);
        }
        if let Some(unknown) = [from, to].into_iter().find(|id| !known.0.contains(id)) {
            return Err(Refusal::NoAccount(unknown));
        }
        let account = self.0.get_mut(&from).ok_or(Refusal::NoAccount(from))?;
        account.charge(from, amount)
    }
}

impl Account {
    fn charge(&mut self, account: u64, amount: u64) -> Result<u64, Refusal> {
        let left = self.limit.saturating_sub(self.spent);
        if amount > left {
            return Err(Refusal::Limit { account, left });
        }
        let fee = fee(amount);
        let (balance, needed) = (self.balance, amount + fee);
        self.balance = balance.checked_sub(needed).ok_or(Refusal::Insufficient { account, balance, needed })?;
        self.spent += amount;
        Ok(fee)
    }
}

#[cfg(test)]
mod tests;
