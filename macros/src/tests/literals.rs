//! The literal check: which calls are read, which texts are known, which words are no alarm.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::LitStr;

use super::{split, text};
use crate::expand::unit_of_work;

/// The messages for a unit with this body, which need not be one.
fn messages(arguments: TokenStream, body: &TokenStream) -> Vec<String> {
    let item = quote!(fn f(tx: &mut Tx<'_>, id: u64) -> Result<(), Error> { #body });
    let mut tokens = unit_of_work(arguments, &item).into_iter();
    let mut messages = Vec::new();
    while let Some(token) = tokens.next() {
        if matches!(&token, TokenTree::Ident(ident) if ident == "compile_error") {
            let Some(TokenTree::Group(message)) = tokens.nth(1) else { panic!("an error has a message") };
            messages.push(syn::parse2::<LitStr>(message.stream()).expect("a message is a string").value());
        }
    }
    messages
}

const COMMIT: &str = "a unit of work cannot send this: `COMMIT` would end the transaction; the unit commits by itself when its \
                      body returns `Ok` and rolls back when it returns `Err`";

#[test]
fn every_driver_call_on_the_transaction_is_read() {
    for body in [
        quote!(tx.query_drop("COMMIT")),
        quote!(tx.query("COMMIT")),
        quote!(tx.query_first::<u8, _>("COMMIT")),
        quote!(tx.query_map("COMMIT", |x: u8| x)),
        quote!(tx.exec("COMMIT", ())),
        quote!(tx.exec_batch("COMMIT", rows)),
        quote!(tx.exec_first::<HashMap<Vec<u8>, fn(u8) -> Vec<u8>>, _, _>("COMMIT", (id,))),
        quote!(tx.defer("COMMIT", ())),
        quote!(tx.connection()?.exec_drop("COMMIT", ())),
        quote!(tx.connection().unwrap().prep("COMMIT")),
        quote!(tx.connection().map_err(Mine)??.query_iter("COMMIT")),
        quote!(tx.query_drop(&"COMMIT")),
        quote!(tx.query_drop(("COMMIT"))),
        quote!(tx.query_drop(r"COMMIT")),
        quote!(tx.query_drop(r##"COMMIT"##)),
        quote!(tx.query_drop("com\x6dit")),
        quote!(tx.query_drop(
            "\u{20}COM\
                              MIT -- and so on"
        )),
        quote!(tx.query_drop(concat!("COM", "MIT"))),
        quote!(tx.query_drop(core::concat!("COM", 'M', concat!("IT"), " /* ", 1, true, "*/",))),
        quote!(if id > 3 {
            println!("{:?}", tx.query_drop("COMMIT"))
        }),
        quote!(tx.savepoint(|tx| tx.query_drop("COMMIT"))),
        quote!(tx.savepoint::<Vec<u8>, Error>(move |tx: &mut Tx<'_>| { tx.query_drop("COMMIT") })),
        quote!(tx.before_commit(|tx| tx.query_drop("COMMIT"))),
        quote!(with_current(|tx| tx.query_drop("COMMIT"))),
        quote!(Account { first: tx.query_first("COMMIT")? }),
        quote!(if a | b { log::debug!("{}", tx.query_drop("COMMIT")) } else { c | d }),
        quote!(match id {
            1 => tx.query_drop("COMMIT"),
            _ => Ok(()),
        }),
        quote!(match id {
            Some(id) if tx.ready() => {}
            _ => tx.query_drop("COMMIT")?,
        }),
        quote!(
            fn helper(tx: &Shell) {
                tx.exec("BEGIN")
            },
            tx.query_drop("COMMIT")
        ),
        quote!(for tx in all { tx.exec("BEGIN") } tx.query_drop("COMMIT")),
        quote!(f(|tx| tx.exec("BEGIN"), tx.query_drop("COMMIT"))),
        quote!(match id { Some(tx) => tx.exec("BEGIN"), None => {} Other { tx } => { tx.exec("BEGIN") } }; tx.query_drop("COMMIT")),
        quote!({
            const END: &str = "COMMIT";
            tx.query_drop(END)?;
            tx.query_drop(END)
        }),
        quote!(static END: &'static str = r"COMMIT";, tx.query_drop(&END)),
        quote!(half.written.; tx.query_drop("COMMIT") let x =),
    ] {
        assert_eq!(messages(quote!(), &body), [COMMIT], "{body}");
    }
}

#[test]
fn only_writes_can_be_deferred_and_none_in_a_unit_that_is_read_only() {
    let write = quote!(tx.defer("UPDATE account SET balance = 0", ()));
    assert_eq!(messages(quote!(), &write), [""; 0]);
    for arguments in [quote!(read_only), quote!(read_only, allow(write))] {
        let messages = messages(arguments, &write);
        assert!(messages[0].starts_with("a unit that is `read_only` defers no writes"), "{messages:?}");
    }
    for other in [quote!(tx.defer("SELECT 1", ())), quote!(tx.defer("CALL p()", ())), quote!(tx.defer("DO 1", ()))] {
        let messages = messages(quote!(), &other);
        assert!(messages[0].starts_with("only INSERT, UPDATE, DELETE and REPLACE can be deferred"), "{messages:?}");
    }
}

/// A constant may be right for the one and wrong for the other.
#[test]
fn a_text_that_is_sent_and_deferred_is_read_for_both() {
    let both = quote!({
        const LOOK: &str = "SELECT 1";
        tx.query_drop(LOOK)?;
        tx.defer(LOOK, ())
    });
    assert_eq!(messages(quote!(), &both).len(), 1);
}

#[test]
fn other_calls_are_nobodys_business() {
    for body in [
        quote!(document.query_selector_all("BEGIN")),
        quote!(shell.exec("DROP TABLE account")),
        quote!(self.tx.exec("COMMIT")),
        quote!(module::tx.exec("COMMIT")),
        quote!(tx.local::<Journal>().exec("COMMIT")),
        quote!(tx.query_first::<String, _>("SELECT 1")?.unwrap().exec("COMMIT")),
        quote!(tx.execute("COMMIT")),
        quote!(tx.queryable("COMMIT")),
        quote!(tx.after_commit(|| exec("COMMIT"))),
        quote!(tx.set_rollback_only(); log("ROLLBACK")),
        quote!(tx.exec_drop(sql, "COMMIT")),
        quote!(tx.exec_drop(statement("COMMIT"), ())),
        quote!(tx.query_drop(format!("COMMIT"))),
        quote!(tx.query_drop(stringify!(COMMIT))),
        quote!(tx.query_drop(concat!("COM", env!("MIT")))),
        quote!(tx.query_drop(END)),
        quote!(const BYTES: &[u8] = b"COMMIT";, tx.query_drop(BYTES)),
        quote!(
            fn helper() {
                const END: &str = "COMMIT";
                shell(END)
            },
            tx.query_drop(END)
        ),
        // Two of one name: which one is meant is not known.
        quote!({ const A: &str = "COMMIT"; tx.query_drop(A)?; } { const A: &str = "SELECT 1"; tx.query_drop(A)?; }),
        quote!(let (tx, rx) = channel(); tx.exec("COMMIT")),
        quote!(let tx = Shell::new(); tx.exec("COMMIT")),
        quote!(
            unsafe fn helper<T>(tx: &Shell) -> [u8; { 3 }]
            where
                T: Copy,
            {
                tx.exec("COMMIT")
            }
        ),
        quote!(for (_, tx) in all {
            tx.exec("COMMIT")
        }),
        quote!(shell.run(move |a, (tx, _)| -> u8 { tx.exec("COMMIT") })),
        quote!(match shell {
            A | B(tx) if tx.is_empty() => tx.exec("COMMIT"),
            C { tx, .. } => {
                tx.exec("COMMIT")
            }
        }),
        quote!(a::tx.exec("COMMIT"), 'tx: loop {}),
        quote!(if let Some(tx) = shell {
            tx.exec("COMMIT")
        }),
    ] {
        assert_eq!(messages(quote!(), &body), [""; 0], "{body}");
    }
    // Without a name there is nothing to look for.
    assert_eq!(
        split(
            quote!(),
            &quote!(
                fn f() -> Result<(), E> {
                    tx.exec("COMMIT")
                }
            )
        )
        .0,
        [""; 0]
    );
    let renamed = quote!(
        fn f(work: &mut Tx<'_>) -> Result<(), E> {
            tx.exec("COMMIT")?;
            work.query_drop("COMMIT")
        }
    );
    assert_eq!(split(quote!(), &renamed).0, [COMMIT]);
}

#[test]
fn words_in_strings_and_comments_of_the_text_are_no_alarm() {
    for sql in [
        "SELECT 'COMMIT'",
        "SELECT 1 -- ; COMMIT",
        "SELECT 1 # DROP TABLE t",
        "/* COMMIT */ SELECT 1",
        "INSERT INTO `commit` VALUES ('a;b', \"it's; ROLLBACK\")",
        "UPDATE t SET a = 'x\\'; COMMIT -- '",
        "SELECT begin, start FROM t WHERE a = ? /* ; */",
        "SET @rollback = 1",
        "CALL commit_all()",
        // In one quote mode of the server a second statement, in another a string.
        "SELECT '\\'; COMMIT; -- '",
        "SELECT \"\\\"; COMMIT; -- \"",
    ] {
        assert_eq!(messages(quote!(), &quote!(tx.query_drop(#sql))), [""; 0], "{sql}");
    }
}

#[test]
fn what_the_runtime_refuses_is_refused() {
    for (sql, reason) in [
        ("rollback", "`ROLLBACK` would end the transaction"),
        ("SAVEPOINT a", "use `tx.savepoint(|tx| …)`"),
        ("ALTER TABLE t ADD a INT", "`ALTER` would commit the transaction before the unit has ended"),
        ("SELECT 1; SELECT 2", "the text holds a second statement"),
        ("SET autocommit = 1", "would change the session for other units"),
        ("/*!50000 COMMIT */", "`COMMIT` would end the transaction"),
        ("LOCK TABLES t WRITE", "`LOCK` would commit"),
        (" ", "the text holds no statement"),
    ] {
        let messages = messages(quote!(), &quote!(tx.query_drop(#sql)));
        assert!(messages.len() == 1 && messages[0].contains(reason), "{sql}: {messages:?}");
    }
}

#[test]
fn a_unit_that_is_read_only_does_not_write() {
    let message = "this writes, and the unit is `read_only`, so the server would refuse it: take `read_only` away, or add \
                   `allow(write)` if it writes a temporary table";
    for sql in ["UPDATE t SET a = 1", "WITH a AS (SELECT 1) DELETE FROM t", "INSERT INTO t VALUES ('UPDATE')"] {
        let body = quote!(tx.query_drop(#sql));
        for reading in [quote!(read_only), quote!(access = "read-only", name = "a")] {
            assert_eq!(messages(reading, &body), [message], "{sql}");
        }
        for writing in
            [quote!(), quote!(read_only, allow(write)), quote!(allow(write), access = "read only"), quote!(access = A)]
        {
            assert_eq!(messages(writing, &body), [""; 0], "{sql}");
        }
    }
    assert_eq!(messages(quote!(read_only), &quote!(tx.query_drop("SELECT 'UPDATE t'"))), [""; 0]);
}

#[test]
fn texts_are_not_read_when_the_arguments_are_wrong() {
    let (messages, rest) = split(
        quote!(red_only),
        &quote!(
            fn f(tx: &mut Tx<'_>) -> Result<(), Error> {
                tx.query_drop("COMMIT")
            }
        ),
    );
    assert_eq!(messages, ["unknown argument `red_only`; did you mean `read_only`?"]);
    assert!(text(&rest).contains("__private::run"));
}

#[test]
fn a_refused_text_leaves_the_wrapper() {
    let (messages, rest) = split(
        quote!(),
        &quote!(
            fn f(tx: &mut Tx<'_>) -> Result<(), Error> {
                tx.query_drop("COMMIT")
            }
        ),
    );
    assert_eq!(messages, [COMMIT]);
    assert!(text(&rest).contains("__private::run"));
}
