//! Citations in the sources: a comment of one line directly above the code or the test.

use std::collections::BTreeMap;

use crate::source::SourceFile;
use crate::test::package_of;

/// What a citation says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The code below implements it.
    Spec,
    /// The test below shows it.
    SpecTest,
    /// The code below is the defence.
    Defends,
    /// The test below attacks, or injects the fault.
    AttackTest,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Spec => "// spec:",
            Self::SpecTest => "// spec-test:",
            Self::Defends => "// defends:",
            Self::AttackTest => "// attack-test:",
        }
    }

    fn is_test(self) -> bool {
        matches!(self, Self::SpecTest | Self::AttackTest)
    }
}

/// The test that stands below a citation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CitedTest {
    /// Package of a Rust test, file of a page's test.
    pub(crate) suite: String,
    pub(crate) name: String,
}

/// One citation.
#[derive(Debug)]
pub(crate) struct Citation {
    pub(crate) kind: Kind,
    pub(crate) ids: Vec<String>,
    /// `file:line`.
    pub(crate) place: String,
    pub(crate) test: Option<CitedTest>,
}

/// Attributes, other citations and words may stand between a citation and its test.
const LINES_TO_TEST_MAX: usize = 25;

/// All citations of the given kinds, and what is wrong with them.
pub(crate) fn scan(files: &[SourceFile], kinds: &[Kind]) -> (Vec<Citation>, Vec<String>) {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    let mut packages = BTreeMap::new();
    for file in files {
        let lines: Vec<&str> = file.text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let line = line.trim_start();
            let Some((kind, rest)) =
                kinds.iter().find_map(|kind| Some((*kind, line.strip_prefix(kind.prefix())?)))
            else {
                continue;
            };
            let place = format!("{}:{}", file.path, number + 1);
            let ids = ids(rest);
            if ids.is_empty() {
                faults.push(format!("{place}: a citation that cites nothing"));
            }
            let below = lines.get(number + 1..).unwrap_or_default();
            let above = lines.get(..=number).unwrap_or_default();
            let test = kind.is_test().then(|| {
                test_around(file, above, &mut packages)
                    .or_else(|| test_below(file, below, &mut packages))
            });
            let test = test.flatten();
            if kind.is_test() && test.is_none() {
                faults.push(format!("{place}: no test function below this citation"));
            }
            found.push(Citation { kind, ids, place, test });
        }
    }
    (found, faults)
}

/// Ids up to the first word that is none: words may follow them.
fn ids(rest: &str) -> Vec<String> {
    let words = rest.split([' ', ',', ';']).filter(|word| !word.is_empty());
    words.map_while(|word| is_id(word).then(|| word.to_owned())).collect()
}

fn is_id(word: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | '_');
    word.chars().all(letters)
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.contains(['-', '/'])
}

fn test_below(
    file: &SourceFile,
    below: &[&str],
    packages: &mut BTreeMap<String, String>,
) -> Option<CitedTest> {
    let mut has_attribute = !file.is_rust();
    for line in below.iter().take(LINES_TO_TEST_MAX) {
        let line = line.trim_start();
        if file.is_rust() {
            has_attribute |= line.starts_with("#[") && line.contains("test");
            if let Some(name) = function(line) {
                let suite = package_of(&file.path, packages);
                return has_attribute.then_some(CitedTest { suite, name });
            }
        } else if let Some(name) = script_test(line) {
            return Some(CitedTest { suite: file.path.clone(), name });
        }
    }
    None
}

/// The test in whose body the last of these lines stands.
fn test_around(
    file: &SourceFile,
    above: &[&str],
    packages: &mut BTreeMap<String, String>,
) -> Option<CitedTest> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let citation = indent(above.last()?);
    let (at, name) = above.iter().enumerate().rev().find_map(|(at, line)| {
        let name = function(line.trim_start()).filter(|_| indent(line) < citation)?;
        Some((at, name))
    })?;
    let attributes = above.get(..at)?.iter().rev().take_while(|line| {
        let line = line.trim_start();
        line.starts_with("#[") || line.starts_with("//")
    });
    let is_test = attributes.into_iter().any(|line| line.contains("#[") && line.contains("test"));
    is_test.then(|| CitedTest { suite: package_of(&file.path, packages), name })
}

fn function(line: &str) -> Option<String> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let rest = line.strip_prefix("fn ")?;
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// `test("name", ...` of Node's test runner.
fn script_test(line: &str) -> Option<String> {
    let line = line.strip_prefix("await ").unwrap_or(line);
    let rest = line.strip_prefix("test(").or_else(|| line.strip_prefix("it("))?;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    rest.get(1..)?.split(quote).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str, text: &str) -> (Vec<Citation>, Vec<String>) {
        let file = SourceFile { path: path.into(), text: text.into() };
        scan(&[file], &[Kind::Spec, Kind::SpecTest])
    }

    #[test]
    fn ids_end_where_words_begin() {
        assert_eq!(ids(" X-T01, X.1198/7.6 (the stack)"), ["X-T01", "X.1198/7.6"]);
        assert!(ids(" the stack").is_empty());
    }

    #[test]
    fn a_test_citation_without_a_test_is_a_fault() {
        let (_, faults) = one("crates/svm/src/a.rs", "// spec-test: X-T01\nfn helper() {}\n");
        assert_eq!(faults, ["crates/svm/src/a.rs:1: no test function below this citation"]);
        let (_, faults) = one("crates/svm/src/a.rs", "// spec-test: X-T01\n#[test]\nfn t() {}\n");
        assert!(faults.is_empty(), "{faults:?}");
    }

    #[test]
    fn a_citation_in_the_body_of_a_test_counts_for_that_test() {
        let text = "#[test]\nfn outer() {\n    f();\n    // spec-test: X-T01\n    g();\n}\n";
        let (found, faults) = one("crates/svm/src/a.rs", text);
        assert!(faults.is_empty(), "{faults:?}");
        let test = found.first().and_then(|citation| citation.test.as_ref());
        assert_eq!(test.map(|test| test.name.as_str()), Some("outer"));
        let text = "fn helper() {\n    // spec-test: X-T01\n    g();\n}\n";
        assert_eq!(one("crates/svm/src/a.rs", text).1.len(), 1);
    }

    #[test]
    fn tests_of_the_page_are_found_by_their_titles() {
        let text = "// spec-test: E-R11\ntest('shows the channel', async () => {});\n";
        let (found, faults) = one("web/e2e/a.spec.mjs", text);
        assert!(faults.is_empty(), "{faults:?}");
        let test = found.first().and_then(|citation| citation.test.as_ref());
        assert_eq!(test.map(|test| test.name.as_str()), Some("shows the channel"));
    }
}
