//! A new client developer: the commands of docs/sdk.md, in order, in an empty folder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use portcullis_tests::{program, run_within, skip};

const TARGET: &str = "riscv32im-unknown-none-elf";

/// What the toy client answers to the toy ECM of the pages.
const WORD: &str =
    "service 7, parity 0, word [01, 02, 03, 04, 05, 06, 07, 08, 09, 0a, 0b, 0c, 0d, 0e, 0f, 08]";

/// The indented lines of a page, which must tell the answer as well.
fn commands(page: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(WORD), "the page tells the answer");
    page.lines().filter_map(|line| line.strip_prefix("    ")).map(str::to_owned).collect()
}

fn runs(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success())
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
    for line in commands("sdk.md") {
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
    let [made, _, bare, short, _, packed, by_hand, _, again, both, ..] = &answers[..] else {
        panic!("{answers:?}")
    };
    assert!(made.contains("decoder: made"), "{made}");
    assert_eq!(bare.trim(), WORD);
    assert_eq!(packed.trim(), WORD, "under its own policy");
    let short: serde_json::Value = serde_json::from_str(short).unwrap();
    assert_eq!(short["events"][1]["value"], 3, "{short}");
    assert_eq!(by_hand.trim(), "events.json: good, 3 events");
    assert!(again.starts_with("equal: 4 events, "), "{again}");
    assert_eq!(both.trim(), "events.json: good, 3 events\ndecoder.trace: good, 4 events");

    // The harness says what is not as it should be, and fails.
    let wrong = r#"{ "events": [ { "event": "ChangeKey", "token": "8070", "returns": 0 } ] }"#;
    std::fs::write(folder.join("wrong.json"), wrong).unwrap();
    let mut test = Command::new(program("portcullis"));
    test.current_dir(&folder).args(["svm", "test", "decoder.pkg", "wrong.json", "events.json"]);
    let output = test.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("wrong.json: event 1 (ChangeKey): returned 3, not 0\n"), "{said}");

    // A folder that exists stays as it is, and a name is a name.
    for (name, code) in [("decoder", 1), ("../up", 2), ("Big", 2)] {
        let mut again = Command::new(program("portcullis"));
        let again = again.current_dir(empty.path()).args(["client", "new", name]).output().unwrap();
        assert_eq!(again.status.code(), Some(code), "{name}");
    }
}

#[test]
fn the_commands_of_the_page_for_c_work_as_written() {
    for (tool, package) in [
        ("make", "make"),
        ("riscv64-unknown-elf-gcc", "gcc-riscv64-unknown-elf"),
        ("clang", "clang"),
        ("ld.lld", "lld"),
        ("openssl", "openssl"),
    ] {
        let asked =
            if tool == "openssl" { Path::new("/usr/bin/openssl").is_file() } else { runs(tool) };
        if !asked {
            let why = format!("missing: {tool}; get it: apt-get install {package}");
            return skip("journey_sdk_c", &why);
        }
    }
    let empty = tempfile::tempdir().unwrap();
    let mut folder = empty.path().to_path_buf();
    let mut answers = Vec::new();
    for line in commands("sdk-c.md") {
        let mut words = line.split_whitespace();
        let mut command = match words.next().unwrap() {
            "portcullis" => Command::new(program("portcullis")),
            tool @ ("make" | "openssl") => Command::new(tool),
            "cd" => {
                folder.push(words.next().unwrap());
                continue;
            }
            other => panic!("{other}: the page has a command that this test does not know"),
        };
        command.current_dir(&folder).args(words);
        answers.push(run_within(&mut command, Duration::from_secs(60)).ok().stdout);
    }
    let [made, _, gcc, short, _, clang, _, _, _, _, verified, packed] = &answers[..] else {
        panic!("{answers:?}")
    };
    assert!(made.contains("decoder: made"), "{made}");
    for answer in [gcc, clang, packed] {
        assert_eq!(answer.trim(), WORD);
    }
    let short: serde_json::Value = serde_json::from_str(short).unwrap();
    assert_eq!(short["events"][1]["value"], 3, "{short}");
    assert!(!verified.trim().is_empty(), "{verified}");

    // Verified means under that key, and for these octets.
    let package = folder.join("decoder.pkg");
    let mut octets = std::fs::read(&package).unwrap();
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
    std::fs::write(&package, octets).unwrap();
    let mut again = Command::new(program("portcullis"));
    let again = again.args(["client", "verify", "--key", "series.pub", "decoder.pkg"]);
    assert_eq!(again.current_dir(&folder).output().unwrap().status.code(), Some(1));
}
