//! Rust tests: with cargo-nextest where it is installed (a limit of time for each test), with
//! the plain test programs otherwise.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Done;
use crate::build::LIGHT;
use crate::results::{Case, Results, Skip};
use crate::shell::{cargo, command, output, quiet, read, say, target_dir};
use crate::source::{SourceFile, code_only};

/// Runs the tests of the workspace, or of the given packages.
pub(crate) fn run(packages: &[String], skip_log: &Path) -> Done<Results> {
    if quiet(&mut cargo(&["nextest", "--version"])) {
        nextest(packages, skip_log)
    } else {
        plain(packages, skip_log)
    }
}

fn select(command: &mut Command, packages: &[String]) {
    command.arg(LIGHT);
    if packages.is_empty() {
        command.arg("--workspace");
    }
    for package in packages {
        command.args(["--package", package]);
    }
}

fn nextest(packages: &[String], skip_log: &Path) -> Done<Results> {
    say("tests (cargo nextest)");
    let report = target_dir().join("nextest/portcullis/junit.xml");
    let _ = std::fs::remove_file(&report);
    let mut command = cargo(&["nextest", "run", "--release", "--profile=portcullis"]);
    command.args(["--no-fail-fast", "--no-tests=pass"]);
    select(&mut command, packages);
    command.env("PORTCULLIS_SKIP_LOG", skip_log);
    let status = command.status().map_err(|error| format!("cargo nextest: {error}"))?;
    // No report means that it did not come to testing.
    let Ok(xml) = read(&report) else {
        return Err(format!("the tests do not build: cargo nextest ended with {status}"));
    };
    let results = junit(&xml);
    if !status.success() && results.failed.is_empty() {
        return Err(format!("cargo nextest ended with {status}"));
    }
    Ok(results)
}

/// Reads the report that nextest writes. Its shape is fixed, so tags are enough.
fn junit(xml: &str) -> Results {
    let mut results = Results::default();
    let mut open: Option<(Case, bool, Vec<String>)> = None;
    let mut close = |open: &mut Option<(Case, bool, Vec<String>)>| {
        let Some((case, has_failed, said)) = open.take() else { return };
        let name = case.name.clone();
        if has_failed {
            results.failed.push(case);
            return;
        }
        results.passed.push(case);
        for line in said {
            results.apply_skip_line(Some(&name), &line);
        }
    };
    for part in xml.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        if let Some(rest) = tag.strip_prefix("testcase ") {
            close(&mut open);
            let case = Case::new(&attribute(rest, "classname"), &attribute(rest, "name"));
            open = Some((case, false, Vec::new()));
        } else if let Some((_, has_failed, said)) = &mut open {
            *has_failed |= tag.starts_with("failure") || tag.starts_with("error");
            said.extend(text.lines().filter(|l| l.contains("SKIPPED")).map(unescape));
        }
    }
    close(&mut open);
    results
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn attribute(tag: &str, name: &str) -> String {
    let key = format!("{name}=\"");
    let found = tag.match_indices(&key).find(|(at, _)| {
        at.checked_sub(1).is_none_or(|before| tag.as_bytes().get(before) == Some(&b' '))
    });
    let value =
        found.and_then(|(at, _)| tag.get(at + key.len()..)).and_then(|v| v.split('"').next());
    unescape(value.unwrap_or_default())
}

/// Builds the test programs and runs them one after the other.
fn plain(packages: &[String], skip_log: &Path) -> Done<Results> {
    say("tests (cargo test)");
    let mut build = cargo(&["test", "--release", "--no-run"]);
    build.arg("--message-format=json-render-diagnostics");
    select(&mut build, packages);
    let messages = output(&mut build)?;
    let mut results = Results::default();
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let text = |key: &str| message.get(key).and_then(Value::as_str);
        let (Some(program), Some(manifest)) = (text("executable"), text("manifest_path")) else {
            continue;
        };
        if message.pointer("/profile/test").and_then(Value::as_bool) == Some(true) {
            let manifest = PathBuf::from(manifest);
            let folder = manifest.parent().map_or_else(crate::shell::root, Path::to_path_buf);
            let suite = package_name(&manifest)?;
            let mut run = command(program);
            run.arg("--show-output");
            run.current_dir(&folder).env("CARGO_MANIFEST_DIR", &folder);
            results.add(libtest(&mut run, &suite, skip_log)?);
        }
    }
    Ok(results)
}

/// Examples in the documentation.
pub(crate) fn doc_tests(skip_log: &Path) -> Done<Results> {
    say("tests of the documentation's examples");
    let mut command =
        cargo(&["test", "--release", "--workspace", LIGHT, "--doc", "--no-fail-fast"]);
    libtest(&mut command, "doc", skip_log)
}

