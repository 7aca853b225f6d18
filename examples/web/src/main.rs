//! Accounts and transfers over HTTP, each request a unit of work. Here is the order of things: open the database, listen,
//! serve, and on Ctrl-C finish what has begun. What a request does to the database is in `accounts`; what the client gets to
//! see of it, in `http` and `failure`.

mod accounts;
mod bank;
mod failure;
mod http;

use std::error::Error;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use unit_of_work::Database;

use crate::bank::Bank;

/// Accounts and transfers over HTTP.
///
/// Without --url it starts a private, throw-away MariaDB server, which is gone when the program ends.
#[derive(Debug, Parser)]
#[command(name = "web", version)]
struct Args {
    /// The port on 127.0.0.1 to listen on; 0 = any that is free. The address is printed.
    #[arg(long, default_value_t = 3000)]
    port: u16,

    /// A server of your own: `mysql://user:password@host:3306`. Only the database `unit_of_work_web` is used there; it is
    /// created if it is missing, and kept.
    // The value holds the password: it must not be shown by --help.
    #[arg(long, env = "UNIT_OF_WORK_URL", hide_env_values = true)]
    url: Option<String>,

    /// The most connections to the database. A request that waits for one longer than 2 s is answered with 503.
    #[arg(long, default_value_t = 16, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1000))]
    connections: usize,
}

/// How long requests that are being served may take when the program is to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often figures are put together that nobody reads.
const UPKEEP: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("error: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    // Before the first connection, so that it is counted.
    let figures = PrometheusBuilder::new().install_recorder()?;
    keep_small(figures.clone());
    // Both block, so they are done before there is a runtime.
    let bank = Bank::open(args.url.as_deref(), args.connections)?;
    let runtime = Runtime::new()?;
    let served = runtime.block_on(serve(bank.db.clone(), figures, args.port));
    let closed = if served.is_ok() { bank.db.close(PATIENCE) } else { Ok(()) };
    // A unit that is still running now is cut off with the process; the server rolls it back.
    runtime.shutdown_background();
    served?;
    Ok(closed?)
}

/// Between two readings the recorder keeps every time that it was told; if nobody reads, somebody has to put them together.
fn keep_small(figures: PrometheusHandle) {
    thread::spawn(move || {
        loop {
            thread::sleep(UPKEEP);
            figures.run_upkeep();
        }
    });
}

/// Until Ctrl-C, and then until every request is answered; a second Ctrl-C is an error.
async fn serve(db: Database, figures: PrometheusHandle, port: u16) -> io::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}; see --port")))?;
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    // One listener for both: the service stops only when the first was taken off it, so that the second cannot be missed.
    let mut interrupts = signal(SignalKind::interrupt())?;
    let (tell, told) = oneshot::channel();
    let stop = async {
        if told.await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let served = axum::serve(listener, http::router(db, figures)).with_graceful_shutdown(stop);
    let impatient = async {
        interrupts.recv().await;
        eprintln!("finishing what has begun; Ctrl-C again to end at once");
        tell.send(()).ok();
        interrupts.recv().await;
        io::Error::new(io::ErrorKind::Interrupted, "ended by a second Ctrl-C; units that were running are rolled back")
    };
    tokio::select! {
        served = served => served,
        ended = impatient => Err(ended),
    }
}
