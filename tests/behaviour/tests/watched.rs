//! What is told to whoever watches: spans and events of `tracing`, figures of `metrics`, and what `units()` says. Here is who listens;
//! what must be heard is in the files below.
//!
//! Tests of traces run alone: with one subscriber `tracing` asks whichever thread comes to an event first whether anybody listens.

mod counted;
mod metered;
mod told;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_core::span::Current;

/// Keeps every span and event of the thread that it is the subscriber of, and in what they were. Clones are the same.
#[derive(Debug, Clone, Default)]
struct Listener(Arc<Mutex<Heard>>);

#[derive(Debug, Default)]
struct Heard {
    spans: Vec<Told>,
    /// What each of them is, as `tracing` knows it.
    metadata: Vec<&'static Metadata<'static>>,
    events: Vec<Told>,
    /// Spans that are entered, by their place in `spans`.
    inside: Vec<usize>,
}

/// A span or an event.
#[derive(Debug, Clone)]
struct Told {
    /// A span's name, an event's message.
    what: String,
    level: Level,
    fields: Fields,
    /// The span around it, by its place in `spans`.
    within: Option<usize>,
}

#[derive(Debug, Clone, Default)]
struct Fields(BTreeMap<String, String>);

impl Told {
    /// A field's value; what is not there is empty.
    fn says(&self, field: &str) -> &str {
        self.fields.0.get(field).map_or("", String::as_str)
    }

    fn number(&self, field: &str) -> u64 {
        self.says(field).parse().unwrap_or_else(|_| panic!("`{field}` is no number in {self:?}"))
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl Listener {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().expect("nobody panics while listening")
    }

    /// Has `work` done while this listens, and nothing remembered of before.
    fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        *self.heard() = Heard::default();
        tracing::subscriber::with_default(self.clone(), work)
    }

    /// All spans of this library, in order.
    fn spans(&self) -> Vec<Told> {
        self.heard().spans.clone()
    }

    /// The only span.
    fn span(&self) -> Told {
        let spans = self.spans();
        let [only] = &spans[..] else { panic!("one span: {spans:?}") };
        only.clone()
    }

    /// All events with this message.
    fn events(&self, message: &str) -> Vec<Told> {
        self.heard().events.iter().filter(|event| event.what == message).cloned().collect()
    }

    /// The only event with this message.
    fn event(&self, message: &str) -> Told {
        let events = self.events(message);
        let [only] = &events[..] else { panic!("one `{message}`: {:?}", self.heard().events) };
        only.clone()
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        let mut heard = self.heard();
        let metadata = span.metadata();
        let within = heard.inside.last().copied();
        heard.metadata.push(metadata);
        heard.spans.push(Told { what: metadata.name().to_owned(), level: *metadata.level(), fields, within });
        Id::from_u64(heard.spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        values.record(&mut self.heard().spans[place(span)].fields);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let what = fields.0.remove("message").unwrap_or_default();
        let mut heard = self.heard();
        let within = heard.inside.last().copied();
        heard.events.push(Told { what, level: *event.metadata().level(), fields, within });
    }

    fn enter(&self, span: &Id) {
        self.heard().inside.push(place(span));
    }

    fn current_span(&self) -> Current {
        let heard = self.heard();
        match heard.inside.last() {
            Some(&place) => Current::new(Id::from_u64(place as u64 + 1), heard.metadata[place]),
            None => Current::none(),
        }
    }

    fn exit(&self, _: &Id) {
        self.heard().inside.pop();
    }
}

fn place(span: &Id) -> usize {
    usize::try_from(span.into_u64()).expect("few spans") - 1
}
