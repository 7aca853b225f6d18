//! What the runtime asks of any engine's connection, for this one: begin and end of transactions, savepoints, resets, and what a
//! connection is worth afterwards. The statements of bodies are next door.

use std::sync::Arc;

use super::{COMMIT, Ghost, Left, MySqlConnection, NO_SUCH_THREAD, Open, Step, Trust, given_up};
use crate::backend::mysql::faults;
use crate::backend::mysql::opening::{Begin, OPENED, open};
use crate::backend::mysql::texts::Texts;
use crate::backend::mysql::wire::Request;
use crate::backend::{Characteristics, Connection, Laid, Rollback, Standing};
use crate::fault::{AtCommit, Failed};
use crate::options::Topology;
use crate::resolution::{Fate, Key};

impl Connection for MySqlConnection {
    type Ghost = Ghost;

    fn number(&self) -> u64 {
        self.server.connection
    }

    fn take_round_trips(&mut self) -> u64 {
        let made = self.wire.round_trips();
        made - std::mem::replace(&mut self.counted, made)
    }

    fn expect(&mut self, characteristics: Characteristics) {
        self.wanted = characteristics;
    }

    fn doubt(&mut self) {
        self.trust = Trust::Doubted;
    }

    fn reassure(&mut self) -> Result<(), Failed> {
        match (self.step, std::mem::replace(&mut self.trust, Trust::Alive)) {
            (Step::Out, _) => Err(given_up()),
            (Step::In, Trust::Alive) => Ok(()),
            (Step::In, Trust::Doubted) => {
                self.exchange(Request::Ping, &mut drop).map(drop).inspect_err(|_| self.step = Step::Out)
            }
        }
    }

    fn commit(&mut self, key: Option<&Key>) -> Result<(), Failed> {
        let writes = self.deferred.take();
        if !writes.is_empty() {
            self.begin().map_err(not_begun)?;
        }
        if self.transaction == Open::No {
            return Ok(());
        }
        self.transaction = Open::Ending;
        let answer = match key {
            None if writes.is_empty() => self.send(COMMIT).map(drop),
            None => self.commit_behind(&writes, None).map_err(|cut| cut.failed),
            Some(key) => self.commit_with(&writes, key),
        };
        match &answer {
            Ok(()) => self.transaction = Open::No,
            Err(failed) => match failed.fault.at_commit {
                AtCommit::RolledBack => self.transaction = Open::MayBe,
                // COMMIT ran, and was answered.
                AtCommit::Torn if self.step == Step::In => self.transaction = Open::No,
                AtCommit::Unknown | AtCommit::Torn => {
                    self.step = Step::Out;
                    if failed.code.is_some() {
                        // The server did answer: no COMMIT is on its way any more that a kill could undo, and locks may be left.
                        self.transaction = Open::MayBe;
                    }
                }
            },
        }
        answer
    }

    fn rollback(&mut self) -> Rollback {
        self.deferred.clear();
        match self.transaction {
            Open::No => Rollback::Complete,
            Open::MayBe | Open::Ending => self.undo(),
        }
    }

    fn savepoint(&mut self) -> Result<String, Failed> {
        self.begin()?;
        self.savepoints += 1;
        let name = format!("unit_of_work_{}", self.savepoints);
        // What was deferred before is not the savepoint's to undo.
        self.send_behind(&format!("SAVEPOINT {name}")).map(|_| name)
    }

    /// If the savepoint is still there, nothing since it was set has ended the transaction.
    fn release(&mut self, savepoint: &str) -> Result<(), Failed> {
        self.about_savepoint(&format!("RELEASE SAVEPOINT {savepoint}")).map(drop)
    }

    fn rollback_to(&mut self, savepoint: &str) -> Result<(), Failed> {
        // All of it was deferred since: setting a savepoint sends what was before.
        self.deferred.clear();
        let answer = self.about_savepoint(&format!("ROLLBACK TO SAVEPOINT {savepoint}"))?;
        self.undone_to_savepoint(answer)
    }

    fn has_deferred(&self) -> bool {
        !self.deferred.is_empty()
    }

    fn flush(&mut self) -> Result<(), Failed> {
        self.flush_deferred()
    }

    fn reset(&mut self) -> Result<(), Failed> {
        self.step = Step::Out;
        self.wire.exchange(Request::Reset, &mut drop).map_err(faults::failed)?;
        self.server = Arc::new(open(&mut *self.wire)?);
        // What texts mean depends on the session's `sql_mode`, which was read anew.
        self.texts = Texts::default();
        if let Some(home) = &self.home {
            // A reset leaves the default database where `USE` put it.
            let text = format!("USE `{}`", home.replace('`', "``"));
            self.wire.exchange(Request::Query(&text), &mut drop).map_err(faults::failed)?;
        } else if self.is_elsewhere()? {
            // There is no way back to no database at all: the session stays out of step, and is thrown away.
            return Ok(());
        }
        self.counted = self.wire.round_trips();
        self.has = OPENED;
        self.left = Left::Nothing;
        self.step = Step::In;
        Ok(())
    }

    fn standing(&self) -> Standing {
        match (self.step, self.transaction, self.left) {
            (Step::Out, _, _) | (Step::In, Open::MayBe | Open::Ending, _) => Standing::Broken,
            (Step::In, Open::No, Left::Something) => Standing::Touched,
            (Step::In, Open::No, Left::Nothing) => Standing::Clean,
        }
    }

    fn give_up(&mut self) {
        self.step = Step::Out;
    }

    fn shut(&mut self) {
        self.wire.shut();
    }

    fn ghost(&self) -> Option<Ghost> {
        match self.transaction {
            Open::No | Open::MayBe => Some(self.whereabouts()).filter(Ghost::can_be_ended),
            Open::Ending => None,
        }
    }

    fn lay(&mut self, ghost: &Ghost) -> Result<Laid, Failed> {
        let other = &ghost.server;
        // Behind a proxy nobody knows which server would be told to kill.
        if self.server.begin == Begin::Explicit || !self.server.identity.is_same_server(&other.identity) {
            return Ok(Laid::OutOfReach);
        }
        match self.send(&format!("KILL CONNECTION {}", other.connection)) {
            Err(failed) if failed.code != Some(NO_SUCH_THREAD) => Err(failed),
            Ok(_) | Err(_) => Ok(Laid::Gone),
        }
    }

    fn whereabouts(&self) -> Ghost {
        Ghost { server: Arc::clone(&self.server) }
    }

    fn decide(&mut self, key: &Key, lost: &Ghost, topology: Topology) -> Result<Fate, Failed> {
        self.ask_fate(key, lost, topology)
    }

    fn stopper(&self) -> Box<dyn FnOnce() + Send> {
        self.wire.stopper()
    }
}

/// What happens to a transaction that was never begun has not to do with COMMIT.
fn not_begun(mut failed: Failed) -> Failed {
    failed.fault.at_commit = AtCommit::RolledBack;
    failed
}
