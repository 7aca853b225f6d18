//! Whether an UPDATE that was answered with OK was ended all the same. MariaDB can answer one that KILL QUERY has reached as one that
//! found no row: OK, nothing changed (seen on 10.11.14, some thousand times in a minute of kills, each time without the counts that an
//! UPDATE is answered with). Whoever believed it would commit the rest of the unit without it.
//!
//! The counts are missing too where the server knew without looking that there is nothing to do (`WHERE id = NULL`, `LIMIT 0`, a
//! partition that is not there): a killed range optimizer says the same (`mysql_update` in `sql_update.cc`), and nothing in the answer or
//! behind it (warnings, `ROW_COUNT()`) tells the two apart. So of such an answer, which is rare, EXPLAIN is asked: an UPDATE that has
//! nothing to do now is not missing, whatever became of it. What EXPLAIN refuses, or finds work in, counts as ended.

use mysql::Row;
use unit_of_work_sql::{begins_with, statements};

use super::{MySqlConnection, Open, ROLLBACK, Step};
use crate::backend::mysql::deferred::Write;
use crate::backend::mysql::in_words::in_words;
use crate::backend::mysql::opening::Flavour;
use crate::backend::mysql::sizes::largest_packet;
use crate::backend::mysql::wire::{Answer, Counts, Part, Request, SEPARATOR};
use crate::fault::{Failed, Undone};

const UPDATE: &str = "UPDATE";

/// How EXPLAIN begins to say that there is nothing to do.
const NOTHING_TO_DO: [&str; 2] = ["Impossible WHERE", "No matching rows"];

/// How often it must say so, in one packet: a KILL QUERY that reaches EXPLAIN makes it say the same. (In a minute of nothing but kills
/// every tenth does.)
const ASKED: usize = 8;

/// Whether a statement that was answered with OK was ended all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Killed {
    No,
    InSilence,
}

impl MySqlConnection {
    /// What to ask if the answer to this request is one that a killed UPDATE gets.
    pub(super) fn doubtful<'r>(&self, request: &Request<'r>) -> Option<Request<'r>> {
        match request {
            Request::Query(sql) | Request::Execute(sql, _) if self.may_be_silent(sql) => Some(request.clone()),
            _ => None,
        }
    }

    /// Whether it is an UPDATE that was answered without its counts.
    pub(super) fn is_silent(&self, sql: &str, answer: &Answer) -> bool {
        answer.counts == Counts::Missing && self.may_be_silent(sql)
    }

    fn may_be_silent(&self, sql: &str) -> bool {
        let server = self.server();
        server.flavour == Flavour::MariaDb && begins_with(sql, server.mode, UPDATE)
    }

    /// What was the matter with an UPDATE that is silent. `Err` = asking cost the transaction or the connection.
    pub(super) fn was_killed(&mut self, request: &Request<'_>) -> Result<Killed, Failed> {
        let mode = self.server().mode;
        let text = match request {
            Request::Execute(sql, params) => in_words(sql, params, mode),
            Request::Secret(part) => Some(part.text.to_owned()),
            _ => statements(request.text(), mode).first().map(|&only| only.to_owned()),
        };
        let Some(text) = text else { return Ok(Killed::InSilence) };
        let shown = format!("EXPLAIN {}", request.text());
        let text = vec![format!("EXPLAIN {text}"); ASKED].join(SEPARATOR);
        match self.remarks(Request::Secret(Part { text: &text, shown: &shown })) {
            Ok(remarks) if remarks.len() == ASKED && remarks.iter().all(|remark| says_nothing_to_do(remark)) => {
                Ok(Killed::No)
            }
            Err(failed) if matches!(failed.fault.undone, Undone::Transaction | Undone::Connection) => Err(failed),
            Ok(_) | Err(_) => Ok(Killed::InSilence),
        }
    }

    /// What EXPLAIN remarks on the UPDATE itself; other rows are about subqueries.
    fn remarks(&mut self, question: Request<'_>) -> Result<Vec<String>, Failed> {
        self.measure(largest_packet(&question))?;
        let mut remarks = Vec::new();
        let mut note = |row: Row| {
            if row.get::<Option<u64>, _>("id").flatten() == Some(1) {
                remarks.push(row.get::<Option<String>, _>("Extra").flatten().unwrap_or_default());
            }
        };
        self.exchange(question, &mut note)?;
        Ok(remarks)
    }

    /// The first of the silent writes that was ended. After a packet with COMMIT the question would leave a transaction open.
    pub(super) fn first_killed(&mut self, writes: &[Write], silent: &[usize]) -> Option<usize> {
        let killed = silent.iter().copied().find(|at| {
            let write = &writes[*at];
            let question = Request::Secret(Part { text: &write.text, shown: &write.sql });
            self.step == Step::Out || !matches!(self.was_killed(&question), Ok(Killed::No))
        });
        if !silent.is_empty()
            && self.transaction == Open::Ending
            && self.step == Step::In
            && self.send(ROLLBACK).is_err()
        {
            self.step = Step::Out;
        }
        killed
    }
}

fn says_nothing_to_do(remark: &str) -> bool {
    NOTHING_TO_DO.iter().any(|words| remark.starts_with(words))
}
