//! Collects the mistakes of one attribute, so that all are reported in one build, and words the guess at what was meant.
//! Which mistakes there are is decided by `args` and `rules`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Attribute;

/// All mistakes found so far.
#[derive(Debug, Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// The value, or its error kept here.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// One `compile_error!` per mistake, each at its token.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.map(syn::Error::into_compile_error).unwrap_or_default()
    }

    /// The same, each of them under the conditions of what it speaks of.
    pub(crate) fn into_tokens_under(self, conditions: &[&Attribute]) -> TokenStream {
        let messages = self.0.into_iter().flatten().map(syn::Error::into_compile_error);
        messages.map(|message| quote!(#(#conditions)* #message)).collect()
    }
}

/// The end of a message about a word that is not known: the nearest known one, or all of them.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> String {
    // Half of the letters may differ (two that changed places count twice): `naem` finds `name`, `level` finds nothing.
    let nearest = known.iter().map(|candidate| (distance(word, candidate), candidate)).min();
    match nearest {
        Some((distance, candidate)) if distance * 2 <= candidate.chars().count() => {
            format!("did you mean `{candidate}`?")
        }
        Some(_) | None => format!("expected {}", one_of(known)),
    }
}

/// `` `a`, `b` or `c` ``.
fn one_of(known: &[&str]) -> String {
    let quoted: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// The Levenshtein distance: how many letters to insert, remove or replace.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(&to) {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = *cell;
            left = replaced.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshteins() {
        for (from, to, expected) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("isolaton", "isolation", 1)]
        {
            assert_eq!(distance(from, to), expected, "{from} -> {to}");
        }
    }

    #[test]
    fn a_near_word_is_proposed_and_a_far_one_gets_the_list() {
        let known = ["isolation", "access", "retry"];
        assert_eq!(did_you_mean("isolaton", &known), "did you mean `isolation`?");
        assert_eq!(did_you_mean("retyr", &known), "did you mean `retry`?");
        assert_eq!(did_you_mean("level", &known), "expected `isolation`, `access` or `retry`");
        assert_eq!(did_you_mean("x", &["never"]), "expected `never`");
    }
}
