//! How each kind of argument value is read: a word out of several, a flag, a text, a count, a length of time, an expression, a
//! pattern, a path.
//! Which argument takes which kind stands in the table in `args`.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, ExprLit, Lit, LitBool, LitStr, Pat, Path, Token};

use crate::errors::did_you_mean;
use crate::keys::Meaning;

/// A method of the descriptor (or of the retry policy) and its argument.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) method: &'static str,
    pub(crate) value: Value,
}

/// The argument of a [`Setting`].
#[derive(Clone)]
pub(crate) enum Value {
    /// A method that says everything by its name has none.
    Nothing,
    /// One of the runtime's own.
    Constant(Constant),
    /// The user's tokens.
    Written(TokenStream),
    Duration(Duration),
    Policy(Vec<Setting>),
}

/// How an argument was written.
pub(crate) enum Form {
    Alone,
    Equals(Expr),
    List(TokenStream),
}

/// An argument with what is needed to speak about it.
pub(crate) struct Given<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) form: &'a Form,
    pub(crate) example: &'static str,
}

/// The words that an argument chooses from, and the runtime's constants for them.
#[derive(Clone, Copy)]
pub(crate) struct Choice {
    pub(crate) of: &'static str,
    pub(crate) ty: &'static str,
    pub(crate) words: &'static [(&'static str, &'static str)],
}

/// `Type::NAME` of the runtime.
#[derive(Clone, Copy)]
pub(crate) struct Constant {
    pub(crate) ty: &'static str,
    pub(crate) name: &'static str,
}

impl Given<'_> {
    /// A word in quotes, or a path to a constant of the user's.
    pub(crate) fn choice(&self, choice: Choice) -> syn::Result<Value> {
        match self.form {
            Form::Equals(Expr::Path(path)) if choice.knows(path) => {
                let message = format!("a word stands in quotes: `{} = \"{}\"`", self.name, path.to_token_stream());
                Err(Error::new_spanned(path, message))
            }
            Form::Equals(Expr::Path(path)) => Ok(Value::Written(path.to_token_stream())),
            Form::Equals(_) | Form::Alone | Form::List(_) => self.word(choice).map(Value::Constant),
        }
    }

    /// A word in quotes, in any case, with spaces, `-` or `_`.
    pub(crate) fn word(&self, choice: Choice) -> syn::Result<Constant> {
        let literal = self.literal()?;
        choice.find(&literal.value()).map_err(|message| Error::new_spanned(literal, message))
    }

    /// The argument's name alone.
    pub(crate) fn flag(&self, value: Value) -> syn::Result<Value> {
        match self.form {
            Form::Alone => Ok(value),
            Form::Equals(_) | Form::List(_) => {
                Err(self.error(&format!("`{}` takes no value: write its name alone", self.name)))
            }
        }
    }

    /// The argument's name alone; `= false` where a block around the function says it.
    pub(crate) fn switch(&self, method: &'static str) -> syn::Result<Meaning> {
        match self.form {
            Form::Equals(Expr::Lit(ExprLit { lit: Lit::Bool(LitBool { value: false, .. }), .. })) => Ok(Meaning::Off),
            Form::Alone | Form::Equals(_) | Form::List(_) => {
                self.flag(Value::Nothing).map(|value| Meaning::Set(Setting { method, value }))
            }
        }
    }

    /// One word out of several, in parentheses.
    pub(crate) fn one_of(&self, words: &[&str]) -> syn::Result<Ident> {
        let Form::List(list) = self.form else { return Err(self.misfit()) };
        let word: Ident = syn::parse2(list.clone()).map_err(|_| self.misfit())?;
        if words.iter().any(|known| word == known) {
            Ok(word)
        } else {
            let guess = did_you_mean(&word.to_string(), words);
            Err(Error::new(word.span(), format!("`{}` knows no `{word}`; {guess}", self.name)))
        }
    }

    /// A text in quotes that is not empty.
    pub(crate) fn text(&self) -> syn::Result<Value> {
        let literal = self.literal()?;
        if literal.value().trim().is_empty() {
            Err(self.misfit())
        } else {
            Ok(Value::Written(literal.to_token_stream()))
        }
    }

    /// A whole number from 1, or a path to a constant of the user's.
    pub(crate) fn count(&self) -> syn::Result<Value> {
        match self.form {
            Form::Equals(Expr::Path(path)) => Ok(Value::Written(path.to_token_stream())),
            Form::Equals(Expr::Lit(ExprLit { lit: Lit::Int(number), .. })) => match number.base10_parse::<u32>() {
                Err(_) => Err(Error::new_spanned(number, format!("`{}` is at most {}", self.name, u32::MAX))),
                Ok(0) => {
                    Err(Error::new_spanned(number, format!("`{}` is at least 1: the first run counts", self.name)))
                }
                Ok(1..) => Ok(Value::Written(number.to_token_stream())),
            },
            Form::Equals(_) | Form::Alone | Form::List(_) => Err(self.misfit()),
        }
    }

    /// `"2s"`, `"750ms"`, `"1m"`, or a path to a `Duration` of the user's.
    pub(crate) fn duration(&self) -> syn::Result<Value> {
        if let Form::Equals(Expr::Path(path)) = self.form {
            return Ok(Value::Written(path.to_token_stream()));
        }
        let literal = self.literal()?;
        duration(&literal.value()).map(Value::Duration).ok_or_else(|| {
            let message = format!(
                "`{}` is no length of time: write a whole number and `ms`, `s`, `m` or `h`, such as `\"750ms\"`",
                literal.value()
            );
            Error::new_spanned(literal, message)
        })
    }

    /// Any expression.
    pub(crate) fn expression(&self) -> syn::Result<Expr> {
        match self.form {
            Form::Equals(expr) => Ok(expr.clone()),
            Form::Alone | Form::List(_) => Err(self.misfit()),
        }
    }

    /// A path, not in quotes.
    pub(crate) fn path(&self) -> syn::Result<Path> {
        match self.form {
            Form::Equals(Expr::Path(path)) if path.qself.is_none() => Ok(path.path.clone()),
            Form::Equals(_) | Form::Alone | Form::List(_) => Err(self.misfit()),
        }
    }

    /// A pattern in parentheses, with `|` between alternatives and `if` before a condition, as it was written.
    pub(crate) fn pattern(&self) -> syn::Result<TokenStream> {
        match self.form {
            Form::List(list) if is_a_binding(list) => Err(self.error(
                "a name alone matches every error: write the variant with its path, as in `BankError::Blocked(_)`, or `_` if all are \
                 meant",
            )),
            Form::List(list) if !list.is_empty() => pattern.parse2(list.clone()).map(|()| list.clone()),
            Form::List(_) | Form::Equals(_) | Form::Alone => Err(self.misfit()),
        }
    }

    /// The argument is known, and this is not the place for it.
    pub(crate) fn misplaced(&self, where_it_belongs: &str) -> Error {
        Error::new(self.name.span(), where_it_belongs)
    }

    fn literal(&self) -> syn::Result<&LitStr> {
        match self.form {
            Form::Equals(Expr::Lit(ExprLit { lit: Lit::Str(literal), .. })) if literal.suffix().is_empty() => {
                Ok(literal)
            }
            Form::Equals(_) | Form::Alone | Form::List(_) => Err(self.misfit()),
        }
    }

    /// It is not written the way this argument is.
    pub(crate) fn misfit(&self) -> Error {
        self.error(&format!("`{}` is written `{}`", self.name, self.example))
    }

    /// At the value if there is one.
    fn error(&self, message: &str) -> Error {
        match self.form {
            Form::Alone => Error::new(self.name.span(), message),
            Form::Equals(value) => Error::new_spanned(value, message),
            Form::List(list) if list.is_empty() => Error::new(self.name.span(), message),
            Form::List(list) => Error::new_spanned(list, message),
        }
    }
}

