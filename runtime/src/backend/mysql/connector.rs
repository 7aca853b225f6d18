//! From a URL and settings to an open connection. Decides the driver's options: timeouts, keep-alive, no connection of the
//! driver's own choosing, no local files.

use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Once, OnceLock};
use std::thread;
use std::time::Duration;

use mysql::consts::CapabilityFlags;
use mysql::{Conn, DriverError, Opts, OptsBuilder, SslOpts, UrlError};

use super::connection::MySqlConnection;
use super::faults;
use super::local_files;
use super::opening::Flavour;
use super::tls::{self, Tls};
#[cfg(feature = "testing")]
use super::wire::failing::{FailingWire, Failures};
#[cfg(feature = "testing")]
use super::wire::recording::{Record, RecordingWire};
#[cfg(feature = "testing")]
use super::wire::scripted::Script;
use super::wire::{DriverWire, Wire, panicked};
use crate::backend::{Connector, Peer};
use crate::error::{Error, ErrorKind};
use crate::fault::{Failed, Undone};
use crate::observe;

/// Where connections come from.
pub struct MySqlConnector {
    source: Source,
    /// What the server's settings risk is said with the first connection only.
    risks_told: Once,
    /// Known as soon as one connection was opened.
    flavour: OnceLock<Flavour>,
    #[cfg(feature = "testing")]
    failures: Option<Failures>,
    #[cfg(feature = "testing")]
    record: Option<Record>,
}

enum Source {
    Server {
        opts: Opts,
        within: Duration,
        statement_cache: usize,
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
    pub(crate) fn to_server(url: &str, tls: Option<&Tls>, network: Network) -> Result<Self, Error> {
        if !url.contains("://") {
            return Err(unreadable("it does not begin with `mysql://`"));
        }
        if breaks_off_in_the_password(url) {
            return Err(unreadable(
                "the part before its `@` has a `/`, `?` or `#`, which ends it; write them `%2F`, `%3F`, `%23` in a password",
            ));
        }
        let (url, mode) = tls::take_mode(url)?;
        let opts = Opts::from_url(&url).map_err(|error| unreadable(&url_words(&error)))?;
        let ssl = tls::options(opts.get_ssl_opts(), mode, tls)?;
        let opts = options(opts, ssl, network)?;
        Ok(Self::from(Source::Server {
            opts,
            within: network.connect_timeout,
            statement_cache: network.statement_cache,
        }))
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

    #[cfg(feature = "testing")]
    pub(crate) fn recording(mut self, record: Option<Record>) -> Self {
        self.record = record;
        self
    }

    fn from(source: Source) -> Self {
        Self {
            source,
            risks_told: Once::new(),
            flavour: OnceLock::new(),
            #[cfg(feature = "testing")]
            failures: None,
            #[cfg(feature = "testing")]
            record: None,
        }
    }

    fn wire(&self) -> Result<(Box<dyn Wire>, Option<String>), Failed> {
        Ok(match &self.source {
            Source::Server { opts, within, statement_cache } => {
                opts.get_ssl_opts().map_or(Ok(()), tls::check)?;
                let conn = connect_within(opts, *within).map_err(|error| refused(error, opts))?;
                (Box::new(DriverWire::new(conn, *statement_cache)), opts.get_db_name().map(str::to_owned))
            }
            #[cfg(feature = "testing")]
            Source::Script(script) => {
                (Box::new(script.connect().map_err(|error| while_connecting(faults::failed(error)))?), None)
            }
        })
    }
}

impl Connector for MySqlConnector {
    type Connection = MySqlConnection;

    fn connect(&self) -> Result<MySqlConnection, Failed> {
        let (wire, home) = self.wire()?;
        #[cfg(feature = "testing")]
        let wire: Box<dyn Wire> = match &self.failures {
            Some(failures) => Box::new(FailingWire::new(wire, failures.clone())),
            None => wire,
        };
        #[cfg(feature = "testing")]
        let wire: Box<dyn Wire> = match &self.record {
            Some(record) => Box::new(RecordingWire::new(wire, record.clone())),
            None => wire,
        };
        let connection = MySqlConnection::new(wire, home).map_err(while_connecting)?;
        self.risks_told.call_once(|| connection.durability().risks().iter().for_each(|risk| observe::at_risk(risk)));
        self.flavour.get_or_init(|| connection.flavour());
        Ok(connection)
    }

    fn peer(&self) -> Peer<'_> {
        let system = match self.flavour.get() {
            Some(Flavour::MariaDb) => "mariadb",
            Some(Flavour::MySql) | None => "mysql",
        };
        match &self.source {
            Source::Server { opts, .. } => match opts.get_socket() {
                Some(socket) => {
                    Peer { system, namespace: opts.get_db_name(), address: Some(socket.into()), port: None }
                }
                None => Peer {
                    system,
                    namespace: opts.get_db_name(),
                    address: Some(opts.get_ip_or_hostname()),
                    port: Some(opts.get_tcp_port()),
                },
            },
            #[cfg(feature = "testing")]
            Source::Script(_) => Peer { system, namespace: None, address: None, port: None },
        }
    }
}

/// A password that is not encoded would be taken for port, database or parameters, and be shown as these.
fn breaks_off_in_the_password(url: &str) -> bool {
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = behind_scheme.find(['/', '?', '#']).unwrap_or(behind_scheme.len());
    let (authority, rest) = behind_scheme.split_at(end);
    !authority.contains('@') && rest.contains('@')
}

fn unreadable(why: &str) -> Error {
    let detail =
        format!("the database URL cannot be read: {why}; it looks like `mysql://user:password@host:3306/database`");
    Error::new(ErrorKind::Configuration, detail)
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
        Ok(thread) => match receiver.recv_timeout(within) {
            Ok(connected) => connected,
            Err(RecvTimeoutError::Timeout) => Err(DriverError::ConnectTimeout.into()),
            Err(RecvTimeoutError::Disconnected) => match thread.join() {
                Ok(()) => Err(DriverError::ConnectTimeout.into()),
                Err(payload) => Err(panicked(&*payload)),
            },
        },
        Err(_no_thread) => Conn::new(opts.clone()),
    }
}

