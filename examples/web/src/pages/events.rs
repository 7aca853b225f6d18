//! The list of events, and an event with its seat map and guest list. A choice that the rules forbid comes back as it was made, with
//! the reason beside it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::Id;
use super::page::Page;
use super::shown::Money;
use crate::app::App;
use crate::failure::{ALREADY_INVITED, EVENT_FULL, Failure, Kind, Problem, SEAT_TAKEN, STRANDED_SEAT, TOO_MANY_SEATS};
use crate::office::events::{self, Event, Place, Plan, State as SeatState};
use crate::office::rules::{Broken, MOST_SEATS};
use crate::office::{Customer, OfficeError, Seat, guests, seats};
use crate::shell::{Form, Visitor};

#[derive(Template)]
#[template(path = "events.html")]
struct EventsPage {
    events: Vec<Event>,
}

/// `/`. It has no form, but gives the visitor a cookie: two pages that are opened from here at once are then the same visitor's.
pub(super) async fn list(State(app): State<App>, visitor: Visitor) -> Result<impl IntoResponse, Failure> {
    let events = app.work(events::list).await?;
    Ok((visitor, Page(EventsPage { events })))
}

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    event: Event,
    rows: Vec<Row>,
    guests: Vec<String>,
    token: String,
    entered: Entered,
}

/// What somebody has entered, when it comes back; else empty.
#[derive(Debug, Default)]
struct Entered {
    seats: Vec<String>,
    customer: String,
    guest: String,
    wrong: Option<Wrong>,
}

