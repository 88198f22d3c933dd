//! `cargo xtask threats`: which attacks and faults have a defence and a test.
//!
//! Joins the tables of `docs/threats.md` with `// defends: T-12` and `// attack-test: T-12` in
//! the sources (faults `F-..` the same way). `--write` fills the last two columns of the tables.

use std::collections::{BTreeMap, BTreeSet};

use crate::Done;
use crate::shell::{read, root, write};
use crate::source;
use crate::spec::citations::{Kind, scan};

const PLACES_MAX: usize = 3;

/// Where a threat is met.
#[derive(Default)]
struct Entry {
    defences: BTreeSet<String>,
    tests: BTreeSet<String>,
}

pub(crate) fn command(args: &[String]) -> Done {
    let is_writing = match args {
        [] => false,
        [flag] if flag == "--write" => true,
        _ => return Err("usage: cargo xtask threats [--write]".into()),
    };
    let path = root().join("docs/threats.md");
    let text = read(&path)?;
    let (entries, faults) = join(&text)?;
    if is_writing {
        write(&path, &filled(&text, &entries))?;
    }
    let count = |of: fn(&Entry) -> bool| entries.values().filter(|entry| of(entry)).count();
    let open: Vec<&str> = entries
        .iter()
        .filter(|(_, entry)| entry.tests.is_empty())
        .map(|(id, _)| id.as_str())
        .collect();
    println!(
        "{} threats and faults, {} with a defence in the code, {} with a test",
        entries.len(),
        count(|entry| !entry.defences.is_empty()),
        count(|entry| !entry.tests.is_empty()),
    );
    println!("without a test: {}", if open.is_empty() { "none".into() } else { open.join(" ") });
    for fault in &faults {
        eprintln!("{fault}");
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("{} citations are wrong", faults.len())) }
}

/// Only what is wrong with the citations.
pub(crate) fn faults() -> Done<Vec<String>> {
    Ok(join(&read(&root().join("docs/threats.md"))?)?.1)
}

fn join(document: &str) -> Done<(BTreeMap<String, Entry>, Vec<String>)> {
    let mut entries: BTreeMap<String, Entry> =
        document.lines().filter_map(row_id).map(|id| (id.to_owned(), Entry::default())).collect();
    if entries.is_empty() {
        return Err("docs/threats.md: no table of threats".into());
    }
    let files = source::files(&[".rs", ".ts", ".mjs"])?;
    let (cited, mut faults) = scan(&files, &[Kind::Defends, Kind::AttackTest]);
    for citation in cited {
        for id in &citation.ids {
            let Some(entry) = entries.get_mut(id) else {
                faults.push(format!("{}: no threat {id:?} in docs/threats.md", citation.place));
                continue;
            };
            match citation.test.as_ref() {
                Some(test) => entry.tests.insert(test.name.clone()),
                None => {
                    let file = citation.place.rsplit_once(':').map_or("?", |(file, _)| file);
                    entry.defences.insert(file.to_owned())
                }
            };
        }
    }
    Ok((entries, faults))
}

/// The id of a table row about a threat or a fault.
fn row_id(line: &str) -> Option<&str> {
    let id = line.strip_prefix("| ")?.split(" |").next()?;
    let number = id.strip_prefix("T-").or_else(|| id.strip_prefix("F-"))?;
    number.chars().all(|c| c.is_ascii_digit()).then_some(id)
}

/// The document with the columns `where` and `test` filled from the sources.
fn filled(document: &str, entries: &BTreeMap<String, Entry>) -> String {
    let mut out = String::new();
    for line in document.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        match (row_id(line).and_then(|id| entries.get(id)), cells.as_slice()) {
            (Some(entry), [id, attack, defence, _, _]) => {
                let (places, tests) = (cell(&entry.defences), cell(&entry.tests));
                out.push_str(&format!("| {id} | {attack} | {defence} | {places} | {tests} |\n"));
            }
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

fn cell(places: &BTreeSet<String>) -> String {
    let mut words: Vec<String> =
        places.iter().take(PLACES_MAX).map(|place| format!("`{place}`")).collect();
    if places.len() > PLACES_MAX {
        words.push(format!("and {} more", places.len() - PLACES_MAX));
    }
    if words.is_empty() { "open".into() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_filled_from_the_citations() {
        let text = "| Id | Attack | Defence | Where | Test |\n|---|---|---|---|---|\n\
                    | T-01 | a | b | open | open |\n";
        let mut entry = Entry::default();
        entry.tests.insert("replayed_ecm_is_refused".into());
        let entries = BTreeMap::from([("T-01".to_owned(), entry)]);
        let out = filled(text, &entries);
        assert!(out.contains("| T-01 | a | b | open | `replayed_ecm_is_refused` |\n"), "{out}");
        assert!(out.starts_with("| Id | Attack | Defence | Where | Test |\n"), "{out}");
    }
}
