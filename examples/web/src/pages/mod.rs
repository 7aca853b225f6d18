//! Pages for people, rendered here: they work without a script, and `static/office.js` makes them follow what happens. What was sent is
//! answered with a redirect, so that reloading does nothing twice; when the office says no, with the page on which it can be put right.

mod events;
pub(crate) mod failures;
mod files;
mod holds;
mod page;
mod purchases;
mod shown;

use axum::Router;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::routing::{get, post};

pub(crate) use page::Page;

use crate::app::App;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(events::list))
        .route("/events/{id}", get(events::show))
        .route("/events/{id}/holds", post(events::hold).get(events::back))
        .route("/events/{id}/guests", post(events::invite).get(events::back))
        .route("/holds/{id}", get(holds::show))
        .route("/holds/{id}/purchase", post(holds::buy))
        .route("/holds/{id}/release", post(holds::release))
        .route("/purchases/{id}", get(purchases::show))
        .route("/purchases/{id}/cancel", post(purchases::cancel))
        .route("/static/{*name}", get(files::file))
}

/// A number in a path.
type Id = Result<Path<u64>, PathRejection>;
