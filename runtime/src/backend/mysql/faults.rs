//! What an error of MySQL or MariaDB means: one table, by number first, then by SQLSTATE class, then by the driver's kind of
//! error. Numbers and meanings are from the servers' sources and manuals and were run where a server could be had; what follows
//! from them (retry, doom, unknown) is decided in `retry` and `settle`.

use std::sync::Arc;

use mysql::{DriverError, Error, MySqlError};

use super::local_files;
use crate::error::ErrorKind;
use crate::fault::{Again, AtCommit, Failed, Fault, Undone};

const fn fault(kind: ErrorKind, undone: Undone, again: Again, at_commit: AtCommit) -> Fault {
    Fault { kind, undone, again, at_commit }
}

/// The statement failed and nothing else did; as an answer to COMMIT it was seen to mean a roll-back.
const STATEMENT: Fault = fault(ErrorKind::Statement, Undone::Statement, Again::Never, AtCommit::RolledBack);
/// The same for all numbers that the table does not name; as an answer to COMMIT nobody has looked.
const UNLISTED: Fault = Fault { at_commit: AtCommit::Unknown, ..STATEMENT };
/// The server has rolled everything back because the transaction could not be serialized.
const SERIALIZATION: Fault = fault(ErrorKind::Serialization, Undone::Transaction, Again::Yes, AtCommit::RolledBack);
/// The transaction stands, but running the whole unit again is the only way on.
const DOOMED: Fault = fault(ErrorKind::Serialization, Undone::Doomed, Again::Yes, AtCommit::RolledBack);
/// No connection any more, or one that is out of step.
const LOST: Fault = fault(ErrorKind::ConnectionLost, Undone::Connection, Again::Yes, AtCommit::Unknown);
/// The server answers, but this node or session cannot do the work for now.
const UNAVAILABLE: Fault = fault(ErrorKind::Unavailable, Undone::Connection, Again::Yes, AtCommit::RolledBack);
/// Not let in.
const DENIED: Fault = fault(ErrorKind::AccessDenied, Undone::Statement, Again::Never, AtCommit::RolledBack);

