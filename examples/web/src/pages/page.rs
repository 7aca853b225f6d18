//! How a page is made: a template, a status, and the cookies of whoever looks at it. Templates escape what they are given; what is
//! served with every answer is decided in `shell`.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

/// A page that is ready to be sent; `(status, Page(template))` for one that is not a 200.
///
/// The template extends `layout.html`, which has the blocks `title`, `head`, `main` and `scripts`, and `at_events` and
/// `at_laboratory`, of which one is ` aria-current="page"`.
#[derive(Debug)]
pub(crate) struct Page<T>(pub(crate) T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => ([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
            // Only a `Display` of ours could fail, and none does.
            Err(error) => {
                eprintln!("a page could not be rendered: {error}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}
