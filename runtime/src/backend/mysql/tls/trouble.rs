//! Why no encrypted connection came about, in words that say what to do. Only for errors of opening one: what goes wrong on an
//! encrypted connection later is a lost connection like any other.

#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod handshake;

use std::sync::Arc;

use mysql::{DriverError, Error, Opts};

use crate::error::ErrorKind;
use crate::fault::{Again, AtCommit, Failed, Fault, Undone};

/// Trying again does not change a certificate.
const FAULT: Fault =
    Fault { kind: ErrorKind::Tls, undone: Undone::Nothing, again: Again::Never, at_commit: AtCommit::RolledBack };

/// "Connections using insecure transport are prohibited": `require_secure_transport` of MySQL. MariaDB 10.11 says 1045.
const ENCRYPTED_ONLY: u16 = 3159;

/// Says what is wrong if it is TLS that is wrong; gives any other error back.
pub(in crate::backend::mysql) fn explain(error: Error, opts: &Opts) -> Result<Failed, Error> {
    let why = match (&error, opts.get_ssl_opts()) {
        (Error::DriverError(DriverError::TlsNotSupported), _) => Some(
            "TLS was asked for and the server offers none; it was told neither user nor password; give it a certificate \
             (`ssl_cert`, `ssl_key`), and make sure that it is your server that answers there"
                .to_owned(),
        ),
        (Error::MySqlError(server), None) if server.code == ENCRYPTED_ONLY => Some(format!(
            "the server lets nobody in without TLS ({}: {}); ask for it with `DatabaseBuilder::tls`, or with \
             `ssl-mode=REQUIRED` in the URL",
            server.code, server.message
        )),
        (error, Some(_)) => handshake::why(error, &opts.get_ip_or_hostname()),
        (_, None) => None,
    };
    match why {
        Some(why) => Ok(failed(&why, error, opts)),
        None => Err(error),
    }
}

/// Without the feature nobody gets past the settings.
#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
mod handshake {
    pub(super) fn why(_: &mysql::Error, _: &str) -> Option<String> {
        None
    }
}

fn failed(why: &str, error: Error, opts: &Opts) -> Failed {
    let (host, port) = (opts.get_ip_or_hostname(), opts.get_tcp_port());
    let (code, sqlstate) = match &error {
        Error::MySqlError(server) => (Some(server.code), Some(Arc::from(server.state.as_str()))),
        _ => (None, None),
    };
    let detail = format!("no encrypted connection to {host}:{port}: {why}");
    Failed { fault: FAULT, code, sqlstate, detail: detail.into(), cause: Some(Arc::new(error)), statement: None }
}

#[cfg(test)]
mod tests {
    use mysql::MySqlError;

    use super::*;

    #[test]
    fn a_server_that_lets_nobody_in_without_tls_is_told_apart() {
        let server = |code| Error::MySqlError(MySqlError { code, state: "HY000".into(), message: "insecure".into() });
        let failed = explain(server(ENCRYPTED_ONLY), &Opts::default()).expect("it is about TLS");
        assert_eq!((failed.fault.kind, failed.code), (ErrorKind::Tls, Some(ENCRYPTED_ONLY)));
        assert!(explain(server(1045), &Opts::default()).is_err());
    }

    #[test]
    fn an_error_of_the_network_is_not_one_of_tls() {
        let ssl = mysql::OptsBuilder::new().ssl_opts(Some(mysql::SslOpts::default()));
        let cut = Error::IoError(std::io::ErrorKind::ConnectionReset.into());
        assert!(explain(cut, &ssl.into()).is_err());
    }
}
