//! Requests that another site lets a browser send are refused before any handler sees them, whatever they carry. Browsers say where a
//! request comes from; who sends neither header is no browser, and has no cookies of ours to misuse.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;

use crate::failure::{FOREIGN_REQUEST, Failure};

pub(super) async fn check(request: Request, next: Next) -> Result<Response, Failure> {
    if is_foreign(request.method(), request.headers()) {
        let why = "a page of another site may not send this; open the page of this service and do it there";
        return Err(Failure::Refused(FOREIGN_REQUEST, why));
    }
    Ok(next.run(request).await)
}

/// Reading changes nothing, and another site cannot see the answer. `none` is a person's own doing, such as a reload.
fn is_foreign(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return false;
    }
    match (headers.get("sec-fetch-site"), headers.get(ORIGIN)) {
        (Some(site), _) => site != "same-origin" && site != "none",
        // Browsers leave the first one out where a name is reached without TLS.
        (None, Some(origin)) => !is_of(origin.as_bytes(), headers),
        (None, None) => false,
    }
}

fn is_of(origin: &[u8], headers: &HeaderMap) -> bool {
    let host = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
    host.is_some() && host == headers.get(HOST).map(axum::http::HeaderValue::as_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(method: &Method, given: &[(&'static str, &'static str)]) -> bool {
        let headers = [("host", "localhost:3000")].iter().chain(given);
        is_foreign(method, &headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect())
    }

    #[test]
    fn what_another_site_sends_is_foreign() {
        for sent in [
            [("sec-fetch-site", "cross-site")].as_slice(),
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:3000")],
            &[("origin", "http://localhost:4000")],
            &[("origin", "http://evil.example")],
            &[("origin", "null")],
            &[("origin", "localhost:3000")],
        ] {
            assert!(foreign(&Method::POST, sent) && foreign(&Method::DELETE, sent), "{sent:?}");
            assert!(!foreign(&Method::GET, sent) && !foreign(&Method::HEAD, sent), "{sent:?}");
        }
    }

    #[test]
    fn what_our_pages_and_programs_send_is_not() {
        for sent in [
            [].as_slice(),
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://localhost:3000")],
            &[("origin", "https://localhost:3000")],
        ] {
            assert!(!foreign(&Method::POST, sent), "{sent:?}");
        }
    }
}
