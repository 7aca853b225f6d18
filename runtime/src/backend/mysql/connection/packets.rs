//! How deferred writes go out: in the packet of what follows them, or alone. Decides what an answer to a packet means: which of its
//! statements failed is told by how many results came before, and as many results as statements or nothing counts.

use std::panic::Location;

use mysql::Params;
use unit_of_work_sql::{Touches, Wait};

use super::{COMMIT, Left, MySqlConnection, Permanent, Step};
use crate::backend::Commits;
use crate::backend::mysql::deferred::{Write, can_wait, dooming, judge};
use crate::backend::mysql::faults;
use crate::backend::mysql::in_words::in_a_packet;
use crate::backend::mysql::opening::Begin;
use crate::backend::mysql::wire::{Answer, Part, Request};
use crate::error::ErrorKind;
use crate::fault::{Again, AtCommit, Failed, Fault, Undone};

/// "Transaction characteristics can't be changed while a transaction is in progress".
const IN_PROGRESS: u16 = 1568;

/// `ER_UNKNOWN_ERROR`: what proxies say.
const UNKNOWN_ERROR: u16 = 1105;

/// A packet that did not do all that was asked.
pub(in crate::backend::mysql) struct Cut {
    /// How many results came before: the number of the statement that it is about, counted from 0.
    pub(in crate::backend::mysql) at: usize,
    how: How,
    /// The writes before that may have been ended and answered with OK all the same.
    silent: Vec<usize>,
    pub(in crate::backend::mysql) failed: Failed,
}

/// What came instead of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// An error of the server's, which goes no further in a packet then.
    Refused,
    /// Nothing, and the connection is gone.
    Lost,
    /// Nothing, though the server says that this was all: something took several statements for one, or only the first of them.
    Short,
    /// An OK to an UPDATE that was killed; the server went on.
    KilledInSilence,
}

impl Cut {
    /// The same as a failure of the write that it is about.
    fn blamed(self, writes: &[Write]) -> Failed {
        match writes.get(self.at) {
            Some(write) => write.blame(self.failed),
            None => self.failed,
        }
    }
}

impl MySqlConnection {
    /// Takes a write of a body's that is to be sent later. `commits`: how the unit's statements do, which in a sandbox are not alone
    /// on the connection.
    pub(crate) fn defer(
        &mut self,
        sql: &str,
        params: Params,
        commits: Commits,
        at: &'static Location<'static>,
    ) -> Result<(), Failed> {
        let reading = self.texts.read(sql, self.server.mode);
        judge(&reading, self.wanted.access)?;
        if commits == Commits::Each {
            return self.statement(Request::Execute(sql, params), &mut drop).map(drop);
        }
        let write = |text| Write { sql: sql.into(), text, at, touches: reading.touches, wait: reading.wait };
        let largest = self.server.max_allowed_packet;
        let write = in_a_packet(sql, &params, self.server.mode).map(write).filter(|write| can_wait(write, largest));
        match write {
            Some(write) => self.enqueue(write),
            None => self.write_at_once(sql, params),
        }
    }

    fn enqueue(&mut self, write: Write) -> Result<(), Failed> {
        if !self.deferred.has_room_for(&write, self.server.max_allowed_packet) {
            self.flush_deferred()?;
        }
        self.deferred.push(write);
        Ok(())
    }

    /// What cannot wait must not be treated in another way because of that, once it was sent.
    fn write_at_once(&mut self, sql: &str, params: Params) -> Result<(), Failed> {
        let answer = self.statement(Request::Execute(sql, params), &mut drop);
        answer.map(drop).map_err(|failed| if failed.code.is_some() { dooming(failed) } else { failed })
    }

    /// Sends what was deferred, if anything was.
    pub(super) fn flush_deferred(&mut self) -> Result<(), Failed> {
        if self.deferred.is_empty() {
            return Ok(());
        }
        self.begin()?;
        let writes = self.deferred.take();
        self.send_all(&writes, &[]).map(drop)
    }

    /// Sends a text of ours behind what was deferred, in one packet. The transaction is begun.
    pub(super) fn send_behind(&mut self, sql: &str) -> Result<Answer, Failed> {
        if self.deferred.is_empty() {
            return self.send(sql);
        }
        let writes = self.deferred.take();
        self.send_all(&writes, &[sql])
    }

    fn send_all(&mut self, writes: &[Write], tail: &[&str]) -> Result<Answer, Failed> {
        self.send_several(writes, tail).map_err(|cut| {
            if cut.how == How::Short {
                self.step = Step::Out;
            }
            cut.blamed(writes)
        })
    }

    /// Sends what was deferred and COMMIT in one packet, with the row between them that is to be committed too.
    pub(in crate::backend::mysql) fn commit_behind(&mut self, writes: &[Write], row: Option<&str>) -> Result<(), Cut> {
        let tail: Vec<&str> = row.into_iter().chain([COMMIT]).collect();
        let Err(mut cut) = self.send_several(writes, &tail) else { return Ok(()) };
        let before_commit = cut.at + 1 < writes.len() + tail.len();
        cut.failed.fault.at_commit = match cut.how {
            How::Refused if before_commit && !self.may_be_a_proxys(&cut.failed) => AtCommit::RolledBack,
            How::Refused => cut.failed.fault.at_commit,
            How::Short if row.is_none() && self.is_still_open() => AtCommit::RolledBack,
            How::Short | How::Lost => AtCommit::Unknown,
            How::KilledInSilence => AtCommit::Torn,
        };
        if cut.how == How::Short || cut.failed.fault.at_commit == AtCommit::Unknown {
            self.step = Step::Out;
        }
        let killed = match (cut.how, cut.failed.fault.at_commit) {
            (How::KilledInSilence, _) => Some(cut.at),
            (_, AtCommit::Unknown) => self.first_killed(writes, &cut.silent),
            (_, AtCommit::RolledBack | AtCommit::Torn) => None,
        };
        if let Some(at) = killed {
            cut = Cut { at, how: How::KilledInSilence, failed: committed_without(cut.failed), ..cut };
        }
        match writes.get(cut.at) {
            Some(write) if matches!(cut.how, How::Refused | How::KilledInSilence) => {
                Err(Cut { failed: write.blame(cut.failed), ..cut })
            }
            Some(_) | None => Err(cut),
        }
    }

