//! The laboratory over HTTP: the page for people, its state for programs, and the two orders, which both may send, people as a form
//! and programs as JSON. Decides how each is answered. No unit of the office runs here, and so none of its connections is used: who
//! waits for an experiment to begin or to end keeps nobody from buying.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, Json, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Serialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::settings::{Asked, FIELDS, Settings};
use super::view::LaboratoryPage;
use super::{Known, Laboratory, NotBegun, Shown};
use crate::app::App;
use crate::failure::{EXPERIMENT_RUNNING, Failure, FieldError};
use crate::pages::Page;
use crate::shell::{Form, Visitor, is_sent_as};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/laboratory", get(page))
        .route("/laboratory/state", get(state))
        .route("/laboratory/start", post(start))
        .route("/laboratory/stop", post(stop))
}

/// What programs are told.
#[derive(Debug, Serialize)]
struct Told {
    running: bool,
    /// The newest is the last.
    runs: Vec<Shown>,
}

async fn page(State(app): State<App>, visitor: Visitor) -> impl IntoResponse {
    let page = LaboratoryPage::of(&app.laboratory.all(), app.laboratory.limit_s(), visitor.token());
    (visitor, Page(page))
}

/// `?run=7&since=12`: what is new to somebody who has seen nothing after experiment 7, and 12 samples of that.
async fn state(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<Told>, Failure> {
    let known = known(query.as_deref().unwrap_or_default())?;
    Ok(Json(told(&app.laboratory, known)))
}

async fn start(State(app): State<App>, order: Order) -> Result<Response, Failure> {
    let settings = Settings::chosen(&order.asked).map_err(Failure::Fields)?;
    let laboratory = app.laboratory.clone();
    let number = app.work(move || laboratory.start(settings)).await?;
    Ok(match order.by {
        By::Person => Redirect::to(HERE).into_response(),
        By::Program => {
            let at = [(LOCATION, format!("{HERE}/state?run={number}"))];
            (StatusCode::ACCEPTED, at, Json(json!({ "run": number }))).into_response()
        }
    })
}

async fn stop(State(app): State<App>, order: Order) -> Result<Response, Failure> {
    let laboratory = app.laboratory.clone();
    let stop = move || {
        laboratory.stop();
        Ok::<_, Failure>(())
    };
    app.work(stop).await?;
    Ok(match order.by {
        By::Person => Redirect::to(HERE).into_response(),
        By::Program => Json(told(&app.laboratory, Known::default())).into_response(),
    })
}

const HERE: &str = "/laboratory";

const BUSY: &str =
    "one runs at a time, and whoever began it wants to see its end: stop it first, or wait, at most two minutes";

fn told(laboratory: &Laboratory, known: Known) -> Told {
    let runs = laboratory.beyond(known);
    Told { running: runs.last().is_some_and(Shown::is_running), runs }
}

impl From<NotBegun> for Failure {
    fn from(not_begun: NotBegun) -> Self {
        match not_begun {
            NotBegun::Busy => Self::Refused(EXPERIMENT_RUNNING, BUSY),
            NotBegun::Work(error) => error.into(),
        }
    }
}

/// Who sends an order, and how they want to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Person,
    Program,
}

#[derive(Debug)]
struct Order {
    by: By,
    asked: Asked,
}

impl FromRequest<App> for Order {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        if is_sent_as("application/json", request.headers()) {
            let body = Bytes::from_request(request, app).await;
            let body = body.map_err(|rejection| Failure::Unreadable(rejection.status(), rejection.body_text()))?;
            return Ok(Self { by: By::Program, asked: texts(&body)? });
        }
        let form = Form::from_request(request, app).await?;
        let field = |name: &str| form.texts(name).next().map(|text| (name.to_owned(), text.to_owned()));
        Ok(Self { by: By::Person, asked: FIELDS.into_iter().filter_map(field).collect() })
    }
}

/// The fields of an object, numbers as texts.
fn texts(body: &[u8]) -> Result<Asked, Failure> {
    let fields: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| Failure::Unreadable(StatusCode::BAD_REQUEST, format!("this is no JSON object: {error}")))?;
    let text = |(field, value)| match value {
        Value::String(text) => Ok((field, text)),
        Value::Number(number) => Ok((field, number.to_string())),
        _ => Err(Failure::Fields(vec![FieldError::new(field, "is a text or a number".to_owned())])),
    };
    fields.into_iter().map(text).collect()
}

fn known(query: &str) -> Result<Known, Failure> {
    let mut known = Known::default();
    for (field, text) in form_urlencoded::parse(query.as_bytes()) {
        let read = match &*field {
            "run" => text.parse().map(|run| known.run = run),
            "since" => text.parse().map(|since| known.since = since),
            _ => continue,
        };
        read.map_err(|_| Failure::Fields(vec![FieldError::new(field, "is a whole number".to_owned())]))?;
    }
    Ok(known)
}
