//! Encrypted connections: what a user may ask for, by the builder or by the URL, and what is said when none comes about.
//! Verification of the server's certificate has no switch. How TLS is done is the driver's matter.

mod files;
mod trouble;

use std::path::PathBuf;

use mysql::SslOpts;

pub(super) use self::files::check;
pub(super) use self::trouble::explain;
use crate::error::{Error, ErrorKind};

/// How connections are encrypted, for [`DatabaseBuilder::tls`](crate::DatabaseBuilder::tls). Needs the feature `rustls` or
/// `native-tls`.
///
/// Every connection of the database obeys it, those that end statements at a deadline included. The server's certificate is
/// always verified: issued by a CA that is trusted here, valid today, and for the host that stands in the URL. A server that
/// offers no TLS is told nothing, not even the user's name. A unix socket (`socket=` in the URL) is not encrypted.
///
/// ```no_run
/// use unit_of_work::{Database, Tls};
///
/// # fn main() -> Result<(), unit_of_work::Error> {
/// let db = Database::builder()
///     .url("mysql://app:secret@db.example/bank")
///     .tls(Tls::required().ca_file("/etc/app/ca.pem"))
///     .connect()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    ca_file: Option<PathBuf>,
}

impl Tls {
    /// Encrypted or not at all. Trusted are the public CAs: with `rustls` those that Mozilla trusts, with `native-tls` those of
    /// the system.
    pub fn required() -> Self {
        Self { ca_file: None }
    }

    /// Trusts the CA certificates in this file too: PEM, as many as you like, or one in DER. It is read again for each
    /// connection, so it may be renewed while the program runs.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }
}

/// What the URL says in `ssl-mode`, which MySQL's own clients know and the driver does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UrlMode {
    Unsaid,
    Disabled,
    Verified,
}

const SSL_MODE: &str = "ssl-mode";

/// Takes `ssl-mode` out of a URL. All modes that ask for TLS verify everything here, also those that elsewhere do not.
pub(super) fn take_mode(url: &str) -> Result<(String, UrlMode), Error> {
    let Some((address, query)) = url.split_once('?') else { return Ok((url.to_owned(), UrlMode::Unsaid)) };
    let mut mode = UrlMode::Unsaid;
    let mut others = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some((SSL_MODE, value)) => match (mode, read_mode(value)?) {
                (UrlMode::Unsaid, said) => mode = said,
                (before, said) if before == said => {}
                _ => return Err(unusable("the URL says `ssl-mode` twice, with and without TLS; take one of them out")),
            },
            _ => others.push(pair),
        }
    }
    Ok((format!("{address}?{}", others.join("&")), mode))
}

fn read_mode(value: &str) -> Result<UrlMode, Error> {
    match value.to_ascii_uppercase().as_str() {
        "DISABLED" => Ok(UrlMode::Disabled),
        "REQUIRED" | "VERIFY_CA" | "VERIFY_IDENTITY" => Ok(UrlMode::Verified),
        "PREFERRED" => Err(unusable(
            "the URL says `ssl-mode=PREFERRED`, which would go on in plain text, password included, where the server offers \
             no TLS; write `REQUIRED` or `DISABLED`",
        )),
        _ => Err(unusable(
            "the URL's `ssl-mode` is none that exists; write `REQUIRED` (the server's certificate is verified), or `DISABLED`",
        )),
    }
}

/// Puts together what the URL's other parameters, its mode and the builder say.
pub(super) fn options(url: Option<&SslOpts>, mode: UrlMode, tls: Option<&Tls>) -> Result<Option<SslOpts>, Error> {
    if url.is_some_and(|ssl| ssl.accept_invalid_certs() || ssl.skip_domain_validation()) {
        return Err(unusable(
            "the URL asks for TLS that does not verify the server, and would talk to anybody who stands in between; take the \
             `danger_` parameters out, and name the file of your server's CA with `root_cert_path` or `Tls::ca_file`",
        ));
    }
    match (mode, url, tls) {
        (UrlMode::Disabled | UrlMode::Unsaid, None, None) => Ok(None),
        (UrlMode::Disabled, ..) => Err(unusable(
            "the URL says `ssl-mode=DISABLED`, and TLS is asked for all the same, by another parameter or by \
             `DatabaseBuilder::tls`; take one of them out",
        )),
        (UrlMode::Unsaid | UrlMode::Verified, url, tls) => built_in(merged(url, tls)).map(Some),
    }
}

