//! What can be said: the attribute's arguments, one row of `KEYS` each, and the words that their values are chosen from. How a list
//! of them is read is `list`'s, how a kind of value is read is `value`'s, what they say together is `args`'; what an argument means
//! is the runtime's.

use proc_macro2::{Ident, TokenStream};
use syn::{Error, Expr, Path};

use crate::errors::Errors;
use crate::list::{Key, read};
use crate::value::{Choice, Constant, Form, Given, Setting, Value};

/// What one argument says.
#[derive(Clone)]
pub(crate) enum Meaning {
    Set(Setting),
    /// What the block around the function has set is off here.
    Off,
    Mode(Value),
    Never,
    /// A unit that is read only may write all the same: tables of the session's own.
    AllowWrite,
    CommitOn(TokenStream),
    RetryOn(TokenStream),
    /// The key of a call; `None` where it was not understood.
    Contention(Option<Expr>),
    Database(Expr),
    Runtime(Path),
}

#[rustfmt::skip]
pub(crate) const KEYS: &[Key<Meaning>] = &[
    Key { name: "isolation",    decides: "isolation",    example: r#"isolation = "serializable""#,      read: |given, _| given.choice(ISOLATION).map(set("isolation")) },
    Key { name: "access",       decides: "access",       example: r#"access = "read only""#,            read: |given, _| given.choice(ACCESS).map(set("access")) },
    Key { name: "read_only",    decides: "access",       example: "read_only",                          read: |given, _| given.flag(READ_ONLY).map(set("access")) },
    Key { name: "propagation",  decides: "propagation",  example: r#"propagation = "requires_new""#,    read: |given, _| given.choice(PROPAGATION).map(Meaning::Mode) },
    Key { name: "repeatable",   decides: "repeatable",   example: "repeatable",                         read: |given, _| given.switch("repeatable") },
    Key { name: "retry",        decides: "retry",        example: r#"retry = "never"` or `retry(max_attempts = 5, within = "2s")"#, read: retry },
    Key { name: "timeout",      decides: "timeout",      example: r#"timeout = "2s""#,                  read: |given, _| given.duration().map(set("timeout")) },
    Key { name: "lock_wait",    decides: "lock_wait",    example: r#"lock_wait = "5s""#,                read: |given, _| given.duration().map(set("lock_wait")) },
    Key { name: "snapshot",     decides: "snapshot",     example: "snapshot",                           read: |given, _| given.switch("snapshot") },
    Key { name: "commit_on",    decides: "commit_on",    example: "commit_on(BankError::Blocked(_))",   read: |given, _| given.pattern().map(Meaning::CommitOn) },
    Key { name: "retry_on",     decides: "retry_on",     example: "retry_on(BankError::Outdated(_))",   read: |given, _| given.pattern().map(Meaning::RetryOn) },
    Key { name: "exactly_once", decides: "exactly_once", example: "exactly_once",                       read: |given, _| given.switch("exactly_once") },
    Key { name: "contention",   decides: "contention",   example: "contention(key = from)",             read: contention },
    Key { name: "allow",        decides: "allow",        example: "allow(write)",                       read: |given, _| given.one_of(&["write"]).map(|_| Meaning::AllowWrite) },
    Key { name: "skip",         decides: "skip",         example: "skip",                               read: |given, _| Err(given.misplaced(SKIP)) },
    Key { name: "name",         decides: "name",         example: r#"name = "monthly billing""#,        read: |given, _| given.text().map(set("name")) },
    Key { name: "db",           decides: "db",           example: "db = LEDGER",                        read: |given, _| given.expression().map(Meaning::Database) },
    Key { name: "crate",        decides: "crate",        example: "crate = ::unit_of_work",             read: |given, _| given.path().map(Meaning::Runtime) },
];

#[rustfmt::skip]
const RETRY_KEYS: &[Key<Setting>] = &[
    Key { name: "max_attempts", decides: "max_attempts", example: "max_attempts = 5",   read: |given, _| given.count().map(setting("max_attempts")) },
    Key { name: "within",       decides: "within",       example: r#"within = "2s""#,   read: |given, _| given.duration().map(setting("within")) },
    Key { name: "base",         decides: "base",         example: r#"base = "1ms""#,    read: |given, _| given.duration().map(setting("base")) },
    Key { name: "cap",          decides: "cap",          example: r#"cap = "250ms""#,   read: |given, _| given.duration().map(setting("cap")) },
];

#[rustfmt::skip]
const CONTENTION_KEYS: &[Key<Expr>] = &[
    Key { name: "key",       decides: "key",       example: "key = from", read: |given, _| given.expression() },
    Key { name: "admission", decides: "admission", example: "",           read: |given, _| Err(given.misplaced(ADMISSION)) },
];

pub(crate) const SKIP: &str = "`skip` leaves one function of an `impl` block alone when the block carries the attribute; there it stands by itself: \
                    `#[unit_of_work(skip)]`";

const ADMISSION: &str = "how many run at once is not said here: say it to the database, `Database::builder().admission(Admission::fixed(4))`, \
                         and here only `contention(key = …)`";

const ISOLATION: Choice = Choice {
    of: "isolation level",
    ty: "Isolation",
    words: &[
        ("read uncommitted", "ReadUncommitted"),
        ("read committed", "ReadCommitted"),
        ("repeatable read", "RepeatableRead"),
        ("serializable", "Serializable"),
    ],
};

const ACCESS: Choice =
    Choice { of: "access mode", ty: "Access", words: &[("read write", "ReadWrite"), ("read only", "ReadOnly")] };

const READ_ONLY: Value = Value::Constant(Constant { ty: "Access", name: "ReadOnly" });

const PROPAGATION: Choice = Choice {
    of: "propagation",
    ty: "Propagation",
    words: &[
        ("required", "Required"),
        ("outermost", "Outermost"),
        ("requires_new", "RequiresNew"),
        ("nested", "Nested"),
        ("mandatory", "Mandatory"),
        ("supports", "Supports"),
        ("not_supported", "NotSupported"),
        ("never", "Never"),
    ],
};

const RETRY: Choice = Choice { of: "retry policy", ty: "Retry", words: &[("never", "NEVER")] };

fn set(method: &'static str) -> impl Fn(Value) -> Meaning {
    move |value| Meaning::Set(setting(method)(value))
}

fn setting(method: &'static str) -> impl Fn(Value) -> Setting {
    move |value| Setting { method, value }
}

fn retry(given: &Given<'_>, errors: &mut Errors) -> syn::Result<Meaning> {
    match given.form {
        Form::List(list) => {
            let settings = read(RETRY_KEYS, list.clone(), errors).into_iter().map(|clause| clause.meaning).collect();
            Ok(set("retry")(Value::Policy(settings)))
        }
        Form::Equals(_) | Form::Alone => given.word(RETRY).map(|_| Meaning::Never),
    }
}

fn contention(given: &Given<'_>, errors: &mut Errors) -> syn::Result<Meaning> {
    match given.form {
        Form::List(list) if !list.is_empty() => {
            key_alone(list)?;
            let key = read(CONTENTION_KEYS, list.clone(), errors).into_iter().map(|clause| clause.meaning).next();
            Ok(Meaning::Contention(key))
        }
        Form::Equals(Expr::Path(path)) => path.path.get_ident().map_or(Err(given.misfit()), |name| Err(as_key(name))),
        Form::List(_) | Form::Alone | Form::Equals(_) => Err(given.misfit()),
    }
}

/// A name where its argument was forgotten: `contention(id)`.
fn key_alone(list: &TokenStream) -> syn::Result<()> {
    match syn::parse2::<Ident>(list.clone()) {
        Ok(name) if !CONTENTION_KEYS.iter().any(|key| name == key.name) => Err(as_key(&name)),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn as_key(name: &Ident) -> Error {
    Error::new(name.span(), format!("write `contention(key = {name})`"))
}
