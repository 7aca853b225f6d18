//! Which arguments contradict each other and what a signature may not be, one small function per rule: each says at the user's
//! own token what to write instead. Only what spelling can tell is here; types are checked by the compiler, through the bounds in `runtime/src/private.rs`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Error, Lifetime, ParenthesizedGenericArguments, ReceiverKind, ReturnType, Type, TypeFnPtr, TypeReference,
};

use crate::args::{Args, Attempts, Given, Mode, Origin};
use crate::errors::Errors;
use crate::function::{Body, UnitFn, bare, is_tx_type};

type ArgumentRule = fn(&Args, &mut Errors);
type Rule = fn(&UnitFn, &mut Errors);

/// Rules for arguments that do not go together.
const CONTRADICTIONS: &[ArgumentRule] = &[
    nothing_to_isolate,
    nothing_to_run_again,
    never_runs_again,
    never_kept_waiting,
    nothing_to_commit_twice,
    snapshot_has_its_own_level,
];

/// Rules for arguments that need another one.
const INCOMPLETE: &[ArgumentRule] = &[repeatable_ends_on_its_own, only_readers_are_allowed_to_write];

/// Rules for every unit.
const ALWAYS: &[Rule] = &[
    not_const,
    not_async,
    has_a_body,
    returns_something,
    transaction_comes_first,
    transaction_is_lent,
    transaction_has_no_lifetime,
    result_borrows_from_an_argument,
    parameters_are_unconditional,
];

/// Rules for units that may run a second time.
const WHILE_RETRIED: &[Rule] = &[no_mutable_reference, no_mutable_self];

pub(crate) fn check(function: &UnitFn, args: &Args, errors: &mut Errors) {
    let retried = match args.attempts {
        Attempts::Several => WHILE_RETRIED,
        Attempts::One => &[],
    };
    ALWAYS.iter().chain(retried).for_each(|rule| rule(function, errors));
}

pub(crate) fn check_arguments(args: &Args, errors: &mut Errors) {
    // What is missing may stand in an argument that could not be read.
    let incomplete = if errors.is_empty() { INCOMPLETE } else { &[] };
    CONTRADICTIONS.iter().chain(incomplete).for_each(|rule| rule(args, errors));
}

/// What a block says for all of its functions may be completed or contradicted by each of them.
pub(crate) fn check_block(args: &Args, errors: &mut Errors) {
    for rule in CONTRADICTIONS {
        rule(args, errors);
    }
}

fn nothing_to_isolate(args: &Args, errors: &mut Errors) {
    if args.mode == Mode::Without {
        for given in ["isolation", "snapshot", "exactly_once"].iter().filter_map(|name| args.given(name)) {
            let message = format!("with this `propagation` the unit begins no transaction: {}", leave_out(given));
            errors.push(Error::new(given.name.span(), message));
        }
    }
}

/// Of what a block gives, only switches contradict: the rest is left out where it does not fit.
fn leave_out(given: &Given) -> String {
    let name = &given.name;
    match given.origin {
        Origin::Function => format!("leave `{name}` out"),
        Origin::Block => format!("the block says `{name}`, so write `{name} = false` here"),
    }
}

/// `retry = "never"` says what is so anyway, and may stay.
fn nothing_to_run_again(args: &Args, errors: &mut Errors) {
    if !args.mode.may_own_a_transaction() {
        let retry = args.named("retry").filter(|_| !is_never_retried(args));
        for name in retry.into_iter().chain(args.named("retry_on")) {
            let message = format!(
                "with this `propagation` the unit has no transaction of its own that could run again: leave `{name}` out"
            );
            errors.push(Error::new(name.span(), message));
        }
    }
}

fn never_runs_again(args: &Args, errors: &mut Errors) {
    if let (true, true, Some(name)) =
        (args.mode.may_own_a_transaction(), is_never_retried(args), args.named("retry_on"))
    {
        let message = "`retry = \"never\"` permits no other attempt: leave `retry_on` out, or `retry`";
        errors.push(Error::new(name.span(), message));
    }
}

fn never_kept_waiting(args: &Args, errors: &mut Errors) {
    if let (false, Some(name)) = (args.mode.may_own_a_transaction(), args.named("contention")) {
        let message =
            "with this `propagation` the unit begins no transaction that could be kept waiting: leave `contention` out";
        errors.push(Error::new(name.span(), message));
    }
}

