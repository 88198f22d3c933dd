//! `cargo xtask spec`: which clauses of the five documents are implemented and tested.
//!
//! Joins the registers in `specs/` with the citations in the sources (`// spec: X-T01`,
//! `// spec-test: X-T01`) and with the tests that ran and passed in this build. A number in the
//! table is never written by hand.

pub(crate) mod citations;
mod register;

use std::collections::BTreeSet;

use serde_json::json;

use crate::Done;
use crate::results::{Case, passed_in_this_build};
use crate::source;
use citations::{Citation, Kind, scan};
use register::Register;

/// Files that may cite.
const CITING: &[&str] = &[".rs", ".ts", ".mjs", ".svelte", ".c", ".h"];

/// What the register of one document comes to.
struct Row {
    register: String,
    requirements: usize,
    implemented: usize,
    tested: usize,
    excepted: usize,
    /// Ids that are neither excepted nor both implemented and tested.
    open: Vec<String>,
}

pub(crate) fn command(args: &[String]) -> Done {
    let (mut as_json, mut list) = (false, false);
    for arg in args {
        match arg.as_str() {
            "--json" => as_json = true,
            "--open" => list = true,
            other => return Err(format!("spec: no option {other:?}; there are --json and --open")),
        }
    }
    let (rows, faults) = rows()?;
    if as_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "register": row.register,
                    "requirements": row.requirements,
                    "implemented": row.implemented,
                    "tested": row.tested,
                    "excepted": row.excepted,
                    "open": row.open.len(),
                })
            })
            .collect();
        println!("{:#}", json!(rows));
    } else {
        print(&rows, list);
    }
    for fault in &faults {
        eprintln!("{fault}");
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("{} citations are wrong", faults.len())) }
}

/// Only the citations: unknown ids, and test citations without a test.
pub(crate) fn faults() -> Done<Vec<String>> {
    Ok(joined(&[])?.1)
}

/// The table for people.
pub(crate) fn print_table() -> Done {
    print(&rows()?.0, false);
    Ok(())
}

fn rows() -> Done<(Vec<Row>, Vec<String>)> {
    let passed = passed_in_this_build().unwrap_or_else(|why| {
        eprintln!("tested counts as 0: {why}; run `cargo xtask test`");
        Vec::new()
    });
    joined(&passed)
}

fn joined(passed: &[Case]) -> Done<(Vec<Row>, Vec<String>)> {
    let registers = register::load()?;
    let (cited, mut faults) = scan(&source::files(CITING)?, &[Kind::Spec, Kind::SpecTest]);
    let (mut implemented, mut tested) = (BTreeSet::new(), BTreeSet::new());
    for citation in &cited {
        for id in &citation.ids {
            let found = resolve(&registers, id);
            if found.is_empty() {
                faults.push(format!("{}: no requirement {id:?} in specs/", citation.place));
            }
            match citation.kind {
                Kind::SpecTest if citation.has_passed(passed) => tested.extend(found),
                Kind::Spec => implemented.extend(found),
                _ => {}
            }
        }
    }
    let rows = registers.iter().map(|register| row(register, &implemented, &tested)).collect();
    Ok((rows, faults))
}

fn row(register: &Register, implemented: &BTreeSet<&str>, tested: &BTreeSet<&str>) -> Row {
    let mut row = Row {
        register: register.name.clone(),
        requirements: register.requirements.len(),
        implemented: 0,
        tested: 0,
        excepted: 0,
        open: Vec::new(),
    };
    for (id, requirement) in &register.requirements {
        let (is_built, is_tested) = (implemented.contains(&**id), tested.contains(&**id));
        row.implemented += usize::from(is_built);
        row.tested += usize::from(is_tested);
        if requirement.exception.is_some() {
            row.excepted += 1;
        } else if !(is_built && is_tested) {
            row.open.push(id.clone());
        }
    }
    row
}

/// The ids a citation means: an id itself, or all ids of a clause (`X.1198/7.6`).
fn resolve<'a>(registers: &'a [Register], cited: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for register in registers {
        for (id, requirement) in &register.requirements {
            let by_clause = cited.split_once('/').is_some_and(|(document, clause)| {
                document == register.document && requirement.is_in(clause)
            });
            if id == cited || by_clause {
                found.push(&**id);
            }
        }
    }
    found
}

fn print(rows: &[Row], list: bool) {
    println!("register   requirements  implemented  tested  excepted  open");
    for row in rows {
        println!(
            "{:<10} {:>12} {:>12} {:>7} {:>9} {:>5}",
            row.register,
            row.requirements,
            row.implemented,
            row.tested,
            row.excepted,
            row.open.len()
        );
        if list && !row.open.is_empty() {
            println!("  open: {}", row.open.join(" "));
        }
    }
}

impl Citation {
    /// Did the test under this citation pass?
    fn has_passed(&self, passed: &[Case]) -> bool {
        let Some(test) = &self.test else { return false };
        passed.iter().any(|case| {
            let same_suite = case.suite == test.suite
                || case.suite.strip_prefix(&test.suite).is_some_and(|rest| rest.starts_with("::"));
            same_suite && case.function() == test.name
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    #[test]
    fn a_citation_counts_when_its_test_passed() {
        let text = "// spec-test: X-T01 X-T02\n#[test]\nfn pc_is_saved() {}\n".to_owned();
        let file = SourceFile { path: "crates/svm/src/trap.rs".into(), text };
        let (cited, faults) = scan(&[file], &[Kind::SpecTest]);
        assert!(faults.is_empty(), "{faults:?}");
        let passed = [Case::new("portcullis-svm", "trap::tests::pc_is_saved")];
        assert!(cited.iter().all(|citation| citation.has_passed(&passed)));
        let other = [Case::new("portcullis-ts", "trap::tests::pc_is_saved")];
        assert!(!cited.iter().any(|citation| citation.has_passed(&other)));
    }

    #[test]
    fn a_clause_means_all_its_requirements() {
        let register: Register = Register::parse(
            "x",
            "document = \"X.1198\"\n[requirements]\n\
             X-T01 = { clause = \"7.6\", level = \"required\", summary = \"a\" }\n\
             X-T02 = { clause = \"7.6 a\", level = \"required\", summary = \"b\" }\n\
             X-Y04 = { clause = \"7.5, Fig 9\", level = \"optional\", summary = \"c\" }\n",
        )
        .unwrap();
        let registers = [register];
        assert_eq!(resolve(&registers, "X.1198/7.6"), ["X-T01", "X-T02"]);
        assert_eq!(resolve(&registers, "X.1198/7.5"), ["X-Y04"]);
        assert_eq!(resolve(&registers, "X-T02"), ["X-T02"]);
        assert!(resolve(&registers, "X.1198/7").is_empty());
        assert!(resolve(&registers, "J.1010/7.6").is_empty());
    }
}
