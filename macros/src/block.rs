//! Takes an `impl` block apart and makes units of its functions: of each that takes a transaction or carries the attribute, unless
//! that says `skip`. Everything else, the block's own header included, stays as it was written.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Ident, Meta, MetaNameValue, Path, Token, Visibility};

use crate::args::Args;
use crate::errors::Errors;
use crate::expand;
use crate::function::UnitFn;
use crate::inherit::{inherited, of_a_block};
use crate::keys::{KEYS, Meaning};
use crate::list::{Clause, read};

/// An `impl` block that carries the attribute.
pub(crate) struct Block {
    /// Attributes, `impl`, generics, type, `where`.
    header: TokenStream,
    body: Group,
    members: Vec<Member>,
}

enum Member {
    Function(Box<UnitFn>, TokenStream),
    Other(TokenStream),
}

/// What a function's own attribute says.
enum Own {
    Nothing,
    Arguments(TokenStream),
    /// `#[unit_of_work = …]`, which the compiler refuses where it reads the attribute itself.
    Value(Box<MetaNameValue>),
    Skip,
}

/// Whether the tokens are an `impl` block, however much of it is right: `#[…] #[…] unsafe impl`.
pub(crate) fn is_block(item: &TokenStream) -> bool {
    let mut tokens = item.clone().into_iter().skip_while(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() == '#',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Bracket,
        TokenTree::Ident(word) => word == "default" || word == "unsafe",
        TokenTree::Literal(_) => false,
    });
    matches!(tokens.next(), Some(TokenTree::Ident(word)) if word == "impl")
}

impl Parse for Block {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut header: Vec<TokenTree> = input.parse::<TokenStream>()?.into_iter().collect();
        match header.pop() {
            Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => {
                let members = members.parse2(body.stream())?;
                Ok(Self { header: header.into_iter().collect(), body, members })
            }
            Some(_) | None => Err(input.error("expected an `impl` block with a body in braces")),
        }
    }
}

fn members(input: ParseStream<'_>) -> syn::Result<Vec<Member>> {
    let mut members = vec![Member::Other(inner_attributes(input)?)];
    while !input.is_empty() {
        members.push(member(input)?);
    }
    Ok(members)
}

fn inner_attributes(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    Ok(input.call(Attribute::parse_inner)?.iter().map(ToTokens::to_token_stream).collect())
}

fn member(input: ParseStream<'_>) -> syn::Result<Member> {
    let ahead = input.fork();
    match ahead.parse::<UnitFn>() {
        Ok(function) => {
            let written = between(&input.fork(), &ahead)?;
            input.advance_to(&ahead);
            Ok(Member::Function(Box::new(function), written))
        }
        Err(_) => other(input).map(Member::Other),
    }
}

/// The tokens from one place to the other.
fn between(from: ParseStream<'_>, to: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !from.is_empty() && from.cursor() != to.cursor() {
        tokens.extend([from.parse::<TokenTree>()?]);
    }
    Ok(tokens)
}

/// A constant, a type, a macro call, or a function that is still being written: up to a semicolon or a body in braces. A constant's
/// value may have braces of its own.
fn other(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let ahead = input.fork();
    ahead.call(Attribute::parse_outer)?;
    ahead.parse::<Visibility>()?;
    // Not that of a `const fn`, which has a name only behind its keywords.
    let is_constant = ahead.peek(Token![const]) && (ahead.peek2(Ident) || ahead.peek2(Token![_]));
    let has_value = is_constant || ahead.peek(Token![type]);
    let mut tokens = TokenStream::new();
    while !input.is_empty() {
        let token = input.parse::<TokenTree>()?;
        let is_end = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !has_value,
            TokenTree::Ident(_) | TokenTree::Literal(_) => false,
        };
        tokens.extend([token]);
        if is_end {
            break;
        }
    }
    Ok(tokens)
}

