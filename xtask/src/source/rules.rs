//! Rules about the text of the source: purity of the inner crates, `unsafe`, length, words.

use super::{SourceFile, code_only, without_tests};
use crate::deps::PURE;
use crate::shell::root;

/// What a pure crate gets as an argument and never takes by itself.
const IMPURE: &[(&str, &str)] = &[
    ("std::net", "sockets"),
    ("std::fs", "files"),
    ("std::thread", "threads"),
    ("SystemTime::now", "a clock"),
    ("Instant::now", "a clock"),
    ("getrandom", "the system's randomness"),
    ("OsRng", "the system's randomness"),
    ("thread_rng", "the system's randomness"),
];

/// Files and folders that may hold `unsafe`, each with its reason. All other code forbids it.
const UNSAFE_ALLOWED: &[(&str, &str)] = &[
    ("crates/chipset/src/memory.rs", "maps the packet memory that the chip and the platform share"),
    (
        "crates/crypto/src/seal/vaes.rs",
        "processor instructions; messages of one length by pointers",
    ),
    ("crates/scramble/src/sliced/avx512.rs", "processor instructions; one load by pointers"),
    ("crates/scramble/src/sliced/avx2.rs", "processor instructions; one load by pointers"),
    ("crates/scramble/src/sliced/neon.rs", "processor instructions; no pointers, no memory"),
    ("crates/crypto/src/round_keys.rs", "processor instructions; no pointers, no memory"),
    ("crates/crypto/src/traces.rs", "clears vector registers; no pointers, no memory"),
    ("crates/scramble/src/aes/vaes.rs", "processor instructions; no pointer but a prefetch's"),
    ("crates/scramble/src/cenc/vaes.rs", "processor instructions; no pointers, no memory"),
    ("crates/scramble/src/aes/aesni.rs", "processor instructions; no pointers, no memory"),
    (
        "crates/svm-compiler/src/host/",
        "mappings, the signal of a guard page, entering compiled code",
    ),
    ("wasm/scrambler/src/lib.rs", "the attribute that keeps a function's name, and nothing else"),
    ("wasm/machine/src/lib.rs", "the attribute that keeps a function's name, and nothing else"),
    ("clients/sdk/src/", "guest programs: TRAP, entry point and the allocator of a bare machine"),
    ("clients/hostile/", "guest programs that attack the machine on purpose"),
];

/// Lines of one file, above which it should be split.
const LINES_MAX: usize = 700;

/// A finding: where, and the rule.
pub(crate) struct Finding {
    pub(crate) place: String,
    pub(crate) rule: String,
    /// A warning does not fail the check.
    pub(crate) warning: bool,
}

/// Checks all rules over the given files.
pub(crate) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        if file.is_rust() {
            let code = code_only(&file.text);
            purity(file, &code, &mut findings);
            unsafe_code(file, &code, &mut findings);
            length(file, &mut findings);
        }
        words(file, &mut findings);
        links(file, &mut findings);
    }
    findings
}

fn purity(file: &SourceFile, code: &str, findings: &mut Vec<Finding>) {
    let pure = PURE.iter().any(|name| file.path.starts_with(&format!("crates/{name}/src/")));
    if !pure || file.is_test() {
        return;
    }
    for (number, line) in without_tests(code).lines().enumerate() {
        for (word, what) in IMPURE.iter().filter(|(word, _)| line.contains(word)) {
            findings.push(error(
                file,
                number,
                format!("{word}: this crate gets {what} as an argument, it takes none itself"),
            ));
        }
    }
}

fn unsafe_code(file: &SourceFile, code: &str, findings: &mut Vec<Finding>) {
    if UNSAFE_ALLOWED.iter().any(|(path, _)| file.path.starts_with(path)) {
        return;
    }
    for (number, line) in code.lines().enumerate() {
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        // `#[unsafe(no_mangle)]` of a guest is an attribute, but still a promise to be argued.
        if words.any(|word| word == "unsafe") {
            findings.push(error(file, number, "unsafe outside the listed files".into()));
        }
    }
}

fn length(file: &SourceFile, findings: &mut Vec<Finding>) {
    let lines = file.text.lines().count();
    if lines > LINES_MAX {
        findings.push(Finding {
            place: file.path.clone(),
            rule: format!("{lines} lines, more than {LINES_MAX}: split it"),
            warning: true,
        });
    }
}

/// Words that have no place in the project's files; the second part is the reason.
const WORDS: &[(&str, &str)] = &[
    (concat!("crates", ".io"), "no registry host: a mirror must do"),
    (concat!("registry.npm", "js"), "no registry host: a mirror must do"),
    (concat!("/ho", "me/"), "no path of one machine"),
    (concat!("/ro", "ot/"), "no path of one machine"),
    (concat!("/wo", "rk/"), "no path of one machine"),
    (concat!("../sha", "red"), "nothing outside the repository"),
    (concat!("white", "list"), "say permit list"),
    (concat!("black", "list"), "say revocation list"),
    (concat!("license ", "server"), "say ECMG or centre"),
    (concat!("lorem ", "ipsum"), "no filler text"),
    (concat!("FIX", "ME"), "finish it or open an issue"),
    (concat!("TO", "DO"), "finish it or open an issue"),
];

fn words(file: &SourceFile, findings: &mut Vec<Finding>) {
    for (number, line) in file.text.lines().enumerate() {
        for (word, why) in WORDS.iter().filter(|(word, _)| line.contains(word)) {
            findings.push(error(file, number, format!("{word:?}: {why}")));
        }
    }
}

/// Links between documents have to lead somewhere.
fn links(file: &SourceFile, findings: &mut Vec<Finding>) {
    if !file.path.ends_with(".md") {
        return;
    }
    let folder = root().join(&file.path);
    for (number, line) in file.text.lines().enumerate() {
        for target in line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let is_local = !target.is_empty() && !target.contains("://");
            if is_local && !folder.with_file_name(target).exists() {
                findings.push(error(
                    file,
                    number,
                    format!("a link to {target}, which is not there"),
                ));
            }
        }
    }
}

fn error(file: &SourceFile, line: usize, rule: String) -> Finding {
    Finding { place: format!("{}:{}", file.path, line + 1), rule, warning: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile { path: path.into(), text: text.into() };
        check(&[file]).into_iter().map(|f| format!("{} {}", f.place, f.rule)).collect()
    }

    #[test]
    fn a_pure_crate_may_not_open_files() {
        let text = "//! No std::fs here.\nuse std::fs::File;\n";
        let found = findings("crates/svm/src/lib.rs", text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found.iter().any(|line| line.starts_with("crates/svm/src/lib.rs:2 std::fs")));
        assert!(findings("crates/headend/src/lib.rs", text).is_empty());
        assert!(findings("crates/svm/tests/vectors.rs", text).is_empty());
    }

    #[test]
    fn unsafe_is_found_outside_the_listed_files() {
        let text = "// unsafe is fine in words\nfn f() { unsafe { g() } }\n#![forbid(unsafe_code)]";
        assert_eq!(findings("crates/ts/src/x.rs", text).len(), 1);
        assert!(findings("crates/chipset/src/memory.rs", text).is_empty());
    }

    #[test]
    fn a_dead_link_is_found() {
        assert_eq!(findings("docs/x.md", "[a](no-such-page.md) [b](README.md)").len(), 1);
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        let text = format!("see {}", concat!("/wo", "rk/x"));
        assert_eq!(findings("docs/x.md", &text).len(), 1);
    }
}
