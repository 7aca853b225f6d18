//! What a client is told when a request was not done, as RFC 9457 has it: a type for programs, a sentence for people. The rule: a
//! client must be able to tell "nothing happened, try again" from "nothing happened, do not" from "nobody knows". Pages show the same
//! [`Problem`] in their own way.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use unit_of_work::{Error, ErrorKind, Outcome};

use crate::office::OfficeError;
use crate::office::rules::Broken;

/// Why a request was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is nothing at this path.
    NoSuchPath,
    /// This path does not have this method.
    NoSuchMethod,
    /// The request cannot be read at all.
    Unreadable(StatusCode, String),
    /// It can be read, but these fields cannot be used.
    Fields(Vec<FieldError>),
    /// The office said no, or its database could not be asked.
    Office(OfficeError),
    /// Refused before any handler saw it: too much, too slow, or not from one of our pages.
    Refused(Kind, &'static str),
}

/// What is wrong with a field of a body or form, or with a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    pub(crate) field: String,
    pub(crate) message: String,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, message: String) -> Self {
        Self { field: field.into(), message }
    }
}

/// A kind of problem: a row of the list that programs can read at `/api/problems`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Kind {
    #[serde(rename = "type", serialize_with = "as_type")]
    pub(crate) word: &'static str,
    #[serde(serialize_with = "as_number")]
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
}

/// What is told: here is all that JSON or a page may show.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    #[serde(flatten)]
    pub(crate) kind: Kind,
    pub(crate) detail: String,
    /// Which fields are wrong; empty when it is not about fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<FieldError>,
    /// Of the line in the log that says more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
}

macro_rules! kinds {
    ($($name:ident $word:literal $status:ident $title:literal)*) => {
        $(pub(crate) const $name: Kind = Kind { word: $word, status: StatusCode::$status, title: $title };)*
        /// All kinds.
        pub(crate) const PROBLEMS: &[Kind] = &[$($name),*];
    };
}

kinds! {
    NO_SUCH_PATH "no-such-path" NOT_FOUND "There is nothing at this path"
    NO_SUCH_METHOD "no-such-method" METHOD_NOT_ALLOWED "This path does not have this method"
    UNREADABLE "unreadable" BAD_REQUEST "The request cannot be read"
    INVALID_FIELDS "invalid-fields" BAD_REQUEST "Some fields cannot be used"
    FOREIGN_REQUEST "foreign-request" FORBIDDEN "Another site asked for this"
    FORGED_FORM "forged-form" FORBIDDEN "The form is not from a page of yours"
    WRONG_HOST "wrong-host" MISDIRECTED_REQUEST "This service does not have this name"
    TOO_BUSY "too-busy" SERVICE_UNAVAILABLE "Too many requests at once"
    TOO_SLOW "too-slow" GATEWAY_TIMEOUT "The request took too long"
    NOT_FOUND "not-found" NOT_FOUND "There is no such thing"
    SEAT_TAKEN "seat-taken" CONFLICT "A seat is taken"
    TOO_MANY_SEATS "too-many-seats" CONFLICT "Too many seats for one customer"
    STRANDED_SEAT "stranded-seat" CONFLICT "A single free seat would be left"
    EVENT_FULL "event-full" CONFLICT "Not so many more may come in"
    HOLD_OVER "hold-over" CONFLICT "The hold is over"
    ALREADY_BOUGHT "already-bought" CONFLICT "The hold is bought already"
    KEY_IN_USE "key-in-use" CONFLICT "The key belongs to another purchase"
    BEING_PAID "being-paid" CONFLICT "The payment is not decided yet"
    PAYMENT_REFUSED "payment-refused" CONFLICT "The payment was refused"
    EXPERIMENT_RUNNING "experiment-running" CONFLICT "An experiment is running already"
    ALREADY_INVITED "already-invited" CONFLICT "The name is on the guest list already"
    OUTCOME_UNKNOWN "outcome-unknown" GATEWAY_TIMEOUT "Nobody knows whether it was done"
    UNAVAILABLE "unavailable" SERVICE_UNAVAILABLE "The database cannot do this at the moment"
    INTERNAL "internal" INTERNAL_SERVER_ERROR "This failed for a reason that the service does not know"
}

fn as_type<S: Serializer>(word: &&'static str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("/api/problems#{word}"))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn as_number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl IntoResponse for Failure {
    /// As JSON; the problem goes along, for a layer that shows it to people.
    fn into_response(self) -> Response {
        let problem = self.problem();
        let json = serde_json::to_vec(&problem).expect("texts and numbers are JSON");
        (problem.kind.status, problem.headers(), Extension(Arc::new(problem)), json).into_response()
    }
}

