//! Why a text is refused inside a unit, and what to write instead.
//!
//! Decides the words only: which text is refused is decided in `grammar` and in `statement`. The words follow the name of
//! the statement in a longer message, so they begin in lower case and end without a full stop.

use std::fmt;

/// Why a text must not be sent inside a unit. A word is the statement's first, in upper case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No statement at all, or only comments.
    Empty,
    /// Something follows a semicolon.
    SecondStatement,
    /// Executable comments whose ends depend on the server, or too many different ones.
    Undecidable,
    /// `COMMIT`, `ROLLBACK`, `BEGIN`, `START TRANSACTION`.
    TransactionControl(&'static str),
    /// `SAVEPOINT`, `RELEASE SAVEPOINT`, `ROLLBACK TO`.
    Savepoint(&'static str),
    /// The `XA` statements.
    Xa,
    /// `SET` of anything but user variables.
    SetsSession,
    /// Statements on definitions, accounts and tables as a whole, which commit on their own.
    ImplicitCommit(&'static str),
    /// `LOAD DATA LOCAL`, `LOAD XML LOCAL`.
    LocalFile,
    /// `LOCK`, `UNLOCK`.
    LocksTables(&'static str),
    /// The `HANDLER` statements.
    Handler,
    /// `USE`.
    UsesDatabase,
    /// `PREPARE`, `EXECUTE`, `DEALLOCATE`.
    Prepares(&'static str),
    /// `KILL`.
    Kills,
    /// Statements about the server rather than its data.
    Administration(&'static str),
    /// MariaDB's compound statements outside of a routine.
    Compound,
}

const OUTSIDE: &str = "run it outside of any unit with `db.session(|session| …)`";

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the text holds no statement; leave the call out"),
            Self::SecondStatement => f.write_str("the text holds a second statement; send one statement at a time"),
            Self::Undecidable => f.write_str(
                "what the text does depends on how far the server's version reads its comments; \
                 write the statement without executable comments and unbalanced hints",
            ),
            Self::TransactionControl(word) => write!(
                f,
                "`{word}` would end the transaction; the unit commits by itself when its body returns `Ok` and rolls back \
                 when it returns `Err`"
            ),
            Self::Savepoint(word) => write!(
                f,
                "`{word}` would undo or remove savepoints that the unit relies on; use `tx.savepoint(|tx| …)`"
            ),
            Self::Xa => write!(f, "`XA` would leave the unit's transaction for another; {OUTSIDE}"),
            Self::SetsSession => write!(
                f,
                "`SET` of anything but user variables would change the session for other units; \
                 ask for isolation and waits in the unit's options, or {OUTSIDE}"
            ),
            Self::ImplicitCommit(word) => {
                write!(f, "`{word}` would commit the transaction before the unit has ended; {OUTSIDE}")
            }
            Self::LocalFile => f.write_str(
                "`LOCAL` would have the server ask for a file of this machine, and none is ever sent to it; \
                 send the rows with `tx.exec_batch`",
            ),
            Self::LocksTables(word) => write!(
                f,
                "`{word}` would commit the transaction and change locks that outlive it; \
                 lock rows with `SELECT … FOR UPDATE`, or {OUTSIDE}"
            ),
            Self::Handler => f.write_str(
                "`HANDLER` would keep a lock on the table's definition after the unit has ended; read with `SELECT`",
            ),
            Self::UsesDatabase => f.write_str(
                "`USE` would change the database for other units; write the database before the table, as in `shop.item`",
            ),
            Self::Prepares(word) => write!(
                f,
                "what `{word}` runs cannot be read before it is sent; pass text and parameters to `tx.exec_drop` and its like"
            ),
            Self::Kills => write!(f, "`KILL` could end the unit's own session; {OUTSIDE}"),
            Self::Administration(word) => {
                write!(f, "`{word}` is about the server, takes no part in a transaction and may commit it; {OUTSIDE}")
            }
            Self::Compound => f.write_str(
                "a compound statement could commit anywhere in its body; send its statements one at a time, \
                 or make it a procedure and `CALL` that",
            ),
        }
    }
}
