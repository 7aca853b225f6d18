//! What holds for all routes, whatever they answer: who may ask (`hosts`, `origin`), how much at once and how long (`limits`), what goes
//! with every answer (`headers`). And what handlers of forms need: who sends them (`visitor`), and that it was one of our pages
//! that they came from (`form`).

mod form;
mod headers;
mod hosts;
mod limits;
mod origin;
mod visitor;

use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state, map_response};

pub(crate) use form::{Form, is_sent_as};
pub(crate) use hosts::Hosts;
pub(crate) use limits::longest;
pub(crate) use visitor::{Seal, Visitor, hex, unguessable};

use crate::app::App;
use crate::pages;

/// `routes` with everything around them, and `watched`, for which there are limits of their own: who watches the service is answered
/// when too many others ask. The last layer is the outermost: also what the others refuse has the headers, and is shown to people as a
/// page.
pub(crate) fn around(routes: Router<App>, watched: Router<App>, hosts: Hosts, patience: Duration) -> Router<App> {
    let limited = limits::around(routes, patience).merge(limits::around(watched, patience));
    let checked = limited.layer(from_fn(origin::check)).layer(from_fn_with_state(hosts, hosts::check));
    checked.layer(from_fn(pages::failures::shown)).layer(map_response(headers::add))
}
