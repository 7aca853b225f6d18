//! JSON for programs, under `/api`: what is read from a request, and what is answered when all went well. What is answered otherwise
//! is decided in `failure`.

mod fields;

use axum::Router;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Json, Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};

use self::fields::{Body, Fields};
use crate::app::App;
use crate::failure::{Failure, FieldError, PROBLEMS};
use crate::office::audit::{self, Audit};
use crate::office::events::{self, Event, Plan};
use crate::office::purchases::{self, Bought, Purchase};
use crate::office::seats::{self, Hold};
use crate::office::{Customer, Key, Seat, guests};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/events", get(list))
        .route("/api/events/{id}", get(find))
        .route("/api/events/{id}/holds", post(hold))
        .route("/api/events/{id}/guests", post(invite))
        .route("/api/events/{id}/audit", get(audit))
        .route("/api/holds/{id}", get(find_hold).merge(delete(release)))
        .route("/api/holds/{id}/purchase", post(buy))
        .route("/api/purchases/{id}", get(find_purchase))
        .route("/api/purchases/{id}/cancel", post(cancel))
        .route("/api/problems", get(async || Json(PROBLEMS)))
}

/// A number in a path, and a body of JSON: what is wrong with them becomes a `Failure`.
type Id = Result<Path<u64>, PathRejection>;
type Sent = Result<Json<Body>, JsonRejection>;

async fn list(State(app): State<App>) -> Result<Json<Vec<Event>>, Failure> {
    app.work(events::list).await.map(Json)
}

async fn find(State(app): State<App>, id: Id) -> Result<Json<Plan>, Failure> {
    let Path(id) = id?;
    app.work(move || events::find(id)).await.map(Json)
}

async fn audit(State(app): State<App>, id: Id) -> Result<Json<Audit>, Failure> {
    let Path(id) = id?;
    app.work(move || audit::audit(id)).await.map(Json)
}

async fn hold(State(app): State<App>, event: Id, body: Sent) -> Result<impl IntoResponse, Failure> {
    let Path(event) = event?;
    let mut fields = Fields::of(body)?;
    let customer = fields.one::<Customer>("customer");
    let seats = fields.list::<Seat>("seats");
    let (customer, seats) = fields.all(customer.zip(seats))?;
    let hold = app.work(move || seats::hold(event, &customer, &seats)).await?;
    Ok((StatusCode::CREATED, [(LOCATION, format!("/api/holds/{}", hold.id))], Json(hold)))
}

async fn find_hold(State(app): State<App>, hold: Id) -> Result<Json<Hold>, Failure> {
    let Path(hold) = hold?;
    app.work(move || seats::find(hold)).await.map(Json)
}

async fn release(State(app): State<App>, hold: Id) -> Result<StatusCode, Failure> {
    let Path(hold) = hold?;
    app.work(move || seats::release(hold)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn buy(State(app): State<App>, hold: Id, headers: HeaderMap) -> Result<impl IntoResponse, Failure> {
    let Path(hold) = hold?;
    let key = idempotency_key(&headers)?;
    let bought = app.work(move || purchases::buy(hold, &key)).await?;
    let (status, purchase) = match bought {
        Bought::Now(purchase) => (StatusCode::CREATED, purchase),
        Bought::Before(purchase) => (StatusCode::OK, purchase),
    };
    Ok((status, [(LOCATION, format!("/api/purchases/{}", purchase.id))], Json(purchase)))
}

async fn find_purchase(State(app): State<App>, purchase: Id) -> Result<Json<Purchase>, Failure> {
    let Path(purchase) = purchase?;
    app.work(move || purchases::find(purchase)).await.map(Json)
}

async fn cancel(State(app): State<App>, purchase: Id) -> Result<Json<Purchase>, Failure> {
    let Path(purchase) = purchase?;
    app.work(move || purchases::cancel(purchase)).await.map(Json)
}

async fn invite(State(app): State<App>, event: Id, body: Sent) -> Result<impl IntoResponse, Failure> {
    let Path(event) = event?;
    let mut fields = Fields::of(body)?;
    let name = fields.one::<guests::Name>("name");
    let name = fields.all(name)?;
    let guest = app.work(move || guests::invite(event, &name)).await?;
    Ok((StatusCode::CREATED, Json(guest)))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Key, Failure> {
    let wrong = |message: String| Failure::Fields(vec![FieldError::new("Idempotency-Key", message)]);
    let header = headers.get("idempotency-key").ok_or_else(|| wrong("this header is needed".to_owned()))?;
    header
        .to_str()
        .map_err(|_| "a key has 1 to 64 visible ASCII characters".to_owned())
        .and_then(str::parse)
        .map_err(wrong)
}
