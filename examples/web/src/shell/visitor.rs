//! Who looks at our pages: a random number in a cookie, to which the tokens of forms are bound, and, once they have said it, the address
//! that they buy with. Neither is a proof of anything; there are no accounts.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{IntoResponseParts, ResponseParts};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use url::form_urlencoded;

use crate::app::App;
use crate::office::Customer;

/// In a response it sets the cookies that the browser does not have yet.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    number: String,
    is_new: bool,
    /// As last told.
    pub(crate) customer: Option<Customer>,
    is_introduced: bool,
    seal: Seal,
}

/// The key of this process: forms that another one has given out are refused, and the page is to be loaded anew.
#[derive(Clone)]
pub(crate) struct Seal(Arc<[u8; 32]>);

impl Seal {
    pub(crate) fn new() -> Self {
        Self(Arc::new(random()))
    }

    fn over(&self, number: &str) -> Hmac<Sha256> {
        let mac = <Hmac<Sha256> as Mac>::new_from_slice(&*self.0).expect("HMAC takes keys of any length");
        mac.chain_update(number.as_bytes())
    }
}

impl std::fmt::Debug for Seal {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Visitor {
    /// What a form carries to show that it is from a page that this visitor was given.
    pub(crate) fn token(&self) -> String {
        hex(&self.seal.over(&self.number).finalize().into_bytes())
    }

    /// In constant time. A visitor that is new was given no page.
    pub(super) fn was_given(&self, token: &str) -> bool {
        let given = unhex(token).is_some_and(|token| self.seal.over(&self.number).verify_slice(&token).is_ok());
        given && !self.is_new
    }

    /// Remembers the address for the next form.
    pub(crate) fn introduce(&mut self, customer: &Customer) {
        self.is_introduced = self.customer.as_ref() != Some(customer);
        self.customer = Some(customer.clone());
    }
}

/// A number that nobody can guess, 32 hex digits.
pub(crate) fn unguessable() -> String {
    hex(&random::<16>())
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let number = cookie(&parts.headers, VISITOR).filter(|number| number.len() == 32 && unhex(number).is_some());
        let customer = cookie(&parts.headers, CUSTOMER).and_then(|sent| decoded(&sent)?.parse().ok());
        let is_new = number.is_none();
        let number = number.unwrap_or_else(unguessable);
        Ok(Self { number, is_new, customer, is_introduced: false, seal: app.seal.clone() })
    }
}

impl IntoResponseParts for Visitor {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        let number = self.is_new.then_some((VISITOR, self.number));
        let customer =
            self.customer.filter(|_| self.is_introduced).map(|customer| (CUSTOMER, encoded(customer.as_str())));
        for (name, value) in [number, customer].into_iter().flatten() {
            response.headers_mut().append(SET_COOKIE, set(name, &value));
        }
        Ok(response)
    }
}

const VISITOR: &str = "visitor";
const CUSTOMER: &str = "customer";

/// For the session, not for scripts, and not with what other sites send. `Secure` is left to who puts TLS in front: over plain HTTP
/// some browsers would not keep it.
fn set(name: &str, value: &str) -> HeaderValue {
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax");
    cookie.try_into().expect("names are ours, values are hex digits or percent-encoded")
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let sent = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    let pairs = sent.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn decoded(text: &str) -> Option<String> {
    form_urlencoded::parse(text.as_bytes()).next().map(|(text, _)| text.into_owned())
}

fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    bytes
}

/// Two digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(number: &str, seal: &Seal) -> Visitor {
        Visitor { number: number.to_owned(), is_new: false, customer: None, is_introduced: false, seal: seal.clone() }
    }

    #[test]
    fn a_token_is_good_for_its_visitor_and_its_process_alone() {
        let seal = Seal::new();
        let ada = visitor("00", &seal);
        assert!(ada.was_given(&ada.token()));
        assert!(!ada.was_given(&visitor("01", &seal).token()) && !ada.was_given(&visitor("00", &Seal::new()).token()));
        for forged in ["", "0", "zz", "é", &ada.token()[2..], &format!("{}00", ada.token())] {
            assert!(!ada.was_given(forged), "{forged}");
        }
        assert!(!Visitor { is_new: true, ..ada.clone() }.was_given(&ada.token()));
    }

    #[test]
    fn any_address_survives_a_cookie() {
        for address in ["ada@example.org", "a+b=c&d%@example.org", "\"a; b\"@example.org", "žofie@example.org"] {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, format!("visitor=00; customer={}", encoded(address)).parse().unwrap());
            assert_eq!(cookie(&headers, CUSTOMER).and_then(|sent| decoded(&sent)).as_deref(), Some(address));
        }
    }
}
