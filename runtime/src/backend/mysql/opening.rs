//! What every connection of ours is brought to before a unit sees it, after connecting and after each reset, and what the
//! server tells about itself meanwhile. Two packets; the texts and their order are decided here.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql::{Row, Value};
use unit_of_work_sql::Mode;

use super::durability::Durability;
use super::faults;
use super::wire::{Request, SessionState, Wire};
use crate::backend::{Characteristics, Commits, LockWait};
use crate::error::ErrorKind;
use crate::fault::{Again, Failed, Undone};
use crate::options::{Access, Isolation, Snapshot};

/// What a connection has when the opening is done.
pub(crate) const OPENED: Characteristics = Characteristics {
    commits: Commits::Together,
    snapshot: Snapshot::AtFirstRead,
    lock_wait: LockWait::DEFAULT,
    isolation: Isolation::Serializable,
    access: Access::ReadWrite,
};

/// With autocommit off a transaction begins with the first statement, so that beginning costs no round trip.
/// `completion_type` would make COMMIT begin another one. `init_connect` of the server may have changed the character set.
/// What follows the settings asks for the server's identity and limits, for how durable its commits are, and whether it has the
/// isolation that it was asked for; the lock waits, which it asks for too, are set last: [`LockWait::DEFAULT`].
/// MySQL takes the lesser of an unsigned variable and a number for a decimal, which it refuses here (1232).
const SETTINGS: &str = "SET SESSION autocommit=0, completion_type=0;\
    SET NAMES utf8mb4;\
    SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE;\
    SELECT CONNECTION_ID(), @@hostname, @@port, @@server_id, UNIX_TIMESTAMP(), @@max_allowed_packet, \
    @@sql_mode, @@innodb_rollback_on_timeout, @@innodb_lock_wait_timeout, @@lock_wait_timeout, VERSION(), \
    @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog;\
    SHOW GLOBAL STATUS LIKE 'Uptime';\
    SHOW SESSION VARIABLES LIKE 't%_isolation';\
    SET SESSION innodb_lock_wait_timeout=CAST(LEAST(@@innodb_lock_wait_timeout,5) AS UNSIGNED), \
    lock_wait_timeout=CAST(LEAST(@@lock_wait_timeout,5) AS UNSIGNED)";

/// The user variable is there to be seen by the tracker that was just switched on; nobody reads it. The other tracker tells which
/// transaction has changed a table that is not transactional.
const TRACKING: &str = "SET SESSION session_track_state_change=1, session_track_transaction_info='STATE';\
    SET @unit_of_work_opened=NULL";

/// Asked after a reset, which leaves the default database where `USE` put it.
pub(crate) const WHERE_AM_I: &str = "SELECT DATABASE() /* after a reset */";

/// What is said by who knows no session tracking: an unknown variable, a text that is not understood, not supported.
const NO_TRACKING: [u16; 3] = [1193, 1064, 1235];

/// What the server said about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) identity: Identity,
    pub(crate) connection: u64,
    /// Bytes.
    pub(crate) max_allowed_packet: u64,
    pub(crate) mode: Mode,
    pub(crate) flavour: Flavour,
    pub(crate) on_lock_timeout: OnLockTimeout,
    pub(crate) durability: Durability,
    lock_waits: LockWaits,
    pub(crate) begin: Begin,
    /// When it had been up for `identity.age`, or a little later.
    aged: Instant,
}

/// How long the server waits for locks when nobody says otherwise. Seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LockWaits {
    rows: u64,
    metadata: u64,
}

/// Which server this is. Connection ids start again when a server restarts, and MySQL's `server_uuid` stays the same: so the
/// start time belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    host: String,
    port: u64,
    server_id: u64,
    /// Seconds since 1970, by the server's clock.
    started: u64,
    /// Seconds that it had been up when it said so; while that is too little, when it last answered on this connection.
    age: u64,
}

