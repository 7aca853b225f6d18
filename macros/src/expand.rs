//! Prints a function as a unit of work: one call into the runtime. Every token is the user's, with the user's place in the
//! source, or an absolute path; no decision is taken here but which of the runtime's entries to call.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Expr, FnArg, Lifetime, Pat, PatIdent, PatType, Path, ReturnType, Signature, Token, Type, TypeInfer,
    TypeReference,
};

use crate::args::{Args, Attempts};
use crate::block::{self, Block};
use crate::errors::Errors;
use crate::function::{Argument, Body, UnitFn, bare, is_tx_type, mentions};
use crate::keys::KEYS;
use crate::list::read;
use crate::literals;
use crate::rules;
use crate::value::{Setting, Value};

/// The whole attribute: its arguments and the item below it, to the item that replaces it.
pub(crate) fn unit_of_work(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let clauses = read(KEYS, arguments, &mut errors);
    if block::is_block(item) {
        return match syn::parse2::<Block>(item.clone()) {
            Ok(block) => block::expand(block, clauses, errors),
            Err(error) => refused(errors, error, item),
        };
    }
    match UnitFn::of(item.clone()) {
        Ok(UnitFn { body: Body::Expanded(_), .. }) => refused(errors, twice(), item),
        Ok(function) => unit(&function, &Args::of(clauses, Vec::new(), &mut errors), errors),
        Err(error) => refused(errors, not_a_function(error, item), item),
    }
}

/// One function as a unit; `errors` are the mistakes in its arguments.
pub(crate) fn unit(function: &UnitFn, args: &Args, errors: Errors) -> TokenStream {
    let mut refusals = Errors::default();
    rules::check(function, args, &mut refusals);
    let expanded = if refusals.is_empty() { wrapper(function, args) } else { stand_in(function, &args.runtime) };
    let mut texts = Errors::default();
    literals::check(function, args, &mut texts);
    // A function that is not compiled has no mistakes.
    let conditions: Vec<&Attribute> = function.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect();
    let messages = [errors, refusals, texts].map(|errors| errors.into_tokens_under(&conditions));
    messages.into_iter().chain([expanded]).collect()
}

/// What cannot be read as a function: a mistake in one, or something else.
fn not_a_function(error: syn::Error, item: &TokenStream) -> syn::Error {
    let is_fn = |token| matches!(token, TokenTree::Ident(word) if word == "fn");
    if syn::parse2::<syn::Item>(item.clone()).is_err() && item.clone().into_iter().any(is_fn) {
        error
    } else {
        syn::Error::new(Span::call_site(), "`#[unit_of_work]` belongs on a function, a method or an `impl` block")
    }
}

