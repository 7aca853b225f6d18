//! The attribute as a function from tokens to tokens: what is printed, and what each mistake is answered with. Whether the
//! output compiles, and where its messages point, is tested with a compiler in `tests/compile-fail`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{File, Item, LitStr};

use crate::expand::unit_of_work;

mod contradictions;

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
    let judge = quote!(|error| match error { #arms _ => ::unit_of_work::__private::OnError::RollBack });
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
                (::unit_of_work::__private::cloned::<K>(from),
                    (::unit_of_work::__private::replayable::<&'a str>(name),
                        (::unit_of_work::__private::replayable::<(i64, i64)>(argument_2),
                            (::unit_of_work::__private::cloned::<_>(_unused), ())))),
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
fn arguments_become_settings_in_their_order() {
    assert_settings(quote!(), &quote!());
    assert_settings(
        quote!(isolation = "Read_COMMITTED", access = "read-write"),
        &quote!(.isolation(::unit_of_work::Isolation::ReadCommitted).access(::unit_of_work::Access::ReadWrite)),
    );
    assert_settings(
        quote!(read_only, name = "billing", isolation = LEVEL),
        &quote!(.access(::unit_of_work::Access::ReadOnly).name("billing").isolation(LEVEL)),
    );
    assert_settings(quote!(retry = "Never"), &quote!(.retry(::unit_of_work::Retry::NEVER)));
    assert_settings(
        quote!(retry(max_attempts = 5, within = "2s", base = BASE, cap = "250 ms")),
        &quote!(.retry(
            ::unit_of_work::Retry::DEFAULT
                .max_attempts(5)
                .within(::core::time::Duration::new(2u64, 0u32))
                .base(BASE)
                .cap(::core::time::Duration::new(0u64, 250000000u32))
        )),
    );
}

#[test]
fn arguments_of_every_kind_become_settings() {
    assert_settings(
        quote!(propagation = "requires_new", repeatable, timeout = "2s", lock_wait = PATIENCE),
        &quote!(
            .propagation(::unit_of_work::Propagation::RequiresNew)
            .repeatable()
            .timeout(::core::time::Duration::new(2u64, 0u32))
            .lock_wait(PATIENCE)
        ),
    );
    assert_settings(quote!(snapshot), &quote!(.snapshot()));
    assert_settings(
        quote!(snapshot, isolation = "repeatable read", propagation = MODE),
        &quote!(.snapshot().isolation(::unit_of_work::Isolation::RepeatableRead).propagation(MODE)),
    );
}

#[test]
fn every_mode_of_propagation_is_spelt_in_every_way() {
    for (words, mode) in [
        (["required", "REQUIRED", " Required "], quote!(Required)),
        (["outermost", "OUTERMOST", "Outermost"], quote!(Outermost)),
        (["requires_new", "REQUIRES-NEW", "Requires new"], quote!(RequiresNew)),
        (["nested", "NESTED", "Nested"], quote!(Nested)),
        (["mandatory", "MANDATORY", "Mandatory"], quote!(Mandatory)),
        (["supports", "SUPPORTS", "Supports"], quote!(Supports)),
        (["not_supported", "NOT-SUPPORTED", "Not supported"], quote!(NotSupported)),
        (["never", "NEVER", "Never"], quote!(Never)),
    ] {
        for word in words {
            assert_settings(quote!(propagation = #word), &quote!(.propagation(::unit_of_work::Propagation::#mode)));
        }
    }
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
fn every_isolation_level_is_spelt_in_every_way() {
    for (words, level) in [
        (["read uncommitted", "READ-UNCOMMITTED", "Read_Uncommitted"], quote!(ReadUncommitted)),
        (["read committed", "READ-COMMITTED", "Read_Committed"], quote!(ReadCommitted)),
        (["repeatable read", "REPEATABLE-READ", "Repeatable_Read"], quote!(RepeatableRead)),
        (["serializable", "SERIALIZABLE", " Serializable "], quote!(Serializable)),
    ] {
        for word in words {
            assert_settings(quote!(isolation = #word), &quote!(.isolation(::unit_of_work::Isolation::#level)));
        }
    }
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
fn a_wrong_argument_leaves_the_wrapper_with_every_check_off() {
    let item = quote!(
        fn place(tx: &mut Tx<'_>, order: Order, all: &mut Orders) -> Result<(), Error> {
            BODY
        }
    );
    let (messages, rest) = split(quote!(retyr = "never", name = "placing"), &item);
    assert_eq!(messages, ["unknown argument `retyr`; did you mean `retry`?"]);
    let (_, right) = split(quote!(retry = "never", name = "placing"), &item);
    assert_eq!(text(&rest), text(&right).replace(".retry(::unit_of_work::Retry::NEVER)", ""));
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
            { BODY }
        }
    };
    assert_eq!(text(&rest), text(&expected));
}

#[test]
fn each_wrong_argument_has_its_message() {
    for (arguments, message) in [
        (quote!(isolaton = "serializable"), "unknown argument `isolaton`; did you mean `isolation`?"),
        (
            quote!(level = 3),
            "unknown argument `level`; expected `isolation`, `access`, `read_only`, `propagation`, `repeatable`, `retry`, \
             `timeout`, `lock_wait`, `snapshot`, `commit_on`, `retry_on`, `name`, `db` or `crate`",
        ),
        (quote!(retry(attempts = 3)), "unknown argument `attempts`; did you mean `max_attempts`?"),
        (quote!(isolation), "`isolation` is written `isolation = \"serializable\"`"),
        (quote!(isolation = 3), "`isolation` is written `isolation = \"serializable\"`"),
        (quote!(isolation("serializable")), "`isolation` is written `isolation = \"serializable\"`"),
        (quote!(isolation = serializable), "a word stands in quotes: `isolation = \"serializable\"`"),
        (
            quote!(isolation = "chaos"),
            "unknown isolation level `chaos`; expected `read uncommitted`, `read committed`, `repeatable read` or `serializable`",
        ),
        (quote!(isolation = "serialisable"), "unknown isolation level `serialisable`; did you mean `serializable`?"),
        (quote!(access = "readonly"), "unknown access mode `readonly`; did you mean `read only`?"),
        (quote!(read_only = true), "`read_only` takes no value: write its name alone"),
        (quote!(read_only()), "`read_only` takes no value: write its name alone"),
        (quote!(retry = "nevr"), "unknown retry policy `nevr`; did you mean `never`?"),
        (quote!(retry = 3), "`retry` is written `retry = \"never\"` or `retry(max_attempts = 5, within = \"2s\")`"),
        (quote!(retry(max_attempts = 0)), "`max_attempts` is at least 1: the first run counts"),
        (quote!(retry(max_attempts = "3")), "`max_attempts` is written `max_attempts = 5`"),
        (quote!(retry(max_attempts = -1)), "`max_attempts` is written `max_attempts = 5`"),
        (quote!(retry(max_attempts = 4294967296)), "`max_attempts` is at most 4294967295"),
        (
            quote!(retry(within = "soon")),
            "`soon` is no length of time: write a whole number and `ms`, `s`, `m` or `h`, such as `\"750ms\"`",
        ),
        (quote!(retry(within = 2)), "`within` is written `within = \"2s\"`"),
        (quote!(propagation = "require_new"), "unknown propagation `require_new`; did you mean `requires_new`?"),
        (quote!(propagation = requires_new), "a word stands in quotes: `propagation = \"requires_new\"`"),
        (quote!(propagation), "`propagation` is written `propagation = \"requires_new\"`"),
        (quote!(repeatable = true), "`repeatable` takes no value: write its name alone"),
        (quote!(snapshot = "now"), "`snapshot` takes no value: write its name alone"),
        (quote!(timeout = 2), "`timeout` is written `timeout = \"2s\"`"),
        (
            quote!(lock_wait = "long"),
            "`long` is no length of time: write a whole number and `ms`, `s`, `m` or `h`, such as `\"750ms\"`",
        ),
        (quote!(commit_on = Blocked), "`commit_on` is written `commit_on(BankError::Blocked(_))`"),
        (quote!(commit_on()), "`commit_on` is written `commit_on(BankError::Blocked(_))`"),
        (quote!(retry_on), "`retry_on` is written `retry_on(BankError::Outdated(_))`"),
        (
            quote!(retry_on(Busy(_), Outdated(_))),
            "a pattern has `|` between alternatives, and at most one `if` and its condition at the end",
        ),
        (
            quote!(retry_on(Busy(n) if n < 3 | Outdated(_) if true)),
            "a pattern has `|` between alternatives, and at most one `if` and its condition at the end",
        ),
        (quote!(commit_on(=> Busy)), "expected a pattern"),
        (
            quote!(exactly_once),
            "`exactly_once` is not built yet: leave it out; a COMMIT whose answer is lost is the error `CommitUnknown`",
        ),
        (
            quote!(contention(key = from)),
            "`contention` is not built yet: leave it out; units in conflict wait by the backoff of `retry` alone",
        ),
        (quote!(name = ""), "`name` is written `name = \"monthly billing\"`"),
        (quote!(name = NAME), "`name` is written `name = \"monthly billing\"`"),
        (quote!(db), "`db` is written `db = LEDGER`"),
        (quote!(crate = "orm"), "`crate` is written `crate = ::unit_of_work`"),
        (quote!(name =), "`name` is given no value after `=`"),
        (quote!("serializable"), "expected an argument such as `isolation = \"serializable\"`"),
        (quote!(name = "a", name = "b"), "`name` is given twice: keep one of them"),
        (quote!(read_only, access = "read only"), "`read_only` and `access` decide the same thing: keep one of them"),
    ] {
        assert_messages(arguments, &transfer(), &[message]);
    }
}

#[test]
fn a_mistake_does_not_hide_the_next() {
    let arguments = quote!(3 + 4, isolation = = 7, read_only access, retry(cap, base = "x", within = ""), naem = "a");
    let (messages, _) = split(
        arguments,
        &quote!(
            async fn transfer(tx: Tx) {}
        ),
    );
    let expected = [
        "expected an argument such as `isolation = \"serializable\"`",
        "expected an expression",
        "expected `,` between arguments",
        "`cap` is written `cap = \"250ms\"`",
        "`x` is no length of time: write a whole number and `ms`, `s`, `m` or `h`, such as `\"750ms\"`",
        "`` is no length of time: write a whole number and `ms`, `s`, `m` or `h`, such as `\"750ms\"`",
        "unknown argument `naem`; did you mean `name`?",
        "a unit of work is bound to one thread and cannot be `async`: write a plain `fn` and call it where blocking is allowed \
         (in tokio: `spawn_blocking`)",
        "a unit of work must return `Result<T, E>`: `Ok` commits and `Err` rolls back; write `-> Result<(), E>`, with an `E` \
         that is `From<unit_of_work::Error>` and `Debug`",
        "the transaction is lent to the unit, which ends it when the body returns: write `&mut Tx`",
    ];
    let mut messages = messages;
    messages.sort_unstable();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(messages, expected);
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
            format!("{leftovers}: take the value by `&` and return the new one, or say `retry = \"never\"`"),
        ),
    ] {
        assert_messages(quote!(), &item, &[&message]);
    }
    for receiver in [quote!(&mut self), quote!(mut self), quote!(self: &mut Self), quote!(mut self: Arc<Self>)] {
        let method = quote!(fn f(#receiver, tx: &mut Tx) -> Result<(), Error> {});
        let message = format!("{leftovers}: take `&self` and return what changed, or say `retry = \"never\"`");
        let output = text(&unit_of_work(quote!(), &method));
        assert!(output.contains(&text(&message.to_token_stream())), "{output}");
    }
}

#[test]
fn what_is_no_function_stays_as_it_is() {
    let item = quote!(
        pub struct Account {
            id: u64,
        }
    );
    let (messages, rest) = split(quote!(), &item);
    assert_eq!(messages, ["`#[unit_of_work]` belongs on a function or a method"]);
    assert_eq!(text(&rest), text(&item));
}