/// `UNIX_TIMESTAMP() - Uptime` is made of two readings that are rounded to seconds, so two of them may differ by one.
const START_TOLERANCE_S: u64 = 1;
/// A server that was up for so long when it last answered on a connection cannot be mistaken for one that was started after it:
/// the start times differ by more than the tolerance, whatever the rounding. Of a younger one connections are not killed, because
/// after a restart as quick as that the number may be somebody else's. How old it is now says nothing: it may be another one.
const GROWN_UP_S: u64 = 3;

impl Identity {
    pub(crate) fn is_same_server(&self, other: &Self) -> bool {
        self.has_the_same_data(other) && self.started.abs_diff(other.started) <= START_TOLERANCE_S
    }

    /// Whether it is the same server, restarted or not: whatever it had committed it has.
    pub(crate) fn has_the_same_data(&self, other: &Self) -> bool {
        (&self.host, self.port, self.server_id) == (&other.host, other.port, other.server_id)
    }

    /// Whether a restart of the server since then would be noticed.
    pub(crate) fn is_unmistakable(&self) -> bool {
        self.age >= GROWN_UP_S
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} (server id {})", self.host, self.port, self.server_id)
    }
}

/// How a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// With the first statement.
    Implicit,
    /// With START TRANSACTION: something between us and the server does not pass everything on, so it might take a first SELECT
    /// for one outside of a transaction (ProxySQL issues 469 and 5621). And nothing is killed through it.
    Explicit,
}

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    MariaDb,
    /// Oracle's, or one that speaks as it does.
    MySql,
}

impl Flavour {
    /// MariaDB has its name in every version (`10.11.6-MariaDB`), MySQL in none (`9.7.4`).
    fn of(version: &str) -> Self {
        if version.contains("MariaDB") { Self::MariaDb } else { Self::MySql }
    }
}

/// What the server undoes when a lock is not granted in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnLockTimeout {
    UndoStatement,
    /// `innodb_rollback_on_timeout` is on.
    UndoTransaction,
}

/// Opens.
pub(crate) fn open(wire: &mut dyn Wire) -> Result<Server, Failed> {
    let mut rows = Vec::new();
    wire.exchange(Request::Query(SETTINGS), &mut |row| rows.push(row.unwrap())).map_err(faults::failed)?;
    let mut server = read(&rows).ok_or_else(unreadable)?;
    // `tx_isolation`, `transaction_isolation` or both. TiDB can be told to take any level and keep its own.
    if let Some(level) = rows.iter().skip(2).filter_map(|row| text(row.get(1)?)).find(|level| level != "SERIALIZABLE") {
        return Err(weakened(&level));
    }
    server.begin = begin(wire, server.connection)?;
    Ok(server)
}

fn begin(wire: &mut dyn Wire, connection: u64) -> Result<Begin, Failed> {
    let same = u64::from(wire.connection_id()) == connection & u64::from(u32::MAX);
    match wire.exchange(Request::Query(TRACKING), &mut drop::<Row>) {
        Ok(answer) if same && answer.tracked.state == SessionState::Changed => Ok(Begin::Implicit),
        Ok(_) => Ok(Begin::Explicit),
        Err(mysql::Error::MySqlError(refusal)) if NO_TRACKING.contains(&refusal.code) => Ok(Begin::Explicit),
        Err(error) => Err(faults::failed(error)),
    }
}

fn read(rows: &[Vec<Value>]) -> Option<Server> {
    let [about, uptime, _isolation, ..] = rows else { return None };
    let [
        connection,
        host,
        port,
        server_id,
        now,
        packet,
        mode,
        rollback,
        row_wait,
        metadata,
        version,
        flush,
        binlog,
        sync,
    ] = about.as_slice()
    else {
        return None;
    };
    let uptime = number(uptime.get(1)?)?;
    Some(Server {
        identity: Identity {
            host: text(host)?,
            port: number(port)?,
            server_id: number(server_id)?,
            started: number(now)?.saturating_sub(uptime),
            age: uptime,
        },
        connection: number(connection)?,
        max_allowed_packet: number(packet)?,
        mode: Mode::of(&text(mode)?),
        flavour: Flavour::of(&text(version)?),
        on_lock_timeout: match number(rollback)? {
            0 => OnLockTimeout::UndoStatement,
            _ => OnLockTimeout::UndoTransaction,
        },
        durability: Durability {
            flush_log: number(flush)?,
            sync_binlog: match number(binlog)? {
                0 => None,
                _ => Some(number(sync)?),
            },
        },
        lock_waits: LockWaits { rows: number(row_wait)?, metadata: number(metadata)? },
        begin: Begin::Explicit,
        aged: Instant::now(),
    })
}

