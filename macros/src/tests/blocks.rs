//! `impl` blocks: which functions become units, what they inherit, where mistakes are told.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{ImplItem, Item, ItemImpl, LitStr};

use super::text;
use crate::expand::unit_of_work;

/// The messages of a block: those before it, then those of its functions; and the functions as text.
fn expanded(arguments: TokenStream, item: &TokenStream) -> (Vec<String>, Vec<String>) {
    let output: syn::File = syn::parse2(unit_of_work(arguments, item)).expect("the output is a list of items");
    let (mut messages, mut functions) = (Vec::new(), Vec::new());
    let message = |mac: &syn::Macro| mac.parse_body::<LitStr>().expect("an error has a message").value();
    for item in output.items {
        match item {
            Item::Macro(item) => messages.push(message(&item.mac)),
            Item::Impl(ItemImpl { items, .. }) => {
                for item in items {
                    match item {
                        ImplItem::Macro(item) => messages.push(message(&item.mac)),
                        item => functions.push(text(&item.to_token_stream())),
                    }
                }
            }
            item => panic!("not expected: {}", item.to_token_stream()),
        }
    }
    (messages, functions)
}

/// A block with one function, which says `own`.
fn block(own: &TokenStream) -> TokenStream {
    quote!(
        impl Accounts {
            #own
            fn open(&self, tx: &mut Tx<'_>, order: Order) -> Result<(), Error> {
                tx.query_drop("INSERT INTO t VALUES (1)")
            }
        }
    )
}

