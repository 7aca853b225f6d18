//! One way to run the server, as often as wanted: its arguments, its port, and waiting until it answers.
//!
//! Ready means that a real connection over the server's own socket succeeds. A TCP connection would not do: on a port
//! that was taken in the meantime somebody else's server would answer.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder};

use crate::builder::Profile;
use crate::directory::random;
use crate::error::Error;
use crate::find::Installation;
use crate::flavour::{self, Flavour, PORT_TAKEN};
use crate::process::{POLL, Process, log_path};

/// How long a server may take to answer. It usually takes a fraction of a second.
const LIMIT: Duration = Duration::from_secs(60);
/// How long a restarted server waits for its port.
const PORT_PATIENCE: &str = "--port-open-timeout=10";
/// How many ports are tried when others take them before the server does.
const PORTS: u32 = 20;
/// How many lines of the log an error shows.
const TAIL: usize = 25;
/// The longest path of a unix socket that every system accepts.
const SOCKET_PATH: usize = 103;

/// Everything about a server but its port.
#[derive(Debug)]
pub(crate) struct Launch {
    installation: Installation,
    directory: PathBuf,
    socket: PathBuf,
    arguments: Vec<String>,
}

/// A server that answers.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) process: Process,
    pub(crate) port: u16,
    /// What it answers to `SELECT VERSION()`.
    pub(crate) version: String,
}

impl Launch {
    pub(crate) fn new(installation: Installation, directory: &Path, profile: Profile, options: Vec<String>) -> Self {
        let socket = directory.join("s.sock");
        let habits = installation.flavour.habits();
        let mut arguments = flavour::base_options(&installation, &data(directory));
        arguments.push(format!("--socket={}", socket.display()));
        arguments.push(format!("--pid-file={}", directory.join("daemon.pid").display()));
        let fixed = habits.service_options.iter().chain((habits.profile_options)(profile));
        arguments.extend(fixed.map(|option| (*option).to_owned()));
        arguments.extend(options);
        Self { installation, directory: directory.to_owned(), socket, arguments }
    }

    pub(crate) fn flavour(&self) -> Flavour {
        self.installation.flavour
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Starts the server for the first time, on a port that nobody listens on.
    pub(crate) fn on_free_port(&self) -> Result<Ready, Error> {
        self.check_socket_path()?;
        let mut tries = 0;
        loop {
            tries += 1;
            match self.run(free_port(), None) {
                Err(Error::Startup { log, .. }) if tries < PORTS && log.contains(PORT_TAKEN) => {}
                other => return other,
            }
        }
    }

    /// Starts the server again on the port that its clients know.
    pub(crate) fn on_port(&self, port: u16) -> Result<Ready, Error> {
        self.run(port, Some(PORT_PATIENCE))
    }

    /// The server's error log up to now.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(log_path(&self.directory)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn run(&self, port: u16, extra: Option<&str>) -> Result<Ready, Error> {
        let earlier = self.log().len();
        let mut arguments = self.arguments.clone();
        arguments.push(format!("--port={port}"));
        arguments.extend(extra.map(str::to_owned));
        let mut process = Process::start(&self.installation, &arguments, &self.directory)?;
        match self.wait_until_ready(&mut process) {
            Ok(version) => Ok(Ready { process, port, version }),
            Err(happened) => {
                process.kill();
                Err(Error::Startup { happened, log: tail(self.log().get(earlier..).unwrap_or_default()) })
            }
        }
    }

    fn wait_until_ready(&self, process: &mut Process) -> Result<String, String> {
        let begun = Instant::now();
        loop {
            if let Some(status) = process.ended() {
                return Err(format!("it ended with {status}"));
            }
            match self.ask_version() {
                Ok(version) => return Ok(version),
                Err(error) if begun.elapsed() > LIMIT => {
                    return Err(format!("it did not answer within {} s: {error}", LIMIT.as_secs()));
                }
                Err(_not_yet) => thread::sleep(POLL),
            }
        }
    }

    fn ask_version(&self) -> Result<String, mysql::Error> {
        let socket = self.socket.to_string_lossy().into_owned();
        let opts = OptsBuilder::new().user(Some("root")).socket(Some(socket)).read_timeout(Some(LIMIT));
        let version = Conn::new(opts)?.query_first("SELECT VERSION()")?;
        Ok(version.expect("a SELECT without FROM has one row"))
    }

    fn check_socket_path(&self) -> Result<(), Error> {
        if self.socket.as_os_str().len() <= SOCKET_PATH {
            return Ok(());
        }
        let source = std::io::Error::other(format!(
            "the path of a socket may have {SOCKET_PATH} bytes; choose a shorter one with `Builder::directory` or TMPDIR"
        ));
        Err(Error::Io { attempt: "make the server's socket", path: self.socket.clone(), source })
    }
}

/// The data directory in a server's directory.
pub(crate) fn data(directory: &Path) -> PathBuf {
    directory.join("data")
}

/// The last lines of a log.
pub(crate) fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

/// A port that nobody listens on, below those that systems give to outgoing connections (Linux: from 32768, others:
/// from 49152): while the server is down between `kill` and `restart`, no client's connection may end up on its port,
/// not even that of a client which tries to connect to it again and again.
fn free_port() -> u16 {
    let draw = || 10_240 + u16::try_from(random() % 20_000).expect("a remainder below 20000 fits");
    std::iter::repeat_with(draw).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("it never ends")
}

#[cfg(test)]
mod tests {
    use super::{TAIL, tail};

    #[test]
    fn a_tail_is_the_end_of_a_log() {
        let log: Vec<_> = (0..TAIL + 5).map(|line| format!("line {line}")).collect();
        assert_eq!(tail(&log.join("\n")), log[5..].join("\n"));
        assert_eq!(tail("short"), "short");
    }
}
