//! The attribute for tests: a function that takes a database becomes a test that is given one. What a test's database is decides
//! the runtime; here are the arguments, what the function may look like, and the one call that is written.

use proc_macro2::{Group, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Expr, FnArg, Path, parse_quote};

use crate::errors::Errors;
use crate::function::{Body, UnitFn, is_tx_type};
use crate::list::{Clause, Key, read};
use crate::value::Value;

/// What one argument says.
#[derive(Clone)]
pub(crate) enum Meaning {
    /// A method of the declaration without an argument.
    Switch(&'static str),
    /// One with the user's expression.
    Setting(&'static str, Expr),
    Runtime(Path),
}

#[rustfmt::skip]
pub(crate) const KEYS: &[Key<Meaning>] = &[
    Key { name: "sandbox", decides: "sandbox", example: "sandbox",                                read: |given, _| given.flag(Value::Nothing).map(|_| Meaning::Switch("sandbox")) },
    Key { name: "schema",  decides: "schema",  example: r#"schema = include_str!("schema.sql")"#, read: |given, _| given.expression().map(|expr| Meaning::Setting("schema", expr)) },
    Key { name: "setup",   decides: "setup",   example: "setup = fill",                           read: |given, _| given.expression().map(|expr| Meaning::Setting("setup", expr)) },
    Key { name: "url",     decides: "url",     example: "url = test_server()",                    read: |given, _| given.expression().map(|expr| Meaning::Setting("url", expr)) },
    Key { name: "crate",   decides: "crate",   example: "crate = ::unit_of_work",                 read: |given, _| given.path().map(Meaning::Runtime) },
];

/// The whole attribute: its arguments and the function below it, to the test that replaces it.
pub(crate) fn test(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let clauses = read(KEYS, arguments, &mut errors);
    let Ok(function) = UnitFn::of(item.clone()) else {
        errors.push(Error::new_spanned(item, "`#[unit_of_work::test]` stands on a function"));
        return [errors.into_tokens(), item.clone()].into_iter().collect();
    };
    check(&function, &mut errors);
    if errors.is_empty() {
        return expand(&function, &clauses);
    }
    // The function stays as it was written, so that nothing else is reported of it; it is no test.
    let item = quote!(#[allow(dead_code)] #item);
    [errors.into_tokens(), item].into_iter().collect()
}

fn check(function: &UnitFn, errors: &mut Errors) {
    let signature = &function.sig;
    if let Some(word) = &signature.asyncness {
        errors.push(Error::new_spanned(word, "a unit of work is synchronous, and so is its test: leave `async` out"));
    }
    if !signature.generics.params.is_empty() {
        let message = "nobody calls a test with types: leave the parameters out";
        errors.push(Error::new_spanned(&signature.generics.params, message));
    }
    if let Some(attr) = function.attrs.iter().find(|attr| attr.path().is_ident("test")) {
        errors.push(Error::new_spanned(attr, "`#[unit_of_work::test]` makes it a test already: leave this out"));
    }
    match (signature.inputs.first(), signature.inputs.iter().nth(1)) {
        (Some(_), Some(second)) => {
            errors.push(Error::new_spanned(second, "a test takes the database and nothing else: `db: &Database`"));
        }
        (Some(FnArg::Receiver(receiver)), None) => {
            errors.push(Error::new_spanned(receiver, "a test is a free function: it has no `self`"));
        }
        (Some(FnArg::Typed(param)), None) if is_tx(&param.ty) => {
            let message = "a test is no unit: take `db: &Database` or nothing, and call units";
            errors.push(Error::new_spanned(param, message));
        }
        (Some(FnArg::Typed(_)) | None, None) | (None, Some(_)) => {}
    }
}

fn is_tx(ty: &syn::Type) -> bool {
    match ty {
        syn::Type::Reference(reference) => is_tx_type(&reference.elem),
        ty => is_tx_type(ty),
    }
}

fn expand(function: &UnitFn, clauses: &[Clause<Meaning>]) -> TokenStream {
    let UnitFn { attrs, vis, sig, .. } = function;
    let runtime = runtime(clauses);
    let settings = clauses.iter().filter_map(setting);
    let (name, output) = (&sig.ident, &sig.output);
    let (pattern, ty) = match sig.inputs.first() {
        Some(FnArg::Typed(param)) => (param.pat.to_token_stream(), param.ty.to_token_stream()),
        Some(FnArg::Receiver(_)) | None => (quote!(_), quote!(&#runtime::Database)),
    };
    let body = body(&function.body);
    let test = quote_spanned!(name.span()=> #[::core::prelude::v1::test]);
    quote! {
        #(#attrs)*
        #test
        #vis fn #name() #output {
            #runtime::__private::Test::new() #(#settings)* .run(|#pattern: #ty| #output #body)
        }
    }
}

fn runtime(clauses: &[Clause<Meaning>]) -> Path {
    let named = clauses.iter().find_map(|clause| match &clause.meaning {
        Meaning::Runtime(path) => Some(path.clone()),
        Meaning::Switch(_) | Meaning::Setting(..) => None,
    });
    named.unwrap_or_else(|| parse_quote!(::unit_of_work))
}

fn setting(clause: &Clause<Meaning>) -> Option<TokenStream> {
    let span = clause.name.span();
    match &clause.meaning {
        Meaning::Switch(method) => {
            let method = syn::Ident::new(method, span);
            Some(quote!(.#method()))
        }
        Meaning::Setting(method, value) => {
            let method = syn::Ident::new(method, span);
            Some(quote_spanned!(value.span()=> .#method(#value)))
        }
        Meaning::Runtime(_) => None,
    }
}

fn body(body: &Body) -> TokenStream {
    match body {
        Body::Block(group) | Body::Expanded(group) => Group::to_token_stream(group),
        Body::Missing(semicolon) => Error::new_spanned(semicolon, "a test has a body").into_compile_error(),
    }
}
