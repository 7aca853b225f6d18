//! Plays one schedule: each transaction is a unit on a thread of its own, and does its next step only when everybody has either
//! answered the last one or stands in line for a lock. That is asked of the server, not guessed by a clock.

use std::collections::HashSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::mysql::{Conn, Row};
use unit_of_work::{Database, Error, Isolation, Retry, Tx};

use super::schedules::{ALL_ROWS, Schedule, Step};
use super::timeline::Timeline;
use crate::failure::Failure;

/// Rows of the table: id and value.
pub(crate) type Rows = Vec<(i64, i64)>;

/// What a step brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    Read(Rows),
    Changed(u64),
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Committed,
    RolledBack,
    /// By the server, with this error.
    Refused(Option<u16>),
}

/// What one transaction went through.
#[derive(Debug, Default)]
struct Part {
    connection: u64,
    sent: usize,
    answered: usize,
    replies: Vec<Reply>,
    end: Option<End>,
}

impl Part {
    fn is_quiet(&self) -> bool {
        self.end.is_some() || self.answered == self.sent
    }
}

/// What happened in one schedule.
#[derive(Debug)]
pub(crate) struct Story {
    parts: Vec<Part>,
    /// Whether anybody had to wait for a lock.
    waited: bool,
    /// The table in the end.
    pub(crate) end: Rows,
    pub(crate) timeline: Timeline,
}

impl Story {
    pub(crate) fn committed(&self, who: usize) -> bool {
        self.parts[who].end == Some(End::Committed)
    }

    /// The answers to this transaction's reads.
    pub(crate) fn reads(&self, who: usize) -> impl Iterator<Item = &Rows> {
        self.parts[who].replies.iter().filter_map(|reply| match reply {
            Reply::Read(rows) => Some(rows),
            Reply::Changed(_) => None,
        })
    }

    /// Whether any of its reads had this row.
    pub(crate) fn saw(&self, who: usize, row: (i64, i64)) -> bool {
        self.reads(who).any(|rows| rows.contains(&row))
    }

    /// How many rows its first write changed.
    pub(crate) fn changed(&self, who: usize) -> Option<u64> {
        self.parts[who].replies.iter().find_map(|reply| match reply {
            Reply::Changed(rows) => Some(*rows),
            Reply::Read(_) => None,
        })
    }

    /// What kept the anomaly from happening: an error of the server's, or waiting, or nothing that could be seen.
    pub(crate) fn means(&self) -> Means {
        let refused = self.parts.iter().find_map(|part| match part.end {
            Some(End::Refused(code)) => Some(code),
            _ => None,
        });
        match refused {
            Some(code) => Means::Error(code.unwrap_or(0)),
            None if self.waited => Means::Wait,
            None => Means::View,
        }
    }
}

/// What keeps an anomaly from happening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// The server's error of this number.
    Error(u16),
    /// Somebody had to wait.
    Wait,
    /// Neither: what each one saw was all right.
    View,
}

/// What a transaction's thread tells the player.
enum Told {
    Connection(u64),
    Reply(Reply),
    End(End),
}

/// Why a body does not return `Ok`.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("as the schedule says")]
    AsAsked,
    #[error(transparent)]
    Work(#[from] Error),
}

/// Plays `schedule` with units of this isolation on `db`, with the table as it is.
pub(crate) fn play(
    schedule: &Schedule,
    db: &Database,
    level: Isolation,
    conn: &mut Conn,
    ask: Ask,
) -> Result<Story, Failure> {
    let (parts, waited, timeline) = thread::scope(|scope| {
        let (tell, told) = channel();
        let steps = (0..schedule.transactions()).map(|who| {
            let (sender, steps) = channel();
            let tell = tell.clone();
            scope.spawn(move || act(db, level, &steps, &|event| tell.send((who, event)).is_ok()));
            sender
        });
        let steps = steps.collect();
        // What is left are the transactions' own: when the last of them is gone, everything has been told.
        drop(tell);
        Stage::new(steps, told, conn, ask).play(schedule)
    })?;
    Ok(Story { parts, waited, end: conn.query(ALL_ROWS)?, timeline })
}

/// One transaction: does what it is told until it is told to end.
fn act(db: &Database, level: Isolation, steps: &Receiver<Step>, tell: &dyn Fn(Told) -> bool) {
    let unit = db.unit("transaction").isolation(level).retry(Retry::NEVER);
    let ended = unit.run(|tx| {
        // Reads no table, so it does not begin the transaction.
        tell(Told::Connection(tx.query_first("SELECT CONNECTION_ID()")?.unwrap_or(0)));
        loop {
            match steps.recv() {
                Ok(Step::Sql(sql)) => tell(Told::Reply(execute(tx, sql)?)),
                Ok(Step::Commit) => return Ok(()),
                Ok(Step::Rollback) | Err(_) => return Err(Ended::AsAsked),
            };
        }
    });
    tell(Told::End(match ended {
        Ok(()) => End::Committed,
        Err(Ended::AsAsked) => End::RolledBack,
        Err(Ended::Work(error)) => End::Refused(error.code()),
    }));
}

