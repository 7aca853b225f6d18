//! What an argument says when it is known at compile time: a string literal of any kind, a `concat!` of literals, a constant that is
//! declared in the body. Everything else (a variable, a `format!`, a constant from elsewhere) is the runtime's to read.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Lit, Macro, Token};

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

/// The constants that a body declares.
pub(super) struct Constants(Vec<(Ident, TokenStream)>);

impl Constants {
    pub(super) fn of(body: &TokenStream) -> Self {
        let mut found = Vec::new();
        collect(body.clone(), &mut found);
        Self(found)
    }

    /// What the argument says, if that can be told.
    pub(super) fn text(&self, argument: TokenStream) -> Option<Text> {
        let argument = bare(argument);
        if let Some(value) = literal(argument.clone()) {
            return Some(Text { value, tokens: argument, constant: None });
        }
        let name: Ident = syn::parse2(argument).ok()?;
        let mut declared = self.0.iter().filter(|(known, _)| *known == name);
        // Of two constants with one name, each in a block of its own, it is not known which one is meant.
        let (Some((_, value)), None) = (declared.next(), declared.next()) else { return None };
        let tokens = bare(value.clone());
        Some(Text { value: literal(tokens.clone())?, tokens, constant: Some(name.to_string()) })
    }
}

/// The argument without `&`, parentheses around it, and the invisible brackets around what another macro was given.
fn bare(argument: TokenStream) -> TokenStream {
    let mut tokens = argument.clone().into_iter().peekable();
    while tokens.next_if(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '&')).is_some() {}
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Group(group)), None)
            if matches!(group.delimiter(), Delimiter::Parenthesis | Delimiter::None) =>
        {
            bare(group.stream())
        }
        (Some(only), None) => only.into_token_stream(),
        (Some(_) | None, _) => argument,
    }
}

/// The value of a string literal or of a `concat!` of literals.
fn literal(tokens: TokenStream) -> Option<String> {
    match syn::parse2::<Lit>(tokens.clone()) {
        Ok(Lit::Str(text)) => Some(text.value()),
        Ok(_) => None,
        Err(_) => concatenated(tokens),
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