/// The block with its units expanded. `clauses` are the arguments of its own attribute, `errors` the mistakes in them.
pub(crate) fn expand(block: Block, clauses: Vec<Clause<Meaning>>, mut errors: Errors) -> TokenStream {
    let clauses = of_a_block(clauses, &mut errors);
    let defaults = if errors.is_empty() { Defaults::Sound(&clauses) } else { Defaults::Broken(&clauses) };
    let members = block.members.into_iter().map(|member| match member {
        Member::Function(function, written) => defaults.expand(*function, written),
        Member::Other(tokens) => tokens,
    });
    let mut body = Group::new(Delimiter::Brace, members.collect());
    body.set_span(block.body.span());
    [errors.into_tokens(), block.header, body.into_token_stream()].into_iter().collect()
}

/// What the block says for all of its functions.
enum Defaults<'a> {
    Sound(&'a [Clause<Meaning>]),
    /// The mistakes were told; none may follow from them in the functions.
    Broken(&'a [Clause<Meaning>]),
}

impl Defaults<'_> {
    fn expand(&self, function: UnitFn, written: TokenStream) -> TokenStream {
        match under_conditions(&function) {
            // What stands behind the attribute may be another condition.
            Some(cases) => cases.map(|case| self.expand(case.clone(), case.into_token_stream())).into_iter().collect(),
            None => self.one(function, written),
        }
    }

    fn one(&self, mut function: UnitFn, written: TokenStream) -> TokenStream {
        let mut errors = Errors::default();
        let arguments = match own(&mut function) {
            Own::Skip => return function.into_token_stream(),
            Own::Nothing if function.tx.is_none() => return written,
            Own::Nothing => TokenStream::new(),
            Own::Arguments(arguments) => arguments,
            Own::Value(value) => {
                let message = "arguments stand in parentheses: `#[unit_of_work(read_only)]`";
                errors.push(Error::new_spanned(value, message));
                TokenStream::new()
            }
        };
        let own = read(KEYS, arguments, &mut errors);
        let place = function.sig.ident.span();
        let args = match self {
            Self::Sound(block) => Args::of(own.clone(), inherited(&own, block, place), &mut errors),
            Self::Broken(block) => Args::lenient(own.clone(), inherited(&own, block, place)),
        };
        expand::unit(&function, &args, errors)
    }
}

/// The function with and without an attribute of its own that stands in `cfg_attr`: what it inherits differs.
fn under_conditions(function: &UnitFn) -> Option<[UnitFn; 2]> {
    let (position, mut metas) = function.attrs.iter().enumerate().find_map(|(position, attr)| {
        let metas = attr.path().is_ident("cfg_attr").then(|| attr.parse_args_with(conditioned).ok())??;
        metas.iter().skip(1).any(|meta| is_ours(meta.path())).then_some((position, metas.into_iter()))
    })?;
    let condition = metas.next()?;
    let case = |attributes: TokenStream| {
        let attributes = Attribute::parse_outer.parse2(attributes).ok()?;
        let mut case = function.clone();
        case.attrs.splice(position..=position, attributes);
        Some(case)
    };
    Some([case(quote!(#[cfg(#condition)] #(#[#metas])*))?, case(quote!(#[cfg(not(#condition))]))?])
}

/// `condition, attribute, attribute`.
fn conditioned(input: ParseStream<'_>) -> syn::Result<Punctuated<Meta, Token![,]>> {
    Punctuated::parse_terminated(input)
}

/// An attribute is known by its last word, since no macro is told what it was imported as.
fn is_ours(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| last.ident == "unit_of_work")
}

/// Takes the function's own attribute off it.
fn own(function: &mut UnitFn) -> Own {
    let Some(position) = function.attrs.iter().position(|attr| is_ours(attr.path())) else { return Own::Nothing };
    match function.attrs.remove(position).meta {
        Meta::List(list) if is_skip(&list.tokens) => Own::Skip,
        Meta::List(list) => Own::Arguments(list.tokens),
        Meta::NameValue(value) => Own::Value(Box::new(value)),
        Meta::Path(_) => Own::Arguments(TokenStream::new()),
    }
}

fn is_skip(arguments: &TokenStream) -> bool {
    let mut tokens = arguments.clone().into_iter();
    matches!((tokens.next(), tokens.next()), (Some(TokenTree::Ident(word)), None) if word == "skip")
}