/// One row a number. Sources: MySQL `share/messages_to_clients.txt`, MariaDB `share/errmsg-utf8.txt`; the InnoDB chapter "Error
/// Handling" of both manuals for what is rolled back; `sql/handler.cc` (`ha_commit_trans`) for what they mean as answers to COMMIT.
const TABLE: &[(u16, Fault)] = &[
    // Serialization.
    (1213, SERIALIZATION), // ER_LOCK_DEADLOCK; also certification in Galera
    (1020, SERIALIZATION), // ER_CHECKREAD: MariaDB's innodb_snapshot_isolation; HY000, so by number only
    (3101, SERIALIZATION), // ER_TRANSACTION_ROLLBACK_DURING_COMMIT: group replication
    (1614, SERIALIZATION), // ER_XA_RBDEADLOCK
    (1206, SERIALIZATION), // ER_LOCK_TABLE_FULL
    (9007, SERIALIZATION), // TiDB: write conflict
    (8002, SERIALIZATION), // TiDB: SELECT FOR UPDATE cannot be retried by the server
    (8022, SERIALIZATION), // TiDB: commit failed and was rolled back
    (1412, DOOMED),        // ER_TABLE_DEF_CHANGED: the snapshot is older than a DDL and can never read the table
    (1637, DOOMED),        // ER_TOO_MANY_CONCURRENT_TRXS
    (3058, DOOMED),        // ER_USER_LOCK_DEADLOCK: MySQL's GET_LOCK; the transaction stays open
    (8028, DOOMED),        // TiDB: the schema changed
    // Locks.
    (1205, fault(ErrorKind::LockTimeout, Undone::Doomed, Again::Once, AtCommit::RolledBack)), // ER_LOCK_WAIT_TIMEOUT
    (3572, fault(ErrorKind::LockNotAvailable, Undone::Statement, Again::Never, AtCommit::RolledBack)), // ER_LOCK_NOWAIT
    (1615, fault(ErrorKind::Serialization, Undone::Doomed, Again::Once, AtCommit::RolledBack)), // ER_NEED_REPREPARE
    // Commit and roll-back that went wrong.
    (1180, fault(ErrorKind::Statement, Undone::Transaction, Again::Never, AtCommit::Unknown)), // ER_ERROR_DURING_COMMIT
    (1181, fault(ErrorKind::ConnectionLost, Undone::Connection, Again::Never, AtCommit::Unknown)), // ER_ERROR_DURING_ROLLBACK
    (1598, fault(ErrorKind::Statement, Undone::Transaction, Again::Never, AtCommit::Unknown)), // ER_BINLOG_LOGGING_IMPOSSIBLE
    (1021, fault(ErrorKind::Statement, Undone::Statement, Again::Never, AtCommit::Unknown)),   // ER_DISK_FULL
    (1105, fault(ErrorKind::Statement, Undone::Statement, Again::Never, AtCommit::Unknown)),   // ER_UNKNOWN_ERROR
    (1401, fault(ErrorKind::Statement, Undone::Statement, Again::Never, AtCommit::Unknown)),   // ER_XAER_RMERR
    // Connection.
    (1053, LOST), // ER_SERVER_SHUTDOWN
    (1927, LOST), // ER_CONNECTION_KILLED (MariaDB)
    (3169, LOST), // ER_SESSION_WAS_KILLED
    (4031, LOST), // ER_CLIENT_INTERACTION_TIMEOUT
    (1152, LOST), // ER_ABORTING_CONNECTION
    (1158, LOST), // ER_NET_READ_ERROR
    (1159, LOST), // ER_NET_READ_INTERRUPTED
    (1160, LOST), // ER_NET_ERROR_ON_WRITE
    (1161, LOST), // ER_NET_WRITE_INTERRUPTED
    (1184, LOST), // ER_NEW_ABORTING_CONNECTION
    (1153, fault(ErrorKind::TooLarge, Undone::Connection, Again::Never, AtCommit::Unknown)), // ER_NET_PACKET_TOO_LARGE
    // The node.
    (1047, fault(ErrorKind::Unavailable, Undone::Connection, Again::Yes, AtCommit::Unknown)), // Galera: not primary
    // Group replication: a hook around COMMIT failed; some of them run after the local commit.
    (3100, fault(ErrorKind::Unavailable, Undone::Connection, Again::Yes, AtCommit::Unknown)), // ER_RUN_HOOK_ERROR
    // Seen to roll back at COMMIT: a read-only server, KILL QUERY while waiting, constraints.
    (1290, STATEMENT),   // ER_OPTION_PREVENTS_STATEMENT
    (1317, STATEMENT),   // ER_QUERY_INTERRUPTED
    (1062, STATEMENT),   // ER_DUP_ENTRY
    (1586, STATEMENT),   // ER_DUP_ENTRY_WITH_KEY_NAME
    (1451, STATEMENT),   // ER_ROW_IS_REFERENCED_2
    (1452, STATEMENT),   // ER_NO_REFERENCED_ROW_2
    (1048, STATEMENT),   // ER_BAD_NULL_ERROR
    (1364, STATEMENT),   // ER_NO_DEFAULT_FOR_FIELD
    (3819, STATEMENT),   // ER_CHECK_CONSTRAINT_VIOLATED
    (4025, STATEMENT),   // ER_CONSTRAINT_FAILED (MariaDB)
    (1836, UNAVAILABLE), // ER_READ_ONLY_MODE
    (1874, UNAVAILABLE), // ER_INNODB_READ_ONLY
    (1792, fault(ErrorKind::ReadOnly, Undone::Statement, Again::Never, AtCommit::RolledBack)),
    // Resources that come back.
    (1040, UNAVAILABLE), // ER_CON_COUNT_ERROR
    (1203, UNAVAILABLE), // ER_TOO_MANY_USER_CONNECTIONS
    (1226, UNAVAILABLE), // ER_USER_LIMIT_REACHED
    (1041, UNAVAILABLE), // ER_OUT_OF_RESOURCES
    (1135, UNAVAILABLE), // ER_CANT_CREATE_THREAD
    // Not let in; not to be tried again.
    (1044, DENIED), // ER_DBACCESS_DENIED_ERROR
    (1045, DENIED), // ER_ACCESS_DENIED_ERROR
    (1129, DENIED), // ER_HOST_IS_BLOCKED
    (1251, DENIED), // ER_NOT_SUPPORTED_AUTH_MODE
    (1698, DENIED), // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
    (1820, DENIED), // ER_MUST_CHANGE_PASSWORD
    (1862, DENIED), // ER_MUST_CHANGE_PASSWORD_LOGIN
];

