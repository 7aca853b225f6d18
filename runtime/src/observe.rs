// What the runtime tells whoever watches: spans and events of `tracing`, figures of `metrics`, each with the feature of its name.
// What is told, and at which level, is decided in here; when, by who calls.
#![doc = include_str!("observe/guide.md")]

mod events;
pub(crate) mod meters;
mod sight;
mod span;

pub(crate) use events::{
    at_risk, closed, commit_unknown, doomed, ghost, hook_failed, idled, marked, opened, reset_failed, resolved,
    resolving, retrying, rollback_failed, rollback_incomplete, undecided, wants_to_know_of_idling,
};
pub(crate) use meters::{Level, describe, in_line, in_use};
pub(crate) use sight::{Failure, Part, Seen, Sight, Spent, Thresholds};
#[cfg(feature = "tokio")]
pub(crate) use span::Around;
pub(crate) use span::{OwnSpan, Within};
