//! The few errors whose text decides, because one number stands for several things. Asked before the table.

use mysql::MySqlError;

use super::table::{REFUSING, SERIALIZATION, UNAVAILABLE, UNCLEAR, by_number};
use crate::fault::{AtCommit, Fault};

/// TiDB's numbers of its own: <https://docs.pingcap.com/tidb/stable/error-codes>.
const TIDB_FIRST: u16 = 8000;
const TIDB_LAST: u16 = 9999;

pub(super) fn by_text(error: &MySqlError) -> Option<Fault> {
    let MySqlError { code, message, .. } = error;
    if is_of_vitess(message) {
        return Some(of_vitess(*code, message));
    }
    match code {
        // Group Replication's abort at COMMIT: "Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT" (MySQL bug 78705).
        1180 if message.contains("error 149") => Some(SERIALIZATION),
        // A primary that became a replica: another connection may reach the new one. COMMIT is rolled back then: `check_readonly`
        // in MySQL's `handler.cc`, and run on MariaDB.
        1290 if message.contains("read-only") || message.contains("read_only") => Some(REFUSING),
        // TiDB checks a constraint late, and finds another transaction's row.
        8147 if message.contains("rite conflict") => Some(SERIALIZATION),
        // TiDB's mark of errors after which the whole transaction can be run again (`kv.TxnRetryableMark`). Under its own numbers
        // only: others show values, which may be anybody's text.
        1105 | TIDB_FIRST..=TIDB_LAST if message.contains("[try again later]") => Some(SERIALIZATION),
        _ => None,
    }
}

/// "target: ks.-80.primary: vttablet: rpc error: code = Aborted desc = transaction 17: ended at … (errno 1317) (sqlstate 70100)"
fn is_of_vitess(message: &str) -> bool {
    message.contains("vttablet") || message.contains("rpc error: code = ")
}

/// Vitess gives several conditions one number, and tells them apart in gRPC's words (`go/mysql/sqlerror/sql_error.go`). Its COMMIT
/// over several shards is not atomic, so that no error says of it that everything was rolled back.
fn of_vitess(code: u16, message: &str) -> Fault {
    let fault = match embedded(message).unwrap_or(code) {
        1105 | 1317 if GONE.iter().any(|words| message.contains(words)) => UNAVAILABLE,
        1105 | 1317 => UNCLEAR,
        number => by_number(number).unwrap_or(UNCLEAR),
    };
    Fault { at_commit: AtCommit::Unknown, ..fault }
}

/// The transaction or its tablet is gone; another session may do the work.
const GONE: [&str; 6] = [
    "code = Aborted",
    "code = Unavailable",
    "code = FailedPrecondition",
    "code = ResourceExhausted",
    ": ended at ",
    ": not found",
];

/// The number of the MySQL behind it: `(errno 1213) (sqlstate 40001)`.
fn embedded(message: &str) -> Option<u16> {
    let (_, after) = message.split_once("(errno ")?;
    let (number, rest) = after.split_once(')')?;
    rest.trim_start().starts_with("(sqlstate ").then(|| number.parse().ok())?
}
