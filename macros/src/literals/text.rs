//! What an argument says when it is known at compile time: a string literal of any kind, a `concat!` of literals, a constant that is
//! declared in the body. Everything else (a variable, a `format!`, a constant from elsewhere) is the runtime's to read.

use proc_macro2::{Delimiter, Ident, Literal, TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Lit, Macro, Token};

use super::names::behind_block;

/// A text and where it was written.
pub(super) struct Text {
    pub(super) value: String,
    pub(super) tokens: TokenStream,
    /// The constant that it is the value of.
    constant: Option<String>,
}

impl Text {
    pub(super) fn is_at_the_same_place_as(&self, other: &Self) -> bool {
        self.constant.is_some() && self.constant == other.constant
    }
}

/// What an argument says.
pub(super) enum Says {
    Text(Text),
    /// It may be a constant.
    Named(Ident),
    SomethingElse,
}

/// Reads an argument as it stands there, less `&` and parentheses.
pub(super) fn what_it_says(argument: TokenStream) -> Says {
    let tokens = bare(argument);
    if let Some(value) = literal(&tokens) {
        return Says::Text(Text { value, tokens: tokens.into_iter().collect(), constant: None });
    }
    match tokens.as_slice() {
        [TokenTree::Ident(name)] => Says::Named(name.clone()),
        _ => Says::SomethingElse,
    }
}

/// The constants that a body declares.
pub(super) struct Constants(Vec<(Ident, TokenStream)>);

impl Constants {
    pub(super) fn of(body: TokenStream) -> Self {
        let mut found = Vec::new();
        collect(body, &mut found);
        Self(found)
    }

    /// The constant's value, if it is a text.
    pub(super) fn text(&self, name: &Ident) -> Option<Text> {
        let mut declared = self.0.iter().filter(|(known, _)| known == name);
        // Of two constants with one name, each in a block of its own, it is not known which one is meant.
        let (Some((_, value)), None) = (declared.next(), declared.next()) else { return None };
        let tokens = bare(value.clone());
        let value = literal(&tokens)?;
        Some(Text { value, tokens: tokens.into_iter().collect(), constant: Some(name.to_string()) })
    }
}

/// The argument without `&`, parentheses around it, and the invisible brackets around what another macro was given.
fn bare(argument: TokenStream) -> Vec<TokenTree> {
    let is_reference = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '&');
    let tokens: Vec<TokenTree> = argument.into_iter().skip_while(is_reference).collect();
    match tokens.as_slice() {
        [TokenTree::Group(group)] if matches!(group.delimiter(), Delimiter::Parenthesis | Delimiter::None) => {
            bare(group.stream())
        }
        _ => tokens,
    }
}

/// The value of a string literal or of a `concat!` of literals.
fn literal(tokens: &[TokenTree]) -> Option<String> {
    match tokens {
        [TokenTree::Literal(literal)] => string(literal),
        [.., TokenTree::Punct(bang), TokenTree::Group(_)] if bang.as_char() == '!' => {
            concatenated(tokens.iter().cloned().collect())
        }
        _ => None,
    }
}

/// The value of a string literal; most have no escapes, and nothing to be parsed.
fn string(literal: &Literal) -> Option<String> {
    let written = literal.to_string();
    let plain = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if let Some(value) = plain.filter(|value| !value.contains('\\')) {
        return Some(value.to_owned());
    }
    match Lit::new(literal.clone()) {
        Lit::Str(text) => Some(text.value()),
        _ => None,
    }
}

/// `concat!("a", 1, 'b')`, which may be written `core::concat!` and hold others.
fn concatenated(tokens: TokenStream) -> Option<String> {
    let call: Macro = syn::parse2(tokens).ok()?;
    let name = &call.path.segments.last()?.ident;
    let parts = if name == "concat" { call.parse_body_with(list).ok()? } else { return None };
    parts.into_iter().map(part).collect()
}

/// Splits at commas.
fn list(input: ParseStream<'_>) -> syn::Result<Punctuated<TokenStream, Token![,]>> {
    Punctuated::parse_terminated_with(input, |input| {
        let mut tokens = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            tokens.extend([input.parse::<TokenTree>()?]);
        }
        Ok(tokens)
    })
}

fn part(tokens: TokenStream) -> Option<String> {
    match syn::parse2::<Lit>(tokens.clone()) {
        Ok(Lit::Str(text)) => Some(text.value()),
        Ok(Lit::Char(character)) => Some(character.value().to_string()),
        Ok(Lit::Int(number)) => Some(number.base10_digits().to_owned()),
        Ok(Lit::Bool(truth)) => Some(truth.value.to_string()),
        Ok(_) => None,
        Err(_) => concatenated(tokens),
    }
}

/// Looks for `const NAME: … = VALUE;` and the like with `static`.
fn collect(tokens: TokenStream, found: &mut Vec<(Ident, TokenStream)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut rest = tokens.as_slice();
    while let [token, behind @ ..] = rest {
        match (token, behind) {
            (TokenTree::Ident(word), [TokenTree::Ident(name), TokenTree::Punct(colon), ..])
                if (word == "const" || word == "static") && colon.as_char() == ':' =>
            {
                found.push((name.clone(), value(behind)));
            }
            // What a function declares is seen in it alone.
            (TokenTree::Ident(word), [TokenTree::Ident(_), ..]) if word == "fn" => {
                rest = behind_block(behind);
                continue;
            }
            (TokenTree::Group(group), _) => collect(group.stream(), found),
            (TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_), _) => {}
        }
        rest = behind;
    }
}

/// What stands between `=` and `;`.
fn value(declaration: &[TokenTree]) -> TokenStream {
    let is = |token: &TokenTree, wanted| matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted);
    let behind = declaration.iter().skip_while(|token| !is(token, '=')).skip(1);
    behind.take_while(|token| !is(token, ';')).cloned().collect()
}
