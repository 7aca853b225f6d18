//! What the attribute costs when it is compiled: `cargo check` of a crate with many annotated functions against the same crate with
//! the calls written by hand, and the packages that the macro crate adds to a user's build. What the crates hold is `source`'s,
//! which packages belong to whom is `packages`'.

mod packages;
mod source;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::Failure;
use crate::compile::source::Spelling;
use crate::statistics::{Spread, paired, spread};
use crate::table::shown;

/// How much is to be compiled.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Compile {
    /// Units of work in each crate.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    functions: u32,
    /// Rounds; in each of them every crate is checked once.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Prints one JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Compile {
    pub(crate) fn of(functions: u32, rounds: u32) -> Self {
        Self { functions, rounds, json: false }
    }
}

/// What was measured.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Cost {
    functions: u32,
    rounds: u32,
    /// Seconds of `cargo check` for the crate alone, its dependencies being there.
    annotated_s: Spread,
    expanded_s: Spread,
    builder_s: Spread,
    /// Annotated to the same functions with the attribute's own output written by hand, round by round.
    ratio_to_expanded: Spread,
    /// Annotated to `db.unit(…).run(…)` written by hand.
    ratio_to_builder: Spread,
    /// Packages that a build of the library compiles for the macros' sake alone.
    added_packages: Vec<String>,
}

/// Runs `cargo check`, the crates in turn.
pub(crate) fn measure(plan: &Compile) -> Result<Cost, Failure> {
    let workspace = Workspace::write(plan.functions)?;
    let mut seconds = Spelling::ALL.map(|_| Vec::new());
    // The first one builds the dependencies, too.
    for spelling in Spelling::ALL {
        workspace.check(spelling)?;
    }
    for round in 0..plan.rounds {
        let mut order = Spelling::ALL;
        order.rotate_left(usize::try_from(round)? % Spelling::ALL.len());
        for spelling in order {
            seconds[spelling as usize].push(workspace.check(spelling)?.as_secs_f64());
        }
    }
    let [annotated, expanded, builder] = &seconds;
    Ok(Cost {
        functions: plan.functions,
        rounds: plan.rounds,
        ratio_to_expanded: paired(annotated, expanded),
        ratio_to_builder: paired(annotated, builder),
        annotated_s: spread(annotated),
        expanded_s: spread(expanded),
        builder_s: spread(builder),
        added_packages: packages::added_by_the_macros()?,
    })
}

/// For people.
pub(crate) fn text(cost: &Cost) -> String {
    format!(
        "`cargo check` of {} units, {} rounds, seconds and ratios as median (95 % interval):\n\
         with the attribute            {:>22}\n\
         its output, written by hand   {:>22}   the attribute costs {} of it\n\
         db.unit(…).run(…), by hand    {:>22}   the attribute costs {} of it\n\
         packages that the macros add to a build: {} ({})\n",
        cost.functions,
        cost.rounds,
        shown(cost.annotated_s, 2),
        shown(cost.expanded_s, 2),
        shown(cost.ratio_to_expanded, 3),
        shown(cost.builder_s, 2),
        shown(cost.ratio_to_builder, 3),
        cost.added_packages.len(),
        cost.added_packages.join(", ")
    )
}

/// The crates that are compiled, gone with the value. What they depend on is built into this workspace's own target directory
/// and stays there.
struct Workspace {
    root: TempDir,
    target: PathBuf,
}

impl Workspace {
    fn write(functions: u32) -> Result<Self, Failure> {
        let ours = ours();
        let root = tempfile::tempdir()?;
        let members = Spelling::ALL.map(Spelling::name);
        fs::write(root.path().join("Cargo.toml"), format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n"))?;
        // The same versions as here, and nothing to be looked up.
        fs::copy(ours.join("Cargo.lock"), root.path().join("Cargo.lock"))?;
        for spelling in Spelling::ALL {
            let directory = root.path().join(spelling.name());
            fs::create_dir_all(directory.join("src"))?;
            fs::write(directory.join("Cargo.toml"), source::manifest(spelling, &ours.join("runtime")))?;
            fs::write(directory.join("src/lib.rs"), source::library(spelling, functions))?;
        }
        Ok(Self { root, target: ours.join("target").join("bench-compile") })
    }

    /// Checks one crate as if its source had just been saved.
    fn check(&self, spelling: Spelling) -> Result<Duration, Failure> {
        let source =
            fs::File::options().append(true).open(self.root.path().join(spelling.name()).join("src/lib.rs"))?;
        source.set_modified(SystemTime::now())?;
        let began = Instant::now();
        let output = cargo()
            .args(["check", "--quiet", "--offline", "--package", spelling.name(), "--target-dir"])
            .arg(&self.target)
            .current_dir(self.root.path())
            .output()?;
        let took = began.elapsed();
        if output.status.success() {
            Ok(took)
        } else {
            Err(format!("`{}` does not compile:\n{}", spelling.name(), String::from_utf8_lossy(&output.stderr)).into())
        }
    }
}

/// The root of the workspace that this program belongs to.
fn ours() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Without what this program's own `cargo run` has set for it.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(name);
        }
    }
    command
}