/// Numbers whose text decides, and how.
fn by_text(error: &MySqlError) -> Option<Fault> {
    match error.code {
        // Group replication's abort at COMMIT: "Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT".
        1180 if error.message.contains("error 149") => Some(SERIALIZATION),
        // A primary that became a replica: another connection may reach the new primary.
        1290 if error.message.contains("read-only") || error.message.contains("read_only") => Some(UNAVAILABLE),
        _ => None,
    }
}

fn by_number(code: u16) -> Option<Fault> {
    TABLE.iter().find(|(number, _)| *number == code).map(|(_, fault)| *fault)
}

fn by_class(sqlstate: &str) -> Fault {
    match sqlstate.get(..2) {
        Some("40") => SERIALIZATION,
        Some("08") => LOST,
        // Constraints, and what the text of a statement is to blame for.
        Some("21" | "22" | "23" | "42") => STATEMENT,
        _ => UNLISTED,
    }
}

pub(crate) fn of_server(error: &MySqlError) -> Fault {
    by_text(error).or_else(|| by_number(error.code)).unwrap_or_else(|| by_class(&error.state))
}

fn of_driver(error: &DriverError) -> Fault {
    match error {
        DriverError::MismatchedStmtParams(..)
        | DriverError::Params(_)
        | DriverError::MixedParams
        | DriverError::BulkExecute(_)
        | DriverError::ReadOnlyTransNotSupported => Fault { kind: ErrorKind::Conversion, ..STATEMENT },
        DriverError::ConnectTimeout | DriverError::CouldNotConnect(_) => {
            Fault { kind: ErrorKind::Connect, undone: Undone::Nothing, ..LOST }
        }
        DriverError::UnknownAuthPlugin(_)
        | DriverError::OldMysqlPasswordDisabled
        | DriverError::CleartextPluginDisabled
        | DriverError::TlsNotSupported => DENIED,
        // Whatever else the driver says, it says that it does not know where it stands.
        _ => LOST,
    }
}

fn of(error: &Error) -> Fault {
    match error {
        Error::MySqlError(error) => of_server(error),
        Error::DriverError(error) => of_driver(error),
        Error::UrlError(_) => Fault { kind: ErrorKind::Configuration, ..STATEMENT },
        Error::FromValueError(_) | Error::FromRowError(_) => Fault { kind: ErrorKind::Conversion, ..STATEMENT },
        // Input and output, the codec, TLS: the late reply may still come, and would be taken for the next one's.
        _ => LOST,
    }
}

/// What is found when a savepoint is gone and nothing was sent that could have committed: the server rolled back, and whoever read
/// its answer did not say so.
pub(crate) fn hidden_rollback() -> Failed {
    let detail = "the server rolled the transaction back in a statement whose error was not passed on";
    Failed::of(SERIALIZATION.kind, SERIALIZATION.undone, SERIALIZATION.again, detail)
}

/// Names what a driver's error means and keeps it as the cause.
pub(crate) fn failed(error: Error) -> Failed {
    local_files::explain(error).unwrap_or_else(by_the_table)
}

fn by_the_table(error: Error) -> Failed {
    let fault = of(&error);
    let (code, sqlstate) = match &error {
        Error::MySqlError(server) => (Some(server.code), Some(Arc::from(server.state.as_str()))),
        _ => (None, None),
    };
    let detail = match (meaning(fault), words(&error)) {
        (Some(_), Some(words)) if is_about_parameters(&error) => {
            format!("the parameters do not fit the statement: {words}")
        }
        (Some(meaning), Some(words)) => format!("{meaning}: {words}"),
        (None, Some(words)) => words,
        (meaning, None) => meaning.unwrap_or("a value does not have the type that was asked for").to_owned(),
    };
    Failed { fault, code, sqlstate, detail: detail.into(), cause: tellable(error) }
}

/// For bodies that work with the driver's own connection ([`Tx::connection`](crate::Tx::connection)): `?` turns the driver's
/// error into ours, and one of ours that came through the driver's type back into itself.
impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        let Error::IoError(carrier) = error else { return Self::from_failed(failed(error)).while_running() };
        match carrier.downcast::<Self>() {
            Ok(ours) => ours,
            Err(other) => Self::from_failed(failed(Error::IoError(other))).while_running(),
        }
    }
}