impl Value {
    /// The name of the runtime's constant, if it is one.
    pub(crate) fn constant(&self) -> Option<&'static str> {
        match self {
            Self::Constant(constant) => Some(constant.name),
            Self::Nothing | Self::Written(_) | Self::Duration(_) | Self::Policy(_) => None,
        }
    }
}

impl Choice {
    /// Whether the path is one of the words, that is, whether somebody forgot its quotes.
    fn knows(self, path: &syn::ExprPath) -> bool {
        path.path.get_ident().is_some_and(|ident| {
            let word = plain(&ident.to_string());
            ident == &ident.to_string().to_lowercase() && self.words.iter().any(|(known, _)| plain(known) == word)
        })
    }

    fn find(self, written: &str) -> Result<Constant, String> {
        let word = plain(written);
        let found = self.words.iter().find(|(known, _)| plain(known) == word);
        found.map(|(_, name)| Constant { ty: self.ty, name }).ok_or_else(|| {
            let known: Vec<&str> = self.words.iter().map(|(known, _)| *known).collect();
            format!("unknown {} `{written}`; {}", self.of, did_you_mean(&word, &known))
        })
    }
}

/// Lower case, words separated by one space.
fn plain(written: &str) -> String {
    let words: Vec<&str> = written.split([' ', '-', '_']).filter(|word| !word.is_empty()).collect();
    words.join(" ").to_lowercase()
}

/// Whether it is one name that no variant and no constant has.
fn is_a_binding(pattern: &TokenStream) -> bool {
    let name = syn::parse2::<Ident>(pattern.clone());
    name.is_ok_and(|name| name.to_string().starts_with(|first: char| first.is_lowercase()))
}

/// Reads what an arm of a `match` has before its arrow; nothing may follow.
fn pattern(input: ParseStream<'_>) -> syn::Result<()> {
    // The parser would list each token that a pattern can begin with.
    let unreadable = "no pattern can be read here: it is written as before the arrow in a `match`";
    Pat::parse_multi_with_leading_vert(input).map_err(|error| Error::new(error.span(), unreadable))?;
    if input.parse::<Option<Token![if]>>()?.is_some() {
        input.parse::<Expr>()?;
    }
    if input.is_empty() {
        Ok(())
    } else {
        Err(input.error(
            "the pattern ends here: write `|` between alternatives, and one `if` with its condition behind the last",
        ))
    }
}

fn duration(written: &str) -> Option<Duration> {
    const MILLISECONDS: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    let written = written.trim();
    let (number, unit) = written.split_at(written.find(|c: char| !c.is_ascii_digit())?);
    let (_, factor) = MILLISECONDS.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_whole_numbers_with_a_unit() {
        for (written, milliseconds) in [
            ("750ms", Some(750)),
            ("2s", Some(2_000)),
            ("1 m", Some(60_000)),
            (" 3h ", Some(10_800_000)),
            ("0ms", Some(0)),
        ] {
            assert_eq!(duration(written), milliseconds.map(Duration::from_millis), "{written}");
        }
        for written in ["", "5", "s", "1.5s", "-1s", "2 weeks", "99999999999999999999s", "18446744073709551615h"] {
            assert_eq!(duration(written), None, "{written}");
        }
    }
}