/// Runs something that prints like Rust's test programs; shows what is not `ok`.
fn libtest(command: &mut Command, suite: &str, skip_log: &Path) -> Done<Results> {
    let fault = |error: std::io::Error| format!("{suite}: cannot run its tests: {error}");
    let mut child = command
        .env("PORTCULLIS_SKIP_LOG", skip_log)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(fault)?;
    let mut results = Results::default();
    let mut speaker: Option<String> = None;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.map_err(fault)?;
            if let Some(name) = line.strip_prefix("---- ") {
                speaker = name.strip_suffix(" stdout ----").map(str::to_owned);
            } else if speaker.is_some() && line.starts_with("SKIPPED") {
                results.apply_skip_line(speaker.as_deref(), &line);
            } else if line == "failures:" || line == "successes:" {
                speaker = None;
            } else if results.has_passed(line.trim()) {
                // The list of names at the end.
            } else if speaker.as_ref().is_some_and(|name| results.has_passed(name)) {
                // What a test that passed had to say is of no interest.
            } else if !libtest_line(&line, suite, &mut results) && !line.trim().is_empty() {
                println!("   {line}");
            }
        }
    }
    let status = child.wait().map_err(fault)?;
    if !status.success() && results.failed.is_empty() {
        results.failed.push(Case::new(suite, &format!("the test program itself ({status})")));
    }
    Ok(results)
}

/// Takes a line like `test a::b ... ok`; false when it is something else.
fn libtest_line(line: &str, suite: &str, results: &mut Results) -> bool {
    let Some((name, verdict)) = line.strip_prefix("test ").and_then(|l| l.rsplit_once(" ... "))
    else {
        return line.starts_with("running ") || line.starts_with("test result: ok");
    };
    let name = name.trim_end_matches(" - should panic");
    let case = Case::new(suite, name);
    match verdict.split(|c: char| !c.is_alphabetic()).next() {
        Some("ok") => results.passed.push(case),
        Some("FAILED") => {
            println!("   {line}");
            results.failed.push(case);
        }
        // Found in the sources instead, with their reasons; examples marked `ignore` are no tests.
        Some("ignored") => {}
        _ => return false,
    }
    true
}

fn package_name(manifest: &Path) -> Done<String> {
    let text = read(manifest)?;
    let table: toml::Table =
        text.parse().map_err(|error| format!("{}: {error}", manifest.display()))?;
    let name = table.get("package").and_then(|package| package.get("name")?.as_str());
    name.map(str::to_owned).ok_or_else(|| format!("{}: no package name", manifest.display()))
}

/// Tests marked `#[ignore]`: they count as skipped, with the reason that stands there.
pub(crate) fn ignored(files: &[SourceFile]) -> Vec<Skip> {
    let mut skips = Vec::new();
    for file in files.iter().filter(|file| !file.path.starts_with("clients/")) {
        let code = code_only(&file.text);
        for (number, (line, blanked)) in file.text.lines().zip(code.lines()).enumerate() {
            if !blanked.trim_start().starts_with("#[ignore") {
                continue;
            }
            let why = line.split('"').nth(1).unwrap_or("marked to be ignored, no reason given");
            let name = code.lines().skip(number).find_map(|l| l.trim().strip_prefix("fn "));
            let name = name.and_then(|rest| rest.split('(').next()).unwrap_or("?");
            let test = format!("{} {name}", file.path);
            skips.push(Skip { test, why: why.into(), is_optional: false });
        }
    }
    skips
}

/// The packages of the workspace by their folders, for those who need to tell suites apart.
pub(crate) fn package_of(path: &str, known: &mut BTreeMap<String, String>) -> String {
    let mut folder = Path::new(path).parent();
    while let Some(here) = folder {
        let key = here.to_string_lossy().into_owned();
        if let Some(name) = known.get(&key) {
            return name.clone();
        }
        let manifest = crate::shell::root().join(here).join("Cargo.toml");
        if let Ok(name) = package_name(&manifest) {
            known.insert(key, name.clone());
            return name;
        }
        folder = here.parent();
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_nextest_is_read() {
        let results = junit(
            "<?xml version=\"1.0\"?><testsuites name=\"nextest-run\"><testsuite name=\"a\">\
             <testcase name=\"x::y\" classname=\"portcullis-a\" time=\"0.1\"/>\
             <testcase name=\"z\" classname=\"portcullis-a::file\">\
             <failure type=\"test failure\">no &lt;failure</failure></testcase>\
             <testcase name=\"w\" classname=\"portcullis-a\"><system-err>noise\nSKIPPED: no \
             &lt;tool&gt;\n</system-err></testcase>\
             </testsuite></testsuites>",
        );
        assert_eq!(results.passed, [Case::new("portcullis-a", "x::y")]);
        assert_eq!(results.failed, [Case::new("portcullis-a::file", "z")]);
        assert!(results.skipped.iter().all(|skip| skip.test == "w" && skip.why == "no <tool>"));
        assert_eq!(results.skipped.len(), 1);
    }

    #[test]
    fn lines_of_test_programs_are_read() {
        let mut results = Results::default();
        assert!(libtest_line("test a::b ... ok", "s", &mut results));
        assert!(libtest_line("test c - should panic ... ok", "s", &mut results));
        assert!(libtest_line("test d ... FAILED", "s", &mut results));
        assert!(libtest_line("test e ... ignored, slow", "s", &mut results));
        assert!(!libtest_line("thread 'd' panicked", "s", &mut results));
        assert_eq!(results.line(), "2 passed, 1 failed, 0 skipped");
    }

    #[test]
    fn an_ignored_test_counts_as_skipped() {
        let text = "#[test]\n#[ignore = \"takes an hour\"]\nfn long() {}\n".to_owned();
        let file = SourceFile { path: "crates/x/src/lib.rs".into(), text };
        let skips = ignored(&[file]);
        assert!(skips.iter().any(|skip| skip.why == "takes an hour"), "{skips:?}");
    }
}
