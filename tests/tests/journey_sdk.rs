//! A new client developer: the commands of docs/sdk.md, in order, in an empty folder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use portcullis_tests::{program, run_within, skip};

const TARGET: &str = "riscv32im-unknown-none-elf";

/// The indented lines of the page.
fn commands() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sdk.md");
    let page = std::fs::read_to_string(page).unwrap();
    page.lines().filter_map(|line| line.strip_prefix("    ")).map(str::to_owned).collect()
}

/// Makes cargo build guests, as the build of the project does: with the compiler's own target, or
/// with Debian's compiler and its sources. `false` when neither is there.
fn guest_compiler(cargo: &mut Command) -> bool {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let kept = ["CARGO_HOME", "CARGO_NET", "CARGO_HTTP", "CARGO_REG", "CARGO_SOURCE"];
        let ours = name.starts_with("CARGO_") || name.starts_with("RUST");
        if ours && name != "RUSTUP_HOME" && !kept.iter().any(|k| name.starts_with(k)) {
            cargo.env_remove(&name);
        }
    }
    let sysroot = |rustc: &str| {
        let output = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
        Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
    };
    let own = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    if sysroot(&own).is_some_and(|root| root.join("lib/rustlib").join(TARGET).is_dir()) {
        return true;
    }
    let linker = (19..30).map(|n| format!("/usr/bin/ld.lld-{n}")).find(|l| Path::new(l).exists());
    let sources = sysroot("/usr/bin/rustc").map(|root| root.join("lib/rustlib/src/rust/library"));
    let (Some(linker), true) = (linker, sources.is_some_and(|s| s.join("core").is_dir())) else {
        return false;
    };
    cargo
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_UNSTABLE_BUILD_STD", "core,alloc,compiler_builtins")
        .env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "compiler-builtins-mem")
        .env("CARGO_TARGET_RISCV32IM_UNKNOWN_NONE_ELF_LINKER", linker)
        .env_remove("LD_LIBRARY_PATH");
    true
}

#[test]
fn the_commands_of_the_sdk_page_work_as_written() {
    let empty = tempfile::tempdir().unwrap();
    let mut folder = empty.path().to_path_buf();
    let mut answers = Vec::new();
    for line in commands() {
        let mut words = line.split_whitespace();
        let mut command = match words.next() {
            Some("portcullis") => Command::new(program("portcullis")),
            Some("cargo") => {
                let mut cargo =
                    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
                if !guest_compiler(&mut cargo) {
                    let why = format!("missing: {TARGET}; get it: rustup target add {TARGET}");
                    return skip("journey_sdk", &why);
                }
                cargo
            }
            Some("cd") => {
                folder.push(words.next().unwrap());
                continue;
            }
            other => panic!("{other:?}: the page has a command that this test does not know"),
        };
        command.current_dir(&folder).args(words);
        answers.push(run_within(&mut command, Duration::from_secs(600)).ok().stdout);
    }
    let word = "service 7, parity 0, word [01, 02, 03, 04, 05, 06, 07, 08, 09, 0a, 0b, 0c, 0d, 0e, 0f, 08]";
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sdk.md"))
            .unwrap();
    assert!(page.contains(word), "the page tells the answer");
    let [made, _, bare, short, _, packed] = &answers[..] else { panic!("{answers:?}") };
    assert!(made.contains("decoder: made"), "{made}");
    assert_eq!(bare.trim(), word);
    assert_eq!(packed.trim(), word, "under its own policy");
    let short: serde_json::Value = serde_json::from_str(short).unwrap();
    assert_eq!(short["events"][1]["value"], 3, "{short}");

    // A folder that exists stays as it is, and a name is a name.
    for (name, code) in [("decoder", 1), ("../up", 2), ("Big", 2)] {
        let mut again = Command::new(program("portcullis"));
        let again = again.current_dir(empty.path()).args(["client", "new", name]).output().unwrap();
        assert_eq!(again.status.code(), Some(code), "{name}");
    }
}
