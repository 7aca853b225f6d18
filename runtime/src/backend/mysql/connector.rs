//! From a URL and settings to an open connection. Decides the driver's options: timeouts, keep-alive, no connection of the
//! driver's own choosing, no local files.

use std::fmt;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mysql::consts::CapabilityFlags;
use mysql::{Conn, DriverError, Opts, OptsBuilder, UrlError};

use super::connection::MySqlConnection;
use super::faults;
#[cfg(feature = "testing")]
use super::wire::failing::{FailingWire, Failures};
#[cfg(feature = "testing")]
use super::wire::scripted::Script;
use super::wire::{DriverWire, Wire};
use crate::backend::Connector;
use crate::error::{Error, ErrorKind};
use crate::fault::{Failed, Undone};

/// Where connections come from.
pub struct MySqlConnector {
    source: Source,
    #[cfg(feature = "testing")]
    failures: Option<Failures>,
}

enum Source {
    Server {
        opts: Opts,
        within: Duration,
    },
    #[cfg(feature = "testing")]
    Script(Script),
}

/// What the driver is told besides the URL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Network {
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) statement_cache: usize,
}

impl MySqlConnector {
    pub(crate) fn to_server(url: &str, network: Network) -> Result<Self, Error> {
        let opts = Opts::from_url(url).map_err(|error| {
            let detail = format!(
                "the database URL cannot be read: {}; it looks like `mysql://user:password@host:3306/database`",
                url_words(&error)
            );
            Error::new(ErrorKind::Configuration, detail)
        })?;
        Ok(Self::from(Source::Server { opts: options(opts, network)?, within: network.connect_timeout }))
    }

    #[cfg(feature = "testing")]
    pub(crate) fn to_script(script: Script) -> Self {
        Self::from(Source::Script(script))
    }

    #[cfg(feature = "testing")]
    pub(crate) fn failing(mut self, failures: Option<Failures>) -> Self {
        self.failures = failures;
        self
    }

    fn from(source: Source) -> Self {
        Self {
            source,
            #[cfg(feature = "testing")]
            failures: None,
        }
    }

    fn wire(&self) -> mysql::Result<(Box<dyn Wire>, Option<String>)> {
        Ok(match &self.source {
            Source::Server { opts, within } => {
                let home = opts.get_db_name().map(str::to_owned);
                (Box::new(DriverWire(connect_within(opts, *within)?)), home)
            }
            #[cfg(feature = "testing")]
            Source::Script(script) => (Box::new(script.connect()?), None),
        })
    }
}

impl Connector for MySqlConnector {
    type Connection = MySqlConnection;

    fn connect(&self) -> Result<MySqlConnection, Failed> {
        let (wire, home) = self.wire().map_err(|error| while_connecting(faults::failed(error)))?;
        #[cfg(feature = "testing")]
        let wire: Box<dyn Wire> = match &self.failures {
            Some(failures) => Box::new(FailingWire::new(wire, failures.clone())),
            None => wire,
        };
        MySqlConnection::new(wire, home).map_err(while_connecting)
    }
}

/// What is wrong with a URL, without the URL: it holds the password.
fn url_words(error: &UrlError) -> String {
    match error {
        UrlError::ParseError(error) => error.to_string(),
        UrlError::UnsupportedScheme(scheme) => format!("its scheme is `{scheme}`, not `mysql`"),
        UrlError::FeatureRequired(feature, name) => {
            format!("its parameter `{name}` needs the driver's feature `{feature}`")
        }
        UrlError::InvalidValue(name, _) => format!("its parameter `{name}` has a value that cannot be used"),
        UrlError::UnknownParameter(name) => format!("its parameter `{name}` is unknown"),
        UrlError::InvalidPoolConstraints { .. } => "its parameters for a pool are of no use here".to_owned(),
        UrlError::BadUrl => "a part of it is missing".to_owned(),
    }
}

/// The driver bounds only the connection of the socket, and would wait for a greeting as long as for any answer. So it connects
/// on a thread of its own; what comes too late is closed there.
fn connect_within(opts: &Opts, within: Duration) -> mysql::Result<Conn> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let theirs = opts.clone();
    let connecting = thread::Builder::new().name("unit-of-work-connect".into()).spawn(move || {
        // Nobody listens any more: the connection is closed as it is dropped.
        let _too_late = sender.send(Conn::new(theirs));
    });
    match connecting {
        Ok(_on_its_own) => receiver.recv_timeout(within).unwrap_or(Err(DriverError::ConnectTimeout.into())),
        Err(_no_thread) => Conn::new(opts.clone()),
    }
}

/// "Unknown database".
const NO_SUCH_DATABASE: u16 = 1049;

/// Whatever goes wrong before there is a session, nothing had begun.
fn while_connecting(mut failed: Failed) -> Failed {
    failed.fault.undone = Undone::Nothing;
    match failed.fault.kind {
        ErrorKind::ConnectionLost | ErrorKind::Statement => {
            failed.fault.kind = ErrorKind::Connect;
            let what = match failed.code {
                Some(NO_SUCH_DATABASE) => "the server has no such database; create it, or correct the end of the URL",
                _ => "no connection could be opened",
            };
            failed.detail = format!("{what}: {}", failed.detail).into();
        }
        _ => {}
    }
    failed
}

const KEEPALIVE_MS: u32 = 60_000;

fn options(opts: Opts, network: Network) -> Result<Opts, Error> {
    if opts.get_ssl_opts().is_some() && !cfg!(any(feature = "rustls", feature = "native-tls")) {
        // The driver would panic.
        let detail =
            "the URL asks for TLS, and this program was built without; enable the feature `rustls` or `native-tls`";
        return Err(Error::new(ErrorKind::Configuration, detail));
    }
    let builder = OptsBuilder::from_opts(opts)
        .tcp_connect_timeout(Some(network.connect_timeout))
        .read_timeout(Some(network.timeout))
        .write_timeout(Some(network.timeout))
        .tcp_keepalive_time_ms(Some(KEEPALIVE_MS))
        .stmt_cache_size(network.statement_cache)
        // Otherwise the driver asks a server on this machine for its socket and connects a second time.
        .prefer_socket(false)
        .local_infile_handler(None)
        .additional_capabilities(CapabilityFlags::CLIENT_SESSION_TRACK);
    Ok(builder.into())
}

/// The options hold the password, and the driver's `Debug` would print it.
impl fmt::Debug for MySqlConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Server { opts, .. } => write!(
                f,
                "MySqlConnector({}:{}, user {:?}, database {:?})",
                opts.get_ip_or_hostname(),
                opts.get_tcp_port(),
                opts.get_user(),
                opts.get_db_name()
            ),
            #[cfg(feature = "testing")]
            Source::Script(_) => f.write_str("MySqlConnector(script)"),
        }
    }
}
