//! Finds the driver calls in a body: `tx.exec_drop(…)`, `tx.connection()?.query::<u8, _>(…)`, at any depth, in the tokens of other
//! macros too. Decides what a chain is and which calls on it send their first argument; what that argument says is `text`'s.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// Methods of the transaction that give the driver's own connection, and what stands between that and its use. Behind any other
/// the chain is about something else: `tx.local::<Journal>().exec("drop the rest")`.
const PASSED_ON_BY: &[&str] = &["connection", "unwrap", "expect", "map_err"];

/// The first arguments of the driver calls on chains that begin with `tx`.
pub(super) fn calls(body: TokenStream, tx: &Ident) -> Vec<TokenStream> {
    let mut found = Vec::new();
    search(body, tx, &mut found);
    found
}

/// Whether the method sends its first argument, or has the server prepare it.
fn sends(method: &str) -> bool {
    method == "prep" || method == "defer" || is_of(method, "query") || is_of(method, "exec")
}

/// `exec`, `exec_drop`, not `execute`.
fn is_of(method: &str, family: &str) -> bool {
    method.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

fn search(tokens: TokenStream, tx: &Ident, found: &mut Vec<TokenStream>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut rest = tokens.as_slice();
    let mut previous = None;
    while let [token, behind @ ..] = rest {
        match token {
            // From here on the name may be somebody else's.
            TokenTree::Ident(word) if word == "let" && binds(behind, tx) => {
                return;
            }
            TokenTree::Ident(word) if word == tx && !continues(previous) => chain(behind, found),
            TokenTree::Group(group) => search(group.stream(), tx, found),
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        previous = Some(token);
        rest = behind;
    }
}

/// Whether a word behind this token is a field, a method or a part of a path.
fn continues(previous: Option<&TokenTree>) -> bool {
    matches!(previous, Some(TokenTree::Punct(punct)) if matches!(punct.as_char(), '.' | ':' | '\''))
}

/// Whether the pattern behind `let` has the name in it.
fn binds(behind: &[TokenTree], tx: &Ident) -> bool {
    let is_end =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if matches!(punct.as_char(), '=' | ';' | ':'));
    behind.iter().take_while(|token| !is_end(token)).any(|token| mentions(token, tx))
}

fn mentions(token: &TokenTree, name: &Ident) -> bool {
    match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => group.stream().into_iter().any(|token| mentions(&token, name)),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    }
}

/// Follows `.method::<T>(arguments)?…` as long as it is about the connection.
fn chain(tokens: &[TokenTree], found: &mut Vec<TokenStream>) {
    let mut rest = without_question_marks(tokens);
    while let [TokenTree::Punct(dot), TokenTree::Ident(method), behind @ ..] = rest {
        let method = method.to_string();
        let [TokenTree::Group(arguments), behind @ ..] = without_turbofish(behind) else { return };
        if dot.as_char() != '.' || arguments.delimiter() != Delimiter::Parenthesis {
            return;
        }
        if sends(&method) {
            found.push(first(arguments.stream()));
        }
        if !PASSED_ON_BY.contains(&method.as_str()) {
            return;
        }
        rest = without_question_marks(behind);
    }
}

fn without_question_marks(mut tokens: &[TokenTree]) -> &[TokenTree] {
    while let [TokenTree::Punct(punct), behind @ ..] = tokens
        && punct.as_char() == '?'
    {
        tokens = behind;
    }
    tokens
}

/// What stands behind `::<…>`; the brackets may be nested, and an arrow in them is no bracket.
fn without_turbofish(tokens: &[TokenTree]) -> &[TokenTree] {
    let is = |token: &TokenTree, wanted| matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted);
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
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    arguments.into_iter().take_while(|token| !is_comma(token)).collect()
}
