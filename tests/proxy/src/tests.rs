//! The specification of the proxy, against a fake server: framing, counting, recording, and each way to disturb.

mod client;
mod disturbing;
mod ending;
mod fake_server;
mod framing;
mod relaying;
mod severed;

use std::time::Duration;

use client::Client;
use fake_server::FakeServer;

/// How long a test waits for what must come. Only a test that fails waits that long.
const BOUND: Duration = Duration::from_secs(30);

fn start() -> (FakeServer, crate::Proxy) {
    let server = FakeServer::start();
    let proxy = crate::Proxy::start(("127.0.0.1", server.port())).expect("a loopback port is free");
    (server, proxy)
}
