//! Which names the service answers to. A service on 127.0.0.1 is what DNS rebinding is for: a page of somebody else's lets its own name
//! point here, and is then, to the browser, of the same origin as ours, so that no token and no `Origin` helps. But its name is in
//! `Host`; ours are known. An address cannot be rebound, so every address is fine.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::Response;

use crate::failure::{Failure, WRONG_HOST};

/// Names besides `localhost`, from the command line.
#[derive(Debug, Clone)]
pub(crate) struct Hosts(Arc<[String]>);

impl Hosts {
    pub(crate) fn new(names: &[String]) -> Self {
        Self(names.into())
    }

    fn knows(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host();
        let is_address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        is_address
            || ["localhost"]
                .into_iter()
                .chain(self.0.iter().map(String::as_str))
                .any(|ours| ours.eq_ignore_ascii_case(name))
    }
}

pub(super) async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Result<Response, Failure> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| hosts.knows(host)) {
        return Ok(next.run(request).await);
    }
    Err(Failure::Refused(
        WRONG_HOST,
        "this service is not known under the name in `Host`; its --host tells it of others",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_of_ours_are_known_and_no_others() {
        let hosts = Hosts::new(&["Tickets.example".to_owned()]);
        for ours in ["localhost", "LOCALHOST:3000", "127.0.0.1:3000", "[::1]:3000", "tickets.example:80", "10.0.0.7"] {
            assert!(hosts.knows(ours), "{ours}");
        }
        for other in
            ["rebound.example:3000", "localhost.example", "127.0.0.1.example", "", "a b", "2130706433x", "[::1"]
        {
            assert!(!hosts.knows(other), "{other}");
        }
    }
}
