//! The outcome of the last full test run, kept in `target/test-results.json`.
//!
//! The registers count a clause as tested only by what stands there, and only while the sources
//! are the ones that were tested.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::Done;
use crate::shell::{read, target_dir, write};
use crate::source::digest;

/// One test: where it lives (a package, or a file for the page's tests) and its full name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) suite: String,
    pub(crate) name: String,
}

impl Case {
    pub(crate) fn new(suite: &str, name: &str) -> Self {
        Self { suite: suite.to_owned(), name: name.to_owned() }
    }

    /// The function's own name.
    pub(crate) fn function(&self) -> &str {
        self.name.rsplit("::").next().unwrap_or(&self.name)
    }
}

/// A test that did not run, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skip {
    pub(crate) test: String,
    pub(crate) why: String,
    /// Does it need something no package of the system brings? Such a skip never fails a build.
    pub(crate) is_optional: bool,
}

/// What a run of tests came to.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) passed: Vec<Case>,
    pub(crate) failed: Vec<Case>,
    pub(crate) skipped: Vec<Skip>,
}

impl Results {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed.extend(other.passed);
        self.failed.extend(other.failed);
        self.skipped.extend(other.skipped);
    }

    /// Has the test of this full name passed?
    pub(crate) fn has_passed(&self, name: &str) -> bool {
        self.passed.iter().any(|case| case.name == name)
    }

    /// Takes over what the tests wrote into the skip log.
    pub(crate) fn apply_skip_log(&mut self, log: &str) {
        for line in log.lines() {
            self.apply_skip_line(None, line);
        }
    }

    /// Takes a line `SKIPPED: test: why`, or `SKIPPED: why` of a test known by name; any other
    /// line is ignored. A test that skipped has not passed.
    pub(crate) fn apply_skip_line(&mut self, test: Option<&str>, line: &str) {
        let (is_optional, rest) = match line.trim().split_once(": ") {
            Some(("SKIPPED", rest)) => (false, rest),
            Some(("SKIPPED (optional)", rest)) => (true, rest),
            _ => return,
        };
        let last = |name: &str| name.rsplit("::").next().unwrap_or(name).to_owned();
        let (named, why) = match rest.split_once(": ") {
            Some((named, why)) if test.is_none_or(|test| last(test) == last(named)) => (named, why),
            _ => (test.unwrap_or(rest), rest),
        };
        let function = last(named);
        if self.skipped.iter().any(|skip| last(&skip.test) == function) {
            return;
        }
        self.passed.retain(|case| case.function() != function);
        self.skipped.push(Skip { test: named.into(), why: why.into(), is_optional });
    }

    /// The closing line.
    pub(crate) fn line(&self) -> String {
        let (passed, failed, skipped) = (self.passed.len(), self.failed.len(), self.skipped.len());
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }

    pub(crate) fn save(&self) -> Done {
        let cases = |cases: &[Case]| -> Vec<Value> {
            cases.iter().map(|c| json!({ "suite": c.suite, "name": c.name })).collect()
        };
        let skipped: Vec<Value> =
            self.skipped.iter().map(|s| json!({ "test": s.test, "why": s.why })).collect();
        let json = json!({
            "sources": digest()?,
            "passed": cases(&self.passed),
            "failed": cases(&self.failed),
            "skipped": skipped,
        });
        write(&file(), &format!("{json:#}\n"))
    }
}

/// The tests that passed in this build, or why that is not known.
pub(crate) fn passed_in_this_build() -> Result<Vec<Case>, &'static str> {
    let text = read(&file()).map_err(|_| "no test run in this build yet")?;
    let json: Value = serde_json::from_str(&text).map_err(|_| "the last test run is unreadable")?;
    let now = digest().map_err(|_| "the sources are unreadable")?;
    if json.get("sources").and_then(Value::as_str) != Some(&now) {
        return Err("the sources changed since the last test run");
    }
    let list = json.get("passed").and_then(Value::as_array);
    let case = |value: &Value| -> Option<Case> {
        Some(Case::new(value.get("suite")?.as_str()?, value.get("name")?.as_str()?))
    };
    Ok(list.into_iter().flatten().filter_map(case).collect())
}

fn file() -> PathBuf {
    target_dir().join("test-results.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_skipped_has_not_passed() {
        let mut results = Results::default();
        results.passed.push(Case::new("portcullis-tests::journey_file", "cissa"));
        results.passed.push(Case::new("portcullis-tests::journey_file", "csa2"));
        results.apply_skip_log(
            "SKIPPED: cissa: ffmpeg is missing\nnoise\nSKIPPED (optional): tsduck: no build here\n",
        );
        assert_eq!(results.line(), "1 passed, 0 failed, 2 skipped");
        assert_eq!(results.skipped.iter().filter(|skip| skip.is_optional).count(), 1);
        results.apply_skip_line(Some("a::cissa"), "SKIPPED: cissa: ffmpeg is missing");
        results.apply_skip_line(Some("a::csa2"), "SKIPPED: a judge is missing");
        assert_eq!(results.line(), "0 passed, 0 failed, 3 skipped");
    }
}
