//! A small TCP proxy in front of a MySQL or MariaDB server, for tests: it counts round trips, records commands, and delays,
//! cuts or holds them at a chosen point.
//!
//! It understands the packet framing of the client/server protocol and the first byte of a command, nothing more: what a
//! statement means is left to the server. It reads neither TLS nor compressed packets and refuses clients that ask for them.
//!
//! ```no_run
//! use proxy::{Cut, Packet, Proxy, Side};
//!
//! # fn transfer(_url: &str) {}
//! # fn main() -> std::io::Result<()> {
//! let proxy = Proxy::start(("127.0.0.1", 3306))?;
//! let before = proxy.round_trips();
//! transfer(&proxy.url("bank"));
//! assert_eq!(proxy.round_trips() - before, 3);
//!
//! // The server commits, but the client never learns of it.
//! proxy.cut(Cut { at: Packet::Text("COMMIT"), side: Side::AfterServer });
//! transfer(&proxy.url("bank"));
//! assert!(!proxy.cut_planned());
//! # Ok(())
//! # }
//! ```
//!
//! A **round trip** is one command that the client sends and the server answers. `COM_STMT_CLOSE`,
//! `COM_STMT_SEND_LONG_DATA` and `COM_QUIT` have no answer, so they are recorded but are no round trips: they are neither
//! counted nor delayed, and no [`Packet`] matches them. The handshake is not a round trip either.
//!
//! Where each thing is decided: `packet` the framing, `handshake` who is turned away, `command` what a packet asks for,
//! `record` counters and recording, `plan` which packet is cut, held, delayed or lost, `hold` the waiting, `ending` what the
//! sides of a cut connection learn, `live` what is open, `controls` what connections obey, `accept` new connections, `connection` the two directions of one connection.

mod accept;
mod command;
mod connection;
mod controls;
mod ending;
mod handshake;
mod hold;
mod live;
mod packet;
mod plan;
mod record;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use controls::{Controls, Door};

pub use command::{Command, Kind};
pub use ending::Ending;
pub use hold::Hold;
pub use plan::{Cut, Direction, FrameCut, Packet, Part, Side};

/// How long dropping a proxy tries to wake its own accepting thread over loopback.
const WAKE_TIMEOUT: Duration = Duration::from_secs(1);

