//! A hold: to be bought or given back while it lasts.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::Id;
use super::page::Page;
use super::shown::{Left, Money};
use crate::app::App;
use crate::failure::{Failure, FieldError};
use crate::office::events::{self, Event};
use crate::office::purchases::{self, Bought};
use crate::office::seats::{self, Hold, HoldState};
use crate::office::{Key, OfficeError};
use crate::shell::{Form, Visitor, unguessable};

#[derive(Template)]
#[template(path = "hold.html")]
struct HoldPage {
    hold: Hold,
    event: Event,
    /// Nothing, when it is over.
    left: Option<Left>,
    /// However often the form is sent, it is one purchase.
    key: String,
    token: String,
}

/// `/holds/{id}`; what is bought has moved on.
pub(super) async fn show(State(app): State<App>, visitor: Visitor, hold: Id) -> Result<Response, Failure> {
    let Path(hold) = hold?;
    let look = move || {
        let hold = seats::find(hold)?;
        let event = events::find(hold.event)?.event;
        Ok::<_, OfficeError>((hold, event))
    };
    let (hold, event) = app.work(look).await?;
    let left = match hold.state {
        HoldState::Open { seconds_left, .. } => Some(Left(seconds_left)),
        HoldState::Over => None,
        HoldState::Bought { purchase } => return Ok(to_purchase(purchase)),
    };
    let page = HoldPage { hold, event, left, key: unguessable(), token: visitor.token() };
    Ok((visitor, Page(page)).into_response())
}

/// `/holds/{id}/purchase`: to the purchase, also if it was made before; if it is too late, to the page that says so.
pub(super) async fn buy(State(app): State<App>, hold: Id, form: Form) -> Result<Response, Failure> {
    let Path(hold) = hold?;
    let key: Key =
        form.text("key").parse().map_err(|message| Failure::Fields(vec![FieldError::new("key", message)]))?;
    match app.work(move || purchases::buy(hold, &key)).await {
        Ok(Bought::Now(made) | Bought::Before(made)) => Ok(to_purchase(made.id)),
        Err(Failure::Office(OfficeError::Bought { purchase, .. })) => Ok(to_purchase(purchase)),
        Err(Failure::Office(OfficeError::Over(hold))) => Ok(Redirect::to(&format!("/holds/{hold}")).into_response()),
        Err(failure) => Err(failure),
    }
}

/// `/holds/{id}/release`: back to the event; if it is bought meanwhile, to the purchase, which can be cancelled.
pub(super) async fn release(State(app): State<App>, hold: Id, _sent: Form) -> Result<Response, Failure> {
    let Path(hold) = hold?;
    let give_back = move || {
        seats::release(hold)?;
        seats::find(hold)
    };
    match app.work(give_back).await {
        Ok(Hold { event, .. }) => Ok(Redirect::to(&format!("/events/{event}")).into_response()),
        Err(Failure::Office(OfficeError::Bought { purchase, .. })) => Ok(to_purchase(purchase)),
        Err(failure) => Err(failure),
    }
}

fn to_purchase(purchase: u64) -> Response {
    Redirect::to(&format!("/purchases/{purchase}")).into_response()
}
