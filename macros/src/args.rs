//! What a unit's arguments say together: its mode, how often its body can run, what its descriptor is told. Which arguments there
//! are stands in `keys`; what contradicts is decided by `rules`.

use proc_macro2::{Ident, TokenStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Path, PathSegment, Token};

use crate::errors::Errors;
use crate::keys::Meaning;
use crate::list::Clause;
use crate::rules;
use crate::value::{Constant, Setting, Value};

/// What the attribute was given.
pub(crate) struct Args {
    pub(crate) settings: Vec<Setting>,
    pub(crate) mode: Mode,
    pub(crate) attempts: Attempts,
    pub(crate) literals: Literals,
    /// Patterns for the errors that commit, and for those that ask for another attempt.
    pub(crate) commit_on: Option<TokenStream>,
    pub(crate) retry_on: Option<TokenStream>,
    pub(crate) database: Option<Expr>,
    /// What tells calls apart that do not wait for each other.
    pub(crate) key: Option<Expr>,
    pub(crate) runtime: Path,
    /// The arguments that are not off, as they were written.
    given: Vec<Given>,
}

/// An argument that counts for a unit.
pub(crate) struct Given {
    pub(crate) name: Ident,
    pub(crate) origin: Origin,
}

/// Whose attribute an argument stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The function's own.
    Function,
    /// That of the block around it.
    Block,
}

/// How often a unit's body can run.
#[derive(Clone, Copy)]
pub(crate) enum Attempts {
    One,
    Several,
}

/// Whether a unit may send statements that write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    Allowed,
    /// In a unit that is `read_only`: those to temporary tables, of which the text does not tell.
    Trusted,
    Refused,
}

/// Whether the texts in a unit's body are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Literals {
    Read,
    /// What is wrong with the arguments may be what would have made them right.
    Trusted,
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

impl Args {
    /// What a function's own arguments say, with those that it inherits; contradictions are mistakes.
    pub(crate) fn of(own: Vec<Clause<Meaning>>, inherited: Vec<Clause<Meaning>>, errors: &mut Errors) -> Self {
        let args = Self::unchecked(own, inherited);
        rules::check_arguments(&args, errors);
        // The argument that is wrong may be the one that would have made the rest right: no check may follow from its absence.
        if errors.is_empty() { args } else { args.trusted() }
    }

    /// The same where the mistakes were told already.
    pub(crate) fn lenient(own: Vec<Clause<Meaning>>, inherited: Vec<Clause<Meaning>>) -> Self {
        Self::unchecked(own, inherited).trusted()
    }

    pub(crate) fn unchecked(own: Vec<Clause<Meaning>>, inherited: Vec<Clause<Meaning>>) -> Self {
        let mut args = Self::none();
        let inherited = inherited.into_iter().map(|clause| (clause, Origin::Block));
        for (clause, origin) in own.into_iter().map(|clause| (clause, Origin::Function)).chain(inherited) {
            if !matches!(clause.meaning, Meaning::Off) {
                args.given.push(Given { name: clause.name, origin });
            }
            args.apply(clause.meaning);
        }
        args
    }

    fn none() -> Self {
        Self {
            settings: Vec::new(),
            mode: Mode::Begins,
            attempts: Attempts::Several,
            literals: Literals::Read,
            commit_on: None,
            retry_on: None,
            database: None,
            key: None,
            runtime: runtime(),
            given: Vec::new(),
        }
    }

    fn trusted(self) -> Self {
        Self { attempts: Attempts::One, literals: Literals::Trusted, ..self }
    }

    fn apply(&mut self, meaning: Meaning) {
        match meaning {
            Meaning::Set(setting) => self.settings.push(setting),
            Meaning::Off | Meaning::AllowWrite => {}
            Meaning::Contention(key) => self.key = key,
            Meaning::Mode(value) => {
                self.mode = Mode::of(&value);
                self.settings.push(Setting { method: "propagation", value });
                if !self.mode.may_own_a_transaction() {
                    self.attempts = Attempts::One;
                }
            }
            Meaning::Never => {
                let never = Value::Constant(Constant { ty: "Retry", name: "NEVER" });
                self.settings.push(Setting { method: "retry", value: never });
                self.attempts = Attempts::One;
            }
            Meaning::CommitOn(pattern) => self.commit_on = Some(pattern),
            Meaning::RetryOn(pattern) => self.retry_on = Some(pattern),
            Meaning::Database(expr) => self.database = Some(expr),
            Meaning::Runtime(path) => self.runtime = path,
        }
    }

    /// Whether statements that write are right in the unit's body.
    pub(crate) fn writes(&self) -> Writes {
        match (self.constant("access"), self.named("allow")) {
            (Some("ReadOnly"), None) => Writes::Refused,
            (Some("ReadOnly"), Some(_)) => Writes::Trusted,
            (Some(_) | None, _) => Writes::Allowed,
        }
    }

    /// The argument's name where it was written.
    pub(crate) fn named(&self, name: &str) -> Option<&Ident> {
        self.given(name).map(|given| &given.name)
    }

    pub(crate) fn given(&self, name: &str) -> Option<&Given> {
        self.given.iter().find(|given| given.name == name)
    }

    /// The runtime's constant that a setting was given as.
    pub(crate) fn constant(&self, method: &str) -> Option<&'static str> {
        self.settings.iter().find(|setting| setting.method == method).and_then(|setting| setting.value.constant())
    }
}

impl Mode {
    pub(crate) fn of(value: &Value) -> Self {
        match value.constant() {
            Some("Required" | "Outermost" | "Nested") => Self::Begins,
            Some("RequiresNew") => Self::Apart,
            Some("Mandatory") => Self::Joins,
            Some("Supports" | "NotSupported" | "Never") => Self::Without,
            Some(_) | None => Self::Unknown,
        }
    }

    /// Whether a unit of this mode may begin a transaction, so that it can run again.
    pub(crate) fn may_own_a_transaction(self) -> bool {
        match self {
            Self::Begins | Self::Apart | Self::Unknown => true,
            Self::Joins | Self::Without => false,
        }
    }

    /// Whether a unit of this mode may end by itself inside another unit of its database.
    pub(crate) fn may_end_inside_another(self) -> bool {
        match self {
            Self::Apart | Self::Without | Self::Unknown => true,
            Self::Begins | Self::Joins => false,
        }
    }
}

fn runtime() -> Path {
    let segments = [PathSegment::from(Ident::new("unit_of_work", proc_macro2::Span::call_site()))];
    Path { leading_colon: Some(<Token![::]>::default()), segments: Punctuated::from_iter(segments) }
}
