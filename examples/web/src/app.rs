//! What all handlers share, and how they get to a thread on which units of work may block. Here the parts of the service are put
//! together; what each of them answers is decided in `api`, `pages` and `laboratory`, what holds for all of them in `shell`.

use std::time::Duration;

use axum::Router;
use axum::extract::{Json, State};
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use unit_of_work::{Database, Error, Tx, Units, unit_of_work};

use crate::failure::Failure;
use crate::laboratory::Laboratory;
use crate::shell::{Hosts, Seal};
use crate::{api, laboratory, pages, shell};

/// The state of the service; a clone is the same one.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) db: Database,
    pub(crate) laboratory: Laboratory,
    pub(crate) seal: Seal,
    figures: PrometheusHandle,
}

impl App {
    pub(crate) fn new(db: Database, laboratory: Laboratory, figures: PrometheusHandle) -> Self {
        Self { db, laboratory, seal: Seal::new(), figures }
    }

    /// Runs `work`, in which units of work may block, with the service's database and one connection for all of them. When the
    /// client goes away meanwhile, the work is finished all the same.
    ///
    /// ```ignore
    /// let plan = app.work(move || events::find(id)).await?;
    /// ```
    pub(crate) async fn work<T, E>(&self, work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Failure>
    where
        T: Send + 'static,
        E: Into<Failure>,
    {
        self.db.run_blocking(move || work().map_err(Into::into)).await
    }
}

/// The service, under the names that it is known by, with so much patience for its database.
pub(crate) fn router(app: App, hosts: Hosts, patience: Duration) -> Router {
    let watched = Router::new()
        .route("/health", get(health))
        .route("/metrics", get(async |State(app): State<App>| app.figures.render()))
        .route("/units", get(async || Json::<Units>(unit_of_work::units())))
        .method_not_allowed_fallback(no_such_method);
    let routes = Router::new()
        .merge(api::routes())
        .merge(pages::routes())
        .merge(laboratory::routes())
        .fallback(async || Failure::NoSuchPath)
        .method_not_allowed_fallback(no_such_method);
    shell::around(routes, watched, hosts, patience).with_state(app)
}

async fn no_such_method() -> Failure {
    Failure::NoSuchMethod
}

/// 200 when the database answers, else 503: what a load balancer asks.
async fn health(State(app): State<App>) -> Result<(StatusCode, Json<Value>), Failure> {
    app.work(answers).await?;
    Ok((StatusCode::OK, Json(json!({ "database": "answers" }))))
}

#[unit_of_work(read_only, isolation = "read committed", timeout = "1s")]
fn answers(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query_drop("DO 1")
}
