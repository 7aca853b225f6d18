//! The table: which number, and where no number is known which SQLSTATE, means what. A row says what it means in a body and as
//! an answer to COMMIT; while connecting nothing had begun, whatever the number (`connector`), and a ROLLBACK that is refused
//! costs the connection, whatever the number (`connection`). Numbers whose text decides are in `text`, which is asked first.
//!
//! Marks of evidence: [run] seen on MariaDB 10.11 by the tests of this repository or by those who wrote it; [source] read in the
//! server's source; [manual] read in its documentation. Rows of MySQL alone, Group Replication, Galera, TiDB, Vitess and Aurora
//! could not be run here. As an answer to COMMIT nothing is taken for a roll-back without one of the three.

use crate::error::ErrorKind;
use crate::fault::{Again, AtCommit, Fault, Undone};

const fn fault(kind: ErrorKind, undone: Undone, again: Again, at_commit: AtCommit) -> Fault {
    Fault { kind, undone, again, at_commit }
}

/// The statement failed and nothing else did; as an answer to COMMIT it means that there was none.
pub(super) const STATEMENT: Fault = fault(ErrorKind::Statement, Undone::Statement, Again::Never, AtCommit::RolledBack);
/// The same for all numbers that the table does not name; as an answer to COMMIT nobody has looked.
pub(super) const UNLISTED: Fault = Fault { at_commit: AtCommit::Unknown, ..STATEMENT };
/// Named, so that it is known to be no more than that: it cannot answer a COMMIT, or nobody has seen what it means there.
const NAMED: Fault = UNLISTED;
/// The server has rolled everything back because the transaction could not be serialized.
pub(super) const SERIALIZATION: Fault =
    fault(ErrorKind::Serialization, Undone::Transaction, Again::Yes, AtCommit::RolledBack);
/// The transaction stands, but what it reads is too old: running the whole unit again is the only way on.
const STALE: Fault = fault(ErrorKind::Serialization, Undone::Doomed, Again::Yes, AtCommit::Unknown);
/// No connection any more, or one that is out of step.
pub(super) const LOST: Fault = fault(ErrorKind::ConnectionLost, Undone::Connection, Again::Yes, AtCommit::Unknown);
/// This node or session cannot do the work for now; another one, or this one later, may.
pub(super) const UNAVAILABLE: Fault = fault(ErrorKind::Unavailable, Undone::Connection, Again::Yes, AtCommit::Unknown);
/// The same, for a COMMIT that was refused before it ran.
pub(super) const REFUSING: Fault = Fault { at_commit: AtCommit::RolledBack, ..UNAVAILABLE };
/// The server answers and keeps the session, but something behind it is busy or full.
const BUSY: Fault = fault(ErrorKind::Unavailable, Undone::Doomed, Again::Yes, AtCommit::Unknown);
/// Nothing that the server says tells what is left of the transaction: nothing of it may be committed.
pub(super) const UNCLEAR: Fault = fault(ErrorKind::Statement, Undone::Doomed, Again::Never, AtCommit::Unknown);
/// More than the server takes in one transaction.
const TOO_LARGE: Fault = fault(ErrorKind::TooLarge, Undone::Doomed, Again::Never, AtCommit::Unknown);
/// Not let in.
pub(super) const DENIED: Fault = fault(ErrorKind::AccessDenied, Undone::Statement, Again::Never, AtCommit::Unknown);

