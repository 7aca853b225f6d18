//! What is open: every socket of the proxy, so that all can be closed at any time, and whether the proxy itself goes on.

use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Live {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    ended: bool,
    /// Weak, so that a socket is closed as soon as its connection has ended.
    sockets: Vec<Weak<TcpStream>>,
}

impl State {
    fn close_all(&mut self) {
        for socket in self.sockets.drain(..).filter_map(|socket| socket.upgrade()) {
            close(&socket);
        }
    }
}

impl Live {
    /// Makes `socket` one of those that [`close_all`](Self::close_all) closes, or closes it when the proxy has ended.
    pub(crate) fn adopt(&self, socket: TcpStream) -> Option<Arc<TcpStream>> {
        let mut state = self.state();
        if state.ended {
            return None;
        }
        let socket = Arc::new(socket);
        state.sockets.retain(|socket| socket.strong_count() > 0);
        state.sockets.push(Arc::downgrade(&socket));
        Some(socket)
    }

    pub(crate) fn close_all(&self) {
        self.state().close_all();
    }

    /// Closes everything for good, and then ends all pauses: nothing that is delayed may reach the server by this.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        state.close_all();
        drop(state);
        self.ended.notify_all();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.state().ended
    }

    /// Waits for `time`, or until the proxy ends.
    pub(crate) fn pause(&self, time: Duration) {
        drop(self.ended.wait_timeout_while(self.state(), time, |state| !state.ended));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds this lock")
    }
}

/// Closes both directions at once, for whoever holds the socket and for the peer.
pub(crate) fn close(socket: &TcpStream) {
    // It fails only on a socket that is not connected any more: closed already.
    let _ = socket.shutdown(Shutdown::Both);
}
