//! A purchase, from pending to what becomes of it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::Id;
use super::page::Page;
use super::shown::Money;
use crate::app::App;
use crate::failure::Failure;
use crate::office::OfficeError;
use crate::office::events::{self, Event};
use crate::office::purchases::{self, Purchase, PurchaseState};
use crate::shell::{Form, Visitor};

#[derive(Template)]
#[template(path = "purchase.html")]
struct PurchasePage {
    purchase: Purchase,
    event: Event,
    token: String,
}

/// `/purchases/{id}`
pub(super) async fn show(State(app): State<App>, visitor: Visitor, purchase: Id) -> Result<Response, Failure> {
    let Path(purchase) = purchase?;
    let look = move || {
        let purchase = purchases::find(purchase)?;
        let event = events::find(purchase.event)?.event;
        Ok::<_, OfficeError>((purchase, event))
    };
    let (purchase, event) = app.work(look).await?;
    let page = PurchasePage { purchase, event, token: visitor.token() };
    Ok((visitor, Page(page)).into_response())
}

/// `/purchases/{id}/cancel`: back to the purchase, also if it was cancelled before.
pub(super) async fn cancel(State(app): State<App>, purchase: Id, _sent: Form) -> Result<Response, Failure> {
    let Path(purchase) = purchase?;
    app.work(move || purchases::cancel(purchase)).await?;
    Ok(Redirect::to(&format!("/purchases/{purchase}")).into_response())
}

impl PurchasePage {
    fn is_paid(&self) -> bool {
        self.purchase.state == PurchaseState::Paid
    }

    fn is_pending(&self) -> bool {
        self.purchase.state == PurchaseState::Pending
    }

    fn meaning(&self) -> &'static str {
        match self.purchase.state {
            PurchaseState::Pending => "The seats are yours; the payment provider is being asked.",
            PurchaseState::Paid => "The seats are yours and paid. Enjoy the evening!",
            PurchaseState::Refused => {
                "The payment provider refused the payment: nothing was taken, and the seats are free again."
            }
            PurchaseState::Cancelled => "The seats are free again; what was paid is given back.",
        }
    }
}
