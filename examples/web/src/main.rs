//! A ticket office over HTTP that cannot oversell: each request a unit of work. Here is the order of things: open the office, listen,
//! serve, and on Ctrl-C or SIGTERM finish what has begun. What a request does to the database is in `office`; what clients get to see
//! of it, in `api`, `pages` and `failure`; how the parts come together, in `app`.

mod api;
mod app;
mod failure;
mod laboratory;
mod office;
mod outbox;
mod pages;
mod payment;
mod shell;

use std::error::Error;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use axum::Router;
use clap::Parser;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::app::App;
use crate::laboratory::Laboratory;
use crate::office::Office;
use crate::outbox::Worker;
use crate::payment::{Moods, Provider};
use crate::shell::Hosts;

/// A ticket office over HTTP: events, seats, purchases.
///
/// Without --url it starts a private, throw-away MariaDB server, which is gone when the program ends.
#[derive(Debug, Parser)]
#[command(name = "web", version, args_override_self = true)]
struct Args {
    /// The port on 127.0.0.1 to listen on; 0 = any that is free. The address is printed.
    #[arg(long, default_value_t = 3000)]
    port: u16,

    /// A server of your own: `mysql://user:password@host:3306`. Only the database `unit_of_work_web` is used there; it is
    /// created if it is missing, and kept.
    // The value holds the password: it must not be shown by --help.
    #[arg(long, env = "UNIT_OF_WORK_URL", hide_env_values = true)]
    url: Option<String>,

    /// The most connections to the database.
    #[arg(long, default_value_t = 16, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1000))]
    connections: usize,

    /// How long a request waits for a connection, or tries again after a conflict, before it is answered with 503; in seconds.
    // Nobody waits longer for a web page: better a 503, so that the client decides.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=60))]
    patience: u64,

    /// A name that the service is reached by, such as `tickets.example`, besides `localhost` and addresses; may be given several
    /// times. Requests for other names are refused, because a page of another site could make its own name point here.
    #[arg(long)]
    host: Vec<String>,

    /// How long the payment provider takes for an answer, in milliseconds. It is a stub: customers whose address begins with
    /// `broke` are refused, and those whose address begins with `slow` wait for a minute.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(..=600_000))]
    payment_delay: u64,

    /// How often each payment fails before it succeeds.
    #[arg(long, default_value_t = 0)]
    payment_failures: u32,
}

/// How long payments that are being made, and units, may take when the program is to end.
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
    // These block, so they are done before there is a runtime.
    let office = Office::open(args.url.as_deref(), args.connections, args.patience())?;
    let worker = Worker::start(office.db.clone(), Provider::new(office.db.clone(), args.moods()));
    let laboratory = Laboratory::new(office.url().to_owned());
    let app = App::new(office.db.clone(), laboratory.clone(), figures);
    let router = app::router(app, Hosts::new(&args.host), args.patience());
    let db = office.db.clone();
    let finish = move || {
        laboratory.stop();
        worker.end(PATIENCE);
        db.close(PATIENCE)
    };
    let runtime = Runtime::new()?;
    let served = runtime.block_on(serve(router, args.port, shell::longest(args.patience()), finish));
    // A unit that is still running now is cut off with the process; the server rolls it back.
    runtime.shutdown_background();
    served
}

impl Args {
    fn patience(&self) -> Duration {
        Duration::from_secs(self.patience)
    }

    fn moods(&self) -> Moods {
        Moods { delay: Duration::from_millis(self.payment_delay), failures: self.payment_failures }
    }
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

/// Until Ctrl-C or SIGTERM; then until every request is answered, and what is left to `finish` is finished. A second one is an error.
async fn serve<F>(router: Router, port: u16, longest: Duration, finish: F) -> Result<(), Box<dyn Error>>
where
    F: FnOnce() -> Result<(), unit_of_work::Error> + Send + 'static,
{
    let listener = listen(port).await?;
    // One listener for both signals, so that the second cannot be missed.
    let mut ends = Ends::listen()?;
    let (tell, told) = oneshot::channel::<()>();
    let stop = async move {
        told.await.ok();
    };
    let mut served = pin!(axum::serve(listener, router).with_graceful_shutdown(stop).into_future());
    tokio::select! {
        served = &mut served => return Ok(served?),
        () = ends.next() => {}
    }
    eprintln!("finishing what has begun; Ctrl-C again to end at once");
    tell.send(()).ok();
    let finished = async {
        // A client that has begun a request and does not go on is not waited for longer than for one that has.
        if let Ok(served) = timeout(longest, served).await {
            served?;
        }
        Ok::<_, Box<dyn Error>>(spawn_blocking(finish).await??)
    };
    tokio::select! {
        finished = finished => finished,
        () = ends.next() => Err("ended by a second signal; units that were running are rolled back".into()),
    }
}

async fn listen(port: u16) -> io::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}; see --port")))?;
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    Ok(listener)
}

/// What asks the program to end: a person, or whoever runs it.
struct Ends {
    interrupts: Signal,
    terminations: Signal,
}

impl Ends {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupts: signal(SignalKind::interrupt())?, terminations: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupts.recv() => {}
            _ = self.terminations.recv() => {}
        }
    }
}
