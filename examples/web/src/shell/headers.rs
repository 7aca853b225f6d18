//! The headers that go with every answer, and why. Strict-Transport-Security is not among them: this is plain HTTP on the loopback
//! interface, where browsers must ignore it (RFC 6797, 8.1); who puts TLS in front sets it there.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::Response;

const HEADERS: [(HeaderName, &str); 6] = [
    // All of a page is from here: no inline script or style, no other host, no frame around it, no form to elsewhere.
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: then browsers would send forms with `Origin: null`, and `origin` could not tell whose they are.
    (REFERRER_POLICY, "same-origin"),
    // Windows that others open have no handle to ours, and pages of others cannot embed what is here.
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    // What is answered is true now, and may be somebody's own. The files of the pages say otherwise.
    (CACHE_CONTROL, "no-store"),
];

pub(super) async fn add(mut response: Response) -> Response {
    for (name, value) in &HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
