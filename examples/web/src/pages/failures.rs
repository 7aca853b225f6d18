//! What people are shown when a request was not done: the same problem that programs get as JSON, with the same status and headers.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::failure::Problem;

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage<'a> {
    problem: &'a Problem,
}

/// A layer: failures of any kind become pages where people look.
pub(crate) async fn shown(request: Request, next: Next) -> Response {
    let is_for_people = is_for_people(&request);
    let response = next.run(request).await;
    match response.extensions().get::<Arc<Problem>>() {
        Some(problem) if is_for_people => page(&Arc::clone(problem), response),
        _ => response,
    }
}

/// Browsers ask for HTML by name, programs do not. Below `/api` everything is JSON.
fn is_for_people(request: &Request) -> bool {
    let accepts = request.headers().get_all(ACCEPT).iter().filter_map(|accepted| accepted.to_str().ok());
    !request.uri().path().starts_with("/api/") && accepts.into_iter().any(|accepted| accepted.contains("text/html"))
}

fn page(problem: &Problem, response: Response) -> Response {
    let Ok(html) = (FailurePage { problem }).render() else { return response };
    let (mut parts, _json) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Response::from_parts(parts, Body::from(html))
}
