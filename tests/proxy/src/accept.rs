//! Accepts connections and decides, by the door, what becomes of each; then waits for all of them when the proxy ends.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::connection::Connection;
use crate::controls::{Controls, Door};

/// How long one address of the server may take to accept. A bound is needed where the server is stopped.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait after a failed `accept`, which otherwise fails again at once (no file descriptor is left, say).
const ACCEPT_BACKOFF: Duration = Duration::from_millis(10);

/// Accepts until the proxy ends. Each connection runs in threads of its own.
pub(crate) fn run(listener: &TcpListener, server: &[SocketAddr], controls: &Arc<Controls>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    loop {
        let accepted = listener.accept();
        if controls.live.has_ended() {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        match accepted {
            Ok((client, _)) => threads.extend(admit(client, server, controls)),
            Err(_) => controls.live.pause(ACCEPT_BACKOFF),
        }
    }
    for thread in threads {
        // A panic in there has been printed and has closed its connection; the tests of the others shall go on.
        let _ = thread.join();
    }
}

/// Deals with a new connection as the door says, and returns the thread that goes on with it.
fn admit(client: TcpStream, server: &[SocketAddr], controls: &Arc<Controls>) -> Option<JoinHandle<()>> {
    match controls.door() {
        Door::Open => {
            // The number is given here and not in the thread, so that numbers follow the order of arrival.
            let number = controls.record.add_connection();
            let (server, controls) = (server.to_vec(), Arc::clone(controls));
            Some(thread::spawn(move || relay(number, client, &server, &controls)))
        }
        Door::Refusing => None,
        Door::BlackHole => {
            let client = controls.live.adopt(client)?;
            // Read on, so that the client's sends succeed, and its own close ends this thread.
            Some(thread::spawn(move || drop(io::copy(&mut &*client, &mut io::sink()))))
        }
    }
}

/// Connects to the server and passes everything on until both sides are done. When the server cannot be reached, the client
/// sees a closed connection.
fn relay(number: u64, client: TcpStream, server: &[SocketAddr], controls: &Arc<Controls>) {
    // Adopted before the server is reached: whoever closes all connections means this one as well.
    let Some(client) = controls.live.adopt(client) else { return };
    let Some(server) = connect(server).and_then(|server| controls.live.adopt(server)) else { return };
    Connection::new(number, client, server, Arc::clone(controls)).relay();
}

fn connect(server: &[SocketAddr]) -> Option<TcpStream> {
    server.iter().find_map(|address| TcpStream::connect_timeout(address, CONNECT_TIMEOUT).ok())
}
