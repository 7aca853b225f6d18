//! The attribute as a function from tokens to tokens: what is printed, and what each mistake is answered with. Whether the
//! output compiles, and where its messages point, is tested with a compiler in `tests/compile-fail`.

#![expect(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{File, Item, LitStr};

use crate::expand::unit_of_work;

mod arguments;
mod blocks;
mod contradictions;
mod documentation;
mod expansions;
mod literals;
mod random;

/// The tokens as text, for which the space between them does not count.
fn text(tokens: &TokenStream) -> String {
    tokens.to_string().split_whitespace().collect()
}

#[track_caller]
fn assert_expands(arguments: TokenStream, item: &TokenStream, expected: &TokenStream) {
    let expanded = unit_of_work(arguments, item);
    assert_eq!(text(&expanded), text(expected), "\n{expanded}");
}

/// The messages in the output, and the output without them.
fn split(arguments: TokenStream, item: &TokenStream) -> (Vec<String>, TokenStream) {
    let output: File = syn::parse2(unit_of_work(arguments, item)).expect("the output is a list of items");
    let (mut messages, mut rest) = (Vec::new(), TokenStream::new());
    for item in output.items {
        match item {
            Item::Macro(item) => {
                assert_eq!(text(&item.mac.path.to_token_stream()), "::core::compile_error");
                messages.push(item.mac.parse_body::<LitStr>().expect("an error has a message").value());
            }
            item => item.to_tokens(&mut rest),
        }
    }
    (messages, rest)
}

#[track_caller]
fn assert_messages(arguments: TokenStream, item: &TokenStream, expected: &[&str]) {
    assert_eq!(split(arguments, item).0, expected);
}

/// A function without a mistake.
fn transfer() -> TokenStream {
    quote!(
        fn transfer(tx: &mut Tx<'_>) -> Result<(), Error> {
            BODY
        }
    )
}

/// The expansion of [`transfer`] with these settings, this entry and this judge of errors.
fn expanded_transfer(settings: &TokenStream, entry: &TokenStream, judge: &TokenStream) -> TokenStream {
    quote! {
        fn transfer() -> Result<(), Error> {
            #entry(
                {
                    static __UNIT_OF_WORK: ::unit_of_work::__private::Unit = ::unit_of_work::__private::Unit::new(
                        "transfer", ::core::file!(), ::core::line!()
                    ) #settings;
                    &__UNIT_OF_WORK
                },
                (),
                |tx: &mut Tx<'_>, ()| -> Result<(), Error> { BODY },
                #judge
            )
        }
    }
}

#[track_caller]
fn assert_settings(arguments: TokenStream, settings: &TokenStream) {
    let entry = quote!(::unit_of_work::__private::run::<_, Result<(), Error>, _, _, _>);
    let judge = quote!(::unit_of_work::__private::roll_back);
    assert_expands(arguments, &transfer(), &expanded_transfer(settings, &entry, &judge));
}

