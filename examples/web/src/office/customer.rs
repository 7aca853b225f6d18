//! Who holds and buys: an e-mail address, given with each request. There are no accounts, and nobody checks that it is theirs.

use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress, Options};
use serde::Serialize;

/// In lower case and not quoted, so that nobody is two customers by another spelling; only quoted ones could have blanks and control
/// characters in them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) struct Customer(String);

impl Customer {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// One that was stored.
    pub(crate) fn known(address: String) -> Self {
        Self(address)
    }
}

impl fmt::Display for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Customer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
        let address = text.trim().to_lowercase();
        match EmailAddress::parse_with_options(&address, options) {
            Ok(_) if address.len() <= LONGEST && !address.starts_with('"') => Ok(Self(address)),
            _ => Err("a customer is an e-mail address, such as ada@example.org".to_owned()),
        }
    }
}

/// In bytes: the longest that mail can be sent to (RFC 5321, 4.5.3.1.3, without the angle brackets).
const LONGEST: usize = 254;