/// Sources, where a row names none: MySQL `share/messages_to_clients.txt` and MariaDB `share/errmsg-utf8.txt` for the numbers;
/// the chapter "InnoDB Error Handling" of both manuals and `convert_error_code_to_mysql` in `ha_innodb.cc` for what is rolled
/// back; `ha_commit_trans` in `sql/handler.cc` for answers to COMMIT.
pub(super) const TABLE: &[(u16, Fault)] = &[
    // Serialization: everything was rolled back.
    (1213, SERIALIZATION), // ER_LOCK_DEADLOCK [run]; at COMMIT Galera's and Group Replication's certification [manual]
    (1020, SERIALIZATION), // ER_CHECKREAD [run]: MariaDB's innodb_snapshot_isolation; HY000, so by number only
    (3101, SERIALIZATION), // ER_TRANSACTION_ROLLBACK_DURING_COMMIT: Group Replication [source: binlog.cc]
    (1613, SERIALIZATION), // ER_XA_RBTIMEOUT
    (1614, SERIALIZATION), // ER_XA_RBDEADLOCK
    // TiDB: https://docs.pingcap.com/tidb/stable/error-codes [manual].
    (9007, SERIALIZATION), // write conflict
    (8002, SERIALIZATION), // SELECT FOR UPDATE cannot be retried by the server
    (8005, SERIALIZATION), // write conflict, the transaction's start is stale
    (8022, SERIALIZATION), // commit failed and was rolled back
    (8028, fault(ErrorKind::Serialization, Undone::Doomed, Again::Yes, AtCommit::RolledBack)), // the schema changed
    // What was read is too old, or the statement waited for itself; the transaction stands.
    (1412, STALE), // ER_TABLE_DEF_CHANGED [run]: the snapshot is older than a DDL and can never read the table
    (3058, STALE), // ER_USER_LOCK_DEADLOCK: MySQL's GET_LOCK
    (8027, STALE), // TiDB: this node's schema is outdated [manual]
    (8055, STALE), // TiDB: snapshot too old [manual]
    (8229, STALE), // TiDB: the transaction is too old [manual]
    (9006, STALE), // TiDB: older than the garbage collection's life time [manual]
    // Locks.
    (1205, fault(ErrorKind::LockTimeout, Undone::Doomed, Again::Once, AtCommit::RolledBack)), // ER_LOCK_WAIT_TIMEOUT [run]
    (9004, fault(ErrorKind::LockTimeout, Undone::Doomed, Again::Yes, AtCommit::Unknown)), // TiDB: resolve lock timeout [manual]
    (3572, fault(ErrorKind::LockNotAvailable, Undone::Statement, Again::Never, AtCommit::RolledBack)), // ER_LOCK_NOWAIT
    (1615, fault(ErrorKind::Serialization, Undone::Doomed, Again::Once, AtCommit::Unknown)), // ER_NEED_REPREPARE
    // Something ran out that comes back.
    (1206, fault(ErrorKind::Unavailable, Undone::Transaction, Again::Yes, AtCommit::RolledBack)), // ER_LOCK_TABLE_FULL [source]
    (1637, BUSY),        // ER_TOO_MANY_CONCURRENT_TRXS
    (1461, BUSY),        // ER_MAX_PREPARED_STMT_COUNT_REACHED [run]
    (1041, BUSY),        // ER_OUT_OF_RESOURCES; Vitess: throttled [source: sql_error.go]
    (1203, BUSY),        // ER_TOO_MANY_USER_CONNECTIONS; Vitess: all transactions in use [source]
    (9001, BUSY),        // TiDB: PD timeout [manual]; ProxySQL: connecting timed out
    (9002, BUSY),        // TiDB: TiKV timeout [manual]
    (9003, BUSY),        // TiDB: TiKV busy [manual]
    (9005, BUSY),        // TiDB: region unavailable [manual]
    (9008, BUSY),        // TiDB: too many requests [manual]
    (9010, BUSY),        // TiDB: overloaded [manual]
    (1040, UNAVAILABLE), // ER_CON_COUNT_ERROR [run]
    (1135, UNAVAILABLE), // ER_CANT_CREATE_THREAD
    (1226, REFUSING), // ER_USER_LIMIT_REACHED [run]: COMMIT is counted and refused before it runs, and so is ROLLBACK
    // Commit and roll-back that went wrong.
    (1180, fault(ErrorKind::Statement, Undone::Transaction, Again::Never, AtCommit::Unknown)), // ER_ERROR_DURING_COMMIT
    (1181, fault(ErrorKind::ConnectionLost, Undone::Connection, Again::Never, AtCommit::Unknown)), // ER_ERROR_DURING_ROLLBACK
    (1402, fault(ErrorKind::Statement, Undone::Transaction, Again::Never, AtCommit::RolledBack)),  // ER_XA_RBROLLBACK
    (1598, fault(ErrorKind::Statement, Undone::Transaction, Again::Never, AtCommit::Unknown)), // ER_BINLOG_LOGGING_IMPOSSIBLE
    (8147, fault(ErrorKind::Statement, Undone::Transaction, Again::Never, AtCommit::RolledBack)), // TiDB: lazy constraint [manual]
    (1105, UNCLEAR), // ER_UNKNOWN_ERROR: what proxies say; HikariCP gives such a connection up
    // Connection. Numbers from 2000 are a client's: here they come from a proxy that lost the server behind it.
    (1053, LOST), // ER_SERVER_SHUTDOWN
    (1927, LOST), // ER_CONNECTION_KILLED (MariaDB) [run]
    (3168, LOST), // ER_SERVER_ISNT_AVAILABLE (MySQL; Vitess: tablet gone)
    (3169, LOST), // ER_SESSION_WAS_KILLED
    (1152, LOST), // ER_ABORTING_CONNECTION
    (1158, LOST), // ER_NET_READ_ERROR
    (1159, LOST), // ER_NET_READ_INTERRUPTED
    (1160, LOST), // ER_NET_ERROR_ON_WRITE
    (1161, LOST), // ER_NET_WRITE_INTERRUPTED
    (1184, LOST), // ER_NEW_ABORTING_CONNECTION
    (2002, LOST), // CR_CONNECTION_ERROR
    (2003, LOST), // CR_CONN_HOST_ERROR
    (2005, LOST), // CR_UNKNOWN_HOST
    (2006, LOST), // CR_SERVER_GONE_ERROR
    (2013, LOST), // CR_SERVER_LOST
    (2014, LOST), // CR_COMMANDS_OUT_OF_SYNC
    (2055, LOST), // CR_SERVER_LOST_EXTENDED
    // Said before the session is closed for idleness, without having read what was sent meanwhile: no COMMIT ran [manual].
    (4031, Fault { at_commit: AtCommit::RolledBack, ..LOST }), // ER_CLIENT_INTERACTION_TIMEOUT
    (1153, fault(ErrorKind::TooLarge, Undone::Connection, Again::Never, AtCommit::Unknown)), // ER_NET_PACKET_TOO_LARGE [run]
    // The node.
    (1047, UNAVAILABLE), // Galera: not primary; Vitess: no such session
    (1836, UNAVAILABLE), // ER_READ_ONLY_MODE: also Aurora during failover
    (1874, UNAVAILABLE), // ER_INNODB_READ_ONLY
    (3032, UNAVAILABLE), // ER_SERVER_OFFLINE_MODE: MySQL, also a Group Replication member that has left [manual]
    // Group Replication: a hook around COMMIT failed, or a wait for consistency; some of them run after the local commit.
    (3100, UNAVAILABLE), // ER_RUN_HOOK_ERROR
    (3796, UNAVAILABLE), // ER_GRP_TRX_CONSISTENCY_NOT_ALLOWED
    (3797, UNAVAILABLE), // ER_GRP_TRX_CONSISTENCY_BEFORE
    (3798, UNAVAILABLE), // ER_GRP_TRX_CONSISTENCY_AFTER_ON_TRX_BEGIN
    // The statement alone; at COMMIT they are roll-backs.
    (1290, STATEMENT), // ER_OPTION_PREVENTS_STATEMENT [run]: `--read-only` is in `text`
    (1317, STATEMENT), // ER_QUERY_INTERRUPTED [run]: also where COMMIT waits for a semi-synchronous replica, it is OK or undone
    (1969, STATEMENT), // ER_STATEMENT_TIMEOUT (MariaDB) [run]
    (1399, STATEMENT), // ER_XAER_RMFAIL [run]: a branch is open, which COMMIT does not end
    (1062, STATEMENT), // ER_DUP_ENTRY [run]; TiDB checks at COMMIT, and rolls back [manual]
    (1586, STATEMENT), // ER_DUP_ENTRY_WITH_KEY_NAME
    (1451, STATEMENT), // ER_ROW_IS_REFERENCED_2 [run]
    (1452, STATEMENT), // ER_NO_REFERENCED_ROW_2 [run]
    (1216, STATEMENT), // ER_NO_REFERENCED_ROW
    (1217, STATEMENT), // ER_ROW_IS_REFERENCED
    (1048, STATEMENT), // ER_BAD_NULL_ERROR [run]
    (1364, STATEMENT), // ER_NO_DEFAULT_FOR_FIELD
    (3819, STATEMENT), // ER_CHECK_CONSTRAINT_VIOLATED
    (4025, STATEMENT), // ER_CONSTRAINT_FAILED (MariaDB) [run]
    // The statement alone; they do not answer a COMMIT, or it is not known what they mean there.
    (1021, NAMED),     // ER_DISK_FULL
    (1114, NAMED),     // ER_RECORD_FILE_FULL
    (1142, NAMED),     // ER_TABLEACCESS_DENIED_ERROR
    (1227, NAMED),     // ER_SPECIFIC_ACCESS_DENIED_ERROR
    (1305, NAMED),     // ER_SP_DOES_NOT_EXIST: of a savepoint of ours it is more, see `connection`
    (1397, NAMED),     // ER_XAER_NOTA
    (1398, NAMED),     // ER_XAER_INVAL
    (1400, NAMED),     // ER_XAER_OUTSIDE
    (1401, NAMED),     // ER_XAER_RMERR
    (1422, NAMED),     // ER_COMMIT_NOT_ALLOWED_IN_SF_OR_TRG [run]
    (1440, NAMED),     // ER_XAER_DUPID
    (1568, NAMED),     // ER_CANT_CHANGE_TX_CHARACTERISTICS [run]: in a procedure; we change those of the session
    (1665, NAMED),     // ER_BINLOG_STMT_MODE_AND_ROW_ENGINE [run]
    (1815, NAMED),     // ER_INTERNAL_ERROR; Vitess: a bug
    (3024, NAMED),     // ER_QUERY_TIMEOUT: MySQL's MAX_EXECUTION_TIME, of SELECT only
    (3098, NAMED),     // ER_BEFORE_DML_VALIDATION_ERROR: Group Replication does not take this table or level
    (8004, TOO_LARGE), // TiDB: transaction too large [manual]
    (8025, TOO_LARGE), // TiDB: entry too large [manual]
    (9500, TOO_LARGE), // TiDB: transaction too large, newer [manual]
    (8001, UNCLEAR),   // TiDB: memory [manual]
    (8252, UNCLEAR),   // TiDB: quota [manual]
    // Of a unit that may write it says something else: see `connection`.
    (1792, fault(ErrorKind::ReadOnly, Undone::Statement, Again::Never, AtCommit::Unknown)), // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION [run]
    // Not let in, or not to be had; not to be tried again.
    (1044, DENIED), // ER_DBACCESS_DENIED_ERROR [run]
    (1045, DENIED), // ER_ACCESS_DENIED_ERROR [run]
    (1129, DENIED), // ER_HOST_IS_BLOCKED
    (1251, DENIED), // ER_NOT_SUPPORTED_AUTH_MODE
    (1698, DENIED), // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
    (1820, DENIED), // ER_MUST_CHANGE_PASSWORD
    (1862, DENIED), // ER_MUST_CHANGE_PASSWORD_LOGIN
    (1049, NAMED),  // ER_BAD_DB_ERROR [run]
    (8048, fault(ErrorKind::Configuration, Undone::Statement, Again::Never, AtCommit::Unknown)), // TiDB: no such level [manual]
];

pub(super) fn by_number(code: u16) -> Option<Fault> {
    TABLE.iter().find(|(number, _)| *number == code).map(|(_, fault)| *fault)
}

/// For numbers that the table does not name.
pub(super) fn by_class(sqlstate: &str) -> Fault {
    match (sqlstate, sqlstate.get(..2)) {
        // "Statement completion unknown", "integrity constraint violation": rolled back, but not for want of serialization.
        ("40002" | "40003", _) => fault(ErrorKind::Statement, Undone::Transaction, Again::Never, AtCommit::Unknown),
        (_, Some("40")) => SERIALIZATION,
        (_, Some("08")) => LOST,
        // Constraints, and what the text of a statement is to blame for.
        (_, Some("21" | "22" | "23" | "42")) => STATEMENT,
        _ => UNLISTED,
    }
}
