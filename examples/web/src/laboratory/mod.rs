//! The laboratory: isolation levels and admission, tried out in the open.

use axum::Router;

use crate::app::App;

/// What runs in it.
#[derive(Debug, Default)]
pub(crate) struct Laboratory {}

pub(crate) fn routes() -> Router<App> {
    Router::new()
}
