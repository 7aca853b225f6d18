//! Which arguments do not go together, and what each such pair is answered with.

use quote::quote;

use super::{assert_messages, split, transfer};

#[test]
fn whoever_may_own_a_transaction_is_checked_as_retried() {
    let item = quote!(
        fn place(tx: &mut Tx<'_>, all: &mut Orders) -> Result<(), Error> {
            BODY
        }
    );
    for mode in [
        quote!("required"),
        quote!("outermost"),
        quote!("requires_new"),
        quote!("nested"),
        // What a path stands for is not known here.
        quote!(Propagation::Never),
    ] {
        let (messages, _) = split(quote!(propagation = #mode), &item);
        assert!(messages[..].iter().all(|message| message.starts_with("a second attempt would see")), "{messages:?}");
        assert_eq!(messages.len(), 1);
    }
}

#[test]
fn each_contradiction_has_its_message() {
    let no_transaction = |name| format!("with this `propagation` the unit begins no transaction: leave `{name}` out");
    let nothing_to_run_again = |name| {
        format!(
            "with this `propagation` the unit has no transaction of its own that could run again: leave `{name}` out"
        )
    };
    for mode in ["supports", "not_supported", "never"] {
        for (argument, name) in [
            (quote!(isolation = "serializable"), "isolation"),
            (quote!(isolation = LEVEL), "isolation"),
            (quote!(snapshot), "snapshot"),
            (quote!(exactly_once), "exactly_once"),
        ] {
            assert_messages(quote!(#argument, propagation = #mode), &transfer(), &[&no_transaction(name)]);
        }
    }
    for mode in ["mandatory", "supports", "not_supported", "never"] {
        for (argument, name) in [(quote!(retry(max_attempts = 2)), "retry"), (quote!(retry_on(Busy(_))), "retry_on")] {
            assert_messages(quote!(propagation = #mode, #argument), &transfer(), &[&nothing_to_run_again(name)]);
        }
    }
    let nothing_twice = "a unit that is read only has nothing that could be committed twice: leave `exactly_once` out";
    for access in [quote!(read_only), quote!(access = "read only")] {
        assert_messages(quote!(exactly_once, #access), &transfer(), &[nothing_twice]);
    }
    let only_readers = "`allow(write)` is for a unit that is `read_only` and writes temporary tables: add `read_only`, or leave it out";
    assert_messages(quote!(allow(write)), &transfer(), &[only_readers]);
    assert_messages(quote!(allow(write), access = "read write"), &transfer(), &[only_readers]);
    assert_messages(
        quote!(contention(key = from), propagation = "mandatory"),
        &transfer(),
        &["with this `propagation` the unit begins no transaction that could be kept waiting: leave `contention` out"],
    );
    let ends_with_another = "inside another unit this one never ends on its own: leave `repeatable` out, or add \
                             `propagation = \"requires_new\"`";
    assert_messages(quote!(repeatable), &transfer(), &[ends_with_another]);
    for mode in ["required", "outermost", "nested", "mandatory"] {
        assert_messages(quote!(repeatable, propagation = #mode), &transfer(), &[ends_with_another]);
    }
    let another_level = "`snapshot` implies `repeatable read`, and servers ignore it elsewhere: leave `isolation` out, or \
                         `snapshot`";
    for level in [quote!("serializable"), quote!("read committed"), quote!(LEVEL)] {
        assert_messages(quote!(snapshot, isolation = #level), &transfer(), &[another_level]);
    }
    assert_messages(
        quote!(retry = "never", retry_on(Busy(_))),
        &transfer(),
        &["`retry = \"never\"` permits no other attempt: leave `retry_on` out, or `retry`"],
    );
}

#[test]
fn what_does_not_contradict_passes() {
    for arguments in [
        quote!(propagation = "requires_new", repeatable),
        quote!(propagation = "supports", repeatable),
        quote!(propagation = "not_supported", repeatable),
        quote!(propagation = "never", repeatable),
        quote!(db = LEDGER, repeatable),
        quote!(db = LEDGER, propagation = "nested", repeatable),
        quote!(propagation = "mandatory", isolation = "serializable"),
        quote!(propagation = "mandatory", snapshot),
        quote!(propagation = "mandatory", commit_on(Blocked(_))),
        quote!(
            propagation = "never",
            retry = "never",
            commit_on(Blocked(_)),
            read_only,
            timeout = "1s",
            lock_wait = "1s"
        ),
        quote!(read_only, commit_on(Blocked(_))),
        quote!(snapshot, isolation = "repeatable-read"),
        quote!(retry(max_attempts = 2), retry_on(Busy(_)), propagation = "nested"),
        // What a path stands for is not known here.
        quote!(propagation = MODE, isolation = "serializable", retry(max_attempts = 2), retry_on(Busy(_)), repeatable),
    ] {
        assert_messages(arguments, &transfer(), &[]);
    }
}

#[test]
fn nothing_follows_from_an_argument_that_could_not_be_read() {
    for (arguments, message) in [
        (
            quote!(repeatable, propagation = "require_new"),
            "unknown propagation `require_new`; did you mean `requires_new`?",
        ),
        (quote!(repeatable, dv = LEDGER), "unknown argument `dv`; did you mean `db`?"),
        (
            quote!(snapshot, isolation = "repeatable reed"),
            "unknown isolation level `repeatable reed`; did you mean `repeatable read`?",
        ),
        (quote!(propagation = "never", retry_on()), "`retry_on` is written `retry_on(BankError::Outdated(_))`"),
    ] {
        assert_messages(arguments, &transfer(), &[message]);
    }
}
