//! Units that send nothing: a session is at hand, no packet goes out, so all that takes time is the library itself. Decides which
//! forms there are; each differs from the plain one in one thing.

use std::hint::black_box;
use std::time::{Duration, Instant};

use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};
use unit_of_work::{Database, Error, Tx, unit_of_work};

use super::Empty;
use crate::Failure;
use crate::slices::Plan;
use crate::statistics::{paired, spread};

/// An argument that is worth copying.
const TEXT: usize = 1024;

#[derive(Debug, Clone, Copy)]
enum Form {
    Plain,
    /// No second attempt: nothing has to be kept for it.
    Once,
    Borrowed,
    Owned,
    OwnedOnce,
    Traced,
}

impl Form {
    const ALL: [Self; 6] = [Self::Plain, Self::Once, Self::Borrowed, Self::Owned, Self::OwnedOnce, Self::Traced];

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Once => "that never runs again",
            Self::Borrowed => "with a borrowed text of 1 kB",
            Self::Owned => "with an owned one, kept for the next attempt",
            Self::OwnedOnce => "with an owned one, that never runs again",
            Self::Traced => "plain, with a subscriber that takes everything",
        }
    }
}

#[unit_of_work]
fn plain(_tx: &mut Tx<'_>) -> Result<(), Error> {
    Ok(())
}

#[unit_of_work(retry = "never")]
fn once(_tx: &mut Tx<'_>) -> Result<(), Error> {
    Ok(())
}

#[unit_of_work]
fn borrowed(_tx: &mut Tx<'_>, text: &str) -> Result<usize, Error> {
    Ok(black_box(text).len())
}

#[unit_of_work]
fn owned(_tx: &mut Tx<'_>, text: String) -> Result<usize, Error> {
    Ok(black_box(text).len())
}

#[unit_of_work(retry = "never")]
fn owned_once(_tx: &mut Tx<'_>, text: String) -> Result<usize, Error> {
    Ok(black_box(text).len())
}

/// Every form has one slice a round, in another order each time.
pub(super) fn measure(url: &str, plan: &Plan) -> Result<Vec<Empty>, Failure> {
    let database = Database::connect(url)?;
    let _entered = database.enter();
    let mut nanos = Form::ALL.map(|_| Vec::new());
    for round in 0..=plan.rounds {
        let first = usize::try_from(round)? % nanos.len();
        for at in (first..nanos.len()).chain(0..first) {
            let taken = run(Form::ALL[at], plan.slice / 4)?;
            // The first round warms up.
            nanos[at].extend((round > 0).then_some(taken));
        }
    }
    let empty = |(form, own): (Form, &Vec<f64>)| Empty {
        unit: form.name().to_owned(),
        ns: spread(own),
        ratio_to_plain: paired(own, &nanos[0]),
    };
    Ok(Form::ALL.into_iter().zip(&nanos).map(empty).collect())
}

/// Nanoseconds a unit.
fn run(form: Form, length: Duration) -> Result<f64, Error> {
    let text = "x".repeat(TEXT);
    match form {
        Form::Plain => repeated(length, plain),
        Form::Once => repeated(length, once),
        Form::Borrowed => repeated(length, || borrowed(&text)),
        // The text is made for each call, as callers make it; against `OwnedOnce` only the copy for a next attempt is left.
        Form::Owned => repeated(length, || owned(text.clone())),
        Form::OwnedOnce => repeated(length, || owned_once(text.clone())),
        Form::Traced => traced(|| repeated(length, plain)),
    }
}

/// Of the quickest of many batches: whatever else runs on the machine can only make one slower.
fn repeated<T>(length: Duration, mut unit: impl FnMut() -> Result<T, Error>) -> Result<f64, Error> {
    const BATCH: u32 = 20;
    let end = Instant::now() + length;
    let mut quickest = f64::INFINITY;
    while Instant::now() < end || quickest.is_infinite() {
        let began = Instant::now();
        for _ in 0..BATCH {
            black_box(unit()?);
        }
        quickest = quickest.min(began.elapsed().as_secs_f64());
    }
    Ok(quickest * 1e9 / f64::from(BATCH))
}

fn traced<T>(run: impl FnOnce() -> T) -> T {
    let taken = tracing::dispatcher::with_default(&Dispatch::new(Everything), run);
    // What it was interested in is remembered beyond its end, and would cost those that run without it.
    tracing::callsite::rebuild_interest_cache();
    taken
}

/// Takes everything and does nothing: what is left is what it costs to tell.
struct Everything;

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