fn nothing_to_commit_twice(args: &Args, errors: &mut Errors) {
    if let (Some("ReadOnly"), Some(given)) = (args.constant("access"), args.given("exactly_once")) {
        let message =
            format!("a unit that is read only has nothing that could be committed twice: {}", leave_out(given));
        errors.push(Error::new(given.name.span(), message));
    }
}

fn is_never_retried(args: &Args) -> bool {
    args.constant("retry").is_some()
}

/// A path is refused too: what it stands for is not known here, and the level it names would silently count for nothing.
fn snapshot_has_its_own_level(args: &Args, errors: &mut Errors) {
    let is_another = args.mode != Mode::Without && args.constant("isolation") != Some("RepeatableRead");
    if let (true, Some(snapshot), Some(name)) = (is_another, args.given("snapshot"), args.named("isolation")) {
        let otherwise = match snapshot.origin {
            Origin::Function => "or `snapshot`",
            Origin::Block => "or write `snapshot = false`, since the block says it",
        };
        let message = format!(
            "`snapshot` implies `repeatable read`, and servers ignore it elsewhere: leave `isolation` out, {otherwise}"
        );
        errors.push(Error::new(name.span(), message));
    }
}

fn repeatable_ends_on_its_own(args: &Args, errors: &mut Errors) {
    let ends_with_another = args.database.is_none() && !args.mode.may_end_inside_another();
    if let (true, Some(name)) = (ends_with_another, args.named("repeatable")) {
        let message = "inside another unit this one never ends on its own: leave `repeatable` out, \
                       or add `propagation = \"requires_new\"`";
        errors.push(Error::new(name.span(), message));
    }
}

fn only_readers_are_allowed_to_write(args: &Args, errors: &mut Errors) {
    let may_write = matches!(args.constant("access"), Some("ReadWrite"))
        || ["access", "read_only"].iter().all(|name| args.named(name).is_none());
    if let (true, Some(name)) = (may_write, args.named("allow")) {
        let message = "`allow(write)` is for a unit that is `read_only` and writes temporary tables: add `read_only`, \
                       or leave it out";
        errors.push(Error::new(name.span(), message));
    }
}

fn not_const(function: &UnitFn, errors: &mut Errors) {
    if let Some(keyword) = &function.sig.constness {
        errors.push(Error::new_spanned(
            keyword,
            "a unit of work talks to a database and cannot be `const`: remove `const`",
        ));
    }
}

fn not_async(function: &UnitFn, errors: &mut Errors) {
    if let Some(keyword) = &function.sig.asyncness {
        let message = "a unit of work is bound to one thread and cannot be `async`: write a plain `fn` \
                       and call it where blocking is allowed (in tokio: `spawn_blocking`)";
        errors.push(Error::new_spanned(keyword, message));
    }
}

fn has_a_body(function: &UnitFn, errors: &mut Errors) {
    if let Body::Missing(semicolon) = &function.body {
        let message = "a unit of work needs a body: put `#[unit_of_work]` on the method where it is implemented, \
                       or give this one a default body";
        errors.push(Error::new_spanned(semicolon, message));
    }
}

fn returns_something(function: &UnitFn, errors: &mut Errors) {
    if matches!(function.sig.output, ReturnType::Default) {
        let message = "a unit of work must return `Result<T, E>`: `Ok` commits and `Err` rolls back; \
                       write `-> Result<(), E>`, with an `E` that is `From<unit_of_work::Error>` and `Debug`";
        errors.push(Error::new_spanned(&function.sig.ident, message));
    }
}

fn transaction_comes_first(function: &UnitFn, errors: &mut Errors) {
    for argument in function.arguments.iter().filter(|argument| is_tx_type(&argument.param.ty)) {
        let message = if function.tx.is_some() {
            "a unit of work has one transaction, its first parameter: remove this one"
        } else {
            "the transaction is the first parameter of a unit of work (after `self`): move it there"
        };
        errors.push(Error::new_spanned(&argument.param, message));
    }
}

