//! `cargo xtask ci`: what has to hold for every change. Cheap checks first; all are run, so that
//! one round shows everything; the tests come last and their last line closes the output.

use std::process::Command;

use crate::Done;
use crate::build::LIGHT;
use crate::shell::{cargo, read, root, say, step, target_dir};
use crate::{arm, deps, fuzz, instructions, licences, source, spec, test, threats};

/// Everything.
pub(crate) fn run(args: &[String]) -> Done {
    if !args.is_empty() {
        return Err("usage: cargo xtask ci".into());
    }
    let mut failed = Vec::new();
    let mut note = |outcome: Done| failed.extend(outcome.err());
    note(step("format", &mut cargo(&["fmt", "--all", "--check"])));
    let guests = ["fmt", "--manifest-path", "clients/Cargo.toml", "--all", "--check"];
    note(step("format of the guests", &mut cargo(&guests)));
    let modules = ["fmt", "--manifest-path", "wasm/Cargo.toml", "--all", "--check"];
    note(step("format of the modules for browsers", &mut cargo(&modules)));
    for outcome in rules() {
        note(outcome);
    }
    note(step("lints", &mut without_modules(CLIPPY)));
    note(step("lints with the compiling tier", &mut without_modules(CLIPPY_COMPILED)));
    let mut doc =
        without_modules(&["doc", "--release", "--workspace", LIGHT, "--no-deps", "--quiet"]);
    note(step(
        "documentation",
        doc.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private-intra-doc-links"),
    ));
    note(instructions::check());
    note(trampoline());
    note(arm::check());
    note(fuzz::replay());
    test::all(&failed)
}

#[rustfmt::skip]
const CLIPPY: &[&str] = &[
    "clippy", "--release", "--workspace", LIGHT, "--all-targets", "--quiet", "--", "-D", "warnings",
];

/// Cargo without the modules for browsers: nothing can be looked at beside them while one core builds
/// them for minutes. The build of the programs has them, and there is enough to do beside.
fn without_modules(args: &[&str]) -> Command {
    let mut command = cargo(args);
    command.env("PORTCULLIS_SKIP_WASM", "1");
    command
}

/// What is only built when it is asked for: the tier in the programs that can have it. The tier
/// itself and its tests are of the workspace.
#[rustfmt::skip]
const CLIPPY_COMPILED: &[&str] = &[
    "clippy", "--release", "-p", "portcullis-terminal", "-p", "portcullis-bin",
    "-p", "portcullis-bench", LIGHT, "--features", "compiled", "--all-targets", "--quiet",
    "--", "-D", "warnings",
];

/// The threaded engine as WebAssembly has it, on this machine and against the match loop; in a
/// folder of its own, because it takes the place of the one that belongs here. Without the chosen
/// rows, which go on as the others do and take a minute to compile.
fn trampoline() -> Done {
    let mut tests = cargo(&["test", "--release", "--package", "portcullis-svm", "--quiet"]);
    tests.args(["--lib", "--test", "calls"]).env("PORTCULLIS_TRAMPOLINE", "1");
    tests.env("PORTCULLIS_FEW_ROWS", "1");
    tests.env("CARGO_TARGET_DIR", target_dir().join("trampoline"));
    step("the engine as browsers have it", &mut tests)
}

/// Dependency and source rules, licences and registers, without compiling anything.
pub(crate) fn rules_only() -> Done {
    let failed: Vec<String> = rules().into_iter().filter_map(Result::err).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

fn rules() -> Vec<Done> {
    let graph = deps::load();
    let of_graph = |title: &str, check: &dyn Fn(&deps::Graph) -> Done<Vec<String>>| match &graph {
        Ok(graph) => report(title, check(graph)),
        Err(error) => Err(format!("{title}: {error}")),
    };
    vec![
        of_graph("dependency rules", &|graph| {
            Ok(deps::check(graph).iter().map(ToString::to_string).collect())
        }),
        of_graph("licences", &licences::check),
        report("reasons of dependencies", reasons()),
        report("source rules", source_rules()),
        report("citations of clauses", spec::faults()),
        report("citations of threats", threats::faults()),
    ]
}

/// Each dependency has its reason written down.
fn reasons() -> Done<Vec<String>> {
    let manifest = read(&root().join("Cargo.toml"))?;
    let table: toml::Table = manifest.parse().map_err(|error| format!("Cargo.toml: {error}"))?;
    let listed = read(&root().join("docs/decisions/dependencies.md"))?;
    let list = table.get("workspace").and_then(|w| w.get("dependencies")?.as_table());
    let names = list.ok_or("Cargo.toml: no workspace.dependencies")?.keys();
    let foreign = names.filter(|name| !name.starts_with("portcullis-"));
    let silent = foreign.filter(|name| !listed.contains(&format!("`{name}`")));
    Ok(silent.map(|name| format!("{name}: no reason in docs/decisions/dependencies.md")).collect())
}

fn source_rules() -> Done<Vec<String>> {
    let files = source::files(&[
        ".rs", ".ts", ".mjs", ".svelte", ".md", ".toml", ".yml", ".yaml", ".html", ".css", ".sh",
        ".ci/run",
    ])?;
    let mut faults = Vec::new();
    for finding in source::check(&files) {
        let line = format!("{}: {}", finding.place, finding.rule);
        if finding.warning {
            println!("   warning: {line}");
        } else {
            faults.push(line);
        }
    }
    Ok(faults)
}

/// Prints what a check found, one line each.
fn report(title: &str, found: Done<Vec<String>>) -> Done {
    say(title);
    let found = found.map_err(|error| format!("{title}: {error}"))?;
    for line in &found {
        println!("   {line}");
    }
    if found.is_empty() {
        println!("   {title}: ok");
        return Ok(());
    }
    Err(format!("{title}: {} violations", found.len()))
}
