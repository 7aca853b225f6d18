//! What a client is told when a request was not done: a status, a word for programs, a sentence for people. The rule: a client
//! must be able to tell "nothing happened, try again" from "nothing happened, do not" from "nobody knows".

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use unit_of_work::{Error, ErrorKind, Outcome};

use crate::accounts::BankError;

/// Why a request was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What the client sent cannot be used.
    Input(StatusCode, String),
    /// The unit said no, or could not be run.
    Bank(BankError),
    /// A handler panicked; the panic's text is in the log already.
    Panicked,
}

/// What is sent. The detail, if there is one, is for the log alone: it names statements, hosts, and whatever the server said.
struct Answer {
    status: StatusCode,
    word: &'static str,
    sentence: String,
    detail: Option<String>,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Answer { status, word, sentence, detail } = self.answer();
        let mut body = json!({ "error": word, "message": sentence });
        if let Some(detail) = detail {
            let id = format!("{:016x}", fastrand::u64(..));
            eprintln!("{status} {word} {id}: {detail}");
            body["id"] = id.into();
        }
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl Failure {
    fn answer(self) -> Answer {
        let plain = |status, word, sentence| Answer { status, word, sentence, detail: None };
        match self {
            Self::Input(StatusCode::NOT_FOUND, text) => plain(StatusCode::NOT_FOUND, "no_such_path", text),
            Self::Input(status, text) => plain(status, "bad_input", text),
            Self::Bank(BankError::Work(error)) => of_work(&error),
            Self::Bank(error @ BankError::NoAccount(_)) => {
                plain(StatusCode::NOT_FOUND, "no_account", error.to_string())
            }
            Self::Bank(error @ BankError::Insufficient { .. }) => {
                plain(StatusCode::CONFLICT, "insufficient_funds", error.to_string())
            }
            Self::Bank(error @ BankError::KeyInUse(_)) => plain(StatusCode::CONFLICT, "key_in_use", error.to_string()),
            Self::Panicked => internal("the handler panicked".to_owned()),
        }
    }
}

fn of_work(error: &Error) -> Answer {
    let detail = error.to_string();
    match error.outcome() {
        Some(Outcome::Unknown) => Answer {
            status: StatusCode::GATEWAY_TIMEOUT,
            word: "outcome_unknown",
            sentence: "the connection was lost while this was being committed: it may have been done, or not. A transfer with \
                       an Idempotency-Key can be sent again as it is and is made once; otherwise look before you repeat it"
                .to_owned(),
            detail: Some(detail),
        },
        Some(Outcome::RolledBack | Outcome::NotStarted) if is_of_the_moment(error.kind()) => Answer {
            status: StatusCode::SERVICE_UNAVAILABLE,
            word: "unavailable",
            sentence: "the database cannot do this at the moment; nothing was changed, try again later".to_owned(),
            detail: Some(detail),
        },
        _ => internal(detail),
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

fn internal(detail: String) -> Answer {
    Answer {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        word: "internal",
        sentence: "this failed for a reason that the service does not know; its log has it under this id".to_owned(),
        detail: Some(detail),
    }
}

impl From<BankError> for Failure {
    fn from(error: BankError) -> Self {
        Self::Bank(error)
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        // axum says 422 to JSON of another shape; here everything that the client must write differently is a 400.
        let status = match rejection {
            JsonRejection::JsonDataError(_) => StatusCode::BAD_REQUEST,
            _ => rejection.status(),
        };
        Self::Input(status, rejection.body_text())
    }
}

impl From<PathRejection> for Failure {
    fn from(rejection: PathRejection) -> Self {
        Self::Input(StatusCode::BAD_REQUEST, rejection.body_text())
    }
}
