//! Passes bytes on between clients and a server without understanding them, so encrypted ones too: keeps what clients send, falls
//! silent on demand, and answers in the server's place. What speaks the protocol is the crate `proxy`.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use crate::world::until;

/// A listener in front of a server. Its threads end with their connections, the accepting one with the test process.
#[derive(Debug)]
pub(crate) struct Relay {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    connections: Vec<Arc<Mutex<Connection>>>,
    impostor: Option<Impostor>,
}

/// One connection as it was so far.
#[derive(Debug, Default)]
struct Connection {
    sent: Vec<u8>,
    silent: bool,
    ended: bool,
}

/// Answers what contains `to` in the server's place.
#[derive(Debug, Clone)]
struct Impostor {
    to: Vec<u8>,
    answer: Vec<u8>,
}

impl Relay {
    /// Listens where `host` is, and passes on to a server on this machine.
    pub(crate) fn start(host: &str, server: u16) -> Self {
        let address = (host, 0).to_socket_addrs().expect("a name of this machine").next().expect("an address");
        let listener = TcpListener::bind(address).expect("a loopback port is free");
        let address = listener.local_addr().expect("the listener is bound");
        let shared = Arc::<Mutex<Shared>>::default();
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                relay(client, server, &theirs);
            }
        });
        Self { address, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many clients came.
    pub(crate) fn connections(&self) -> usize {
        lock(&self.shared).connections.len()
    }

    /// What the n-th client sent, counted from 0.
    pub(crate) fn sent(&self, n: usize) -> Vec<u8> {
        lock(&self.connection(n)).sent.clone()
    }

    /// Whether any client sent this.
    pub(crate) fn was_told(&self, what: &str) -> bool {
        let contains = |sent: &[u8]| sent.windows(what.len()).any(|window| window == what.as_bytes());
        (0..self.connections()).any(|n| contains(&self.sent(n)))
    }

    /// Waits until the n-th client has come and gone: all that it sent is known then.
    pub(crate) fn until_ended(&self, n: usize) {
        until("the connection has ended", || self.connections() > n && lock(&self.connection(n)).ended);
    }

    /// From now on the n-th client hears nothing.
    pub(crate) fn silence(&self, n: usize) {
        lock(&self.connection(n)).silent = true;
    }

    /// What contains `to` is not passed on but answered with the packet `answer`; what follows it goes nowhere.
    pub(crate) fn answer(&self, to: &str, answer: &[u8]) {
        let mut packet = answer.len().to_le_bytes()[..3].to_vec();
        packet.push(1);
        packet.extend_from_slice(answer);
        lock(&self.shared).impostor = Some(Impostor { to: to.into(), answer: packet });
    }

    fn connection(&self, n: usize) -> Arc<Mutex<Connection>> {
        Arc::clone(&lock(&self.shared).connections[n])
    }
}

fn relay(client: TcpStream, server: TcpStream, shared: &Arc<Mutex<Shared>>) {
    let connection = Arc::<Mutex<Connection>>::default();
    lock(shared).connections.push(Arc::clone(&connection));
    let (theirs, ours) = (client.try_clone().expect("a descriptor"), server.try_clone().expect("a descriptor"));
    let (shared, of_client) = (Arc::clone(shared), Arc::clone(&connection));
    thread::spawn(move || from_client(client, server, &shared, &of_client));
    thread::spawn(move || from_server(ours, theirs, &connection));
}

fn from_client(mut client: TcpStream, mut server: TcpStream, shared: &Mutex<Shared>, connection: &Mutex<Connection>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(n @ 1..) = client.read(&mut buffer) {
        let sent = &buffer[..n];
        lock(connection).sent.extend_from_slice(sent);
        let impostor = lock(shared).impostor.clone().filter(|impostor| impostor.meant_by(sent));
        let passed_on = match &impostor {
            Some(impostor) => {
                lock(connection).silent = true;
                client.write_all(&impostor.answer)
            }
            None if lock(connection).silent => Ok(()),
            None => server.write_all(sent),
        };
        if passed_on.is_err() {
            break;
        }
    }
    lock(connection).ended = true;
    // It may be closed already.
    let _closed = server.shutdown(Shutdown::Both);
}

fn from_server(mut server: TcpStream, mut client: TcpStream, connection: &Mutex<Connection>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(n @ 1..) = server.read(&mut buffer) {
        if !lock(connection).silent && client.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    if !lock(connection).silent {
        // It may be closed already.
        let _closed = client.shutdown(Shutdown::Write);
    }
}

impl Impostor {
    fn meant_by(&self, sent: &[u8]) -> bool {
        sent.windows(self.to.len()).any(|window| window == self.to)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds this lock")
}
