//! What a failed handshake means. `rustls` says it in types, the system's library in words.

use mysql::Error;

fn not_for(host: &str, names: &[String]) -> String {
    let names = if names.is_empty() { String::new() } else { format!(", but for {}", names.join(", ")) };
    format!(
        "the server's certificate is not for `{host}`{names}; connect by a name that stands in it, or have one made for `{host}`"
    )
}

const EXPIRED: &str = "the server's certificate has expired; renew it on the server, or set this machine's clock right";
const NOT_YET: &str = "the server's certificate is not valid yet; set this machine's clock or the server's right";
const FOREIGN: &str = "the server's certificate was issued by nobody who is trusted here; name the file of its CA with \
    `Tls::ca_file`, or with `root_cert_path` in the URL; if it is named, somebody else answers in your server's place";

fn other(words: &str) -> String {
    format!("the TLS handshake failed: {words}")
}

#[cfg(feature = "rustls")]
pub(super) fn why(error: &Error, host: &str) -> Option<String> {
    use rustls::CertificateError as Certificate;
    Some(match rustls_error(error)? {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            Certificate::NotValidForName => not_for(host, &[]),
            Certificate::NotValidForNameContext { presented, .. } => not_for(host, presented),
            Certificate::Expired | Certificate::ExpiredContext { .. } => EXPIRED.to_owned(),
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => NOT_YET.to_owned(),
            // The second: a CA of the same name as a trusted one, as servers make them for themselves.
            Certificate::UnknownIssuer | Certificate::BadSignature => FOREIGN.to_owned(),
            certificate => other(&certificate.to_string()),
        },
        error => other(&error.to_string()),
    })
}

/// The handshake is made with the first packet, so its error comes as that of reading or writing.
#[cfg(feature = "rustls")]
fn rustls_error(error: &Error) -> Option<&rustls::Error> {
    use std::error::Error as _;
    let carrier = match error {
        Error::TlsError(mysql::error::tls::TlsError::Tls(error)) => return Some(error),
        Error::IoError(error) => Some(error),
        Error::CodecError(error) => error.source().and_then(<dyn std::error::Error>::downcast_ref),
        _ => None,
    };
    carrier.and_then(std::io::Error::get_ref).and_then(|error| error.downcast_ref())
}

#[cfg(all(feature = "native-tls", not(feature = "rustls")))]
const FOREIGN_WORDS: [&str; 4] = ["issuer certificate", "self-signed", "self signed", "certificate signature failure"];

/// What the system's library says is known by its text only; these are OpenSSL's words.
#[cfg(all(feature = "native-tls", not(feature = "rustls")))]
pub(super) fn why(error: &Error, host: &str) -> Option<String> {
    let Error::TlsError(error) = error else { return None };
    let words = error.to_string();
    let said = |text: &str| words.to_ascii_lowercase().contains(text);
    Some(match () {
        () if said("hostname mismatch") || said("ip address mismatch") => not_for(host, &[]),
        () if said("has expired") => EXPIRED.to_owned(),
        () if said("not yet valid") => NOT_YET.to_owned(),
        () if FOREIGN_WORDS.iter().any(|text| said(text)) => FOREIGN.to_owned(),
        () => other(&words),
    })
}
