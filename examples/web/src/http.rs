//! The routes: what is read from a request, and what is answered when all went well. Units of work block their thread, so they
//! run on the runtime's blocking threads; `unit` is the only way there.

use axum::Router;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Json, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use unit_of_work::{Database, Units};

use crate::accounts::{self, Account, BankError, Made, Transfer};
use crate::failure::Failure;

/// The service.
pub(crate) fn router(db: Database, figures: PrometheusHandle) -> Router {
    Router::new()
        .route("/metrics", get(async move || figures.render()))
        .route("/units", get(async || Json::<Units>(unit_of_work::units())))
        .route("/accounts", get(list).post(open))
        .route("/accounts/{id}", get(find))
        .route("/transfers", post(transfer))
        .fallback(async || Failure::Input(StatusCode::NOT_FOUND, "there is nothing at this path".to_owned()))
        .method_not_allowed_fallback(async || {
            Failure::Input(StatusCode::METHOD_NOT_ALLOWED, "this path does not have this method".to_owned())
        })
        .with_state(db)
}

/// Runs `work` on a blocking thread, with the service's database and one connection for all units of the request. When the
/// client goes away meanwhile, the work is finished all the same.
async fn unit<T: Send + 'static>(
    db: Database,
    work: impl FnOnce() -> Result<T, BankError> + Send + 'static,
) -> Result<T, Failure> {
    let request = move || {
        let _entered = db.enter();
        let _one_connection = db.scope()?;
        work()
    };
    Ok(spawn_blocking(request).await.map_err(|_panicked| Failure::Panicked)??)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    owner: String,
    balance: u64,
}

async fn open(
    State(db): State<Database>,
    body: Result<Json<NewAccount>, JsonRejection>,
) -> Result<(StatusCode, Json<Account>), Failure> {
    let Json(NewAccount { owner, balance }) = body?;
    if owner.trim().is_empty() || owner.chars().count() > 100 {
        return Err(bad("`owner` has 1 to 100 characters"));
    }
    if balance > MOST {
        return Err(bad("`balance` is at most 1000000000000"));
    }
    let account = unit(db, move || accounts::open(&owner, balance)).await?;
    Ok((StatusCode::CREATED, Json(account)))
}

async fn find(State(db): State<Database>, id: Result<Path<u64>, PathRejection>) -> Result<Json<Account>, Failure> {
    let Path(id) = id?;
    unit(db, move || accounts::find(id)).await.map(Json)
}

async fn list(State(db): State<Database>) -> Result<Json<Vec<Account>>, Failure> {
    unit(db, accounts::list).await.map(Json)
}

async fn transfer(
    State(db): State<Database>,
    headers: HeaderMap,
    body: Result<Json<Transfer>, JsonRejection>,
) -> Result<impl IntoResponse, Failure> {
    let Json(order) = body?;
    let key = idempotency_key(&headers)?;
    if order.amount == 0 || order.from == order.to {
        return Err(bad("`amount` is at least 1, and `from` and `to` are two accounts"));
    }
    let made = unit(db, move || accounts::transfer(&order, key.as_deref())).await?;
    Ok(match made {
        Made::Now(id) => (StatusCode::CREATED, receipt(id)),
        Made::Before(id) => (StatusCode::OK, receipt(id)),
    })
}

fn receipt(transfer: u64) -> Json<Value> {
    Json(json!({ "transfer": transfer }))
}

/// What makes a transfer safe to be sent twice: chosen by the client, new for each transfer that it means.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    match key.to_str() {
        Ok(key) if (1..=64).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(bad("`Idempotency-Key` has 1 to 64 visible ASCII characters")),
    }
}

/// In cents. Far enough below the column's end that a balance does not get there.
const MOST: u64 = 1_000_000_000_000;

fn bad(rule: &str) -> Failure {
    Failure::Input(StatusCode::BAD_REQUEST, rule.to_owned())
}
