//! The registers: one TOML file per document, one line per requirement.

use std::collections::BTreeMap;

use crate::Done;
use crate::shell::{read, root};

const LEVELS: &[&str] = &["required", "recommended", "optional", "prohibited", "descriptive"];
const SUMMARY_CHARS_MAX: usize = 140;

/// One document's requirements.
pub(crate) struct Register {
    /// File name without its ending.
    pub(crate) name: String,
    /// The document as citations name it, `X.1198`.
    pub(crate) document: String,
    pub(crate) requirements: BTreeMap<String, Requirement>,
}

/// One requirement.
pub(crate) struct Requirement {
    clause: String,
    /// Why it is not met on purpose.
    pub(crate) exception: Option<String>,
}

impl Requirement {
    /// Does the clause stand in the requirement's list of clauses?
    pub(crate) fn is_in(&self, clause: &str) -> bool {
        self.clause.split([' ', ',']).any(|word| word == clause)
    }
}

/// All registers in `specs/`, in order of their names.
pub(crate) fn load() -> Done<Vec<Register>> {
    let folder = root().join("specs");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("specs: {error}"))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    let mut registers = Vec::new();
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for file in names.iter().filter(|name| name.ends_with(".toml")) {
        let name = file.trim_end_matches(".toml");
        let register = Register::parse(name, &read(&folder.join(file))?)
            .map_err(|error| format!("specs/{file}: {error}"))?;
        for id in register.requirements.keys() {
            if let Some(other) = owners.insert(id.clone(), file.clone()) {
                return Err(format!("specs/{file}: {id} stands in {other} too"));
            }
        }
        registers.push(register);
    }
    Ok(registers)
}

impl Register {
    pub(crate) fn parse(name: &str, text: &str) -> Done<Self> {
        let table: toml::Table = text.parse().map_err(|error| format!("{error}"))?;
        let document = table.get("document").and_then(toml::Value::as_str);
        let document = document.ok_or("no `document`")?.to_owned();
        let list = table.get("requirements").and_then(toml::Value::as_table);
        let mut requirements = BTreeMap::new();
        for (id, entry) in list.ok_or("no `requirements`")? {
            let text = |key: &str| entry.get(key).and_then(toml::Value::as_str);
            let needed = |key: &str| text(key).ok_or_else(|| format!("{id}: no {key}"));
            let level = needed("level")?;
            if !LEVELS.contains(&level) {
                return Err(format!("{id}: no level {level:?}"));
            }
            if needed("summary")?.chars().count() > SUMMARY_CHARS_MAX {
                return Err(format!("{id}: the summary is over {SUMMARY_CHARS_MAX} characters"));
            }
            let clause = needed("clause")?.to_owned();
            let exception = text("exception").map(str::to_owned);
            requirements.insert(id.clone(), Requirement { clause, exception });
        }
        Ok(Self { name: name.to_owned(), document, requirements })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_registers_of_the_project_are_sound() {
        let registers = load().unwrap();
        assert_eq!(registers.len(), 6);
        let count: usize = registers.iter().map(|register| register.requirements.len()).sum();
        assert!(count > 300, "{count}");
    }

    #[test]
    fn a_level_nobody_knows_is_refused() {
        let text = "document = \"X\"\n[requirements]\n\
                    A = { clause = \"1\", level = \"nice\", summary = \"s\" }";
        assert!(Register::parse("x", text).is_err());
    }
}
