//! The spans of units: one for each unit with an outcome of its own, with what it was asked and what became of it, and one for
//! each that takes part in another. Entered on the unit's thread, so that what happens meanwhile is inside. Which fields there
//! are is decided here; without the feature `tracing` there is nothing.

use super::Seen;
use crate::backend::Peer;
use crate::label::Label;
use crate::options::Isolation;

/// In what a unit takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    Transaction,
    Savepoint,
}

#[cfg(feature = "tracing")]
mod spans {
    use tracing::field::Empty;
    use tracing::span::EnteredSpan;

    use super::{Isolation, Label, Peer, Seen, Within};
    use crate::observe::events::micros;
    use crate::units::Reason;

    #[derive(Debug)]
    pub(crate) struct OwnSpan(EnteredSpan);

    #[derive(Debug)]
    pub(crate) struct PartSpan {
        _span: EnteredSpan,
    }

    impl OwnSpan {
        /// `isolation`: `None` = without a transaction. `peer` is asked only if somebody listens.
        pub(crate) fn open<'c>(unit: &Label, isolation: Option<Isolation>, peer: impl FnOnce() -> Peer<'c>) -> Self {
            let span = tracing::info_span!(
                target: "unit_of_work",
                "unit",
                otel.name = unit.name(),
                unit = unit.name(),
                place = %unit.at(),
                isolation = isolation.map(Isolation::words),
                db.system.name = Empty,
                db.namespace = Empty,
                server.address = Empty,
                server.port = Empty,
                attempt = Empty,
                outcome = Empty,
                fault.code = Empty,
                db.response.status_code = Empty,
                error.type = Empty,
                otel.status_code = Empty,
                waited.admission = Empty,
                waited.pool = Empty,
                round_trips = Empty,
            );
            if !span.is_disabled() {
                let Peer { system, namespace, address, port } = peer();
                span.record("db.system.name", system);
                span.record("db.namespace", namespace);
                span.record("server.address", address.as_deref());
                span.record("server.port", port);
            }
            Self(span.entered())
        }

        pub(crate) fn end(&self, seen: &Seen) {
            if self.0.is_disabled() {
                return;
            }
            let code = match seen.last {
                Some(Reason::Code(code)) => Some(code),
                Some(Reason::Kind(_) | Reason::Asked) | None => None,
            };
            self.0.record("attempt", seen.attempts);
            self.0.record("outcome", seen.outcome.word());
            self.0.record("fault.code", code);
            self.0.record("db.response.status_code", code.map(|code| code.to_string()));
            if let Some(failure) = seen.failed {
                self.0.record("error.type", tracing::field::display(failure));
                self.0.record("otel.status_code", "ERROR");
            }
            self.0.record("waited.admission", micros(seen.waited_admission));
            self.0.record("waited.pool", micros(seen.waited_pool));
            self.0.record("round_trips", seen.round_trips);
        }
    }

    /// The span that the caller is in, to be taken along to another thread.
    #[cfg(feature = "tokio")]
    #[derive(Debug)]
    pub(crate) struct Around(tracing::Span);

    #[cfg(feature = "tokio")]
    impl Around {
        pub(crate) fn now() -> Self {
            Self(tracing::Span::current())
        }

        pub(crate) fn run<R>(self, work: impl FnOnce() -> R) -> R {
            self.0.in_scope(work)
        }
    }

    impl PartSpan {
        pub(crate) fn open(unit: &Label, within: Within) -> Self {
            let within = match within {
                Within::Transaction => "transaction",
                Within::Savepoint => "savepoint",
            };
            let span = tracing::debug_span!(
                target: "unit_of_work",
                "joined unit",
                otel.name = unit.name(),
                unit = unit.name(),
                place = %unit.at(),
                within = within,
            );
            Self { _span: span.entered() }
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod spans {
    use super::{Isolation, Label, Peer, Seen, Within};

    #[derive(Debug)]
    pub(crate) struct OwnSpan;

    #[derive(Debug)]
    pub(crate) struct PartSpan;

    impl OwnSpan {
        pub(crate) fn open<'c>(_: &Label, _: Option<Isolation>, _: impl FnOnce() -> Peer<'c>) -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "as the span that it stands for")]
        pub(crate) fn end(&self, _: &Seen) {}
    }

    #[cfg(feature = "tokio")]
    #[derive(Debug)]
    pub(crate) struct Around;

    #[cfg(feature = "tokio")]
    impl Around {
        pub(crate) fn now() -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "as the span that it stands for")]
        pub(crate) fn run<R>(self, work: impl FnOnce() -> R) -> R {
            work()
        }
    }

    impl PartSpan {
        pub(crate) fn open(_: &Label, _: Within) -> Self {
            Self
        }
    }
}

#[cfg(feature = "tokio")]
pub(crate) use spans::Around;
pub(crate) use spans::{OwnSpan, PartSpan};
