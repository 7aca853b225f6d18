//! The transfer on a connection that the thread keeps, with the driver's transaction and a loop around it: what a careful
//! program does that has found the driver's pool too dear.

use unit_of_work::mysql::{Conn, Opts};

use super::{Runner, by_hand, jitter};
use crate::Failure;
use crate::bank::Transfer;

#[derive(Debug)]
pub(super) struct Own {
    conn: Conn,
}

impl Own {
    pub(super) fn connect(opts: &Opts) -> Result<Self, Failure> {
        Ok(Self { conn: Conn::new(opts.clone())? })
    }
}

impl Runner for Own {
    fn transfer(&mut self, transfer: Transfer) -> Result<u32, Failure> {
        let attempt = || by_hand::transfer(self.conn.start_transaction(by_hand::serializable())?, transfer);
        Ok(jitter::retried(attempt)?)
    }
}
