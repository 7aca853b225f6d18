//! What this workspace is built from: are its licences, its sources and the crates themselves among those that we accept? Asks
//! `cargo tree` and reads `Cargo.lock`; what is accepted, and why, is `rules`. Advisories are not looked up here: their database is
//! a download of its own, and `SECURITY.md` makes that a step of a release.
//!
//! Its test looks at what `cargo test` builds, and downloads nothing for it; `cargo run -p dependencies -- --all-features` looks
//! at what users may switch on besides.

mod licence;
mod rules;
mod tree;

use std::process::ExitCode;

use self::tree::{Crate, Scope};

fn main() -> ExitCode {
    let scope = match std::env::args().nth(1).as_deref() {
        None => Scope::Workspace,
        Some("--all-features") => Scope::AllFeatures,
        Some(other) => panic!("`{other}` is not known; nothing or `--all-features`"),
    };
    let built = tree::crates(scope);
    let complaints = complaints(&built, scope);
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    println!("{} crates from elsewhere, {} complaints", built.len(), complaints.len());
    if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn complaints(built: &[Crate], scope: Scope) -> Vec<String> {
    let library = tree::crates(Scope::Library);
    let ours = match scope {
        Scope::AllFeatures => &tree::crates(Scope::AllFeaturesButPeers),
        Scope::AllFeaturesButPeers | Scope::Workspace | Scope::Library => built,
    };
    [rules::licences(built), rules::bans(ours), rules::twice(&library), rules::sources(&tree::lock())].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_built_may_be_used() {
        let built = tree::crates(Scope::Workspace);
        assert!(built.len() > 100 && built.iter().any(|known| known.name == "mysql"), "the control: {built:?}");
        assert_eq!(complaints(&built, Scope::Workspace), Vec::<String>::new());
    }
}
