//! The transfer as five packets on the thread's own connection: what there is to reach, with nothing that a program needs
//! besides (no pool, no check of the connection, no care for what an error means).

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::mysql::{self, Conn, Opts, Statement};

use super::{Runner, jitter};
use crate::Failure;
use crate::bank::{SELECT, Transfer, UPDATE};

#[derive(Debug)]
pub(super) struct Bare {
    conn: Conn,
    select: Statement,
    update: Statement,
}

impl Bare {
    pub(super) fn connect(opts: &Opts) -> Result<Self, Failure> {
        let mut conn = Conn::new(opts.clone())?;
        conn.query_drop("SET SESSION autocommit=0")?;
        conn.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE")?;
        let (select, update) = (conn.prep(SELECT)?, conn.prep(UPDATE)?);
        Ok(Self { conn, select, update })
    }

    fn attempt(&mut self, transfer: Transfer) -> mysql::Result<()> {
        self.five_packets(transfer).or_else(|error| {
            self.conn.query_drop("ROLLBACK")?;
            Err(error)
        })
    }

    fn five_packets(&mut self, Transfer { lower, higher, amount }: Transfer) -> mysql::Result<()> {
        let first: i64 = self.conn.exec_first(&self.select, (lower,))?.expect("accounts are never deleted");
        let second: i64 = self.conn.exec_first(&self.select, (higher,))?.expect("accounts are never deleted");
        self.conn.exec_drop(&self.update, (first - amount, lower))?;
        self.conn.exec_drop(&self.update, (second + amount, higher))?;
        self.conn.query_drop("COMMIT")
    }
}

impl Runner for Bare {
    fn transfer(&mut self, transfer: Transfer) -> Result<u32, Failure> {
        Ok(jitter::retried(|| self.attempt(transfer))?)
    }
}
