//! The page: its types are checked, its end-to-end tests run in a real browser.

use std::path::Path;

use crate::Done;
use crate::results::{Case, Results, Skip};
use crate::shell::{command, read, root, say};
use crate::tools::{CHROMIUM, NODE, browser};

pub(crate) fn run(skip_log: &Path) -> Done<Results> {
    let mut results = Results::default();
    if !NODE.is_present() {
        results.skipped.push(skip("the page's tests", &NODE.missing_line()));
        return Ok(results);
    }
    types(&mut results);
    end_to_end(skip_log, &mut results)?;
    Ok(results)
}

fn skip(test: &str, why: &str) -> Skip {
    Skip { test: test.into(), why: why.into(), is_optional: false }
}

/// The page's own `check` script.
fn types(results: &mut Results) {
    let manifest = read(&root().join("web/package.json")).unwrap_or_default();
    let json: serde_json::Value = serde_json::from_str(&manifest).unwrap_or_default();
    if json.pointer("/scripts/check").is_none() {
        return;
    }
    say("the page's types");
    let mut npm = command("npm");
    npm.args(["--prefix", "web", "run", "--silent", "check"]);
    let case = Case::new("web", "types");
    match npm.status() {
        Ok(status) if status.success() => results.passed.push(case),
        _ => results.failed.push(case),
    }
}

fn end_to_end(skip_log: &Path, results: &mut Results) -> Done {
    let folder = root().join("web/e2e");
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(()) };
    let mut specs: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".spec.mjs"))
        .collect();
    specs.sort();
    if specs.is_empty() {
        return Ok(());
    }
    let Some(browser) = browser() else {
        let test = format!("{} end-to-end specs", specs.len());
        results.skipped.push(skip(&test, &CHROMIUM.missing_line()));
        return Ok(());
    };
    say("the page in a browser");
    for name in specs {
        let mut node = command("node");
        node.args(["--test", "--test-reporter=tap"]).arg(format!("web/e2e/{name}"));
        node.env("PORTCULLIS_BROWSER", &browser).env("PORTCULLIS_SKIP_LOG", skip_log);
        let output = node.output().map_err(|error| format!("node: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let before = results.failed.len();
        tap(&text, &format!("web/e2e/{name}"), results);
        if !output.status.success() && results.failed.len() == before {
            results.failed.push(Case::new(&format!("web/e2e/{name}"), "the spec itself"));
        }
        if !output.status.success() {
            println!("{text}{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    Ok(())
}

/// Node's test runner reports each file as a test around the tests in it: the innermost count.
fn tap(text: &str, suite: &str, results: &mut Results) {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let verdicts: Vec<&str> = text
        .lines()
        .filter(|line| {
            let line = line.trim_start();
            line.starts_with("ok ") || line.starts_with("not ok ")
        })
        .collect();
    let deepest = verdicts.iter().map(|line| depth(line)).max().unwrap_or(0);
    for line in verdicts.iter().filter(|line| depth(line) == deepest) {
        let name = line.split_once(" - ").map_or("?", |(_, name)| name);
        let (name, note) = name.split_once(" # ").unwrap_or((name, ""));
        let case = Case::new(suite, name.trim());
        if note.starts_with("SKIP") {
            let why = note.trim_start_matches("SKIP").trim();
            results.skipped.push(skip(&format!("{suite} {}", name.trim()), why));
        } else if line.trim_start().starts_with("ok ") {
            results.passed.push(case);
        } else {
            results.failed.push(case);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_node_is_read() {
        let mut results = Results::default();
        let text = "TAP version 13\n    ok 1 - plays\n    not ok 2 - reacts\n    \
                    ok 3 - sings # SKIP no voice\nnot ok 1 - web/e2e/a.spec.mjs\n# tests 3\n";
        tap(text, "web/e2e/a.spec.mjs", &mut results);
        assert_eq!(results.line(), "1 passed, 1 failed, 1 skipped");
    }
}