/// The item as it was, with its mistakes.
fn refused(mut errors: Errors, error: syn::Error, item: &TokenStream) -> TokenStream {
    errors.push(error);
    let errors = errors.into_tokens();
    quote!(#errors #item)
}

fn twice() -> syn::Error {
    let message = "this function is a unit of work already, by another attribute or by that of its `impl` block, where a function's \
                   own is known by the name `unit_of_work`: keep one";
    syn::Error::new(Span::call_site(), message)
}

// Input:
//     #[unit_of_work(isolation = "serializable")]
//     /// Moves money.
//     pub fn transfer<K: Key>(&self, tx: &mut Tx<'_>, from: K, (a, b): (i64, i64)) -> Result<(), BankError> { BODY }
//
// Output:
//     /// Moves money.
//     pub fn transfer<K: Key>(&self, from: K, argument_1: (i64, i64)) -> Result<(), BankError> {
//         ::unit_of_work::__private::run::<_, Result<(), BankError>, _, _, _>(
//             {
//                 static __UNIT_OF_WORK: ::unit_of_work::__private::Unit =
//                     ::unit_of_work::__private::Unit::new("transfer", ::core::file!(), ::core::line!())
//                         .isolation(::unit_of_work::Isolation::Serializable);
//                 &__UNIT_OF_WORK
//             },
//             (::unit_of_work::__private::cloned_for_each_attempt::<K>(from),
//                 (::unit_of_work::__private::replayable::<(i64, i64)>(argument_1), ())),
//             |tx: &mut Tx<'_>,
//              (::unit_of_work::__private::Again(from, _), (::unit_of_work::__private::Again((a, b), _), ()))|
//              -> Result<(), BankError> { BODY },
//             ::unit_of_work::__private::roll_back,
//         )
//     }
fn wrapper(function: &UnitFn, args: &Args) -> TokenStream {
    let UnitFn { attrs, vis, sig, .. } = function;
    let (Body::Block(body), ReturnType::Type(_, ty)) = (&function.body, &sig.output) else {
        return stand_in(function, &args.runtime);
    };
    let runtime = &args.runtime;
    let signature = Signature { inputs: visible(function), ..sig.clone() };
    let result = erased(ty);
    let entry = if args.database.is_some() { quote!(run_on) } else { quote!(run) };
    let unit = called(descriptor(&sig.ident, args), args);
    let database = args.database.as_ref().map(lend).map(|database| quote!(#database,));
    let values = values(function, args);
    let parameters = parameters(function, runtime);
    let body = with_key(function, args, body);
    let judge = judge(args);
    quote! {
        #(#attrs)*
        #vis #signature {
            #runtime::__private::#entry::<_, #result, _, _, _>(
                #unit, #database #values, |#parameters| -> #result #body, #judge
            )
        }
    }
}

/// The static that describes the unit.
fn descriptor(ident: &Ident, args: &Args) -> TokenStream {
    let runtime = &args.runtime;
    let name = ident.unraw().to_string();
    // At the place of the function's name: inside an `impl` that was expanded as a whole, all functions would share a line.
    let place = quote_spanned!(ident.span()=> ::core::file!(), ::core::line!());
    let settings = args.settings.iter().map(|setting| call(setting, runtime));
    quote! {{
        static __UNIT_OF_WORK: #runtime::__private::Unit = #runtime::__private::Unit::new(#name, #place) #(#settings)*;
        &__UNIT_OF_WORK
    }}
}

/// The unit, with the key of this call where it has any. It comes before the arguments, which it may look at.
fn called(unit: TokenStream, args: &Args) -> TokenStream {
    let Some(key) = &args.key else { return unit };
    let runtime = &args.runtime;
    let key = lend(key);
    quote!(#runtime::__private::keyed(#unit, #key))
}

/// The body, for which the arguments that its key is made of are not unused: the function uses them.
fn with_key(function: &UnitFn, args: &Args, body: &Group) -> Group {
    let named = function.arguments.iter().filter(|argument| matches!(*argument.param.pat, Pat::Ident(_)));
    let in_key = |name: &&Ident| args.key.as_ref().is_some_and(|key| mentions(key, &|word| word == *name));
    let used: Vec<&Ident> = named.map(|argument| &argument.name).filter(in_key).collect();
    if used.is_empty() {
        return body.clone();
    }
    let text = body.stream();
    let mut body_with_key = Group::new(Delimiter::Brace, quote!(#(let _ = &#used;)* #text));
    body_with_key.set_span(body.span());
    body_with_key
}

/// A reference to the database, or to a key: one to a reference, a `LazyLock` or an `Arc` coerces to `&Database`.
fn lend(expr: &Expr) -> TokenStream {
    // The place is the user's, so that a wrong type is reported there; the hygiene is ours, so that no lint takes the reference
    // and the parentheses, without which `a + b` would fall apart, for the user's.
    let span = Span::mixed_site().located_at(expr.span());
    quote_spanned!(span=> &(#expr))
}

/// `.method(value)`.
fn call(setting: &Setting, runtime: &Path) -> TokenStream {
    let method = Ident::new(setting.method, Span::call_site());
    let value = match &setting.value {
        Value::Constant(constant) => {
            let [ty, name] = [constant.ty, constant.name].map(|word| Ident::new(word, Span::call_site()));
            quote!(#runtime::#ty::#name)
        }
        Value::Nothing => TokenStream::new(),
        Value::Written(tokens) => tokens.clone(),
        Value::Duration(duration) => {
            let (secs, nanos) = (duration.as_secs(), duration.subsec_nanos());
            quote!(::core::time::Duration::new(#secs, #nanos))
        }
        Value::Policy(settings) => {
            let settings = settings.iter().map(|setting| call(setting, runtime));
            quote!(#runtime::Retry::DEFAULT #(#settings)*)
        }
    };
    quote!(.#method(#value))
}

/// The arguments, each made fit for its attempts: `(first, (second, ()))`.
fn values(function: &UnitFn, args: &Args) -> TokenStream {
    let runtime = &args.runtime;
    function.arguments.iter().rev().fold(quote!(()), |rest, Argument { name, param }| {
        let ty = erased(&param.ty);
        let entry = match args.attempts {
            Attempts::One => "once",
            Attempts::Several if is_generic(&param.ty, function) => "cloned_for_each_attempt",
            Attempts::Several => "replayable",
        };
        // All of the call stands at the type, so that every compiler reports there what the type lacks.
        let place = param.ty.span();
        let (library, here) = (placed(runtime.to_token_stream(), place), Span::call_site().located_at(place));
        let entry = Ident::new(entry, here);
        quote_spanned!(here=> (#library::__private::#entry::<#ty>(#name), #rest))
    })
}

/// The tokens at that place in the source; what their names mean stays as it is.
fn placed(tokens: TokenStream, place: Span) -> TokenStream {
    let placed = tokens.into_iter().map(|mut token| {
        token.set_span(token.span().located_at(place));
        token
    });
    placed.collect()
}

/// The body's parameters: the transaction, and the arguments by the user's own patterns.
fn parameters(function: &UnitFn, runtime: &Path) -> TokenStream {
    let patterns = function.arguments.iter().rev().fold(quote!(()), |rest, argument| {
        let pat = &argument.param.pat;
        quote!((#runtime::__private::Again(#pat, _), #rest))
    });
    let lints = function.arguments.iter().flat_map(|argument| &argument.param.attrs).filter(|attr| is_lint(attr));
    let tx = function.tx.as_ref().map_or_else(|| quote!(_: &mut #runtime::Tx<'_>), ToTokens::to_token_stream);
    quote!(#tx, #(#lints)* #patterns)
}

/// What the body's errors ask for, which the user's patterns alone decide.
fn judge(args: &Args) -> TokenStream {
    let runtime = &args.runtime;
    if let (None, None) = (&args.commit_on, &args.retry_on) {
        return quote!(#runtime::__private::roll_back);
    }
    let commit = args.commit_on.as_ref().map(|pattern| quote!(#pattern => #runtime::__private::OnError::Commit,));
    let again = args.retry_on.as_ref().map(|pattern| quote!(#pattern => #runtime::__private::OnError::RunAgain,));
    // With the macro's hygiene no condition can name it. A constant of that name would be meant all the same.
    let error = Ident::new("__unit_of_work_error", Span::mixed_site());
    quote!(|#error| match #error { #commit #again _ => #runtime::__private::OnError::RollBack })
}

/// Whether the type names one of the function's type parameters, or is one without a name. Those of the `impl` around a method are
/// not seen from there: a single capital letter is taken for one. Only the wording of an error depends on it.
fn is_generic(ty: &Type, function: &UnitFn) -> bool {
    let parameters: Vec<&Ident> = function.sig.generics.type_params().map(|param| &param.ident).collect();
    mentions(ty, &|word| word == "impl" || parameters.contains(&word) || is_a_capital_letter(word))
}

fn is_a_capital_letter(word: &Ident) -> bool {
    let word = word.to_string();
    let mut letters = word.chars();
    letters.next().is_some_and(char::is_uppercase) && letters.all(|rest| rest.is_ascii_digit())
}

/// The type for places where `impl Trait` may not stand: there it is inferred.
fn erased(ty: &Type) -> Type {
    struct Erase;
    impl VisitMut for Erase {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            match ty {
                Type::ImplTrait(found) => {
                    *ty = Type::Infer(TypeInfer {
                        attrs: Vec::new(),
                        underscore_token: Token![_](found.impl_token.span),
                    });
                }
                _ => visit_mut::visit_type_mut(self, ty),
            }
        }
    }
    let mut ty = ty.clone();
    Erase.visit_type_mut(&mut ty);
    ty
}

/// The parameters that callers see.
fn visible(function: &UnitFn) -> Punctuated<FnArg, Token![,]> {
    let receiver = function.receiver.iter().cloned().map(FnArg::Receiver);
    let arguments = function.arguments.iter().map(|Argument { name, param }| {
        // A lint level speaks of the pattern, which is the body's.
        let attrs = param.attrs.iter().filter(|attr| !is_lint(attr)).cloned().collect();
        let ident = PatIdent { attrs: Vec::new(), by_ref: None, mutability: None, ident: name.clone(), subpat: None };
        FnArg::Typed(PatType { attrs, pat: Box::new(Pat::Ident(ident)), ..param.clone() })
    });
    receiver.chain(arguments).collect()
}

fn is_lint(attr: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"].iter().any(|level| attr.path().is_ident(level))
}

/// What a function with a refused signature becomes: itself, without the transaction as a parameter, so that neither its callers
/// nor its body get errors that follow from the refusal.
fn stand_in(function: &UnitFn, runtime: &Path) -> TokenStream {
    let UnitFn { attrs, vis, sig, .. } = function;
    let parameters = function.tx.iter().chain(function.arguments.iter().map(|argument| &argument.param));
    let is_first = |param| function.tx.as_ref().is_some_and(|tx| std::ptr::eq(tx, param));
    let is_supplied = |param: &&PatType| is_tx_type(&param.ty) || (is_first(*param) && is_lent(&param.ty));
    let (supplied, passed): (Vec<&PatType>, Vec<&PatType>) = parameters.partition(is_supplied);
    let receiver = function.receiver.iter().cloned().map(FnArg::Receiver);
    let passed = passed.into_iter().cloned().map(FnArg::Typed);
    let inputs: Punctuated<FnArg, Token![,]> = receiver.chain(passed).collect();
    let output = if inputs.is_empty() { outliving(&sig.output) } else { sig.output.clone() };
    let signature = Signature { constness: None, inputs, output, ..sig.clone() };
    let transactions = supplied.iter().map(|tx| {
        let (pat, ty) = (&tx.pat, lent(&tx.ty));
        quote!(let #pat: #ty = #runtime::__private::refused();)
    });
    match &function.body {
        // Among its own statements: in a block around them the body's would be one too many.
        Body::Block(body) | Body::Expanded(body) => {
            let mut with_tx = Group::new(Delimiter::Brace, transactions.chain([body.stream()]).collect());
            with_tx.set_span(body.span());
            quote!(#(#attrs)* #vis #signature #with_tx)
        }
        Body::Missing(semicolon) => quote!(#(#attrs)* #vis #signature #semicolon),
    }
}

/// Whether what is called like a transaction may be one by another name; anything else is what callers pass.
fn is_lent(ty: &Type) -> bool {
    matches!(bare(ty), Type::Reference(reference) if reference.mutability.is_some())
}

/// The transaction's type as it should have been written: the body was written for that.
fn lent(ty: &Type) -> TokenStream {
    match bare(ty) {
        Type::Reference(reference) if reference.mutability.is_none() => {
            let (and, lifetime, elem) = (reference.and_token, &reference.lifetime, &reference.elem);
            quote!(#and #lifetime mut #elem)
        }
        ty if is_tx_type(ty) && !matches!(ty, Type::Reference(_)) => quote!(&mut #ty),
        ty => ty.to_token_stream(),
    }
}

/// The return type with every lifetime that was left out, and that no parameter could give, as `'static`.
fn outliving(output: &ReturnType) -> ReturnType {
    struct Outlive;
    impl VisitMut for Outlive {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident == "_" {
                *lifetime = Lifetime::new("'static", lifetime.span());
            }
        }

        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            let and = reference.and_token.span;
            reference.lifetime.get_or_insert_with(|| Lifetime::new("'static", and));
            visit_mut::visit_type_reference_mut(self, reference);
        }
    }
    let mut output = output.clone();
    Outlive.visit_return_type_mut(&mut output);
    output
}
