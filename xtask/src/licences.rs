//! Licences of everything we link, against the list in `deny.toml`.
//!
//! The same file serves cargo-deny where that is installed; this check needs nothing.

use crate::Done;
use crate::deps::{Graph, Package};
use crate::shell::{read, root};

/// Packages whose licence is not on the list, one line each.
pub(crate) fn check(graph: &Graph) -> Done<Vec<String>> {
    let text = read(&root().join("deny.toml"))?;
    let table: toml::Table = text.parse().map_err(|error| format!("deny.toml: {error}"))?;
    let allowed = table.get("licenses").and_then(|l| l.get("allow")?.as_array());
    let allowed: Vec<&str> =
        allowed.ok_or("deny.toml: no licenses.allow")?.iter().filter_map(|v| v.as_str()).collect();
    let is_bad = |package: &&Package| {
        !package.licence.as_deref().is_some_and(|licence| permits(licence, &allowed))
    };
    let line = |package: &Package| {
        let licence = package.licence.as_deref().unwrap_or("none stated");
        format!("{} {}: licence {licence} is not in deny.toml", package.name, package.version)
    };
    Ok(graph.packages().filter(is_bad).map(line).collect())
}

/// Is there a choice in the SPDX expression that the list allows? `A/B` is an old `A OR B`.
fn permits(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    or(&words, &mut at, allowed) && at == words.len()
}

fn or(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let mut ok = and(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        // Not `||`: the words have to be walked either way.
        ok |= and(words, at, allowed);
    }
    ok
}

fn and(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let mut ok = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        ok &= one(words, at, allowed);
    }
    ok
}

fn one(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let ok = or(words, at, allowed);
        *at += 1;
        return ok;
    }
    let mut name = (*word).to_owned();
    if words.get(*at) == Some(&"WITH") {
        name = format!("{name} WITH {}", words.get(*at + 1).unwrap_or(&""));
        *at += 2;
    }
    allowed.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read() {
        let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"];
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR GPL-2.0) AND ISC",
            "ISC AND (Apache-2.0 OR ISC)",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(permits(good, &allowed), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0 WITH other", "", "MIT MIT"] {
            assert!(!permits(bad, &allowed), "{bad}");
        }
    }
}
