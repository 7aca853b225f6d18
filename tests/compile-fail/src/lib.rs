//! What the compiler says to users of `#[unit_of_work]`, and what it lets pass without a word. `mistakes/` holds programs with
//! one mistake each, `accepted/` the ways in which a function can rightly be written, `editions/` programs that need a crate of
//! their own for it.
//!
//! Each mistake's file says in `//~^ ERROR …` comments which message has to stand at which line, and no other error may come; on
//! every toolchain that is compared (`annotations`). On the toolchain named in `mistakes` the whole output is compared with the
//! `.stderr` file beside it, too (`record`). To record it anew: `RECORD=1 cargo test -p compile-fail`, then read every changed
//! file as a user would.

#![cfg(test)]

mod accepted;
mod annotations;
mod compiler;
mod editions;
mod mistakes;
mod programs;
mod record;
