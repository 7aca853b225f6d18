//! Finds the driver calls in a body: `tx.exec_drop(…)`, `tx.connection()?.query::<u8, _>(…)`, at any depth, in the tokens of other
//! macros too. Decides what a chain is and which calls on it send their first argument; what that argument says is
//! `text`'s, where the name is somebody else's is `names`'.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use super::names::{behind_another, is, lent};

/// Methods of the transaction that give the driver's own connection, and what stands between that and its use. Behind any other
/// the chain is about something else: `tx.local::<Journal>().exec("drop the rest")`.
const PASSED_ON_BY: &[&str] = &["connection", "unwrap", "expect", "map_err"];

/// A call that sends its first argument.
pub(super) struct Call {
    pub(super) argument: TokenStream,
    pub(super) when: When,
}

/// When it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Now,
    /// `tx.defer`, which takes writes alone.
    Later,
}

/// The driver calls on chains that begin with `tx`.
pub(super) fn calls(body: TokenStream, tx: &Ident) -> Vec<Call> {
    let mut found = Vec::new();
    search(body, &tx.to_string(), &mut found);
    found
}

/// Whether the method sends its first argument, or has the server prepare it.
fn sends(method: &str) -> Option<When> {
    match method {
        "defer" => Some(When::Later),
        "prep" => Some(When::Now),
        _ if is_of(method, "query") || is_of(method, "exec") => Some(When::Now),
        _ => None,
    }
}

/// `exec`, `exec_drop`, not `execute`.
fn is_of(method: &str, family: &str) -> bool {
    method.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

fn search(tokens: TokenStream, tx: &str, found: &mut Vec<Call>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some((before, rest @ [token, behind @ ..])) = tokens.split_at_checked(at) {
        // To compare words is to ask the compiler for their texts: once for each.
        let word = if let TokenTree::Ident(word) = token { word.to_string() } else { String::new() };
        let elsewhere = behind_another(&word, before, rest, tx);
        match token {
            _ if elsewhere.is_some() => {}
            TokenTree::Ident(_) if word == tx && !continues(before) => chain(behind, found),
            TokenTree::Group(group) => search(lent(before, group), tx, found),
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        at = tokens.len() - elsewhere.unwrap_or(behind).len();
    }
}

/// Whether a word behind these tokens is a field, a method, a part of a path or a label; behind one `:` stands a value.
fn continues(before: &[TokenTree]) -> bool {
    match before {
        [.., colon, last] if is(last, ':') => is(colon, ':'),
        [.., last] => is(last, '.') || is(last, '\''),
        [] => false,
    }
}

/// Follows `.method::<T>(arguments)?…` as long as it is about the connection.
fn chain(tokens: &[TokenTree], found: &mut Vec<Call>) {
    let mut rest = without_question_marks(tokens);
    while let [TokenTree::Punct(dot), TokenTree::Ident(method), behind @ ..] = rest {
        let method = method.to_string();
        let [TokenTree::Group(arguments), behind @ ..] = without_turbofish(behind) else { return };
        if dot.as_char() != '.' || arguments.delimiter() != Delimiter::Parenthesis {
            return;
        }
        if let Some(when) = sends(&method) {
            found.push(Call { argument: first(arguments.stream()), when });
        }
        if !PASSED_ON_BY.contains(&method.as_str()) {
            return;
        }
        rest = without_question_marks(behind);
    }
}

fn without_question_marks(mut tokens: &[TokenTree]) -> &[TokenTree] {
    while let [mark, behind @ ..] = tokens
        && is(mark, '?')
    {
        tokens = behind;
    }
    tokens
}

/// What stands behind `::<…>`; the brackets may be nested, and an arrow in them is no bracket.
fn without_turbofish(tokens: &[TokenTree]) -> &[TokenTree] {
    let [first, second, open, ..] = tokens else { return tokens };
    if !(is(first, ':') && is(second, ':') && is(open, '<')) {
        return tokens;
    }
    let mut depth = 0_usize;
    let mut previous = second;
    for (at, token) in tokens.iter().enumerate().skip(2) {
        if is(token, '<') {
            depth += 1;
        } else if is(token, '>') && !is(previous, '-') {
            depth -= 1;
        }
        if depth == 0 {
            return tokens.get(at + 1..).unwrap_or_default();
        }
        previous = token;
    }
    &[]
}

/// The tokens of the first argument.
fn first(arguments: TokenStream) -> TokenStream {
    arguments.into_iter().take_while(|token| !is(token, ',')).collect()
}
