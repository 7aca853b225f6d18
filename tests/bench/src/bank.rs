//! The accounts that money is moved between: the table, how two of them are drawn, what is written to them, and the check that
//! no money was lost or made. How a transfer is sent is left to the variants.

use ephemeral_mysql::{Database, Server};
use unit_of_work::mysql::prelude::Queryable;

use crate::Failure;
use crate::processor::Meter;

/// Reads one account.
pub(crate) const SELECT: &str = "SELECT balance FROM account WHERE id = ?";
/// Writes a balance that was computed here, so that a lost update shows in the sum.
pub(crate) const UPDATE: &str = "UPDATE account SET balance = ? WHERE id = ?";

/// What every account has at first.
const INITIAL: i64 = 1_000_000;

/// A table of accounts in a database of its own.
#[derive(Debug)]
pub(crate) struct Bank {
    database: Database,
    rows: u32,
    meter: Meter,
}

/// One movement of money between two different accounts; the one with the lower id is read and written first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transfer {
    pub(crate) lower: u32,
    pub(crate) higher: u32,
    /// What the lower one gives to the higher one; may be negative.
    pub(crate) amount: i64,
}

impl Bank {
    pub(crate) fn open(server: &Server, rows: u32) -> Result<Self, Failure> {
        let database = server.database();
        let mut conn = database.conn();
        conn.query_drop("CREATE TABLE account (id INT UNSIGNED PRIMARY KEY, balance BIGINT NOT NULL) ENGINE=InnoDB")?;
        conn.exec_batch("INSERT INTO account VALUES (?, ?)", (1..=rows).map(|id| (id, INITIAL)))?;
        Ok(Self { database, rows, meter: Meter::of(server)? })
    }

    pub(crate) fn url(&self) -> String {
        self.database.url()
    }

    pub(crate) fn name(&self) -> &str {
        self.database.name()
    }

    /// The processor time that it costs.
    pub(crate) fn meter(&self) -> Meter {
        self.meter
    }

    /// Draws two different accounts, each pair as likely as any other.
    pub(crate) fn draw(&self) -> Transfer {
        let first = fastrand::u32(0..self.rows);
        let second = (first + fastrand::u32(1..self.rows)) % self.rows;
        Transfer { lower: first.min(second) + 1, higher: first.max(second) + 1, amount: fastrand::i64(-10..=10) }
    }

    /// Fails when the balances do not add up to what they were at first.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let sum: Option<i64> = self.database.conn().query_first("SELECT CAST(SUM(balance) AS SIGNED) FROM account")?;
        let expected = INITIAL * i64::from(self.rows);
        match sum {
            Some(sum) if sum == expected => Ok(()),
            other => Err(format!("the balances add up to {other:?} instead of {expected}: updates were lost").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_lost_coin_is_noticed() {
        let bank = Bank::open(ephemeral_mysql::shared(), 10).expect("the private server takes a table");
        bank.check().expect("a new bank adds up");
        let lose = "UPDATE account SET balance = balance - 1 WHERE id = 7";
        bank.database.conn().query_drop(lose).expect("the private server takes an update");
        let failure = bank.check().expect_err("a coin is missing");
        assert!(failure.to_string().contains("9999999"), "{failure}");
    }

    #[test]
    fn two_different_accounts_of_the_bank_are_drawn_in_order() {
        let bank = Bank::open(ephemeral_mysql::shared(), 3).expect("the private server takes a table");
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let Transfer { lower, higher, .. } = bank.draw();
            seen.insert((lower, higher));
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [(1, 2), (1, 3), (2, 3)]);
    }
}
