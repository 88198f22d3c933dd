//! `cargo xtask test`: all tests, in one build, with an honest end.
//!
//! The last line is always `N passed, N failed, N skipped`; before it stands what was skipped
//! and why. A test that lacks a tool writes one line into the file that the environment
//! variable `PORTCULLIS_SKIP_LOG` names.

mod rust;
mod web;

pub(crate) use rust::package_of;

use crate::Done;
use crate::build;
use crate::results::Results;
use crate::shell::{read, say, target_dir, write};
use crate::source;
use crate::spec;
use crate::tools::{FOR_TESTS, FOR_UP};

/// What the command line asked for.
#[derive(Default)]
struct Options {
    packages: Vec<String>,
    no_skips: bool,
}

/// `cargo xtask test ARGS`.
pub(crate) fn command(args: &[String]) -> Done {
    let options = parse(args)?;
    run(&options, &[])
}

/// All tests; `failed_checks` are told once more before the closing line and fail the run.
pub(crate) fn all(failed_checks: &[String]) -> Done {
    let options = Options { no_skips: in_ci(), ..Options::default() };
    run(&options, failed_checks)
}

fn parse(args: &[String]) -> Done<Options> {
    let mut options = Options { no_skips: in_ci(), ..Options::default() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--no-skips" => options.no_skips = true,
            "-p" | "--package" => {
                let name = args.next().ok_or("-p needs the name of a crate")?;
                let full = name.strip_prefix("portcullis-").unwrap_or(name);
                options.packages.push(format!("portcullis-{full}"));
            }
            other => return Err(format!("test: no option {other:?}")),
        }
    }
    Ok(options)
}

fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

fn run(options: &Options, failed_checks: &[String]) -> Done {
    let is_full = options.packages.is_empty();
    if is_full {
        for tool in FOR_UP.iter().chain(FOR_TESTS).filter(|tool| !tool.is_present()) {
            println!("{}", tool.missing_line());
        }
    }
    let skip_log = target_dir().join("skips.log");
    write(&skip_log, "")?;
    let mut results = Results::default();
    // The real programs are what the journeys run: without them there is no point in going on.
    if is_full {
        build::programs_and_tests()?;
    } else if options.packages.iter().any(|name| name == "portcullis-tests") {
        build::programs()?;
    }
    results.add(rust::run(&options.packages, &skip_log)?);
    if is_full {
        results.add(rust::doc_tests(&skip_log)?);
        results.add(web::run(&skip_log)?);
        results.skipped.extend(rust::ignored(&source::files(&[".rs"])?));
    }
    results.apply_skip_log(&read(&skip_log)?);
    if is_full {
        results.save()?;
        say("clauses of the five documents");
        spec::print_table()?;
    }
    finish(&results, options.no_skips, failed_checks)
}

fn finish(results: &Results, no_skips: bool, failed_checks: &[String]) -> Done {
    say("result");
    for case in &results.failed {
        println!("FAILED: {} {}", case.suite, case.name);
    }
    for skip in &results.skipped {
        let note = if skip.is_optional { " (optional)" } else { "" };
        println!("skipped{note}: {}: {}", skip.test, skip.why);
    }
    for check in failed_checks {
        println!("FAILED CHECK: {check}");
    }
    let bad_skips = results.skipped.iter().filter(|skip| no_skips && !skip.is_optional).count();
    if bad_skips > 0 {
        println!("FAILED: {bad_skips} tests were skipped, and here every test has to run");
    }
    println!("{}", results.line());
    if results.passed.is_empty() {
        return Err("no test ran".into());
    }
    if results.failed.is_empty() && bad_skips == 0 && failed_checks.is_empty() {
        return Ok(());
    }
    // The closing line above is the last on stdout; this one goes to stderr.
    Err("not everything is in order".into())
}
