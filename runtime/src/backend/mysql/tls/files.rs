//! Looks at the files that TLS needs, before the driver does: it would not name the one it cannot read, and would take an empty
//! CA file for no CA file. What is in them beyond that is for the handshake to judge.

use std::fs;
use std::path::{Path, PathBuf};

use mysql::SslOpts;

use crate::error::ErrorKind;
use crate::fault::{Again, Failed, Undone};

/// The first byte of whatever is DER and a sequence, as certificates are.
const DER_SEQUENCE: u8 = 0x30;
const PEM: &str = "-----BEGIN ";
const PEM_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// Refuses what could not be meant.
pub(in crate::backend::mysql) fn check(options: &SslOpts) -> Result<(), Failed> {
    if let Some(path) = options.root_cert_path() {
        let content = read("CA file", path)?;
        if !holds_certificate(&content) {
            let path = path.display();
            return Err(unusable(format!("the CA file {path} holds no certificate; it must be PEM or DER")));
        }
    }
    identity(options).into_iter().try_for_each(|(what, path)| read(what, &path).map(drop))
}

fn holds_certificate(content: &[u8]) -> bool {
    let text = String::from_utf8_lossy(content);
    if text.contains(PEM) { text.contains(PEM_CERTIFICATE) } else { content.first() == Some(&DER_SEQUENCE) }
}

fn read(what: &str, path: &Path) -> Result<Vec<u8>, Failed> {
    fs::read(path).map_err(|error| unusable(format!("the {what} {} cannot be read: {error}", path.display())))
}

/// The files that tell who we are, when the server wants a certificate of its clients too.
#[cfg(feature = "rustls")]
fn identity(options: &SslOpts) -> Vec<(&'static str, PathBuf)> {
    let of = |identity: &mysql::ClientIdentity| {
        let (chain, key) = (identity.cert_chain_path().to_owned(), identity.priv_key_path().to_owned());
        vec![("client certificate", chain), ("client's private key", key)]
    };
    options.client_identity().map(of).unwrap_or_default()
}

#[cfg(all(feature = "native-tls", not(feature = "rustls")))]
fn identity(options: &SslOpts) -> Vec<(&'static str, PathBuf)> {
    let of = |identity: &mysql::ClientIdentity| vec![("client's PKCS #12 file", identity.pkcs12_path().to_owned())];
    options.client_identity().map(of).unwrap_or_default()
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn identity(_: &SslOpts) -> Vec<(&'static str, PathBuf)> {
    Vec::new()
}

fn unusable(detail: String) -> Failed {
    Failed::of(ErrorKind::Configuration, Undone::Nothing, Again::Never, detail)
}

#[cfg(test)]
mod tests {
    use super::holds_certificate;

    #[test]
    fn a_ca_file_holds_a_certificate() {
        assert!(holds_certificate(b"# ours\n-----BEGIN CERTIFICATE-----\nMII"));
        assert!(holds_certificate(&[0x30, 0x82, 0x01]));
        for content in [&b""[..], b"ca.pem", b"-----BEGIN PRIVATE KEY-----\nMII"] {
            assert!(!holds_certificate(content), "{content:?}");
        }
    }
}