#[track_caller]
fn assert_same(arguments: TokenStream, own: &TokenStream, alone: &TokenStream) {
    let (messages, functions) = expanded(arguments, &block(own));
    let (expected_messages, expected) = expanded(quote!(), &block(&quote!(#[unit_of_work(#alone)])));
    assert_eq!(messages, [""; 0]);
    assert_eq!(expected_messages, [""; 0]);
    assert_eq!(functions, expected);
}

#[test]
fn a_function_inherits_what_it_does_not_say() {
    assert_same(quote!(timeout = "2s"), &quote!(), &quote!(timeout = "2s"));
    assert_same(quote!(timeout = "2s"), &quote!(#[unit_of_work]), &quote!(timeout = "2s"));
    assert_same(quote!(timeout = "2s"), &quote!(#[unit_of_work(timeout = "1s")]), &quote!(timeout = "1s"));
    assert_same(quote!(read_only), &quote!(#[unit_of_work(access = "read write")]), &quote!(access = "read write"));
    assert_same(quote!(isolation = L), &quote!(#[unit_of_work(timeout = T)]), &quote!(timeout = T, isolation = L));
    assert_same(quote!(crate = c), &quote!(#[c::unit_of_work(retry = "never")]), &quote!(retry = "never", crate = c));
}

#[test]
fn what_does_not_fit_a_function_is_left_out() {
    for mode in ["supports", "not_supported", "never"] {
        assert_same(
            quote!(isolation = "serializable", retry(max_attempts = 3), retry_on(E::Busy)),
            &quote!(#[unit_of_work(propagation = #mode)]),
            &quote!(propagation = #mode),
        );
    }
    assert_same(
        quote!(isolation = "serializable", retry(max_attempts = 3), retry_on(E::Busy)),
        &quote!(#[unit_of_work(propagation = "mandatory")]),
        &quote!(propagation = "mandatory", isolation = "serializable"),
    );
    assert_same(quote!(isolation = "serializable"), &quote!(#[unit_of_work(snapshot)]), &quote!(snapshot));
    assert_same(quote!(snapshot), &quote!(#[unit_of_work(snapshot = false)]), &quote!());
    assert_same(quote!(retry = "never"), &quote!(#[unit_of_work(retry_on(E::Busy))]), &quote!(retry_on(E::Busy)));
    assert_same(quote!(retry_on(E::Busy)), &quote!(#[unit_of_work(retry = "never")]), &quote!(retry = "never"));
    assert_same(quote!(repeatable), &quote!(), &quote!());
    assert_same(quote!(allow(write)), &quote!(), &quote!());
    assert_same(quote!(exactly_once), &quote!(#[unit_of_work(exactly_once = false)]), &quote!());
    assert_same(quote!(exactly_once), &quote!(), &quote!(exactly_once));
    assert_same(
        quote!(propagation = "requires_new"),
        &quote!(#[unit_of_work(repeatable)]),
        &quote!(repeatable, propagation = "requires_new"),
    );
    assert_same(quote!(repeatable), &quote!(#[unit_of_work(db = d)]), &quote!(db = d, repeatable));
    assert_same(quote!(allow(write)), &quote!(#[unit_of_work(read_only)]), &quote!(read_only, allow(write)));
}

#[test]
fn what_a_function_cannot_inherit_is_told_there() {
    let says = |name| format!("the block says `{name}`, so write `{name} = false` here");
    let snapshot = format!("with this `propagation` the unit begins no transaction: {}", says("snapshot"));
    let (messages, _) = expanded(quote!(snapshot), &block(&quote!(#[unit_of_work(propagation = "never")])));
    assert_eq!(messages, [snapshot]);
    let (messages, _) = expanded(quote!(exactly_once), &block(&quote!(#[unit_of_work(read_only)])));
    let twice = "a unit that is read only has nothing that could be committed twice:";
    assert_eq!(messages[0], format!("{twice} {}", says("exactly_once")));
    let level = "`snapshot` implies `repeatable read`, and servers ignore it elsewhere: leave `isolation` out, or write \
                 `snapshot = false`, since the block says it";
    let (messages, _) = expanded(quote!(snapshot), &block(&quote!(#[unit_of_work(isolation = "serializable")])));
    assert_eq!(messages, [level]);
}

#[test]
fn functions_without_a_transaction_stay_unless_they_carry_the_attribute() {
    let item = quote!(
        impl<const N: usize> Trait<{ N + 1 }> for Accounts<N> {
            #![allow(unused)]
            const SIZE: usize = { N };
            type Of = [u8; 3];
            some_macro! { fn inside(tx: &mut Tx) {} }
            other_macro!(1);
            fn helper(&self) -> u8 { #![allow(unused)] 1 }
            #[unit_of_work(skip)]
            fn skipped(&self, tx: &mut Tx<'_>) -> u8 { 2 }
            #[persistence::unit_of_work]
            fn around(&self) -> Result<(), Error> { BODY }
            fn still_being_wri(&self, tx: &mut) -> Result { 3 }
            const unsafe fn still_being_written_too(tx: &mut) -> u8 { 3 }
            const _: () = { assert!(true) };
            fn behind(&self, tx: &mut Tx<'_>) -> Result<(), Error> { BODY }
        }
    );
    let output = text(&unit_of_work(quote!(), &item));
    for kept in [
        quote!(impl<const N: usize> Trait<{ N + 1 }> for Accounts<N>),
        quote!(#![allow(unused)] const SIZE: usize = { N }; type Of = [u8; 3];),
        quote!(some_macro! { fn inside(tx: &mut Tx) {} } other_macro!(1);),
        quote!(
            fn helper(&self) -> u8 {
                #![allow(unused)]
                1
            }
        ),
        quote!(
            fn skipped(&self, tx: &mut Tx<'_>) -> u8 {
                2
            }
        ),
        quote!(fn still_being_wri(&self, tx: &mut) -> Result { 3 }),
    ] {
        assert!(output.contains(&text(&kept)), "{kept}\n{output}");
    }
    assert_eq!(output.matches("__private::run").count(), 2, "{output}");
    assert!(!output.contains("[unit_of_work") && !output.contains("::unit_of_work]"), "{output}");
}

#[test]
fn mistakes_in_a_block_are_told_once_and_nothing_follows_from_them() {
    let two = quote!(
        impl Accounts {
            fn open(&self, tx: &mut Tx<'_>, all: &mut Orders) -> Result<(), Error> {
                tx.query_drop("COMMIT")
            }
            #[unit_of_work(retry_on(E::Busy))]
            fn close(&self, tx: &mut Tx<'_>, all: &mut Orders) -> Result<(), Error> {
                tx.query_drop("COMMIT")
            }
        }
    );
    for (arguments, message) in [
        (quote!(isolaton = "serializable"), "unknown argument `isolaton`; did you mean `isolation`?"),
        (
            quote!(name = "all"),
            "each function of the block is a unit of its own: put `name` on one of them, `#[unit_of_work(name = …)]`",
        ),
        (
            quote!(propagation = "never", isolation = "serializable"),
            "with this `propagation` the unit begins no transaction: leave `isolation` out",
        ),
    ] {
        let (messages, functions) = expanded(arguments, &two);
        assert_eq!(messages, [message]);
        assert!(functions.iter().all(|function| function.contains("__private::once")), "{functions:?}");
    }
}

#[test]
fn mistakes_of_a_function_under_a_condition_are_under_it_too() {
    let item = quote!(
        impl Accounts {
            #[cfg(old)]
            #[unit_of_work(naem = "a")]
            async fn open(&self, tx: &mut Tx<'_>) -> Result<(), Error> {}
        }
    );
    let output = text(&unit_of_work(quote!(), &item));
    assert_eq!(output.matches("compile_error!").count(), 2, "{output}");
    assert_eq!(output.matches("#[cfg(old)]::core::compile_error!").count(), 2, "{output}");
}

#[test]
fn an_attribute_under_a_condition_makes_two_functions() {
    let conditional = quote!(#[cfg_attr(old, cold, unit_of_work(snapshot))]);
    let (messages, functions) = expanded(quote!(timeout = "1s"), &block(&conditional));
    assert_eq!(messages, [""; 0]);
    let [with, without] = functions.as_slice() else { panic!("{functions:?}") };
    assert!(with.starts_with("#[cfg(old)]#[cold]fnopen(") && with.contains(".snapshot().timeout("), "{with}");
    assert!(without.starts_with("#[cfg(not(old))]fnopen(") && without.contains(")).timeout("), "{without}");
}

#[test]
fn an_attribute_with_a_value_is_no_attribute_without_arguments() {
    let (messages, _) = expanded(quote!(), &block(&quote!(#[unit_of_work = "read_only"])));
    assert_eq!(messages, ["arguments stand in parentheses: `#[unit_of_work(read_only)]`"]);
}

#[test]
fn mistakes_of_functions_are_all_told() {
    let (messages, functions) = expanded(
        quote!(timeout = "1s"),
        &quote!(
            impl Accounts {
                #[unit_of_work(naem = "a")]
                fn open(&self, tx: &mut Tx<'_>) -> Result<(), Error> {}
                async fn close(&self, tx: &mut Tx<'_>) -> Result<(), Error> {}
                fn end(&self, tx: &mut Tx<'_>) -> Result<(), Error> { tx.query_drop("ROLLBACK") }
                fn fine(&self, tx: &mut Tx<'_>) -> Result<(), Error> { tx.query_drop("SELECT 1") }
            }
        ),
    );
    assert_eq!(messages.len(), 3, "{messages:?}");
    assert_eq!(functions.len(), 4);
}

#[test]
fn a_unit_is_not_made_twice() {
    let once = unit_of_work(quote!(), &super::transfer());
    let output = text(&unit_of_work(quote!(isolation = "serializable"), &once));
    assert!(output.contains("isaunitofworkalready"), "{output}");
    assert!(output.ends_with(&text(&once)), "{output}");
    let lent = text(&unit_of_work(quote!(), &unit_of_work(quote!(db = d), &super::transfer())));
    assert!(lent.contains("isaunitofworkalready"), "{lent}");
    let anothers = quote!(
        fn f(tx: &mut Tx<'_>) -> Result<u8, Error> {
            serde::__private::from(self.__private)
        }
    );
    assert_eq!(super::split(quote!(), &anothers).0, [""; 0]);
}
