//! Which packages a user's build compiles only because of the attribute: those that the library reaches through the macro crate and
//! in no other way. Asked of cargo's own resolution of this workspace.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{cargo, ours};
use crate::Failure;

type Graph = BTreeMap<String, Vec<String>>;

const LIBRARY: &str = "unit-of-work";
const MACROS: &str = "unit-of-work-macros";

pub(crate) fn added_by_the_macros() -> Result<Vec<String>, Failure> {
    let output = cargo().args(["metadata", "--format-version", "1", "--offline"]).current_dir(ours()).output()?;
    if !output.status.success() {
        return Err(format!("`cargo metadata` failed:\n{}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let graph = graph(&serde_json::from_slice(&output.stdout)?).ok_or("`cargo metadata` has another format")?;
    let without = reached(&graph, |name| name != MACROS);
    Ok(reached(&graph, |_| true).difference(&without).cloned().collect())
}

/// Name to the names that a build of it needs. Two versions of one package count as one.
fn graph(metadata: &Value) -> Option<Graph> {
    let mut names = BTreeMap::new();
    for package in metadata["packages"].as_array()? {
        names.insert(package["id"].as_str()?, package["name"].as_str()?.to_owned());
    }
    let mut graph = Graph::new();
    for node in metadata["resolve"]["nodes"].as_array()? {
        let needed = node["deps"].as_array()?.iter().filter(|dependency| is_needed(dependency));
        let needed = needed.map(|dependency| names.get(dependency["pkg"].as_str()?).cloned());
        graph.entry(names.get(node["id"].as_str()?)?.clone()).or_default().extend(needed.collect::<Option<Vec<_>>>()?);
    }
    Some(graph)
}

/// For tests alone is not for a build.
fn is_needed(dependency: &Value) -> bool {
    dependency["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"] != "dev")
}

fn reached(graph: &Graph, may: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next = vec![LIBRARY.to_owned()];
    while let Some(name) = next.pop() {
        if may(&name) && reached.insert(name.clone()) {
            next.extend(graph.get(&name).into_iter().flatten().cloned());
        }
    }
    reached
}
