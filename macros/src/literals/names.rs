//! Where the transaction's name is somebody else's: behind a `let` that binds it again, in a nested function, in a loop, a closure or
//! an arm that binds it. There nothing is read: what is not seen here the runtime sees, while a false alarm has no remedy.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// What gives its closure a transaction: there the name is that of one again.
const LENT_BY: &[&str] = &["savepoint", "before_commit", "with_current"];

/// Whether the token is this punctuation.
pub(super) fn is(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// If the name is another's in what begins with `rest`, whose first token is `word` if it is one: what stands behind that.
pub(super) fn behind_another<'t>(
    word: &str,
    before: &[TokenTree],
    rest: &'t [TokenTree],
    name: &str,
) -> Option<&'t [TokenTree]> {
    match rest {
        [TokenTree::Ident(_), behind @ ..] => behind_word(word, behind, name),
        [bar, behind @ ..] if is(bar, '|') && begins_a_value(before) => {
            let (parameters, body) = behind.split_at_checked(behind.iter().position(|token| is(token, '|'))?)?;
            parameters.iter().any(|token| mentions(token, name)).then(|| behind_value(body))
        }
        [equals, arrow, behind @ ..] if is(equals, '=') && is(arrow, '>') && arm_binds(before, name) => {
            Some(behind_arm(behind))
        }
        _ => None,
    }
}

fn behind_word<'t>(word: &str, behind: &'t [TokenTree], name: &str) -> Option<&'t [TokenTree]> {
    match (word, behind) {
        // No function sees the variables around it.
        ("fn", [TokenTree::Ident(_), ..]) => Some(behind_block(behind)),
        ("let", _) if binds(behind, name) => Some(&[]),
        ("for", _) if loops(behind, name) => Some(behind_block(behind)),
        _ => None,
    }
}

/// The tokens in the brackets, without the parameters of a closure that is lent a transaction.
pub(super) fn lent(before: &[TokenTree], group: &Group) -> TokenStream {
    if !called(before).is_some_and(|method| LENT_BY.iter().any(|lender| method == lender)) {
        return group.stream();
    }
    let mut tokens = group.stream().into_iter().peekable();
    tokens.next_if(|token| matches!(token, TokenTree::Ident(word) if word == "move"));
    if tokens.next_if(|token| is(token, '|')).is_some() {
        tokens.find(|token| is(token, '|'));
    }
    tokens.collect()
}

/// The function whose arguments come next, `f` or `f::<…>`.
fn called(before: &[TokenTree]) -> Option<&Ident> {
    if let [.., TokenTree::Ident(name)] = before {
        return Some(name);
    }
    before.last().filter(|last| is(last, '>'))?;
    before.windows(4).rev().find_map(|window| match window {
        [TokenTree::Ident(name), a, b, open] if is(a, ':') && is(b, ':') && is(open, '<') => Some(name),
        _ => None,
    })
}

/// Whether the pattern behind `let` has the name in it.
fn binds(behind: &[TokenTree], name: &str) -> bool {
    let is_end = |token: &TokenTree| ['=', ';', ':'].iter().any(|end| is(token, *end));
    behind.iter().take_while(|token| !is_end(token)).any(|token| mentions(token, name))
}

/// Whether the pattern behind `for` has the name in it.
fn loops(behind: &[TokenTree], name: &str) -> bool {
    let is_end = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "in");
    behind.iter().take_while(|token| !is_end(token)).any(|token| mentions(token, name))
}

/// Whether the pattern of the arm that these tokens end with has the name in it. A condition binds nothing.
fn arm_binds(before: &[TokenTree], name: &str) -> bool {
    let fields = before.iter().rev().take(1).filter(|last| is_block(last));
    let others = before.iter().rev().skip(fields.clone().count());
    let arm = fields.chain(others.take_while(|token| !is(token, ',') && !is_block(token)));
    let arm: Vec<&TokenTree> = arm.collect();
    let is_condition = |token: &&&TokenTree| matches!(token, TokenTree::Ident(word) if word == "if");
    arm.iter().rev().take_while(|token| !is_condition(token)).any(|token| mentions(token, name))
}

/// Whether `|` behind these tokens begins a closure and is no operator.
fn begins_a_value(before: &[TokenTree]) -> bool {
    match before.last() {
        None => true,
        Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), ',' | ';' | '=' | '>' | ':'),
        Some(TokenTree::Ident(word)) => ["move", "return", "else", "async"].iter().any(|keyword| word == keyword),
        Some(TokenTree::Group(_) | TokenTree::Literal(_)) => false,
    }
}

/// What stands behind the next block in braces, or behind a declaration that has none.
pub(super) fn behind_block(tokens: &[TokenTree]) -> &[TokenTree] {
    behind(tokens, |token| is_block(token) || is(token, ';'))
}

fn behind_value(tokens: &[TokenTree]) -> &[TokenTree] {
    behind(tokens, |token| is(token, ',') || is(token, ';'))
}

fn behind_arm(tokens: &[TokenTree]) -> &[TokenTree] {
    if tokens.first().is_some_and(is_block) { tokens.get(1..).unwrap_or_default() } else { behind_value(tokens) }
}

fn behind(tokens: &[TokenTree], is_end: impl Fn(&TokenTree) -> bool) -> &[TokenTree] {
    let end = tokens.iter().position(is_end);
    end.and_then(|end| tokens.get(end + 1..)).unwrap_or_default()
}

fn is_block(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

fn mentions(token: &TokenTree, name: &str) -> bool {
    match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => group.stream().into_iter().any(|token| mentions(&token, name)),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    }
}
