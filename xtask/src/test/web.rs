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
        node.arg(format!("web/e2e/{name}"));
        node.env("CHROMIUM", &browser).env("PORTCULLIS_SKIP_LOG", skip_log);
        let output = node.output().map_err(|error| format!("node: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let before = results.failed.len();
        verdicts(&text, &format!("web/e2e/{name}"), results);
        if !output.status.success() && results.failed.len() == before {
            results.failed.push(Case::new(&format!("web/e2e/{name}"), "the spec itself"));
        }
        println!("{text}{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Takes the lines `ok NAME (TIME)`, `FAILED NAME` and `SKIPPED NAME: WHY` that the specs print.
fn verdicts(text: &str, suite: &str, results: &mut Results) {
    for line in text.lines() {
        let name =
            |rest: &str| rest.rsplit_once(" (").map_or(rest, |(name, _)| name).trim().to_owned();
        if let Some(rest) = line.strip_prefix("ok ") {
            results.passed.push(Case::new(suite, &name(rest)));
        } else if let Some(rest) = line.strip_prefix("FAILED ") {
            results.failed.push(Case::new(suite, rest.trim()));
        } else if let Some(rest) = line.strip_prefix("SKIPPED ") {
            let (test, why) = rest.split_once(": ").unwrap_or((rest, "no reason given"));
            results.skipped.push(skip(&format!("{suite} {}", test.trim()), why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_a_spec_is_read() {
        let mut results = Results::default();
        let text = "ok      plays (1.2 s)\nFAILED  reacts\n        why\n\
                    SKIPPED sings: no voice\n1 passed, 1 failed, 1 skipped\n";
        verdicts(text, "web/e2e/a.spec.mjs", &mut results);
        assert_eq!(results.line(), "1 passed, 1 failed, 1 skipped");
        assert_eq!(results.passed, [Case::new("web/e2e/a.spec.mjs", "plays")]);
    }
}
