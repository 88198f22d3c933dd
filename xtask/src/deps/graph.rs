//! The resolved dependency graph.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use crate::Done;

/// One package of the graph.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// SPDX expression; `None` when the package states none.
    pub(crate) licence: Option<String>,
    /// Is it ours?
    pub(crate) is_member: bool,
    links: Vec<Link>,
}

struct Link {
    to: String,
    /// Linked into the program (not only for tests).
    is_normal: bool,
    /// Used when building it.
    is_build: bool,
}

/// Packages by id.
#[derive(Default)]
pub(crate) struct Graph {
    packages: BTreeMap<String, Package>,
}

impl Graph {
    /// From the JSON of `cargo metadata`.
    pub(crate) fn from_metadata(json: &Value) -> Done<Self> {
        let list = |value: &Value, key: &str| -> Done<Vec<Value>> {
            let found = value.get(key).and_then(Value::as_array).cloned();
            found.ok_or_else(|| format!("cargo metadata: no {key}"))
        };
        let text = |value: &Value, key: &str| {
            value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let members = list(json, "workspace_members")?;
        let mut packages = BTreeMap::new();
        for package in list(json, "packages")? {
            let id = text(&package, "id");
            let licence = package.get("license").and_then(Value::as_str).map(str::to_owned);
            packages.insert(
                id.clone(),
                Package {
                    name: text(&package, "name"),
                    version: text(&package, "version"),
                    licence,
                    is_member: members.iter().any(|member| member.as_str() == Some(&id)),
                    links: Vec::new(),
                },
            );
        }
        let resolve = json.get("resolve").ok_or("cargo metadata: no resolve")?;
        for node in list(resolve, "nodes")? {
            let Some(package) = packages.get_mut(&text(&node, "id")) else { continue };
            for link in list(&node, "deps")? {
                let kinds = list(&link, "dep_kinds")?;
                let has = |kind: Option<&str>| {
                    kinds.iter().any(|k| k.get("kind").and_then(Value::as_str) == kind)
                };
                package.links.push(Link {
                    to: text(&link, "pkg"),
                    is_normal: has(None),
                    is_build: has(Some("build")),
                });
            }
        }
        Ok(Self { packages })
    }

    /// All packages.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.values()
    }

    /// Our own packages with their ids.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &Package)> {
        self.packages.iter().filter(|(_, package)| package.is_member).map(|(id, p)| (&**id, p))
    }

    /// What a package links or uses in its build script, one step deep.
    pub(crate) fn direct(&self, id: &str) -> impl Iterator<Item = &Package> {
        let links = self.packages.get(id).map_or(&[][..], |package| &package.links);
        let kept = links.iter().filter(|link| link.is_normal || link.is_build);
        kept.filter_map(|link| self.packages.get(&link.to))
    }

    /// Everything that ends up in the program, each with the way to it (names, the package
    /// itself first). Build scripts and tests do not end up there.
    pub(crate) fn linked(&self, id: &str) -> Vec<Vec<&str>> {
        let mut seen = BTreeSet::from([id]);
        let name = |id: &str| self.packages.get(id).map_or("?", |package| &*package.name);
        let mut queue = VecDeque::from([(id, vec![name(id)])]);
        let mut ways = Vec::new();
        while let Some((id, way)) = queue.pop_front() {
            let links = self.packages.get(id).map_or(&[][..], |package| &package.links);
            for link in links.iter().filter(|link| link.is_normal) {
                if seen.insert(&link.to) {
                    let mut longer = way.clone();
                    longer.push(name(&link.to));
                    ways.push(longer.clone());
                    queue.push_back((&link.to, longer));
                }
            }
        }
        ways
    }

    /// A graph for tests: our own packages are those that start with `portcullis`.
    #[cfg(test)]
    pub(crate) fn of(edges: &[(&str, &[&str])]) -> Self {
        let mut graph = Self::default();
        let package = |name: &str| Package {
            name: name.into(),
            version: "1.0.0".into(),
            licence: Some("MIT".into()),
            is_member: name.starts_with("portcullis"),
            links: Vec::new(),
        };
        for (from, to) in edges {
            for name in to.iter().chain([from]) {
                graph.packages.entry((*name).into()).or_insert_with(|| package(name));
            }
            if let Some(from) = graph.packages.get_mut(*from) {
                from.links = to
                    .iter()
                    .map(|to| Link { to: (*to).into(), is_normal: true, is_build: false })
                    .collect();
            }
        }
        graph
    }
}