/// A proxy that listens on a loopback port of its own and passes every connection on to one server.
///
/// All methods may be called from any thread at any time. Dropping it closes every connection and ends its threads, also
/// those that are held or delayed.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    controls: Arc<Controls>,
    acceptor: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts a proxy in front of `server`. Nothing connects to the server before a client comes.
    ///
    /// # Errors
    /// `server` cannot be resolved to an address, or no loopback port or thread can be had from the system.
    pub fn start(server: impl ToSocketAddrs) -> io::Result<Self> {
        let server: Vec<SocketAddr> = server.to_socket_addrs()?.collect();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let controls = Arc::new(Controls::default());
        let acceptor = thread::Builder::new().name(format!("proxy {}", address.port())).spawn({
            let controls = Arc::clone(&controls);
            move || accept::run(&listener, &server, &controls)
        })?;
        Ok(Self { address, controls, acceptor: Some(acceptor) })
    }

    /// The loopback port (of 127.0.0.1) on which the proxy listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The URL of `database` through this proxy, for the user `root` without a password.
    ///
    /// The `mysql` crate, left to itself, asks a server on loopback for its unix socket and moves over to that, past the
    /// proxy. A test that opens a `mysql::Conn` with this URL must set `prefer_socket(false)`, or append
    /// `?prefer_socket=false`.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://root@{}/{database}", self.address)
    }

    /// How many round trips clients began since the start, on all connections together. A command counts when it arrives
    /// at the proxy, also when it is then held or cut.
    pub fn round_trips(&self) -> u64 {
        self.controls.record.round_trips()
    }

    /// How many connections were passed on to the server since the start. Refused and black-holed ones do not count.
    pub fn connections(&self) -> u64 {
        self.controls.record.connections()
    }

    /// Begins to record commands. What was recorded before and not taken is forgotten.
    pub fn record(&self) {
        self.controls.record.start();
    }

    /// Takes what was recorded since [`record`](Self::record) or the last `take`, in the order of arrival at the proxy.
    /// Recording goes on.
    ///
    /// # Panics
    /// When [`record`](Self::record) was never called: an empty answer would make "nothing of the kind was sent" come true
    /// without being looked at.
    pub fn take(&self) -> Vec<Command> {
        self.controls.record.take().expect("Proxy::take() without recording: call Proxy::record() first")
    }

    /// Delivers every round trip's command to the server `delay` later from now on; zero switches it off.
    pub fn delay(&self, delay: Duration) {
        self.controls.set_delay(delay);
    }

    /// Plans a cut: when the matching command comes, its connection is closed at that point, towards both sides, once.
    /// A cut that was planned before and has matched nothing yet is forgotten.
    ///
    /// # Panics
    /// On `Packet::Command(0)`: round trips are counted from 1.
    pub fn cut(&self, cut: Cut<'_>) {
        self.cut_by(cut, Ending::Close);
    }

    /// The same with another [`Ending`] than that both sides see the end of the stream.
    ///
    /// # Panics
    /// On `Packet::Command(0)`.
    pub fn cut_by(&self, cut: Cut<'_>, ending: Ending) {
        self.controls.plans.cut(cut, ending);
    }

    /// Plans a cut at a packet of either direction, once. It replaces a cut that was planned before, as [`cut`](Self::cut) does.
    ///
    /// # Panics
    /// On frame 0: frames are counted from 1.
    pub fn cut_frame(&self, cut: FrameCut) {
        self.controls.plans.cut_frame(cut);
    }

    /// Whether the cut that was planned last is still to come.
    pub fn cut_planned(&self) -> bool {
        self.controls.plans.cut_planned()
    }

    /// Plans a hold: the matching command ([`Side::BeforeServer`]) or its answer ([`Side::AfterServer`]) stops in the
    /// proxy, once, until the [`Hold`] is released or dropped. A command that is held reaches the server on release even
    /// when its client has gone meanwhile, unless [`close_all`](Self::close_all) or dropping the proxy closed the connection.
    ///
    /// A packet that is both held and cut on the same side is held first.
    ///
    /// # Panics
    /// On `Packet::Command(0)`: round trips are counted from 1.
    pub fn hold(&self, at: Packet<'_>, side: Side) -> Hold {
        Hold::new(self.controls.plans.hold(at, side))
    }

    /// Plans a hold that ends by itself: the matching command or its answer arrives `time` later, once.
    ///
    /// # Panics
    /// On `Packet::Command(0)`.
    pub fn hold_for(&self, at: Packet<'_>, side: Side, time: Duration) {
        self.controls.plans.delay(at, side, time);
    }

    /// Plans a loss: the matching command, or its whole answer, vanishes in the proxy, once, and the connection goes on.
    ///
    /// # Panics
    /// On `Packet::Command(0)`.
    pub fn lose(&self, at: Packet<'_>, side: Side) {
        self.controls.plans.lose(at, side);
    }

    /// Closes every new connection at once, until [`open`](Self::open). Live connections go on.
    pub fn refuse(&self) {
        self.controls.set_door(Door::Refusing);
    }

    /// Accepts every new connection and never answers it, until [`open`](Self::open). Live connections go on.
    pub fn black_hole(&self) {
        self.controls.set_door(Door::BlackHole);
    }

    /// Passes new connections on to the server again. Those that fell into a black hole stay there.
    pub fn open(&self) {
        self.controls.set_door(Door::Open);
    }

    /// Closes all live connections now, towards both sides. What is held or delayed on them never arrives.
    pub fn close_all(&self) {
        self.controls.live.close_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.controls.shut_down();
        // A blocked `accept` returns only for a connection. Without one the thread cannot be joined: better left than waited for.
        let woken = TcpStream::connect_timeout(&self.address, WAKE_TIMEOUT).is_ok();
        if let Some(acceptor) = self.acceptor.take().filter(|acceptor| woken || acceptor.is_finished()) {
            // A panic of that thread has been printed, and a second one here would abort the test.
            let _ = acceptor.join();
        }
    }
}
