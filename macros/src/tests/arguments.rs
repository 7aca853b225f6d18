//! How each argument can be written, and what each that is written otherwise is answered with.

use quote::quote;

use super::{assert_messages, assert_settings, split, text, transfer};

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
    assert_settings(quote!(exactly_once), &quote!(.exactly_once()));
    assert_settings(quote!(exactly_once = false, snapshot = false), &quote!());
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
fn each_wrong_argument_has_its_message() {
    for (arguments, message) in [
        (quote!(isolaton = "serializable"), "unknown argument `isolaton`; did you mean `isolation`?"),
        (
            quote!(level = 3),
            "unknown argument `level`; expected `isolation`, `access`, `read_only`, `propagation`, `repeatable`, `retry`, \
             `timeout`, `lock_wait`, `snapshot`, `commit_on`, `retry_on`, `exactly_once`, `contention`, `allow`, `name`, `db` or `crate`",
        ),
        (quote!(retry(attempts = 3)), "unknown argument `attempts`; did you mean `max_attempts`?"),
        (quote!(isolation), "`isolation` is written `isolation = \"serializable\"`"),
        (quote!(isolation = 3), "`isolation` is written `isolation = \"serializable\"`"),
        (quote!(isolation = "serializable"x), "`isolation` is written `isolation = \"serializable\"`"),
        (quote!(isolation "serializable"), "write `=` between `isolation` and its value"),
        (quote!(isolation: "serializable"), "write `=` between `isolation` and its value"),
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
        (quote!(exactly_once = true), "`exactly_once` takes no value: write its name alone"),
        (quote!(contention), "`contention` is written `contention(key = from)`"),
        (quote!(contention(id)), "write `contention(key = id)`"),
        (quote!(contention = id), "write `contention(key = id)`"),
        (quote!(contention = 5), "`contention` is written `contention(key = from)`"),
        (quote!(contention(key)), "`key` is written `key = from`"),
        (quote!(contention(id = 5)), "unknown argument `id`; expected `key`"),
        (
            quote!(contention(key = id, admission = 4)),
            "how many run at once is not said here: say it to the database, `Database::builder().admission(Admission::fixed(4))`, and \
             here only `contention(key = …)`",
        ),
        (quote!(contention()), "`contention` is written `contention(key = from)`"),
        (quote!(allow), "`allow` is written `allow(write)`"),
        (quote!(allow(writes)), "`allow` knows no `writes`; did you mean `write`?"),
        (quote!(skip), crate::keys::SKIP),
        (quote!(snapshot = "now"), "`snapshot` takes no value: write its name alone"),
        (quote!(timeout = 2), "`timeout` is written `timeout = \"2s\"`"),
        (
            quote!(lock_wait = "long"),
            "`long` is no length of time: write a whole number and `ms`, `s`, `m` or `h`, such as `\"750ms\"`",
        ),
        (quote!(commit_on = Blocked), "`commit_on` is written `commit_on(BankError::Blocked(_))`"),
        (quote!(commit_on()), "`commit_on` is written `commit_on(BankError::Blocked(_))`"),
        (
            quote!(retry_on(error)),
            "a name alone matches every error: write the variant with its path, as in `BankError::Blocked(_)`, or `_` if all \
             are meant",
        ),
        (quote!(retry_on), "`retry_on` is written `retry_on(BankError::Outdated(_))`"),
        (
            quote!(retry_on(Busy(_), Outdated(_))),
            "the pattern ends here: write `|` between alternatives, and one `if` with its condition behind the last",
        ),
        (
            quote!(retry_on(Busy(n) if n < 3 | Outdated(_) if true)),
            "the pattern ends here: write `|` between alternatives, and one `if` with its condition behind the last",
        ),
        (quote!(commit_on(=> Busy)), "no pattern can be read here: it is written as before the arrow in a `match`"),
        (quote!(commit_on(Busy(n) if)), "unexpected end of input, expected an expression"),
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
fn a_key_is_looked_at_before_the_arguments_are_given_away() {
    let item = quote!(
        fn pay(tx: &mut Tx<'_>, name: String) -> Result<(), Error> {
            BODY
        }
    );
    let (messages, expanded) = split(quote!(contention(key = name)), &item);
    assert_eq!(messages, Vec::<String>::new());
    let expanded = text(&expanded);
    let [keyed, key, given_away] = ["__private::keyed(", "&(name)", "(name)"].map(|word| expanded.find(word));
    assert!(keyed.is_some() && keyed < key, "{expanded}");
    assert_eq!(given_away, key.map(|key| key + 1), "{expanded}");
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
