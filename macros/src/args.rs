//! The attribute's arguments: one row of `KEYS` each, and what they say together. How a list of them is read is `list`'s, how a
//! kind of value is read is `value`'s; what an argument means is the runtime's.

use proc_macro2::{Ident, TokenStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Path, PathSegment, Token};

use crate::errors::Errors;
use crate::list::{Key, read};
use crate::rules;
use crate::value::{Choice, Constant, Form, Given};

/// What the attribute was given.
pub(crate) struct Args {
    /// The arguments that could be read, as they were written.
    names: Vec<Ident>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) mode: Mode,
    pub(crate) attempts: Attempts,
    /// Patterns for the errors that commit, and for those that ask for another attempt.
    pub(crate) commit_on: Option<TokenStream>,
    pub(crate) retry_on: Option<TokenStream>,
    pub(crate) database: Option<Expr>,
    pub(crate) runtime: Path,
}

/// A method of the descriptor (or of the retry policy) and its argument.
pub(crate) struct Setting {
    pub(crate) method: &'static str,
    pub(crate) value: Value,
}

/// The argument of a [`Setting`].
pub(crate) enum Value {
    /// A method that says everything by its name has none.
    Nothing,
    /// One of the runtime's own.
    Constant(Constant),
    /// The user's tokens.
    Written(TokenStream),
    Duration(std::time::Duration),
    Policy(Vec<Setting>),
}

/// How often a unit's body can run.
#[derive(Clone, Copy)]
pub(crate) enum Attempts {
    One,
    Several,
}

/// What a mode of propagation makes of a unit, as far as rules ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It takes part in what is active, or begins a transaction when nothing is.
    Begins,
    /// It has a transaction of its own, whatever is active.
    Apart,
    /// It has none of its own.
    Joins,
    /// The same, and it may run without any.
    Without,
    /// A path: only the compiler will know what it stands for, so no rule may follow from it, and the checks of a unit that
    /// is retried stay on.
    Unknown,
}

/// What one argument says.
enum Meaning {
    Set(Setting),
    Mode(Value),
    Never,
    CommitOn(TokenStream),
    RetryOn(TokenStream),
    Database(Expr),
    Runtime(Path),
}