fn merged(url: Option<&SslOpts>, tls: Option<&Tls>) -> SslOpts {
    let options = url.cloned().unwrap_or_default();
    match tls.and_then(|tls| tls.ca_file.clone()) {
        Some(path) => options.with_root_cert_path(Some(path)),
        None => options,
    }
}

/// Without the feature the driver would panic.
fn built_in(options: SslOpts) -> Result<SslOpts, Error> {
    if cfg!(any(feature = "rustls", feature = "native-tls")) {
        return Ok(options);
    }
    Err(unusable("TLS is asked for, and this program was built without; enable the feature `rustls` of `unit-of-work`"))
}

fn unusable(detail: &'static str) -> Error {
    Error::new(ErrorKind::Configuration, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_is_taken_out_and_the_rest_of_the_url_stays() {
        let taken = |url: &str| take_mode(url).expect("a mode that exists");
        let plain = "mysql://a:b@c/d";
        assert_eq!(taken(plain), (plain.to_owned(), UrlMode::Unsaid));
        assert_eq!(taken("mysql://c/d?ssl-mode=REQUIRED").1, UrlMode::Verified);
        let (url, mode) = taken("mysql://c/d?compress=true&ssl-mode=verify_ca&stmt_cache_size=1");
        assert_eq!((url.as_str(), mode), ("mysql://c/d?compress=true&stmt_cache_size=1", UrlMode::Verified));
    }

    #[test]
    fn what_would_fall_back_to_plain_text_is_refused() {
        for mode in ["PREFERRED", "preferred", "yes", ""] {
            assert!(take_mode(&format!("mysql://c/d?ssl-mode={mode}")).is_err(), "{mode}");
        }
    }

    #[test]
    fn the_mode_is_said_once() {
        assert_eq!(
            take_mode("mysql://c/d?ssl-mode=REQUIRED&ssl-mode=VERIFY_CA").expect("they agree").1,
            UrlMode::Verified
        );
        for modes in ["REQUIRED&ssl-mode=DISABLED", "DISABLED&ssl-mode=REQUIRED"] {
            assert!(take_mode(&format!("mysql://c/d?ssl-mode={modes}")).is_err(), "{modes}");
        }
    }

    #[test]
    fn no_parameter_switches_verification_off() {
        let skips_name = SslOpts::default().with_danger_skip_domain_validation(true);
        let accepts_all = SslOpts::default().with_danger_accept_invalid_certs(true);
        for ssl in [skips_name, accepts_all] {
            for mode in [UrlMode::Unsaid, UrlMode::Verified, UrlMode::Disabled] {
                assert!(options(Some(&ssl), mode, Some(&Tls::required())).is_err(), "{ssl:?} {mode:?}");
            }
        }
    }

    #[test]
    fn asking_for_it_and_against_it_is_refused() {
        assert!(matches!(options(None, UrlMode::Disabled, None), Ok(None)));
        assert!(options(None, UrlMode::Disabled, Some(&Tls::required())).is_err());
        assert!(options(Some(&SslOpts::default()), UrlMode::Disabled, None).is_err());
    }

    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    #[test]
    fn the_builder_adds_to_what_the_url_says() {
        let of_url = SslOpts::default().with_root_cert_path(Some(PathBuf::from("/url.pem")));
        let path = |tls: Tls| {
            let options = options(Some(&of_url), UrlMode::Unsaid, Some(&tls)).expect("they agree").expect("TLS");
            options.root_cert_path().map(ToOwned::to_owned)
        };
        assert_eq!(path(Tls::required()), Some("/url.pem".into()));
        assert_eq!(path(Tls::required().ca_file("/builder.pem")), Some("/builder.pem".into()));
    }

    #[cfg(not(any(feature = "rustls", feature = "native-tls")))]
    #[test]
    fn without_the_feature_it_is_refused_and_not_left_out() {
        assert!(options(None, UrlMode::Verified, None).is_err());
        assert!(options(None, UrlMode::Unsaid, Some(&Tls::required())).is_err());
    }
}