/// "Unknown database".
const NO_SUCH_DATABASE: u16 = 1049;

fn refused(error: mysql::Error, opts: &Opts) -> Failed {
    let mut failed = tls::explain(error, opts).unwrap_or_else(|error| while_connecting(faults::failed(error)));
    if failed.fault.kind == ErrorKind::AccessDenied && opts.get_ssl_opts().is_none() {
        // `REQUIRE SSL` of a user: the server does not say why.
        failed.detail =
            format!("{}; or this user may come only with TLS: see `DatabaseBuilder::tls`", failed.detail).into();
    }
    failed
}

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

fn options(opts: Opts, ssl: Option<SslOpts>, network: Network) -> Result<Opts, Error> {
    if opts.get_enable_cleartext_plugin() && ssl.is_none() {
        let detail = "the URL says `enable_cleartext_plugin`, by which whoever answers there may ask for the password in plain \
                      text; ask for TLS too, with `ssl-mode=REQUIRED` in the URL";
        return Err(Error::new(ErrorKind::Configuration, detail));
    }
    let builder = OptsBuilder::from_opts(opts)
        .ssl_opts(ssl)
        .tcp_connect_timeout(Some(network.connect_timeout))
        .read_timeout(Some(network.timeout))
        .write_timeout(Some(network.timeout))
        .tcp_keepalive_time_ms(Some(KEEPALIVE_MS))
        // The wire keeps what is prepared (`wire::driver`).
        .stmt_cache_size(0)
        // Otherwise the driver asks a server on this machine for its socket and connects a second time.
        .prefer_socket(false)
        .local_infile_handler(Some(local_files::refuser()))
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