fn transaction_is_lent(function: &UnitFn, errors: &mut Errors) {
    let Some(tx) = &function.tx else { return };
    match bare(&tx.ty) {
        Type::Reference(reference) if reference.mutability.is_some() => {}
        Type::Reference(_) if is_tx_type(&tx.ty) => {
            let message = "statements need the transaction for themselves: write `&mut Tx`";
            errors.push(Error::new_spanned(&tx.ty, message));
        }
        ty if is_tx_type(ty) => {
            let message = "the transaction is lent to the unit, which ends it when the body returns: write `&mut Tx`";
            errors.push(Error::new_spanned(ty, message));
        }
        ty => {
            let message = "the first parameter is called `tx`, the name of a unit's transaction: \
                           write `tx: &mut Tx`, or give this parameter another name";
            errors.push(Error::new_spanned(ty, message));
        }
    }
}

fn transaction_has_no_lifetime(function: &UnitFn, errors: &mut Errors) {
    let Some(tx) = &function.tx else { return };
    if let Some(named) = Lifetimes::of(&tx.ty).named.first() {
        let message = "the transaction lives as long as one attempt, which no caller can name: \
                       write `&mut Tx` or `&mut Tx<'_>`";
        errors.push(Error::new(named.span(), message));
    }
}

/// Without the transaction the compiler would speak of a signature that nobody wrote (E0106), so the case is told here: nothing
/// but the transaction is left that the result could borrow from.
fn result_borrows_from_an_argument(function: &UnitFn, errors: &mut Errors) {
    let ReturnType::Type(_, ty) = &function.sig.output else { return };
    let is_all_there_is = function.tx.is_some() && function.receiver.is_none() && function.arguments.is_empty();
    if let (true, Some(token)) = (is_all_there_is, Lifetimes::of(ty).elided.first()) {
        let message = "a unit's result cannot borrow from its transaction, which is over when the caller gets it: \
                       return an owned value, or `&'static` if it is that";
        errors.push(Error::new_spanned(token, message));
    }
}

fn parameters_are_unconditional(function: &UnitFn, errors: &mut Errors) {
    let params = function.tx.iter().chain(function.arguments.iter().map(|argument| &argument.param));
    for attr in params.flat_map(|param| &param.attrs).filter(|attr| is_condition(attr)) {
        let message = "a unit of work passes each of its parameters on: put the condition on the whole function";
        errors.push(Error::new_spanned(attr, message));
    }
}

fn is_condition(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr")
}

const LEFTOVERS: &str = "a second attempt would see what the first one left";

fn no_mutable_reference(function: &UnitFn, errors: &mut Errors) {
    for argument in &function.arguments {
        if !is_tx_type(&argument.param.ty) && holds_a_mutable_reference(&argument.param.ty) {
            let message = format!(
                "{LEFTOVERS}: take the value by `&`, change a clone of it in the body and return that, or say `retry = \"never\"`"
            );
            errors.push(Error::new_spanned(&argument.param.ty, message));
        }
    }
}

/// In the open or in a tuple, an `Option` and so on. Behind `&` it cannot be used, and what stands in `Fn(…)` is no argument of
/// this function.
fn holds_a_mutable_reference(ty: &Type) -> bool {
    struct Search(bool);
    impl VisitMut for Search {
        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            self.0 |= reference.mutability.is_some();
        }
        fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}
        fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
    }
    let mut search = Search(false);
    search.visit_type_mut(&mut ty.clone());
    search.0
}

fn no_mutable_self(function: &UnitFn, errors: &mut Errors) {
    let Some(receiver) = &function.receiver else { return };
    let is_mutable = match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => mutability.is_some(),
        ReceiverKind::Typed(_, ty) => matches!(bare(ty), Type::Reference(reference) if reference.mutability.is_some()),
        _ => false,
    };
    if is_mutable || receiver.mutability.is_some() {
        let message = format!(
            "{LEFTOVERS}: take `&self`, change a clone of it in the body and return that, or say `retry = \"never\"`"
        );
        errors.push(Error::new_spanned(receiver, message));
    }
}

/// The lifetimes that a type spells, and the references where it leaves one out.
#[derive(Default)]
struct Lifetimes {
    named: Vec<Lifetime>,
    elided: Vec<TokenStream>,
}

impl Lifetimes {
    fn of(ty: &Type) -> Self {
        let mut found = Self::default();
        found.visit_type_mut(&mut ty.clone());
        found
    }
}

impl VisitMut for Lifetimes {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            self.elided.push(lifetime.to_token_stream());
        } else {
            self.named.push(lifetime.clone());
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            self.elided.push(reference.and_token.to_token_stream());
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }

    // `Fn(&T) -> &U` and `fn(&T) -> &U` leave out lifetimes of their own.
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
}
