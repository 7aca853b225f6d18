//! How a list of arguments is read against a table of them, so that one mistake does not hide the next. Which arguments there
//! are stands in the tables in `args`.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, ExprLit, Lit, Token, token};

use crate::errors::{Errors, did_you_mean};
use crate::value::{Form, Given};

/// An argument: its name, what it decides (two arguments can decide the same thing), how it is written, how it is read.
pub(crate) struct Key<M> {
    pub(crate) name: &'static str,
    pub(crate) decides: &'static str,
    pub(crate) example: &'static str,
    pub(crate) read: fn(&Given<'_>, &mut Errors) -> syn::Result<M>,
}

/// An argument that was given.
#[derive(Clone)]
pub(crate) struct Clause<M> {
    /// As it was written.
    pub(crate) name: Ident,
    pub(crate) decides: &'static str,
    pub(crate) meaning: M,
}

/// Those that are read to be refused, at least in most places; no message proposes them.
const NOT_PROPOSED: &[&str] = &["skip", "admission"];

/// Reads a list of arguments against their table. Each mistake is kept; what is right is returned.
pub(crate) fn read<M>(keys: &[Key<M>], tokens: TokenStream, errors: &mut Errors) -> Vec<Clause<M>> {
    let mut seen: Vec<&Key<M>> = Vec::new();
    let mut clauses = Vec::new();
    for (name, form) in list(tokens, errors) {
        let Some(key) = errors.keep(find(keys, &name)) else { continue };
        if let Some(earlier) = seen.iter().find(|earlier| earlier.decides == key.decides) {
            errors.push(Error::new(name.span(), twice(earlier.name, key.name)));
            continue;
        }
        let read = (key.read)(&Given { name: &name, form: &form, example: key.example }, errors);
        seen.push(key);
        clauses.extend(errors.keep(read).map(|meaning| Clause { name, decides: key.decides, meaning }));
    }
    clauses
}

fn find<'k, M>(keys: &'k [Key<M>], name: &Ident) -> syn::Result<&'k Key<M>> {
    let word = name.to_string();
    keys.iter().find(|key| word == key.name).ok_or_else(|| {
        let known: Vec<&str> = keys.iter().map(|key| key.name).filter(|name| !NOT_PROPOSED.contains(name)).collect();
        let guess = did_you_mean(&word, &known);
        Error::new(name.span(), format!("unknown argument `{name}`; {guess}"))
    })
}

fn twice(earlier: &str, later: &str) -> String {
    if earlier == later {
        format!("`{later}` is given twice: keep one of them")
    } else {
        format!("`{earlier}` and `{later}` decide the same thing: keep one of them")
    }
}

/// Splits `name = value, name(list), name` and goes on behind the next comma after a mistake.
fn list(tokens: TokenStream, errors: &mut Errors) -> Vec<(Ident, Form)> {
    let mut found = Vec::new();
    let read = |input: ParseStream<'_>| {
        while !input.is_empty() {
            found.extend(errors.keep(item(input)));
            if errors.keep(end_of_item(input)).is_none() {
                skip_to_comma(input)?;
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    let outcome = read.parse2(tokens);
    errors.keep(outcome);
    found
}

fn item(input: ParseStream<'_>) -> syn::Result<(Ident, Form)> {
    let result = item_up_to_comma(input);
    if result.is_err() {
        skip_to_comma(input)?;
    }
    result
}

fn item_up_to_comma(input: ParseStream<'_>) -> syn::Result<(Ident, Form)> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected an argument such as `isolation = \"serializable\"`"));
    }
    let name = input.call(Ident::parse_any)?;
    if let Some(equals) = input.parse::<Option<Token![=]>>()? {
        if input.is_empty() || input.peek(Token![,]) {
            return Err(Error::new_spanned(equals, format!("`{name}` is given no value after `=`")));
        }
        return Ok((name, Form::Equals(value(input)?)));
    }
    if input.peek(Lit) || input.peek(Token![:]) {
        return Err(input.error(format!("write `=` between `{name}` and its value")));
    }
    if input.peek(token::Paren) {
        let list;
        syn::parenthesized!(list in input);
        return Ok((name, Form::List(list.parse()?)));
    }
    Ok((name, Form::Alone))
}

/// Nearly all values are literals, and the way to one through the parser of expressions is long.
fn value(input: ParseStream<'_>) -> syn::Result<Expr> {
    match input.cursor().literal() {
        Some((_, behind)) if behind.eof() || behind.punct().is_some_and(|(punct, _)| punct.as_char() == ',') => {
            Ok(Expr::Lit(ExprLit { attrs: Vec::new(), lit: input.parse()? }))
        }
        Some(_) | None => input.parse().map(bare),
    }
}

/// The value without the invisible brackets around what a user's macro was given.
fn bare(value: Expr) -> Expr {
    match value {
        Expr::Group(group) => bare(*group.expr),
        value => value,
    }
}

fn end_of_item(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) { Ok(()) } else { Err(input.error("expected `,` between arguments")) }
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}
