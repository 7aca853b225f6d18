//! Takes a function apart: the transaction parameter, the others, and the body, which stays an opaque group of tokens so that
//! half-written code expands too and keeps its own errors. What is not allowed is decided by `rules`.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, format_ident};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Nothing, Parse, ParseStream, Parser};
use syn::{AttrStyle, Attribute, FnArg, Pat, PatType, Receiver, Signature, Token, Type, Visibility};

/// A function that carries the attribute.
#[derive(Clone)]
pub(crate) struct UnitFn {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    /// As it was written, the transaction included.
    pub(crate) sig: Signature,
    pub(crate) receiver: Option<Receiver>,
    pub(crate) tx: Option<PatType>,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) body: Body,
}

/// A parameter that callers see.
#[derive(Clone)]
pub(crate) struct Argument {
    /// The name in the signature that callers see; the pattern is the body's.
    pub(crate) name: Ident,
    pub(crate) param: PatType,
}

/// What follows the signature.
#[derive(Clone)]
pub(crate) enum Body {
    Block(Group),
    /// This macro's own output: the attribute stands there twice.
    Expanded(Group),
    Missing(Token![;]),
}

impl UnitFn {
    /// Takes a whole item apart. Of a body that nobody reads as syntax only the brackets are looked for: most of an item is its body.
    pub(crate) fn of(item: TokenStream) -> syn::Result<Self> {
        let mut tokens: Vec<TokenTree> = item.into_iter().collect();
        match tokens.pop() {
            Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => {
                let head = |input: ParseStream<'_>| Ok((Head::parse(input)?, input.parse::<Nothing>()?));
                head.parse2(tokens.into_iter().collect())?.0.with(body)
            }
            last => syn::parse2(tokens.into_iter().chain(last).collect()),
        }
    }
}

impl Parse for UnitFn {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let head = Head::parse(input)?;
        if input.peek(Token![;]) {
            Ok(head.with_body(Body::Missing(input.parse()?)))
        } else {
            head.with(braces(input)?)
        }
    }
}

/// A function without its body.
struct Head {
    attrs: Vec<Attribute>,
    vis: Visibility,
    sig: Signature,
}

impl Head {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self { attrs: input.call(Attribute::parse_outer)?, vis: input.parse()?, sig: input.parse()? })
    }

    fn with(mut self, block: Group) -> syn::Result<UnitFn> {
        let body = body(block, &mut self.attrs)?;
        Ok(self.with_body(body))
    }

    fn with_body(self, body: Body) -> UnitFn {
        let Self { attrs, vis, sig } = self;
        let (receiver, tx, arguments) = split(&sig);
        UnitFn { attrs, vis, sig, receiver, tx, arguments, body }
    }
}

/// As it was written, but for attributes at the beginning of the body, which stand above the function.
impl ToTokens for UnitFn {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, sig, body, .. } = self;
        tokens.append_all(attrs);
        vis.to_tokens(tokens);
        sig.to_tokens(tokens);
        match body {
            Body::Block(block) | Body::Expanded(block) => block.to_tokens(tokens),
            Body::Missing(semicolon) => semicolon.to_tokens(tokens),
        }
    }
}

/// What stands in braces, without the invisible brackets around what a user's macro was given as a block.
fn braces(input: ParseStream<'_>) -> syn::Result<Group> {
    let ahead = input.fork();
    match ahead.parse::<TokenTree>() {
        Ok(TokenTree::Group(group)) if group.delimiter() == Delimiter::None => {
            input.advance_to(&ahead);
            braces.parse2(group.stream())
        }
        Ok(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            input.advance_to(&ahead);
            Ok(group)
        }
        Ok(_) | Err(_) => Err(input.error("expected the body in braces")),
    }
}

/// What a block is. Attributes at its beginning (`#![allow(…)]`) go above the function: a closure's block cannot have any.
fn body(block: Group, attrs: &mut Vec<Attribute>) -> syn::Result<Body> {
    let stream = block.stream();
    let mut tokens = stream.clone().into_iter().peekable();
    let is_attribute = matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '#');
    // Others name something private, too; nobody else calls what is there, first of all.
    let is_of_a_path = |token: &TokenTree| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    };
    let mut path = tokens.take_while(is_of_a_path);
    let is_private = |token| matches!(token, TokenTree::Ident(word) if word == "__private");
    let is_entry = |token| matches!(token, Some(TokenTree::Ident(word)) if word == "run" || word == "run_on");
    if path.any(is_private) && is_entry(path.nth(2)) {
        return Ok(Body::Expanded(block));
    }
    if !is_attribute {
        return Ok(Body::Block(block));
    }
    let split = |input: ParseStream<'_>| Ok((input.call(Attribute::parse_inner)?, input.parse::<TokenStream>()?));
    let (inner, statements) = split.parse2(stream)?;
    attrs.extend(inner.into_iter().map(|attr| Attribute { style: AttrStyle::Outer, ..attr }));
    let mut rest = Group::new(Delimiter::Brace, statements);
    rest.set_span(block.span());
    Ok(Body::Block(rest))
}

/// The parameters by what becomes of them: captured by the body, supplied by the runtime, passed by the caller.
fn split(sig: &Signature) -> (Option<Receiver>, Option<PatType>, Vec<Argument>) {
    let (mut receiver, mut tx, mut arguments) = (None, None, Vec::new());
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(found) => receiver = Some(found.clone()),
            FnArg::Typed(param) if tx.is_none() && arguments.is_empty() && is_transaction(param) => {
                tx = Some(param.clone());
            }
            FnArg::Typed(param) => {
                let name = name(&param.pat, arguments.len());
                arguments.push(Argument { name, param: param.clone() });
            }
        }
    }
    (receiver, tx, arguments)
}

/// Whether the first typed parameter is the transaction: by its name, or by the last word of its type. (`acc: &mut Account`
/// cannot be told from a transaction in any other way: macros see no types.)
fn is_transaction(param: &PatType) -> bool {
    matches!(&*param.pat, Pat::Ident(pat) if pat.ident == "tx") || is_tx_type(&param.ty)
}

/// Whether the type is spelt `Tx`, by value or behind references.
pub(crate) fn is_tx_type(ty: &Type) -> bool {
    match bare(ty) {
        Type::Reference(reference) => is_tx_type(&reference.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == "Tx"),
        _ => false,
    }
}

/// The type without parentheses, and without the invisible brackets around what a user's macro was given.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty,
    }
}

/// What the parameter is called in the signature that callers see.
fn name(pat: &Pat, position: usize) -> Ident {
    match pat {
        // The wrapper uses every parameter, and clippy's `used_underscore_binding` would say so at the user's token; a name
        // with the macro's hygiene reads the same in the documentation and is not linted.
        Pat::Ident(pat) if pat.ident.unraw().to_string().starts_with('_') => hygienic(&pat.ident),
        Pat::Ident(pat) => pat.ident.clone(),
        _ => format_ident!("argument_{position}", span = Span::mixed_site()),
    }
}

fn hygienic(ident: &Ident) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(Span::mixed_site().located_at(ident.span()));
    ident
}

/// Whether any of the words occurs in the tokens, at any depth.
pub(crate) fn mentions(tokens: impl ToTokens, is_wanted: &dyn Fn(&Ident) -> bool) -> bool {
    fn inside(tokens: TokenStream, is_wanted: &dyn Fn(&Ident) -> bool) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => is_wanted(&ident),
            TokenTree::Group(group) => inside(group.stream(), is_wanted),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
    inside(tokens.into_token_stream(), is_wanted)
}