impl Problem {
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.kind.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        headers
    }

    fn plain(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), id: None }
    }

    /// With a line in the log that has what clients must not see: it names statements, hosts, and whatever the server said.
    fn logged(kind: Kind, detail: &str, log: &str) -> Self {
        let id = format!("{:016x}", fastrand::u64(..));
        eprintln!("{} {} {id}: {log}", kind.status, kind.word);
        Self { id: Some(id), ..Self::plain(kind, detail) }
    }
}

impl Failure {
    /// What to tell. To be called once: it writes to the log what is only for the log.
    pub(crate) fn problem(self) -> Problem {
        match self {
            Self::NoSuchPath => Problem::plain(NO_SUCH_PATH, "look at /api/events, or at / for people"),
            Self::NoSuchMethod => Problem::plain(NO_SUCH_METHOD, "the header Allow says which it has"),
            Self::Unreadable(status, text) => Problem::plain(Kind { status, ..UNREADABLE }, text),
            Self::Fields(errors) => of_fields(errors),
            Self::Office(error) => of_office(error),
            Self::Refused(kind, why) => Problem::plain(kind, why),
        }
    }
}

fn of_fields(errors: Vec<FieldError>) -> Problem {
    let detail: Vec<String> = errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
    Problem { errors, ..Problem::plain(INVALID_FIELDS, detail.join("; ")) }
}

fn of_office(error: OfficeError) -> Problem {
    let text = error.to_string();
    let kind = match error {
        OfficeError::Work(error) => return of_work(&error),
        OfficeError::Broken(Broken::NoSuchSeat(_) | Broken::Twice(_) | Broken::Nothing) => {
            return of_fields(vec![FieldError::new("seats", text)]);
        }
        OfficeError::Broken(Broken::Taken(_)) => SEAT_TAKEN,
        OfficeError::Broken(Broken::TooMany { .. }) => TOO_MANY_SEATS,
        OfficeError::Broken(Broken::Stranded(_)) => STRANDED_SEAT,
        OfficeError::Broken(Broken::Full { .. }) => EVENT_FULL,
        OfficeError::NoEvent(_) | OfficeError::NoHold(_) | OfficeError::NoPurchase(_) => NOT_FOUND,
        OfficeError::Over(_) => HOLD_OVER,
        OfficeError::Bought { .. } => ALREADY_BOUGHT,
        OfficeError::KeyInUse(_) => KEY_IN_USE,
        OfficeError::BeingPaid(_) => BEING_PAID,
        OfficeError::Refused(_) => PAYMENT_REFUSED,
        OfficeError::Invited(_) => ALREADY_INVITED,
    };
    Problem::plain(kind, text)
}

fn of_work(error: &Error) -> Problem {
    let log = error.to_string();
    match error.outcome() {
        Some(Outcome::Unknown) => Problem::logged(
            OUTCOME_UNKNOWN,
            "the connection was lost while this was being committed: it may have been done, or not. A purchase can be sent \
             again with its Idempotency-Key and is made once; otherwise look before you repeat it",
            &log,
        ),
        Some(Outcome::RolledBack | Outcome::NotStarted) if is_of_the_moment(error.kind()) => {
            Problem::logged(UNAVAILABLE, "nothing was changed, try again later", &log)
        }
        Some(Outcome::RolledBack | Outcome::NotStarted) => {
            Problem::logged(INTERNAL, "nothing was changed; the service's log has the reason under this id", &log)
        }
        _ => Problem::logged(INTERNAL, "the service's log has the reason under this id", &log),
    }
}

/// Whether the same request may well succeed a little later.
fn is_of_the_moment(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Connect
            | ErrorKind::PoolTimeout
            | ErrorKind::Closed
            | ErrorKind::ConnectionLost
            | ErrorKind::Unavailable
            | ErrorKind::Serialization
            | ErrorKind::LockTimeout
            | ErrorKind::Timeout
            | ErrorKind::RetriesExhausted
    )
}

impl From<OfficeError> for Failure {
    fn from(error: OfficeError) -> Self {
        Self::Office(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Office(error.into())
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        // axum says 422 to JSON of another shape; here everything that the client must write differently is a 400.
        let status = match rejection {
            JsonRejection::JsonDataError(_) => StatusCode::BAD_REQUEST,
            _ => rejection.status(),
        };
        Self::Unreadable(status, rejection.body_text())
    }
}

impl From<PathRejection> for Failure {
    fn from(rejection: PathRejection) -> Self {
        Self::Unreadable(StatusCode::BAD_REQUEST, rejection.body_text())
    }
}
