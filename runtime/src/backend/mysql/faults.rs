//! What an error of MySQL or MariaDB, or of who speaks like them, means: a few numbers by their `text`, then the `table` by number
//! and by SQLSTATE class, then the driver's kinds of error. In which words it is told is decided here too; what follows from it
//! (retry, doom, unknown) in `retry` and `settle`.

mod table;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

use mysql::{DriverError, Error, MySqlError};

use self::table::{DENIED, LOST, SERIALIZATION, STATEMENT, UNAVAILABLE, by_class, by_number};
use self::text::by_text;
use super::local_files;
use crate::error::ErrorKind;
use crate::fault::{Failed, Fault, Undone};

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

/// A write was refused although the unit may write: the server became a replica, as Aurora's do while they fail over
/// (go-sql-driver's `rejectReadOnly`). Another connection may reach the new primary.
pub(crate) fn no_primary(failed: Failed) -> Failed {
    let detail = "the server takes no writes, though the unit may write: it may have become a replica";
    Failed { fault: UNAVAILABLE, detail: detail.into(), ..failed }
}

/// As the server would say it to a write in a transaction that it has begun as a read-only one.
pub(crate) fn read_only() -> Failed {
    failed(Error::MySqlError(MySqlError {
        state: "25006".to_owned(),
        code: 1792,
        message: "Cannot execute statement in a READ ONLY transaction".to_owned(),
    }))
}

/// As the server should have said it.
pub(crate) fn killed_in_silence() -> Error {
    Error::MySqlError(MySqlError {
        state: "70100".to_owned(),
        code: 1317,
        message: "Query execution was interrupted (the server answered OK, but without the counts of an UPDATE)"
            .to_owned(),
    })
}

/// Names what a driver's error means and keeps it as the cause.
pub(crate) fn failed(error: Error) -> Failed {
    local_files::explain(error).unwrap_or_else(by_the_table)
}

/// The driver passes the operating system's word on, which is "Resource temporarily unavailable".
fn is_late(error: &Error) -> bool {
    // The driver's own type names no source.
    let mut cause: Option<&(dyn std::error::Error + 'static)> = match error {
        Error::IoError(error) => Some(error),
        Error::CodecError(error) => Some(error),
        _ => None,
    };
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && matches!(io.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
        {
            return true;
        }
        cause = error.source();
    }
    false
}

fn by_the_table(error: Error) -> Failed {
    let fault = of(&error);
    let (code, sqlstate) = match &error {
        Error::MySqlError(server) => (Some(server.code), Some(Arc::from(server.state.as_str()))),
        _ => (None, None),
    };
    let detail = nobody_there(&error).unwrap_or_else(|| match (meaning(fault), words(&error)) {
        (Some(_), Some(words)) if is_about_parameters(&error) => {
            format!("the parameters do not fit the statement: {words}")
        }
        (Some(meaning), Some(words)) if fault.kind == ErrorKind::ConnectionLost && is_late(&error) => format!(
            "the server did not answer within the network timeout, so the connection was given up; where statements may take \
             longer, say so with `DatabaseBuilder::network_timeout`: {meaning}: {words}"
        ),
        (Some(meaning), Some(words)) => format!("{meaning}: {words}"),
        (None, Some(words)) => words,
        (meaning, None) => meaning.unwrap_or("a value does not have the type that was asked for").to_owned(),
    });
    let detail = match code.and_then(advice) {
        Some(advice) => format!("{detail}; {advice}"),
        None => detail,
    };
    Failed { fault, code, sqlstate, detail: detail.into(), cause: tellable(error), statement: None }
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

/// Where no connection came about, in the operating system's words without its number.
fn nobody_there(error: &Error) -> Option<String> {
    let Error::DriverError(DriverError::CouldNotConnect(Some((address, text, _)))) = error else { return None };
    let (address, why) = (address.trim_start_matches("tcp://"), text.split(" (os error").next().unwrap_or(text));
    Some(format!("nothing answers at {address} ({why}); is a server running there?"))
}

/// What the server or the driver said.
pub(super) fn words(error: &Error) -> Option<String> {
    match error {
        Error::MySqlError(server) => Some(format!("{} ({}): {}", server.code, server.state, server.message)),
        Error::FromValueError(_) | Error::FromRowError(_) => None,
        Error::IoError(error) => Some(error.to_string()),
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

/// What can be done where the server's words do not say it.
fn advice(code: u16) -> Option<&'static str> {
    let text = match code {
        1044 => "is the database's name in the URL right, is it there, and was it granted to this user?",
        1046 => "name one in the URL: `mysql://user:password@host:3306/database`",
        1064 => "the words behind `near` are where the server stopped understanding",
        1146 => {
            "is its name right, and is it this database that the program should use? Tables are made outside of units, with `db.session`"
        }
        1461 => "raise `max_prepared_stmt_count` there, or lower `statement_cache` and `max_connections` here",
        1665 => "set `binlog_format` to ROW or MIXED there, or ask for `repeatable read` or more",
        3098 => "group replication takes InnoDB tables with a primary key, and several primaries not at `serializable`",
        8048 => "TiDB has no `serializable`, and nothing less is taken for it",
        _ => return None,
    };
    Some(text)
}
