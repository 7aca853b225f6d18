//! Chunk sizes and threads measured against each other, on private servers, with a new ledger each time. Prints the tables of
//! README.md.

use std::time::{Duration, Instant};

use ephemeral_mysql::{Profile, Server};

use crate::args::Args;
use crate::crew::{self, Crew, Peace};
use crate::ledger::Ledger;
use crate::night;
use crate::report::per;
use crate::source::Payments;
use crate::trouble::Trouble;
use crate::{print, sample};

const LINES: u64 = 100_000;
/// No more units than this are needed for a rate: where chunks are small, the file is shorter.
const UNITS: u64 = 2000;
const THREADS: [usize; 4] = [1, 2, 4, 8];
const CHUNKS: [usize; 5] = [1, 10, 50, 250, 1000];
/// Each figure is the middle one of so many.
const ROUNDS: usize = 3;
const SERVERS: [(Profile, &str); 2] = [
    (Profile::Fast, "A server that flushes nothing (that of `cargo run -p batch`)"),
    (Profile::Durable, "A server that flushes at each COMMIT"),
];

/// Measures everything; a table for each kind of server.
pub(crate) fn compare(args: &Args) -> Result<(), Trouble> {
    for (profile, title) in SERVERS {
        let server = Server::builder().profile(profile).start()?;
        print(&format!("{title}, lines a second:\n\n{}", head()))?;
        for chunk in CHUNKS {
            let payments = payments(args, chunk)?;
            let cells = THREADS.into_iter().map(|threads| cell(&server, args, &payments, threads, chunk));
            let cells: Result<String, Trouble> = cells.collect();
            print(&format!("| {chunk} |{}\n", cells?))?;
        }
        print("\n")?;
    }
    Ok(())
}

fn payments(args: &Args, chunk: usize) -> Result<Payments, Trouble> {
    let lines = args.generate.unwrap_or(LINES).min(UNITS * chunk as u64);
    let place = tempfile::tempdir().map_err(Trouble::output("a temporary directory"))?;
    let file = place.path().join("payments.csv");
    sample::write(&file, lines, args.accounts, args.seed).map_err(Trouble::generated(&file))?;
    Payments::read(&file)
}

fn head() -> String {
    let threads =
        THREADS.map(|threads| if threads == 1 { " 1 thread |".to_owned() } else { format!(" {threads} threads |") });
    format!("| lines of a chunk |{}\n|---:|{}\n", threads.concat(), "---:|".repeat(THREADS.len()))
}

fn cell(server: &Server, args: &Args, payments: &Payments, threads: usize, chunk: usize) -> Result<String, Trouble> {
    let args = Args { threads, chunk, ..args.clone() };
    let mut times = (0..ROUNDS).map(|_| once(server, &args, payments)).collect::<Result<Vec<_>, _>>()?;
    times.sort_unstable();
    let rate = |time: Duration| per(payments.count(), time.as_secs_f64());
    let (middle, low, high) = (rate(times[ROUNDS / 2]), rate(times[ROUNDS - 1]), rate(times[0]));
    Ok(format!(" {middle:.0} ({low:.0}–{high:.0}) |"))
}

/// How long the chunks take: without opening the accounts, and without closing.
fn once(server: &Server, args: &Args, payments: &Payments) -> Result<Duration, Trouble> {
    let ledger = Ledger::anew(server, args)?;
    let _entered = ledger.db.enter();
    let night = night::begin("compared", payments)?;
    let crew = Crew { threads: args.threads, chunk: args.chunk, peace: Peace::Undisturbed };
    let begun = Instant::now();
    crew::settle_all(&ledger.db, &night, payments, crew)?;
    let time = begun.elapsed();
    night::close(night.id)?;
    Ok(time)
}