/// A conversion error of the driver's shows the row's values, which may be anybody's secret.
fn tellable(error: Error) -> Option<Arc<dyn std::error::Error + Send + Sync>> {
    match error {
        Error::FromValueError(_) | Error::FromRowError(_) => None,
        error => Some(Arc::new(error)),
    }
}

/// These come from the driver before anything was sent.
fn is_about_parameters(error: &Error) -> bool {
    matches!(
        error,
        Error::DriverError(DriverError::MismatchedStmtParams(..) | DriverError::Params(_) | DriverError::MixedParams)
    )
}

/// What the server or the driver said.
fn words(error: &Error) -> Option<String> {
    match error {
        Error::MySqlError(server) => Some(format!("{} ({}): {}", server.code, server.state, server.message)),
        Error::FromValueError(_) | Error::FromRowError(_) => None,
        Error::IoError(error) => Some(error.to_string()),
        Error::DriverError(DriverError::CouldNotConnect(Some((address, text, _)))) => {
            Some(format!("{}: {text}", address.trim_start_matches("tcp://")))
        }
        Error::DriverError(error) => Some(error.to_string()),
        error => Some(error.to_string()),
    }
}

/// What a person should know in front of these words.
fn meaning(fault: Fault) -> Option<&'static str> {
    let text = match fault.kind {
        ErrorKind::Serialization => "the server could not serialize the transaction and rolled it back",
        ErrorKind::LockTimeout => "a lock was not granted in time",
        ErrorKind::LockNotAvailable => "a lock was not free, and the statement asked not to wait",
        ErrorKind::ReadOnly => "a write in a read-only unit; declare it without `read_only`",
        ErrorKind::ConnectionLost => "the connection was lost or is out of step, and will not be used again",
        ErrorKind::Unavailable => "the server cannot do this for the moment",
        ErrorKind::AccessDenied => {
            "the server does not let this user in; look at user and password in the URL, and at the hosts that the user may come from"
        }
        ErrorKind::Connect => "no connection could be opened; is a server running at this address?",
        ErrorKind::Conversion => "a value does not have the type that was asked for",
        _ => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: u16, state: &str, message: &str) -> Fault {
        of_server(&MySqlError { code, state: state.into(), message: message.into() })
    }

    #[test]
    fn no_number_stands_in_the_table_twice() {
        let mut numbers: Vec<_> = TABLE.iter().map(|(number, _)| number).collect();
        numbers.sort_unstable();
        let all = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), all);
    }

    #[test]
    fn a_number_wins_over_its_sqlstate_and_a_text_over_its_number() {
        assert_eq!(server(1020, "HY000", "Record has changed"), SERIALIZATION);
        assert_eq!(server(1205, "HY000", "Lock wait timeout").again, Again::Once);
        assert_eq!(server(1180, "HY000", "Got error 149 - 'Lock deadlock' during COMMIT"), SERIALIZATION);
        assert_eq!(server(1180, "HY000", "Got error 28 during COMMIT").at_commit, AtCommit::Unknown);
        assert_eq!(server(1290, "HY000", "running with the --read-only option"), UNAVAILABLE);
        assert_eq!(server(1290, "HY000", "running with the --secure-file-priv option"), STATEMENT);
    }

    #[test]
    fn an_unknown_number_goes_by_its_class() {
        assert_eq!(server(60_000, "40001", ""), SERIALIZATION);
        assert_eq!(server(60_001, "08S01", ""), LOST);
        assert_eq!(server(60_002, "23000", ""), STATEMENT);
        assert_eq!(server(60_003, "", ""), UNLISTED);
    }

    #[test]
    fn what_s19_never_retries_is_never_retried() {
        for code in [1062, 1586, 1451, 1452, 1048, 1364, 3819, 4025, 1317, 1153, 1064, 1146, 1792] {
            assert_eq!(server(code, "HY000", "").again, Again::Never, "{code}");
        }
    }

    #[test]
    fn only_wrong_parameters_leave_a_driver_error_harmless() {
        assert_eq!(of_driver(&DriverError::MismatchedStmtParams(1, 2)).undone, Undone::Statement);
        assert_eq!(of_driver(&DriverError::PacketOutOfSync), LOST);
        assert_eq!(of(&Error::IoError(std::io::ErrorKind::WouldBlock.into())), LOST);
    }
}
