//! How many round trips a transfer costs, counted at the socket by a proxy: one thread, after everything that is opened or
//! prepared once. Not part of what is timed.

use ephemeral_mysql::Server;
use proxy::Proxy;

use crate::Failure;
use crate::bank::Bank;
use crate::variants::{Engines, Variant};

const WARM_UP: u32 = 10;
const COUNTED: u32 = 100;

/// Round trips per transfer. Each variant has a proxy of its own, so that no other's connections are counted.
pub(crate) fn count(variant: Variant, server: &Server, bank: &Bank) -> Result<f64, Failure> {
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
    Ok(f64::from(u32::try_from(proxy.round_trips() - before)?) / f64::from(COUNTED))
}
