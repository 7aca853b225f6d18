//! Reads the SQL that stands in a unit's body as literals, in driver calls on a chain that begins with the transaction parameter's
//! name, and refuses what the runtime would refuse when it is sent. By tokens alone: the body may be half-written, and stays opaque.
//! What a text is decides the crate `unit-of-work-sql`, for the runtime as for this check.

mod calls;
mod names;
mod text;

use proc_macro2::{Ident, TokenStream};
use syn::{Error, Pat};
use unit_of_work_sql::{Backslash, Class, DoubleQuotes, Effect, Mode, Reading, Verdict, read};

use self::calls::{Call, When, calls};
use self::text::{Constants, Says, Text, what_it_says};
use crate::args::{Args, Literals, Writes};
use crate::errors::Errors;
use crate::function::{Body, UnitFn};

/// The server's quote modes are not known here: a text is refused when it would be in each of them. The first is the default.
const OTHER_MODES: [Mode; 3] = [
    Mode { backslash: Backslash::Escapes, double_quotes: DoubleQuotes::Identifiers },
    Mode { backslash: Backslash::Ordinary, double_quotes: DoubleQuotes::Strings },
    Mode { backslash: Backslash::Ordinary, double_quotes: DoubleQuotes::Identifiers },
];

pub(crate) fn check(function: &UnitFn, args: &Args, errors: &mut Errors) {
    let (Literals::Read, Body::Block(body), Some(tx)) = (args.literals, &function.body, transaction(function)) else {
        return;
    };
    for (text, when) in texts(&body.stream(), tx) {
        if let Some(message) = complaint(&text.value, when, args.writes()) {
            errors.push(Error::new_spanned(text.tokens, message));
        }
    }
}

/// What the transaction is called in the body.
fn transaction(function: &UnitFn) -> Option<&Ident> {
    match &*function.tx.as_ref()?.pat {
        Pat::Ident(pat) => Some(&pat.ident),
        _ => None,
    }
}

/// The texts that are sent, each once: a constant may be sent from several places.
fn texts(body: &TokenStream, tx: &Ident) -> Vec<(Text, When)> {
    let mut constants = None;
    let mut texts: Vec<(Text, When)> = Vec::new();
    for Call { argument, when } in calls(body.clone(), tx) {
        let text = match what_it_says(argument) {
            Says::Text(text) => Some(text),
            Says::Named(name) => constants.get_or_insert_with(|| Constants::of(body.clone())).text(&name),
            Says::SomethingElse => None,
        };
        let is_known = |text: &Text| texts.iter().any(|(known, at)| *at == when && known.is_at_the_same_place_as(text));
        texts.extend(text.filter(|text| !is_known(text)).map(|text| (text, when)));
    }
    texts
}

/// Why the text must not be sent, whatever the server's quote mode.
fn complaint(sql: &str, when: When, writes: Writes) -> Option<String> {
    let first = read(sql, Mode::default());
    let others = || OTHER_MODES.iter().map(|mode| read(sql, *mode));
    if let Verdict::Refused(refusal) = &first.verdict
        && others().all(|reading| is_refused(&reading))
    {
        return Some(format!("a unit of work cannot send this: {refusal}"));
    }
    if when == When::Later && first.class == Class::Other && others().all(|reading| reading.class == Class::Other) {
        return Some(
            "only INSERT, UPDATE, DELETE and REPLACE can be deferred: call `tx.exec_drop` or its like".to_owned(),
        );
    }
    let why = in_vain(when, writes)?;
    (is_writing(&first) && others().all(|reading| is_writing(&reading))).then(|| why.to_owned())
}

/// Why a write is of no use in the unit, if it is of none.
fn in_vain(when: When, writes: Writes) -> Option<&'static str> {
    match (when, writes) {
        (_, Writes::Allowed) | (When::Now, Writes::Trusted) => None,
        (When::Now, Writes::Refused) => Some(
            "this writes, and the unit is `read_only`, so the server would refuse it: take `read_only` away, or add `allow(write)` \
             if it writes a temporary table",
        ),
        (When::Later, Writes::Refused | Writes::Trusted) => Some(
            "a unit that is `read_only` defers no writes: take `read_only` away, or call `tx.exec_drop` for a temporary table",
        ),
    }
}

fn is_refused(reading: &Reading) -> bool {
    matches!(reading.verdict, Verdict::Refused(_))
}

fn is_writing(reading: &Reading) -> bool {
    reading.effect == Effect::Writes
}
