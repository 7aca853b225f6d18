//! A form that was sent from one of our pages. This extractor is the only way to read one, so that no handler can forget to look at the
//! token.

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use url::form_urlencoded;

use super::Visitor;
use crate::app::App;
use crate::failure::{FORGED_FORM, Failure, FieldError};

#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) visitor: Visitor,
    fields: Vec<(String, String)>,
}

impl Form {
    /// What was entered, as it was.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.texts(name).next().unwrap_or_default()
    }

    /// Of a field that may be there several times.
    pub(crate) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// What was entered, as a `T`; what is wrong with it goes to `wrong`.
    pub(crate) fn one<T: FromStr<Err = String>>(&self, name: &str, wrong: &mut Vec<FieldError>) -> Option<T> {
        self.text(name).parse().map_err(|message| wrong.push(FieldError::new(name, message))).ok()
    }

    /// Each text as a `T`.
    pub(crate) fn list<T: FromStr<Err = String>>(&self, name: &str, wrong: &mut Vec<FieldError>) -> Option<Vec<T>> {
        let read: Result<_, String> = self.texts(name).map(str::parse).collect();
        read.map_err(|message| wrong.push(FieldError::new(name, message))).ok()
    }
}

impl FromRequest<App> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let Ok(visitor) = Visitor::from_request_parts(&mut parts, app).await;
        is_form(&parts.headers)?;
        let body = Bytes::from_request(Request::from_parts(parts, body), app).await;
        let body = body.map_err(|rejection| Failure::Unreadable(rejection.status(), rejection.body_text()))?;
        let form = Self { visitor, fields: form_urlencoded::parse(&body).into_owned().collect() };
        if form.visitor.was_given(form.text("token")) { Ok(form) } else { Err(Failure::Refused(FORGED_FORM, STALE)) }
    }
}

const STALE: &str = "its page is not one that this browser was given since the service started, or cookies are off: \
                     open the page again and send the form from there";

/// Whether a body is of this media type, whatever its parameters are.
pub(crate) fn is_sent_as(kind: &str, headers: &HeaderMap) -> bool {
    let sent = headers.get(CONTENT_TYPE).and_then(|sent| sent.as_bytes().split(|byte| *byte == b';').next());
    sent.is_some_and(|sent| sent.trim_ascii().eq_ignore_ascii_case(kind.as_bytes()))
}

fn is_form(headers: &HeaderMap) -> Result<(), Failure> {
    if is_sent_as("application/x-www-form-urlencoded", headers) {
        return Ok(());
    }
    Err(Failure::Unreadable(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "a form is sent as application/x-www-form-urlencoded".to_owned(),
    ))
}