    /// Whether it may be said by a proxy that lost the server behind it, on whose way all of the packet may have been by then. Numbers
    /// from 2000 are a client's: no server says them.
    fn may_be_a_proxys(&self, failed: &Failed) -> bool {
        match (failed.code, self.server.begin) {
            (Some(2000..=2999), _) | (Some(UNKNOWN_ERROR), Begin::Explicit) => true,
            (_, Begin::Explicit) => matches!(failed.fault.kind, ErrorKind::ConnectionLost | ErrorKind::Unavailable),
            (_, Begin::Implicit) => false,
        }
    }

    /// Whether the server is in a transaction: then no COMMIT that was sent on this connection was carried out. That it is not
    /// proves nothing.
    fn is_still_open(&mut self) -> bool {
        let asked = self.wire.exchange(Request::Query("SET TRANSACTION READ WRITE"), &mut drop);
        matches!(asked, Err(mysql::Error::MySqlError(error)) if error.code == IN_PROGRESS)
    }

    /// Sends writes and what follows them; what the last of these is answered with.
    fn send_several(&mut self, writes: &[Write], tail: &[&str]) -> Result<Answer, Cut> {
        if writes.iter().any(|write| write.touches == Touches::Session) {
            self.left = Left::Something;
        }
        let waited = writes.iter().map(|write| Part { text: &write.text, shown: &write.sql });
        let statements: Vec<_> = waited.chain(tail.iter().map(|text| Part { text, shown: text })).collect();
        let mut answers: Vec<Answer> = Vec::with_capacity(statements.len());
        let sent = self.wire.packet(&statements, &mut |answer| answers.push(answer));
        let unseen = answers.len() + usize::from(sent.is_err()) > 1;
        if unseen && matches!(self.permanent, Permanent::No) {
            self.permanent = Permanent::Unseen;
        }
        for (write, answer) in writes.iter().zip(&answers) {
            self.heed(answer.tracked, &write.sql);
        }
        let (at, silent) = (answers.len(), self.silent(writes, &answers));
        if let Err(error) = sent {
            return Err(Cut { silent, ..self.cut_by(error, at, writes) });
        }
        match answers.pop() {
            Some(last) if at == statements.len() => match self.first_killed(writes, &silent) {
                None => Ok(last),
                Some(at) => {
                    let failed = faults::failed(faults::killed_in_silence());
                    Err(Cut { at, how: How::KilledInSilence, silent, failed })
                }
            },
            _ => Err(Cut { at, how: How::Short, silent, failed: short(at, statements.len()) }),
        }
    }

    fn cut_by(&mut self, error: mysql::Error, at: usize, writes: &[Write]) -> Cut {
        let wait = writes.get(at).map_or(Wait::Server, |write| write.wait);
        let failed = self.failed(faults::failed(error), wait);
        let how = if failed.code.is_some() { How::Refused } else { How::Lost };
        Cut { at, how, silent: Vec::new(), failed }
    }

    fn silent(&self, writes: &[Write], answers: &[Answer]) -> Vec<usize> {
        let answered = writes.iter().zip(answers).enumerate();
        answered.filter(|(_, (write, answer))| self.is_silent(&write.sql, answer)).map(|(at, _)| at).collect()
    }
}

/// COMMIT had no way of knowing. Where its own answer is missing too, it is not worth a question: the best that could come of it is
/// that this was in vain, and a row of `exactly_once` says nothing of a part of its unit.
fn committed_without(mut failed: Failed) -> Failed {
    let (rest, do_what) = match failed.fault.at_commit {
        AtCommit::Torn | AtCommit::RolledBack => ("committed the rest of the unit", "is"),
        AtCommit::Unknown => ("may have committed the rest of the unit", "may be"),
    };
    failed.fault =
        Fault { kind: ErrorKind::ImplicitCommit, again: Again::Never, at_commit: AtCommit::Torn, ..failed.fault };
    failed.detail = format!(
        "somebody ended this write (KILL QUERY), the server answered it with OK all the same and {rest}, which {do_what} in the \
         database without it, the row of `exactly_once` included; it was not run again; look for its rows and make up for what \
         is missing; the server had said: {}",
        failed.detail
    )
    .into();
    failed
}

/// The answers that came cannot be told apart, and what follows may belong to any of the statements.
fn short(results: usize, statements: usize) -> Failed {
    let detail = format!(
        "{statements} statements were sent in one packet and {results} results came: something between here and the server does \
         not take several statements at once; the connection is given up"
    );
    Failed::of(ErrorKind::ConnectionLost, Undone::Connection, Again::Yes, detail)
}