#[rustfmt::skip]
const KEYS: &[Key<Meaning>] = &[
    Key { name: "isolation",    decides: "isolation",    example: r#"isolation = "serializable""#,      read: |given, _| given.choice(ISOLATION).map(set("isolation")) },
    Key { name: "access",       decides: "access",       example: r#"access = "read only""#,            read: |given, _| given.choice(ACCESS).map(set("access")) },
    Key { name: "read_only",    decides: "access",       example: "read_only",                          read: |given, _| given.flag(READ_ONLY).map(set("access")) },
    Key { name: "propagation",  decides: "propagation",  example: r#"propagation = "requires_new""#,    read: |given, _| given.choice(PROPAGATION).map(Meaning::Mode) },
    Key { name: "repeatable",   decides: "repeatable",   example: "repeatable",                         read: |given, _| given.flag(Value::Nothing).map(set("repeatable")) },
    Key { name: "retry",        decides: "retry",        example: r#"retry = "never"` or `retry(max_attempts = 5, within = "2s")"#, read: retry },
    Key { name: "timeout",      decides: "timeout",      example: r#"timeout = "2s""#,                  read: |given, _| given.duration().map(set("timeout")) },
    Key { name: "lock_wait",    decides: "lock_wait",    example: r#"lock_wait = "5s""#,                read: |given, _| given.duration().map(set("lock_wait")) },
    Key { name: "snapshot",     decides: "snapshot",     example: "snapshot",                           read: |given, _| given.flag(Value::Nothing).map(set("snapshot")) },
    Key { name: "commit_on",    decides: "commit_on",    example: "commit_on(BankError::Blocked(_))",   read: |given, _| given.pattern().map(Meaning::CommitOn) },
    Key { name: "retry_on",     decides: "retry_on",     example: "retry_on(BankError::Outdated(_))",   read: |given, _| given.pattern().map(Meaning::RetryOn) },
    Key { name: "exactly_once", decides: "exactly_once", example: "exactly_once",                       read: |given, _| Err(given.unbuilt("a COMMIT whose answer is lost is the error `CommitUnknown`")) },
    Key { name: "contention",   decides: "contention",   example: "contention(key = from)",             read: |given, _| Err(given.unbuilt("units in conflict wait by the backoff of `retry` alone")) },
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

impl Args {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::none();
        for (name, meaning) in read(KEYS, tokens, errors) {
            args.names.push(name);
            args.apply(meaning);
        }
        rules::check_arguments(&args, errors);
        // The argument that is wrong may be the one that would have made the rest right: no check may follow from its absence.
        if !errors.is_empty() {
            args.attempts = Attempts::One;
        }
        args
    }

    fn none() -> Self {
        Self {
            names: Vec::new(),
            settings: Vec::new(),
            mode: Mode::Begins,
            attempts: Attempts::Several,
            commit_on: None,
            retry_on: None,
            database: None,
            runtime: runtime(),
        }
    }

    fn apply(&mut self, meaning: Meaning) {
        match meaning {
            Meaning::Set(setting) => self.settings.push(setting),
            Meaning::Mode(value) => {
                self.mode = Mode::of(&value);
                self.settings.push(setting("propagation")(value));
                if matches!(self.mode, Mode::Joins | Mode::Without) {
                    self.attempts = Attempts::One;
                }
            }
            Meaning::Never => {
                self.settings.push(setting("retry")(Value::Constant(Constant { ty: "Retry", name: "NEVER" })));
                self.attempts = Attempts::One;
            }
            Meaning::CommitOn(pattern) => self.commit_on = Some(pattern),
            Meaning::RetryOn(pattern) => self.retry_on = Some(pattern),
            Meaning::Database(expr) => self.database = Some(expr),
            Meaning::Runtime(path) => self.runtime = path,
        }
    }

    /// The argument's name where it was written.
    pub(crate) fn named(&self, name: &str) -> Option<&Ident> {
        self.names.iter().find(|written| *written == name)
    }

    /// The runtime's constant that a setting was given as.
    pub(crate) fn constant(&self, method: &str) -> Option<&'static str> {
        self.settings.iter().find(|setting| setting.method == method).and_then(|setting| setting.value.constant())
    }
}

impl Value {
    fn constant(&self) -> Option<&'static str> {
        match self {
            Self::Constant(constant) => Some(constant.name),
            Self::Nothing | Self::Written(_) | Self::Duration(_) | Self::Policy(_) => None,
        }
    }
}

impl Mode {
    fn of(value: &Value) -> Self {
        match value.constant() {
            Some("Required" | "Outermost" | "Nested") => Self::Begins,
            Some("RequiresNew") => Self::Apart,
            Some("Mandatory") => Self::Joins,
            Some("Supports" | "NotSupported" | "Never") => Self::Without,
            Some(_) | None => Self::Unknown,
        }
    }
}

fn set(method: &'static str) -> impl Fn(Value) -> Meaning {
    move |value| Meaning::Set(setting(method)(value))
}

fn setting(method: &'static str) -> impl Fn(Value) -> Setting {
    move |value| Setting { method, value }
}

fn retry(given: &Given<'_>, errors: &mut Errors) -> syn::Result<Meaning> {
    match given.form {
        Form::List(list) => {
            let settings = read(RETRY_KEYS, list.clone(), errors).into_iter().map(|(_, setting)| setting).collect();
            Ok(set("retry")(Value::Policy(settings)))
        }
        Form::Equals(_) | Form::Alone => given.word(RETRY).map(|_| Meaning::Never),
    }
}

fn runtime() -> Path {
    let segments = [PathSegment::from(Ident::new("unit_of_work", proc_macro2::Span::call_site()))];
    Path { leading_colon: Some(<Token![::]>::default()), segments: Punctuated::from_iter(segments) }
}
