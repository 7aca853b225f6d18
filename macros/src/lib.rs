//! The attribute of the crate `unit-of-work`. Use it through that crate.

mod args;
mod errors;
mod expand;
mod function;
mod rules;
mod value;

use proc_macro::TokenStream;

/// Attr.
#[proc_macro_attribute]
pub fn unit_of_work(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::unit_of_work(arguments.into(), &item.into()).into()
}