#[track_caller]
fn assert_judges(arguments: TokenStream, arms: &TokenStream) {
    let entry = quote!(::unit_of_work::__private::run::<_, Result<(), Error>, _, _, _>);
    let judge = quote!(|__unit_of_work_error| match __unit_of_work_error { #arms _ => ::unit_of_work::__private::OnError::RollBack });
    assert_expands(arguments, &transfer(), &expanded_transfer(&quote!(), &entry, &judge));
}

#[test]
fn a_function_becomes_one_call() {
    let item = quote! {
        /// Moves money.
        #[must_use]
        pub(crate) unsafe fn r#move<'a, K: Key>(
            &self, tx: &mut Tx<'_>, from: K, mut name: &'a str, (a, b): (i64, i64), _unused: impl Into<String>
        ) -> Result<(&'a str, impl Debug), BankError> where K: Clone { half.written. }
    };
    let expected = quote! {
        /// Moves money.
        #[must_use]
        pub(crate) unsafe fn r#move<'a, K: Key>(
            &self, from: K, name: &'a str, argument_2: (i64, i64), _unused: impl Into<String>
        ) -> Result<(&'a str, impl Debug), BankError> where K: Clone {
            ::unit_of_work::__private::run::<_, Result<(&'a str, _), BankError>, _, _, _>(
                {
                    static __UNIT_OF_WORK: ::unit_of_work::__private::Unit =
                        ::unit_of_work::__private::Unit::new("move", ::core::file!(), ::core::line!());
                    &__UNIT_OF_WORK
                },
                (::unit_of_work::__private::cloned_for_each_attempt::<K>(from),
                    (::unit_of_work::__private::replayable::<&'a str>(name),
                        (::unit_of_work::__private::replayable::<(i64, i64)>(argument_2),
                            (::unit_of_work::__private::cloned_for_each_attempt::<_>(_unused), ())))),
                |tx: &mut Tx<'_>,
                    (::unit_of_work::__private::Again(from, _),
                        (::unit_of_work::__private::Again(mut name, _),
                            (::unit_of_work::__private::Again((a, b), _),
                                (::unit_of_work::__private::Again(_unused, _), ()))))|
                    -> Result<(&'a str, _), BankError> { half.written. },
                ::unit_of_work::__private::roll_back
            )
        }
    };
    assert_expands(quote!(), &item, &expected);
}

#[test]
fn a_function_without_a_transaction_is_a_unit() {
    let item = quote!(
        fn count(of: u8) -> Result<u8, Error> {
            BODY
        }
    );
    let expected = quote! {
        fn count(of: u8) -> Result<u8, Error> {
            ::unit_of_work::__private::run::<_, Result<u8, Error>, _, _, _>(
                {
                    static __UNIT_OF_WORK: ::unit_of_work::__private::Unit =
                        ::unit_of_work::__private::Unit::new("count", ::core::file!(), ::core::line!());
                    &__UNIT_OF_WORK
                },
                (::unit_of_work::__private::replayable::<u8>(of), ()),
                |_: &mut ::unit_of_work::Tx<'_>, (::unit_of_work::__private::Again(of, _), ())| -> Result<u8, Error> { BODY },
                ::unit_of_work::__private::roll_back
            )
        }
    };
    assert_expands(quote!(), &item, &expected);
}

#[test]
fn patterns_decide_what_an_error_asks_for() {
    assert_judges(
        quote!(commit_on(BankError::Blocked(_))),
        &quote!(BankError::Blocked(_) => ::unit_of_work::__private::OnError::Commit,),
    );
    assert_judges(
        quote!(retry_on(|BankError::Outdated { .. }| BankError::Busy(1..=3))),
        &quote!(| BankError::Outdated { .. } | BankError::Busy(1..=3) => ::unit_of_work::__private::OnError::RunAgain,),
    );
    // What matches both commits, in whatever order they stand.
    assert_judges(
        quote!(retry_on(error if error.is::<Outdated>()), commit_on(BankError::Blocked(days) if *days < LIMIT)),
        &quote!(
            BankError::Blocked(days) if *days < LIMIT => ::unit_of_work::__private::OnError::Commit,
            error if error.is::<Outdated>() => ::unit_of_work::__private::OnError::RunAgain,
        ),
    );
}

#[test]
fn a_database_is_lent() {
    let entry = quote!(::unit_of_work::__private::run_on::<_, Result<(), Error>, _, _, _>);
    let judge = quote!(::unit_of_work::__private::roll_back);
    let expected = text(&expanded_transfer(&quote!(), &entry, &judge)).replace("(),|tx", "&(self.db.or(other)),(),|tx");
    assert_eq!(text(&unit_of_work(quote!(db = self.db.or(other)), &transfer())), expected);
}

#[test]
fn the_library_is_found_where_the_attribute_says() {
    let expanded = text(&unit_of_work(quote!(crate = my::orm, isolation = "serializable"), &transfer()));
    assert!(expanded.contains("my::orm::__private::run::<"), "{expanded}");
    assert!(expanded.contains(".isolation(my::orm::Isolation::Serializable)"), "{expanded}");
    assert!(!expanded.contains("unit_of_work::"), "{expanded}");
}

#[test]
fn with_one_attempt_arguments_are_moved() {
    let item = quote!(
        fn place(tx: &mut Tx<'_>, order: Order, all: &mut Orders) -> Result<(), Error> {
            BODY
        }
    );
    let values = quote!((
        ::unit_of_work::__private::once::<Order>(order),
        (::unit_of_work::__private::once::<&mut Orders>(all), ())
    ));
    for arguments in [
        quote!(retry = "never"),
        quote!(propagation = "mandatory"),
        quote!(propagation = "supports"),
        quote!(propagation = "not_supported"),
        quote!(propagation = "never"),
        quote!(retry = "never", propagation = "required"),
    ] {
        let (messages, rest) = split(arguments, &item);
        assert_eq!(messages, [""; 0]);
        assert!(text(&rest).contains(&text(&values)), "{rest}");
    }
}

#[test]
fn a_refused_function_stands_in_for_itself() {
    let item = quote!(
        pub const fn place(tx: &Tx<'_>, mut order: Order) -> Result<&str, Error> {
            BODY
        }
    );
    let (messages, rest) = split(quote!(), &item);
    assert_eq!(messages.len(), 2);
    let expected = quote! {
        pub fn place(mut order: Order) -> Result<&str, Error> {
            let tx: &mut Tx<'_> = ::unit_of_work::__private::refused();
            BODY
        }
    };
    assert_eq!(text(&rest), text(&expected));
}

#[test]
fn each_refused_signature_has_its_message() {
    let leftovers = "a second attempt would see what the first one left";
    for (item, message) in [
        (
            quote!(fn f(tx: &mut Tx, #[cfg(test)] a: u8) -> Result<(), Error> {}),
            "a unit of work passes each of its parameters on: put the condition on the whole function".to_owned(),
        ),
        (
            quote!(fn f(tx: &mut Tx<'static>) -> Result<(), Error> {}),
            "the transaction lives as long as one attempt, which no caller can name: write `&mut Tx` or `&mut Tx<'_>`".into(),
        ),
        (
            quote!(fn f(tx: &mut Tx) -> Result<Row<'_>, Error> {}),
            "a unit's result cannot borrow from its transaction, which is over when the caller gets it: return an owned value, \
             or `&'static` if it is that"
                .into(),
        ),
        (
            quote!(fn f(tx: &mut Tx, other: &mut Tx) -> Result<(), Error> {}),
            "a unit of work has one transaction, its first parameter: remove this one".into(),
        ),
        (
            quote!(fn f(tx: &mut Tx, a: &mut u8) -> Result<(), Error> {}),
            format!("{leftovers}: take the value by `&`, change a clone of it in the body and return that, or say `retry = \"never\"`"),
        ),
    ] {
        assert_messages(quote!(), &item, &[&message]);
    }
    for receiver in [quote!(&mut self), quote!(mut self), quote!(self: &mut Self), quote!(mut self: Arc<Self>)] {
        let method = quote!(fn f(#receiver, tx: &mut Tx) -> Result<(), Error> {});
        let message = format!(
            "{leftovers}: take `&self`, change a clone of it in the body and return that, or say `retry = \"never\"`"
        );
        let output = text(&unit_of_work(quote!(), &method));
        assert!(output.contains(&text(&message.to_token_stream())), "{output}");
    }
}

/// One compiler reports what a type lacks at the type argument, another at the path of the call.
#[test]
fn what_becomes_of_an_argument_stands_at_its_type() {
    let source = "fn place(tx: &mut Tx<'_>, order: Order) -> Result<(), Error> {}";
    let item: TokenStream = source.parse().expect("the source is Rust");
    let expanded = unit_of_work(quote!(), &item);
    let entry = find(expanded, "replayable").expect("the argument is made fit for its attempts");
    let ty = source.find("Order").expect("the source has the type");
    assert_eq!(entry.span().byte_range().len(), "Order".len());
    let first = item.span().byte_range().start;
    assert_eq!(entry.span().byte_range().start - first, ty);
}

fn find(tokens: TokenStream, name: &str) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) => (ident == name).then_some(ident),
        TokenTree::Group(group) => find(group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    })
}

/// A user's macro passes on what it was given in invisible brackets.
#[test]
fn invisible_brackets_do_not_hide_a_value_or_a_body() {
    let invisible = |tokens: TokenStream| TokenTree::from(Group::new(Delimiter::None, tokens));
    let (level, signature) = (quote!("serializable"), quote!(fn transfer(tx: &mut Tx<'_>) -> Result<(), Error>));
    let plain = unit_of_work(quote!(isolation = #level), &quote!(#signature { BODY }));
    let (level, body) = (invisible(level), invisible(quote!({ BODY })));
    assert_expands(quote!(isolation = #level), &quote!(#signature #body), &plain);
}

#[test]
fn what_is_no_function_stays_as_it_is() {
    let item = quote!(
        pub struct Account {
            id: u64,
        }
    );
    let (messages, rest) = split(quote!(), &item);
    assert_eq!(messages, ["`#[unit_of_work]` belongs on a function, a method or an `impl` block"]);
    assert_eq!(text(&rest), text(&item));
}