fn text(value: &Value) -> Option<String> {
    mysql::from_value_opt(value.clone()).ok()
}

fn number(value: &Value) -> Option<u64> {
    mysql::from_value_opt(value.clone()).ok()
}

fn unreadable() -> Failed {
    let detail =
        "the server did not answer the opening questions as MySQL and MariaDB do; what stands behind this address?";
    Failed::of(ErrorKind::Connect, Undone::Connection, Again::Never, detail)
}

fn weakened(level: &str) -> Failed {
    let detail = format!(
        "the server was asked for SERIALIZABLE, said nothing against it, and has {level}: no unit on it would have the isolation \
         that it asks for (TiDB does so with `tidb_skip_isolation_level_check`)"
    );
    Failed::of(ErrorKind::Configuration, Undone::Connection, Again::Never, detail)
}

/// The packet that changes a session from what it has to what a unit wants: one, however much there is to change.
pub(crate) fn change(has: Characteristics, wanted: Characteristics, server: &Server) -> Option<String> {
    let mut texts = Vec::new();
    if has.commits != wanted.commits {
        texts.push(match wanted.commits {
            Commits::Together => "SET SESSION autocommit=0".to_owned(),
            Commits::Each => "SET SESSION autocommit=1".to_owned(),
        });
    }
    if (has.isolation, has.access) != (wanted.isolation, wanted.access) {
        let (isolation, access) = (level(wanted.isolation), mode(wanted.access));
        texts.push(format!("SET SESSION TRANSACTION ISOLATION LEVEL {isolation}, {access}"));
    }
    if has.lock_wait != wanted.lock_wait {
        let (rows, metadata) = server.lock_waits(wanted.lock_wait);
        texts.push(format!("SET SESSION innodb_lock_wait_timeout={rows}, lock_wait_timeout={metadata}"));
    }
    (!texts.is_empty()).then(|| texts.join(";"))
}

impl Server {
    /// What to give to [`answered`](Self::answered): the time, while it matters how old the server is.
    pub(crate) fn asking(&self) -> Option<Instant> {
        (!self.identity.is_unmistakable()).then(Instant::now)
    }

    /// It has answered on the same connection what was sent at `asked`: so it is the same still, and older by that.
    pub(crate) fn answered(self: &mut Arc<Self>, asked: Option<Instant>) {
        let older = asked.map_or(0, |asked| asked.saturating_duration_since(self.aged).as_secs());
        if older > 0 {
            let server = Arc::make_mut(self);
            server.identity.age += older;
            server.aged += Duration::from_secs(older);
        }
    }

    /// Seconds for rows and for metadata. Metadata is waited for a day (MariaDB) or a year (MySQL) by default.
    fn lock_waits(&self, wanted: LockWait) -> (u64, u64) {
        let LockWaits { rows, metadata } = self.lock_waits;
        match wanted {
            LockWait::Exactly(seconds) => (seconds.into(), seconds.into()),
            LockWait::AtMost(seconds) => (rows.min(seconds.into()), metadata.min(seconds.into())),
        }
    }
}

fn level(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::ReadUncommitted => "READ UNCOMMITTED",
        Isolation::ReadCommitted => "READ COMMITTED",
        Isolation::RepeatableRead => "REPEATABLE READ",
        Isolation::Serializable => "SERIALIZABLE",
    }
}

fn mode(access: Access) -> &'static str {
    match access {
        Access::ReadWrite => "READ WRITE",
        Access::ReadOnly => "READ ONLY",
    }
}
