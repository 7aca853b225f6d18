//! How a transaction begins: with the characteristics that the unit asked for, and in so many words only where it must be.

use super::{MySqlConnection, Open, Permanent, Step};
use crate::backend::Commits;
use crate::backend::mysql::opening::{Begin, change};
use crate::fault::{Failed, Undone};
use crate::options::Snapshot;

impl MySqlConnection {
    /// Begins the transaction if it is not begun: characteristics if they changed, and where it must be said, START TRANSACTION.
    pub(crate) fn begin(&mut self) -> Result<(), Failed> {
        match self.transaction {
            Open::MayBe | Open::Ending => return Ok(()),
            Open::No => {}
        }
        if let Some(text) = change(self.has, self.wanted, &self.server) {
            // Of a packet that failed in the middle nobody knows what it has changed.
            self.send(&text).map_err(|failed| self.gave_up(failed))?;
        }
        self.has = self.wanted;
        if self.wanted.commits == Commits::Each {
            return Ok(());
        }
        self.transaction = Open::MayBe;
        self.permanent = Permanent::No;
        match (self.wanted.snapshot, self.server.begin) {
            (Snapshot::AtBegin, _) => self.start("START TRANSACTION WITH CONSISTENT SNAPSHOT"),
            (Snapshot::AtFirstRead, Begin::Explicit) => self.start("START TRANSACTION"),
            (Snapshot::AtFirstRead, Begin::Implicit) => Ok(()),
        }
    }

    /// A transaction that was not begun as it was asked for must not be used.
    fn start(&mut self, sql: &str) -> Result<(), Failed> {
        self.send(sql).map(drop).map_err(|failed| self.gave_up(failed))
    }

    fn gave_up(&mut self, mut failed: Failed) -> Failed {
        self.step = Step::Out;
        failed.fault.undone = Undone::Connection;
        failed
    }
}
