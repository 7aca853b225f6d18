//! What a session and a thread hold: the process's memory before and after there are hundreds of them, divided by their number.
//! Whatever was measured is kept until all is, so that nothing is counted as free that was only given back.

use std::cell::Cell;
use std::fs;
use std::sync::Barrier;
use std::thread;

use ephemeral_mysql::Server;
use serde::{Deserialize, Serialize};
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::mysql::{Conn, Opts};
use unit_of_work::{Database, Error, Tx, unit_of_work};

use crate::Failure;
use crate::bank::{Bank, SELECT};
use crate::table::Table;

const SESSIONS: usize = 256;
const THREADS: usize = 1000;

/// The sessions that all those threads share.
const SHARED: usize = 8;

/// Of one of each, in kilobytes, with the stack that its thread touched meanwhile.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Memory {
    /// A connection of the driver's that has run one prepared statement.
    connection: Size,
    /// A session of ours, in a unit that has run the same.
    session: Size,
    /// A thread that has run such a unit and given its session back.
    thread: Size,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Size {
    resident_kb: f64,
    /// Address space: what the driver or the system might use.
    reserved_kb: f64,
}

pub(super) fn measure(server: &Server) -> Result<Option<Memory>, Failure> {
    if Size::now().is_none() {
        return Ok(None);
    }
    let bank = Bank::open(server, 2)?;
    let (many, few) = (connect(&bank, SESSIONS)?, connect(&bank, SHARED)?);
    let opts = Opts::from_url(&format!("{}?prefer_socket=false", bank.url()))?;
    let by_driver = |hold: &dyn Fn()| {
        let mut conn = Conn::new(opts.clone())?;
        conn.exec_drop(SELECT, (1,))?;
        hold();
        Ok(())
    };
    let in_unit = |hold: &dyn Fn()| {
        let _entered = many.enter();
        Ok(read(hold)?)
    };
    let after_unit = |hold: &dyn Fn()| {
        let _entered = few.enter();
        read(&|| ())?;
        hold();
        Ok(())
    };
    held(SESSIONS, &by_driver, |connection| {
        held(SESSIONS, &in_unit, |session| {
            held(THREADS, &after_unit, |thread| Ok(Memory { connection, session, thread }))
        })
    })
    .map(Some)
}

fn connect(bank: &Bank, sessions: usize) -> Result<Database, Failure> {
    Ok(Database::builder().url(bank.url()).max_connections(sessions).connect()?)
}

#[unit_of_work]
fn read(tx: &mut Tx<'_>, hold: &dyn Fn()) -> Result<(), Error> {
    tx.exec_drop(SELECT, (1,))?;
    hold();
    Ok(())
}

/// Has `count` threads do `work`, which calls what it is given when it holds what is to be measured, and calls `meanwhile` with the
/// share of one of them.
fn held<T: Send>(
    count: usize,
    work: &(impl Fn(&dyn Fn()) -> Result<(), Failure> + Sync),
    meanwhile: impl FnOnce(Size) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let step = &Barrier::new(count + 1);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(move || hold_once(step, work))).collect();
        step.wait();
        let before = Size::now();
        step.wait();
        step.wait();
        let measured = Size::share(before, Size::now(), count);
        let result =
            measured.ok_or_else(|| "the system no longer tells how much memory is used".into()).and_then(meanwhile);
        step.wait();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a thread of the benchmark panicked"))?;
        result
    })
}

/// The steps of one thread. Whoever fails, or holds once more, keeps nobody waiting.
fn hold_once(step: &Barrier, work: &impl Fn(&dyn Fn()) -> Result<(), Failure>) -> Result<(), Failure> {
    let done = Cell::new(false);
    let hold = || {
        if !done.replace(true) {
            step.wait();
            step.wait();
        }
    };
    step.wait();
    step.wait();
    let result = work(&hold);
    hold();
    result
}

impl Size {
    /// That of this process.
    fn now() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        Some(Self { resident_kb: field(&status, "VmRSS:")?, reserved_kb: field(&status, "VmSize:")? })
    }

    fn share(before: Option<Self>, after: Option<Self>, count: usize) -> Option<Self> {
        let (before, after, count) = (before?, after?, f64::from(u32::try_from(count).ok()?));
        Some(Self {
            resident_kb: (after.resident_kb - before.resident_kb) / count,
            reserved_kb: (after.reserved_kb - before.reserved_kb) / count,
        })
    }
}

/// `VmRSS:      1234 kB`.
fn field(status: &str, name: &str) -> Option<f64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix(" kB")?.parse().ok()
}

impl Memory {
    pub(super) fn text(&self) -> String {
        let Self { connection, session, thread } = self;
        let mut table = Table::new(["memory of one", "resident kB", "reserved kB"]);
        for (name, size) in [("connection of the driver", connection), ("session", session), ("thread", thread)] {
            table.row([name.to_owned(), format!("{:.1}", size.resident_kb), format!("{:.0}", size.reserved_kb)]);
        }
        table.to_string()
    }
}