/// What is wrong with it, and with which of the two forms.
#[derive(Debug)]
struct Wrong {
    form: FormName,
    seat: Option<Seat>,
    problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FormName {
    Seats,
    Guests,
}

struct Row {
    letter: char,
    seats: Vec<ShownSeat>,
}

struct ShownSeat {
    seat: Seat,
    state: SeatState,
    is_chosen: bool,
    is_blamed: bool,
}

/// `/events/{id}`
pub(super) async fn show(State(app): State<App>, visitor: Visitor, event: Id) -> Result<Response, Failure> {
    let Path(event) = event?;
    let customer = visitor.customer.as_ref().map(ToString::to_string).unwrap_or_default();
    page(&app, visitor, event, Entered { customer, ..Entered::default() }).await
}

/// `/events/{id}/holds`: to the hold, or back with what is wrong.
pub(super) async fn hold(State(app): State<App>, event: Id, form: Form) -> Result<Response, Failure> {
    let Path(event) = event?;
    let mut visitor = form.visitor.clone();
    let read = seats_and_customer(&form);
    if let Ok((_, customer)) = &read {
        visitor.introduce(customer);
    }
    let answer = match read {
        Ok((seats, customer)) => app.work(move || seats::hold(event, &customer, &seats)).await,
        Err(failure) => Err(failure),
    };
    match answer {
        Ok(hold) => Ok((visitor, Redirect::to(&format!("/holds/{}", hold.id))).into_response()),
        Err(failure) => {
            let wrong = Wrong::with(FormName::Seats, failure)?;
            let seats = form.texts("seats").map(str::to_owned).collect();
            let customer = form.text("customer").to_owned();
            page(&app, visitor, event, Entered { seats, customer, wrong: Some(wrong), ..Entered::default() }).await
        }
    }
}

/// `/events/{id}/guests`: back to the event, with the name on the list or the reason why not.
pub(super) async fn invite(State(app): State<App>, event: Id, form: Form) -> Result<Response, Failure> {
    let Path(event) = event?;
    let mut wrong = Vec::new();
    let invited = match form.one::<guests::Name>("name", &mut wrong) {
        Some(name) => app.work(move || guests::invite(event, &name)).await,
        None => Err(Failure::Fields(wrong)),
    };
    match invited {
        Ok(_) => Ok(Redirect::to(&format!("/events/{event}#guests")).into_response()),
        Err(failure) => {
            let wrong = Wrong::with(FormName::Guests, failure)?;
            let guest = form.text("name").to_owned();
            let customer = form.visitor.customer.as_ref().map(ToString::to_string).unwrap_or_default();
            let entered = Entered { guest, customer, wrong: Some(wrong), ..Entered::default() };
            page(&app, form.visitor, event, entered).await
        }
    }
}

/// A form that came back with what is wrong has the address that it was sent to; who opens that again wants the event.
pub(super) async fn back(event: Id) -> Result<Redirect, Failure> {
    let Path(event) = event?;
    Ok(Redirect::to(&format!("/events/{event}")))
}

fn seats_and_customer(form: &Form) -> Result<(Vec<Seat>, Customer), Failure> {
    let mut wrong = Vec::new();
    let read = form.list("seats", &mut wrong).zip(form.one("customer", &mut wrong));
    read.filter(|_| wrong.is_empty()).ok_or(Failure::Fields(wrong))
}

async fn page(app: &App, visitor: Visitor, id: u64, entered: Entered) -> Result<Response, Failure> {
    let look = move || Ok::<_, OfficeError>((events::find(id)?, guests::list(id)?));
    let (Plan { event, seats }, guests) = app.work(look).await?;
    let status = entered.wrong.as_ref().map_or(StatusCode::OK, |wrong| wrong.problem.kind.status);
    let page = EventPage { event, rows: rows(seats, &entered), guests, token: visitor.token(), entered };
    Ok((status, visitor, Page(page)).into_response())
}

fn rows(seats: Vec<Place>, entered: &Entered) -> Vec<Row> {
    let blamed = entered.wrong.as_ref().and_then(|wrong| wrong.seat);
    let mut rows: Vec<Row> = Vec::new();
    for Place { seat, state } in seats {
        let letter = char::from(b'A' + seat.row());
        if rows.last().is_none_or(|row| row.letter != letter) {
            rows.push(Row { letter, seats: Vec::new() });
        }
        let is_chosen = state == SeatState::Free && entered.seats.contains(&seat.to_string());
        let shown = ShownSeat { seat, state, is_chosen, is_blamed: blamed == Some(seat) };
        rows.last_mut().expect("it was just put there").seats.push(shown);
    }
    rows
}

impl Wrong {
    /// What can be put right on this page; any other failure has a page of its own.
    fn with(form: FormName, failure: Failure) -> Result<Self, Failure> {
        let seat = match &failure {
            Failure::Office(OfficeError::Broken(Broken::Stranded(seat) | Broken::Taken(seat))) => Some(*seat),
            Failure::Office(OfficeError::Broken(_) | OfficeError::Invited(_)) | Failure::Fields(_) => None,
            _ => return Err(failure),
        };
        Ok(Self { form, seat, problem: failure.problem() })
    }

    /// What to do about it.
    fn advice(&self) -> &'static str {
        match self.problem.kind {
            SEAT_TAKEN => "The map shows what is free now.",
            STRANDED_SEAT => "Take that seat too, or leave its neighbour free as well.",
            TOO_MANY_SEATS => "Choose fewer, or give back what you hold.",
            EVENT_FULL => "Guests and seats share one quota.",
            ALREADY_INVITED => "There is nothing left to do.",
            Kind { .. } => "",
        }
    }
}

impl Entered {
    fn wrong_with(&self, form: FormName) -> Option<&Wrong> {
        self.wrong.as_ref().filter(|wrong| wrong.form == form)
    }

    /// What is wrong with a field.
    fn message(&self, field: &str) -> Option<&str> {
        let errors = &self.wrong.as_ref()?.problem.errors;
        errors.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }
}

impl ShownSeat {
    fn word(&self) -> &'static str {
        match self.state {
            SeatState::Free => "free",
            SeatState::Held => "held",
            SeatState::Sold => "sold",
        }
    }
}
