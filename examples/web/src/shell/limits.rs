//! How much may be asked: the size of a body, the time of a request, how many at once. Who is too many is told so at once and waits
//! outside, where waiting costs nothing here; the queue for the database is the pool's.

use std::time::Duration;

use axum::error_handling::HandleErrorLayer;
use axum::extract::DefaultBodyLimit;
use axum::{BoxError, Router};
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::timeout::error::Elapsed;

use crate::app::App;
use crate::failure::{Failure, TOO_BUSY, TOO_SLOW};

/// In bytes; the longest form is a tenth of it.
const BODY: usize = 16 * 1024;

/// Beyond the patience for the database and longer than any unit's deadline: only a body that does not come gets here, or a server that
/// has stopped answering.
const TIME: Duration = Duration::from_secs(10);

/// Requests that are being answered, each with a task and perhaps a blocking thread.
const AT_ONCE: usize = 256;

/// How long a request may take.
pub(crate) fn longest(patience: Duration) -> Duration {
    patience + TIME
}

pub(super) fn around(routes: Router<App>, patience: Duration) -> Router<App> {
    let limits = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(refused))
        .load_shed()
        .layer(GlobalConcurrencyLimitLayer::new(AT_ONCE))
        .timeout(longest(patience));
    routes.layer(DefaultBodyLimit::max(BODY)).layer(limits)
}

/// The limits have no other errors than these two.
async fn refused(error: BoxError) -> Failure {
    if error.is::<Elapsed>() {
        let why = "what it asked for may be done all the same: look before you repeat it";
        return Failure::Refused(TOO_SLOW, why);
    }
    Failure::Refused(TOO_BUSY, "nothing was done, try again later")
}
