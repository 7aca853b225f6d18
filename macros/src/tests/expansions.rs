//! What users see when they look: each program in `expansions/` and, beside it, what the attribute makes of it. To record anew:
//! `UPDATE_EXPECT=1 cargo test -p unit-of-work-macros`, then read what changed.

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Meta};

use crate::expand::unit_of_work;
use crate::test::test;

#[test]
fn expansions_are_as_recorded() {
    let programs = programs();
    assert!(programs.len() >= 12, "{programs:?}");
    for program in programs {
        let source = fs::read_to_string(&program).expect("a program that was listed is readable");
        let (attribute, arguments, item) = taken_apart.parse_str(&source).expect("a program begins with the attribute");
        let expansion =
            if attribute == "unit_of_work" { unit_of_work(arguments, &item) } else { test(arguments, &item) };
        expect_file![program.with_extension("expanded.rs")].assert_eq(&printed(expansion));
    }
}

#[test]
fn no_expansion_is_left_of_a_program_that_is_gone() {
    let recorded = files().into_iter().filter(|file| is_expansion(file)).count();
    assert_eq!(recorded, programs().len());
}

fn programs() -> Vec<PathBuf> {
    files().into_iter().filter(|file| !is_expansion(file)).collect()
}

fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/expansions")).expect("the directory is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it is readable").path()).collect();
    files.sort();
    files
}

fn is_expansion(file: &Path) -> bool {
    file.to_string_lossy().ends_with(".expanded.rs")
}

/// The name and the arguments of the first attribute, and what stands below it.
fn taken_apart(input: ParseStream<'_>) -> syn::Result<(String, TokenStream, TokenStream)> {
    let mut attrs = input.call(Attribute::parse_outer)?;
    let first = attrs.remove(0).meta;
    let name = first.path().segments.last().expect("a path has a name").ident.to_string();
    let arguments = match first {
        Meta::List(list) => list.tokens,
        Meta::Path(_) | Meta::NameValue(_) => TokenStream::new(),
    };
    let above: TokenStream = attrs.iter().map(ToTokens::to_token_stream).collect();
    Ok((name, arguments, [above, input.parse()?].into_iter().collect()))
}

/// The tokens as a formatted program. What stands in an `impl` block is a method there, which only an `impl` may hold.
fn printed(expansion: TokenStream) -> String {
    if let Ok(file) = syn::parse2(expansion.clone()) {
        return prettyplease::unparse(&file);
    }
    let body = TokenTree::Group(Group::new(Delimiter::Brace, expansion));
    prettyplease::unparse(&syn::parse_quote!(impl Type #body))
}
