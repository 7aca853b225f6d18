//! Each way in which the bank is disturbed, carried out once. Which comes when is decided in `bank`; whether service goes on
//! afterwards is seen by the crew.

use std::thread;
use std::time::{Duration, Instant};

use ephemeral_mysql::Server;
use proxy::{Direction, Ending, FrameCut, Packet, Part, Proxy, Side};
use serde::Serialize;
use unit_of_work::mysql::Conn;
use unit_of_work::mysql::prelude::Queryable;

use super::USER;
use crate::failure::Failure;

/// How long a planned cut may find nothing to cut.
const MEETS: Duration = Duration::from_secs(5);
/// How many packets ahead a cut is planned.
const AHEAD: u64 = 60;
/// What servers begin with here.
const MAX_CONNECTIONS: u32 = 300;
/// The fewest that MariaDB can be told.
const FEW_CONNECTIONS: u32 = 10;

/// A way to disturb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Disturbance {
    /// A connection ends at a random packet.
    Cut,
    /// The same with a reset.
    Reset,
    /// The same, and the server is not told.
    HalfOpen,
    /// The same, and nobody is told.
    Silent,
    /// COMMIT arrives late, or its answer does.
    Hold,
    /// COMMIT does not arrive, or its answer does not; the connection goes on.
    Lose,
    /// All connections end at once.
    CutAll,
    /// An administrator ends a connection.
    Kill,
    /// An administrator ends a statement.
    KillQuery,
    /// The server is killed with SIGKILL and started again.
    Kill9,
    /// The server stands still for a while.
    Stop,
    /// The server becomes read-only for a while.
    ReadOnly,
    /// Nobody can commit for a while: a backup holds the global read lock.
    FlushTables,
    /// The server has no room for connections for a while, and all have to be opened again.
    MaxConnections,
}

impl Disturbance {
    pub(crate) const ALL: [Self; 14] = [
        Self::Cut,
        Self::Reset,
        Self::HalfOpen,
        Self::Silent,
        Self::Hold,
        Self::Lose,
        Self::CutAll,
        Self::Kill,
        Self::KillQuery,
        Self::Kill9,
        Self::Stop,
        Self::ReadOnly,
        Self::FlushTables,
        Self::MaxConnections,
    ];
}

/// What is disturbed: the server and the way to it.
#[derive(Debug)]
pub(crate) struct Scene<'s> {
    pub(crate) server: &'s Server,
    pub(crate) proxy: &'s Proxy,
    /// How the packet begins that commits.
    pub(crate) commit: &'static str,
}

impl Scene<'_> {
    /// Disturbs, and returns when the cause is gone. What it leaves behind is the library's to clear.
    pub(crate) fn disturb(&self, how: Disturbance) -> Result<(), Failure> {
        match how {
            Disturbance::Cut => self.cut(Ending::Close),
            Disturbance::Reset => self.cut(Ending::Reset),
            Disturbance::HalfOpen => self.cut(Ending::HalfOpen),
            Disturbance::Silent => self.cut(Ending::Silent),
            Disturbance::Hold => self.proxy.hold_for(Packet::Text(self.commit), side(), between(50, 3000)),
            Disturbance::Lose => self.proxy.lose(Packet::Text(self.commit), side()),
            Disturbance::CutAll => self.proxy.close_all(),
            Disturbance::Kill => self.kill("CONNECTION")?,
            Disturbance::KillQuery => self.kill("QUERY")?,
            Disturbance::Kill9 => {
                self.server.kill();
                self.server.restart()?;
            }
            Disturbance::Stop => {
                self.server.pause();
                thread::sleep(between(50, 3000));
                self.server.resume();
            }
            Disturbance::ReadOnly => self.between("SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0", |_| ())?,
            Disturbance::FlushTables => self.between("FLUSH TABLES WITH READ LOCK", "UNLOCK TABLES", |_| ())?,
            Disturbance::MaxConnections => self.between(
                &format!("SET GLOBAL max_connections = {FEW_CONNECTIONS}"),
                &format!("SET GLOBAL max_connections = {MAX_CONNECTIONS}"),
                Proxy::close_all,
            )?,
        }
        Ok(())
    }

    fn cut(&self, ending: Ending) {
        let direction = if fastrand::bool() { Direction::ToServer } else { Direction::ToClient };
        let part = [Part::Nothing, Part::Half, Part::All][fastrand::usize(0..3)];
        self.proxy.cut_frame(FrameCut { direction, number: fastrand::u64(1..=AHEAD), part, ending });
        let planned = Instant::now();
        while self.proxy.cut_planned() && planned.elapsed() < MEETS {
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn kill(&self, what: &str) -> Result<(), Failure> {
        let mut conn = self.server.conn()?;
        let all: Vec<u64> = conn.exec("SELECT id FROM information_schema.processlist WHERE user = ?", (USER,))?;
        if let Some(id) = fastrand::choice(all) {
            // It may have ended by itself in the meantime.
            let _gone = conn.query_drop(format!("KILL {what} {id}"));
        }
        Ok(())
    }

    /// Has the server in a state for a while. The connection stays the same: what is locked by it, it has to unlock.
    fn between(&self, begin: &str, end: &str, meanwhile: impl FnOnce(&Proxy)) -> Result<(), Failure> {
        let mut conn: Conn = self.server.conn()?;
        conn.query_drop(begin)?;
        meanwhile(self.proxy);
        thread::sleep(between(50, 2000));
        Ok(conn.query_drop(end)?)
    }
}

fn side() -> Side {
    if fastrand::bool() { Side::BeforeServer } else { Side::AfterServer }
}

/// A random time of this many milliseconds.
fn between(least: u64, most: u64) -> Duration {
    Duration::from_millis(fastrand::u64(least..=most))
}