fn execute(tx: &mut Tx<'_>, sql: &str) -> Result<Reply, Error> {
    if sql.starts_with("SELECT") {
        return tx.query(sql).map(Reply::Read);
    }
    tx.query_drop(sql)?;
    Ok(Reply::Changed(tx.affected_rows()))
}

/// Who is on, and what they have done so far.
struct Stage<'c> {
    steps: Vec<Sender<Step>>,
    told: Receiver<(usize, Told)>,
    parts: Vec<Part>,
    waited: bool,
    timeline: Timeline,
    conn: &'c mut Conn,
    ask: Ask,
}

impl<'c> Stage<'c> {
    fn new(steps: Vec<Sender<Step>>, told: Receiver<(usize, Told)>, conn: &'c mut Conn, ask: Ask) -> Self {
        // The first answer of each is its connection.
        let parts = steps.iter().map(|_| Part { sent: 1, ..Part::default() }).collect();
        Self { steps, told, parts, waited: false, timeline: Timeline::default(), conn, ask }
    }

    fn play(mut self, schedule: &Schedule) -> Result<(Vec<Part>, bool, Timeline), Failure> {
        self.until_quiet()?;
        for (who, step) in schedule.lines {
            if self.parts[*who].end.is_none() {
                self.parts[*who].sent += 1;
                self.timeline.sends(*who, *step);
                // It fails only if the transaction has just ended, which the next message tells.
                let _ended = self.steps[*who].send(*step);
                self.until_quiet()?;
            }
        }
        // Nobody is told anything more: whoever still has steps to do does them, and then ends.
        self.steps.clear();
        while let Ok((who, told)) = self.told.recv() {
            self.hear(who, told);
        }
        Ok((self.parts, self.waited, self.timeline))
    }

    /// Waits until every transaction has answered, has ended, or waits for a lock.
    fn until_quiet(&mut self) -> Result<(), Failure> {
        loop {
            while let Ok((who, told)) = self.told.try_recv() {
                self.hear(who, told);
            }
            if self.parts.iter().all(Part::is_quiet) {
                return Ok(());
            }
            // The pause comes first: most answers come at once, and what the server says must not be from before the step.
            if let Ok((who, told)) = self.told.recv_timeout(self.ask.pause()) {
                self.hear(who, told);
                continue;
            }
            let waiting = self.ask.waiting(self.conn)?;
            if self.parts.iter().all(|part| part.is_quiet() || waiting.contains(&part.connection)) {
                self.waited = true;
                let waiting = self.parts.iter().enumerate().filter(|(_, part)| !part.is_quiet());
                waiting.for_each(|(who, _)| self.timeline.waits(who));
                return Ok(());
            }
        }
    }

    fn hear(&mut self, who: usize, told: Told) {
        let part = &mut self.parts[who];
        part.answered += 1;
        match told {
            Told::Connection(id) => part.connection = id,
            Told::Reply(reply) => {
                part.replies.push(reply.clone());
                self.timeline.answered(who, reply);
            }
            Told::End(end) => {
                part.end = Some(end);
                self.timeline.ended(who, end);
            }
        }
    }
}

/// How a server is asked whose transactions wait for a lock.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask {
    /// `SHOW ENGINE INNODB STATUS`: `… LOCK WAIT 2 lock struct(s) … thread id 12, …`. On MySQL it leaves out those that only read.
    Status,
    /// `information_schema.innodb_trx`: a copy that is not renewed while anybody has read it within the last tenth of a second
    /// (`can_cache_be_updated` in `storage/innobase/trx/trx0i_s.cc`).
    Transactions,
}

impl Ask {
    fn pause(self) -> Duration {
        match self {
            Self::Status => Duration::from_millis(1),
            Self::Transactions => Duration::from_millis(120),
        }
    }

    /// The connections of those transactions.
    fn waiting(self, conn: &mut Conn) -> Result<HashSet<u64>, Failure> {
        match self {
            Self::Status => {
                let status: Option<Row> = conn.query_first("SHOW ENGINE INNODB STATUS")?;
                let text: String = status.and_then(|row| row.get("Status")).unwrap_or_default();
                let waiting = text.split("---TRANSACTION ").skip(1).filter(|part| part.contains("\nLOCK WAIT "));
                let thread = |part: &str| part.split_once("thread id ")?.1.split(',').next()?.parse().ok();
                Ok(waiting.filter_map(thread).collect())
            }
            Self::Transactions => {
                let waiting =
                    "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
                Ok(conn.query::<u64, _>(waiting)?.into_iter().collect())
            }
        }
    }
}
