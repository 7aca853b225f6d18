//! How a connection ends when it is cut: what either side learns of it. When, is decided in `plan`.

use std::net::{Shutdown, TcpStream};

use nix::sys::socket::{setsockopt, sockopt};

use crate::live::close;

/// How a cut ends its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Both sides see the end of the stream (FIN), as when a process ends in order.
    #[default]
    Close,
    /// Both sides see a reset (RST), as when a process or a firewall throws the connection away.
    Reset,
    /// The client sees the end of the stream; the server is never told, and keeps its side, with every lock, until it is
    /// killed there or the proxy ends: as when a machine vanishes.
    HalfOpen,
    /// Nobody is told, and nothing passes any more, in neither direction: as when a cable is cut.
    Silent,
}

impl Ending {
    /// Tells those who are to be told.
    pub(crate) fn tell(self, client: &TcpStream, server: &TcpStream) {
        match self {
            Self::Close => [client, server].into_iter().for_each(close),
            Self::Reset => [client, server].into_iter().for_each(reset),
            Self::HalfOpen => close(client),
            Self::Silent => {}
        }
    }
}

/// Has the system send a reset when the socket is dropped, and wakes the threads that would read from it until then. Without an
/// own end of the stream: that would go out first, and the peer would see an orderly close.
fn reset(socket: &TcpStream) {
    let at_once = nix::libc::linger { l_onoff: 1, l_linger: 0 };
    // Both fail only on a socket that is not connected any more: closed already.
    let _ = setsockopt(socket, sockopt::Linger, &at_once);
    let _ = socket.shutdown(Shutdown::Read);
}
