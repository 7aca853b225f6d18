//! What a transfer sends, and how many round trips it costs, seen at the socket by a proxy: one thread, after everything that is
//! opened or prepared once. Not part of what is timed.

use ephemeral_mysql::Server;
use proxy::{Command, Kind, Proxy};

use crate::Failure;
use crate::bank::Bank;
use crate::variants::{Engines, Variant};

const WARM_UP: u32 = 10;
const COUNTED: u32 = 100;

/// What was seen of one variant.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) round_trips_per_unit: f64,
    /// What one transfer sends, in order.
    pub(crate) sends: Vec<String>,
}

/// Each variant has a proxy of its own, so that no other's connections are counted.
pub(crate) fn count(variant: Variant, server: &Server, bank: &Bank) -> Result<Seen, Failure> {
    let proxy = Proxy::start(("127.0.0.1", server.port()))?;
    let engines = Engines::connect(&proxy.url(bank.name()), 1)?;
    let mut runner = engines.runner(variant)?;
    for _ in 0..WARM_UP {
        runner.transfer(bank.draw())?;
    }
    let before = proxy.round_trips();
    for _ in 0..COUNTED {
        runner.transfer(bank.draw())?;
    }
    let counted = u32::try_from(proxy.round_trips() - before)?;
    proxy.record();
    runner.transfer(bank.draw())?;
    let sends = proxy.take().into_iter().map(shown).collect();
    Ok(Seen { round_trips_per_unit: f64::from(counted) / f64::from(COUNTED), sends })
}

/// A query is its text; everything else says what it is.
fn shown(Command { kind, text, .. }: Command) -> String {
    match kind {
        Kind::Query => text,
        Kind::Prepare => format!("prepare {text}"),
        Kind::Execute => format!("execute {text}"),
        Kind::Close => "close a statement".to_owned(),
        Kind::Ping => "ping".to_owned(),
        Kind::Reset => "reset".to_owned(),
        Kind::Quit => "quit".to_owned(),
        Kind::InitDb | Kind::LongData | Kind::Other(_) => format!("{kind:?}"),
    }
}
