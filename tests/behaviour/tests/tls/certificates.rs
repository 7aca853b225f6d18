//! A certificate authority of the tests' own, and what it issues. Made for each run; nothing of it is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ephemeral_mysql::Server;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

use crate::server;

/// Until when a certificate is valid.
#[derive(Debug, Clone, Copy)]
pub(super) enum Valid {
    Today,
    NotAnyMore,
}

/// Issues certificates.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, both PEM.
pub(super) struct Issued {
    certificate: String,
    key: String,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = named(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, key()).expect("a certificate"))
    }

    /// The one that the clients of these tests trust.
    pub(super) fn trusted() -> &'static Self {
        static TRUSTED: OnceLock<Authority> = OnceLock::new();
        TRUSTED.get_or_init(|| Self::new("tests"))
    }

    /// A certificate for hosts, or for a client.
    pub(super) fn issue(&self, hosts: &[&str], valid: Valid) -> Issued {
        let mut params = named("issued", hosts);
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = match valid {
            Valid::Today => date_time_ymd(2999, 1, 1),
            Valid::NotAnyMore => date_time_ymd(2002, 1, 1),
        };
        let key = key();
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Issued { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// Writes its own certificate for clients to trust.
    pub(super) fn file(&self, directory: &TempDir) -> PathBuf {
        write(directory.path(), "ca.pem", &self.0.pem())
    }
}

impl Issued {
    /// Writes certificate and key.
    pub(super) fn files(&self, directory: &TempDir) -> (PathBuf, PathBuf) {
        let path = directory.path();
        (write(path, "certificate.pem", &self.certificate), write(path, "key.pem", &self.key))
    }

    /// A server that shows this certificate, and knows clients by those of the trusted authority.
    pub(super) fn server(&self) -> Server {
        let directory = directory();
        let (certificate, key) = self.files(&directory);
        let ca = Authority::trusted().file(&directory);
        let files = [("ssl-cert", certificate), ("ssl-key", key), ("ssl-ca", ca)];
        // They are read at the start, and only then.
        let server = files.iter().fold(server::builder(), |server, (name, path)| {
            server.option(name, path.to_str().expect("a path that is text"))
        });
        server.start().unwrap_or_else(|error| panic!("{error}"))
    }
}

/// A server with a right certificate, for the address and for the name of this machine.
pub(super) fn right() -> &'static Server {
    static RIGHT: OnceLock<Server> = OnceLock::new();
    RIGHT.get_or_init(|| Authority::trusted().issue(&["127.0.0.1", "localhost"], Valid::Today).server())
}

/// A directory that is gone with its value.
pub(super) fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

pub(super) fn write(directory: &Path, name: &str, content: &str) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, content).expect("a file");
    path
}

fn named(name: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).expect("names of hosts");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}
