//! `LOCAL INFILE`: in the protocol a server may answer any statement by asking for any file of the client's machine, and the
//! driver always says that it can serve. None is ever sent: the text that asks for it is refused (`statement`), and a server
//! that asks all the same is not talked to any more.
//!
//! <https://dev.mysql.com/doc/refman/8.4/en/load-data-local-security.html>

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use mysql::{Error, LocalInfileHandler};

use crate::error::ErrorKind;
use crate::fault::{Again, AtCommit, Failed, Fault, Undone};

/// The server waits for a file that does not come, so the connection is of no use any more. Nobody knows what it has done with
/// a COMMIT that it answers like this.
const FAULT: Fault =
    Fault { kind: ErrorKind::Refused, undone: Undone::Connection, again: Again::Never, at_commit: AtCommit::Unknown };

/// What a server asked for.
#[derive(Debug)]
struct FileAsked(String);

impl fmt::Display for FileAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever answers in the server's place chooses this name.
        write!(f, "the server asked for this machine's file {:?}", self.0)
    }
}

impl StdError for FileAsked {}

/// The driver, left without one, sends an empty file and reports success.
pub(super) fn refuser() -> LocalInfileHandler {
    const SHOWN: usize = 120;
    LocalInfileHandler::new(|name, _writer| {
        let name: String = String::from_utf8_lossy(name).chars().take(SHOWN).collect();
        Err(io::Error::other(FileAsked(name)))
    })
}

/// Says what happened if that is what happened; gives any other error back.
pub(super) fn explain(error: Error) -> Result<Failed, Error> {
    let Error::IoError(carrier) = &error else { return Err(error) };
    let Some(asked) = carrier.get_ref().and_then(|inner| inner.downcast_ref::<FileAsked>()) else { return Err(error) };
    let detail = format!(
        "{asked}; nothing of it was sent, and the connection is closed; if the statement was `LOAD DATA LOCAL`, send the rows \
         with `exec_batch`; if it was not, do not trust who answers there"
    );
    Ok(Failed {
        fault: FAULT,
        code: None,
        sqlstate: None,
        detail: detail.into(),
        cause: Some(Arc::new(error)),
        statement: None,
    })
}
