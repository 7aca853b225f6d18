//! A great many threads at once over a few sessions, one transfer each: all of them come to an end, and how long the last one
//! waits. The server itself tells how many connections it ever saw.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use ephemeral_mysql::Server;
use serde::{Deserialize, Serialize};
use unit_of_work::mysql::prelude::Queryable;
use unit_of_work::{Database, Isolation};

use crate::Failure;
use crate::bank::Bank;
use crate::statistics::micros;
use crate::tally::histogram;
use crate::variants::move_money;

const SESSIONS: u32 = 8;
const ROWS: u32 = 10_000;

/// Small, because there are many; a transfer needs a fraction of it.
const STACK: usize = 256 << 10;

/// Longer than the crowd takes: nobody is to be turned away.
const PATIENCE: Duration = Duration::from_secs(300);

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Crowd {
    threads: u32,
    sessions: u32,
    /// Threads whose transfer was committed.
    finished: u32,
    /// From the start of all to the end of a transfer.
    median_wait_ms: f64,
    longest_wait_ms: f64,
    units_per_s: f64,
    /// The most connections that the server had at once, without the one that asked.
    connections_at_once: u32,
}

/// On a server that has had no more connections than these yet.
pub(super) fn measure(server: &Server, threads: u32) -> Result<Crowd, Failure> {
    let bank = Bank::open(server, ROWS)?;
    let database = Database::builder()
        .url(bank.url())
        .isolation(Isolation::Serializable)
        .max_connections(usize::try_from(SESSIONS)?)
        .acquire_timeout(PATIENCE)
        .connect()?;
    let waits = run(&bank, &database, threads)?;
    let connections_at_once = most_connections(server)? - 1;
    bank.check()?;
    let mut all = histogram();
    for wait in &waits {
        all.record(u64::try_from(wait.as_nanos())?)?;
    }
    let longest = waits.iter().max().copied().unwrap_or_default();
    Ok(Crowd {
        threads,
        sessions: SESSIONS,
        finished: u32::try_from(waits.len())?,
        median_wait_ms: micros(all.value_at_quantile(0.5)) / 1e3,
        longest_wait_ms: longest.as_secs_f64() * 1e3,
        units_per_s: f64::from(threads) / longest.as_secs_f64(),
        connections_at_once,
    })
}

/// How long each of them took, from when all were there.
fn run(bank: &Bank, database: &Database, threads: u32) -> Result<Vec<Duration>, Failure> {
    let all_there = Barrier::new(usize::try_from(threads)?);
    let one = || -> Result<Duration, Failure> {
        let _entered = database.enter();
        all_there.wait();
        let began = Instant::now();
        move_money(bank.draw())?;
        Ok(began.elapsed())
    };
    thread::scope(|scope| {
        let start = |_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, one).expect("a thread can be had");
        let crowd: Vec<_> = (0..threads).map(start).collect();
        crowd.into_iter().map(|thread| thread.join().expect("a thread of the crowd panicked")).collect()
    })
}

fn most_connections(server: &Server) -> Result<u32, Failure> {
    let row: Option<(String, u32)> = server.conn()?.query_first("SHOW GLOBAL STATUS LIKE 'Max_used_connections'")?;
    Ok(row.ok_or("the server does not tell how many connections it had")?.1)
}

impl Crowd {
    pub(super) fn text(&self) -> String {
        let Self { threads, sessions, finished, median_wait_ms, longest_wait_ms, units_per_s, connections_at_once } =
            self;
        format!(
            "{threads} threads at once over {sessions} sessions: {finished} finished, {units_per_s:.0} units/s, waits of \
             {median_wait_ms:.0} ms (median) and {longest_wait_ms:.0} ms (longest), {connections_at_once} connections at most\n"
        )
    }
}
