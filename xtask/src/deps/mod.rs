//! Dependency rules: who may link whom. Read from `cargo metadata`, so that a dependency of a
//! dependency counts as well.

mod graph;
mod rules;

use crate::Done;
use crate::shell::{cargo, output};

pub(crate) use graph::{Graph, Package};
pub(crate) use rules::{PURE, check};

/// Reads the workspace's resolved dependencies.
pub(crate) fn load() -> Done<Graph> {
    let text = output(&mut cargo(&[
        "metadata",
        "--format-version=1",
        "--locked",
        "--filter-platform=x86_64-unknown-linux-gnu",
    ]))?;
    let json = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    Graph::from_metadata(&json)
}
