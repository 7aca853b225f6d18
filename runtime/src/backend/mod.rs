//! What the runtime needs of a database engine. MySQL and MariaDB ([`MySql`](crate::MySql)) are the first; others come behind
//! the same traits. They are sealed: the runtime's promises rest on how an engine implements them.

pub(crate) mod mysql;

use std::any::Any;
use std::borrow::Cow;
use std::fmt::Debug;
use std::time::Duration;

use crate::fault::Failed;
use crate::options::{Access, Isolation, Snapshot, Topology};
use crate::resolution::{Fate, Key};

/// A database engine: the type parameter of [`Database`](crate::Database) and [`Tx`](crate::Tx).
///
/// Sealed; a user of MySQL or MariaDB never writes it.
pub trait Backend: Debug + Sized + 'static {
    /// Opens connections.
    #[doc(hidden)]
    type Connector: Connector<Connection = Self::Connection>;
    /// One connection and what is known of it.
    #[doc(hidden)]
    type Connection: Connection;
}

/// Opens connections; shared by all threads.
pub trait Connector: Debug + Send + Sync + 'static {
    /// What it opens.
    type Connection;

    /// Opens one and brings it into the state that units expect. Called without any lock held.
    fn connect(&self) -> Result<Self::Connection, Failed>;
    /// Where its connections lead, as far as it is known.
    fn peer(&self) -> Peer<'_>;
}

/// Where connections lead, in the terms of OpenTelemetry's conventions for database clients.
/// <https://opentelemetry.io/docs/specs/semconv/db/database-spans/>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer<'c> {
    /// `db.system.name`
    pub(crate) system: &'static str,
    /// `db.namespace`: the database.
    pub(crate) namespace: Option<&'c str>,
    /// `server.address`: host name, address or path of a socket.
    pub(crate) address: Option<Cow<'c, str>>,
    /// `server.port`
    pub(crate) port: Option<u16>,
}

/// When what a unit does is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commits {
    /// At its end, all at once.
    Together,
    /// Each statement by itself: there is no transaction.
    Each,
}

/// How long the server waits for a lock, of rows and of metadata. Seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockWait {
    /// As the unit says.
    Exactly(u32),
    /// As it is configured, but not longer.
    AtMost(u32),
}

impl LockWait {
    /// Servers wait 50 s for rows and a day or a year for metadata, which is longer than the network's patience: a unit would
    /// lose its connection instead of being told.
    pub(crate) const DEFAULT: Self = Self::AtMost(5);

    /// The server counts whole seconds, at least one.
    pub(crate) fn exactly(wait: Duration) -> Self {
        Self::Exactly(whole_seconds(wait))
    }
}

/// Rounded up, at least one.
pub(crate) fn whole_seconds(time: Duration) -> u32 {
    let whole = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(u32::MAX).max(1)
}

/// Whether a ghost could be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Laid {
    /// It is gone.
    Gone,
    /// This connection cannot reach it: another server, or something in between.
    OutOfReach,
}

/// What a session is to be like for a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Characteristics {
    pub(crate) commits: Commits,
    pub(crate) snapshot: Snapshot,
    pub(crate) lock_wait: LockWait,
    pub(crate) isolation: Isolation,
    pub(crate) access: Access,
}

/// What a connection is worth after a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Idle, in step, as units expect it.
    Clean,
    /// Idle and in step, but the unit left something on it: to be reset before anybody else sees it.
    Touched,
    /// Lost, out of step, or still in a transaction that would not end: never to be used again.
    Broken,
}

/// What became of a roll-back.
#[derive(Debug)]
pub enum Rollback {
    /// Nothing of the transaction is left, or will be when the server notices that the connection is gone.
    Complete,
    /// It was refused or lost. The connection is given up, and the server undoes the transaction when it notices.
    Refused(Failed),
    /// What this says stays in the database.
    Incomplete(Failed),
}

/// One connection. Called by one thread at a time, never while user code runs.
pub trait Connection: Debug + Send + 'static {
    /// What is needed to end the server's side of this connection from another one.
    type Ghost: Any + Debug + Send;

    /// What the server calls it.
    fn number(&self) -> u64;
    /// Round trips since this was asked last, or since it was opened; those of a reset are nobody's.
    fn take_round_trips(&mut self) -> u64;
    /// Says what the next transaction is to be like. Sends nothing: the first statement does.
    fn expect(&mut self, characteristics: Characteristics);
    /// Says that the connection may have died unnoticed: to be checked before the next statement.
    fn doubt(&mut self);
    /// Checks a doubted connection, otherwise does nothing.
    fn reassure(&mut self) -> Result<(), Failed>;
    /// Whether writes wait that the body has deferred.
    fn has_deferred(&self) -> bool;
    /// Sends them. Every statement does, and so do COMMIT and a new savepoint; ROLLBACK forgets them, to a savepoint or of all.
    fn flush(&mut self) -> Result<(), Failed>;
    /// Commits; sends nothing if nothing was sent or deferred before. With a key, a row that names it is part of what is committed.
    fn commit(&mut self, key: Option<&Key>) -> Result<(), Failed>;
    /// Rolls back and awaits the answer; sends nothing if nothing was sent before.
    fn rollback(&mut self) -> Rollback;
    /// Sets a savepoint of a fresh name, and begins the transaction for it if need be.
    fn savepoint(&mut self) -> Result<String, Failed>;
    /// Forgets a savepoint, keeping what was done since.
    fn release(&mut self, savepoint: &str) -> Result<(), Failed>;
    /// Undoes what was done since a savepoint.
    fn rollback_to(&mut self, savepoint: &str) -> Result<(), Failed>;
    /// Puts a touched connection back into the state that units expect.
    fn reset(&mut self) -> Result<(), Failed>;
    /// What it is worth now.
    fn standing(&self) -> Standing;
    /// Says that nothing more may be sent: somebody else ended the connection.
    fn give_up(&mut self);
    /// Shuts the socket so that nothing more can be sent, not even on drop.
    fn shut(&mut self);
    /// What would be left of it on the server. `None` where killing is not safe.
    fn ghost(&self) -> Option<Self::Ghost>;
    /// Ends what is left of another connection, if this one talks to the same server.
    fn lay(&mut self, ghost: &Self::Ghost) -> Result<Laid, Failed>;
    /// Where it is, also when it is lost: for [`decide`](Connection::decide).
    fn whereabouts(&self) -> Self::Ghost;
    /// Finds out what became of the COMMIT with this key, sent on a connection that is lost, and decides it where nobody has: from
    /// then on it is committed or rolled back for ever. Only for a connection that does nothing else.
    fn decide(&mut self, key: &Key, lost: &Self::Ghost, topology: Topology) -> Result<Fate, Failed>;
    /// What shuts the socket from another thread, while this one is blocked on it. Must not be called after the connection is
    /// gone.
    fn stopper(&self) -> Box<dyn FnOnce() + Send>;
}
