//! `portcullis svm run` from outside: guests, a package, budgets, policies and the JSON report.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use portcullis_package::{PackInput, PackageType, SignatureType, pack};
use portcullis_svm::{abi, elf};
use portcullis_types::{ScpClientId, SuperScpId};
use serde_json::Value;

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A guest as a file; `None` (said aloud) when the build had no compiler for it.
fn guest(name: &str) -> Option<PathBuf> {
    let elf = portcullis_assets::client(name).or_else(|| portcullis_assets::hostile(name));
    if elf.is_none() {
        eprintln!("SKIPPED: guest {name} was not built (no RISC-V compiler)");
    }
    elf.map(|elf| file(&format!("{name}.elf"), elf))
}

fn run(file: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_portcullis");
    Command::new(program).args(["svm", "run"]).arg(file).args(arguments).output().unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// An ELF file with the words at 0x8000_0000 and one writable word behind them.
fn elf_file(words: &[u32]) -> Vec<u8> {
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut out = vec![0x7F, b'E', b'L', b'F', 1, 1, 1];
    out.resize(16, 0);
    for half in [2_u16, 243] {
        out.extend(half.to_le_bytes());
    }
    for word in [1_u32, 0x8000_0000, 52, 0, 0] {
        out.extend(word.to_le_bytes());
    }
    for half in [52_u16, 32, 2, 40, 0, 0] {
        out.extend(half.to_le_bytes());
    }
    let len = code.len() as u32;
    let segments = [
        [1, 116, 0x8000_0000, 0x8000_0000, len, len, 5, 4],
        [1, 116, 0x8000_2000, 0x8000_2000, 0, 4096, 6, 4],
    ];
    for word in segments.concat() {
        out.extend(word.to_le_bytes());
    }
    out.extend(code);
    out
}

// spec-test: X-05
#[test]
fn a_plain_elf_runs_at_its_own_addresses_and_its_exit_code_is_ours() {
    // lui a1, 0x80002; li a0, 7; sw a0, 0(a1); lw a0, 0(a1); addi sp, sp, -4; sw a0, 0(sp); TRAP
    let mut words = vec![
        0x8000_25B7,
        0x0070_0513,
        0x00A5_A023,
        0x0005_A503,
        0xFFC1_0113,
        0x00A1_2023,
        abi::trap_word(0x010),
    ];
    let path = file("seven.elf", &elf_file(&words));
    assert_eq!(run(&path, &[]).status.code(), Some(7));
    assert_eq!(run(&path, &["--max-instructions", "7"]).status.code(), Some(7));
    let short = run(&path, &["--max-instructions", "6"]);
    assert_eq!(short.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&short.stderr).contains("budget of Initialize is spent"));
    let json = report(&run(&path, &["--json"]));
    assert_eq!(json["exit_code"], 7);
    assert_eq!(json["instructions"], 7);
    assert_eq!(json["states"], serde_json::json!(["Initialize", "Terminate", "End"]));
    assert_eq!(json["calls"][0]["name"], "Exit");

    // The same with ecall: only when asked.
    words.truncate(4);
    words.extend([0x05D0_0893, 0x0000_0073]);
    let path = file("ecall.elf", &elf_file(&words));
    let refused = run(&path, &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("forbidden instruction 0x00000073"));
    assert_eq!(run(&path, &["--compat-ecall"]).status.code(), Some(7));
}

#[test]
fn extensions_are_those_of_the_command_line() {
    // li a0, 0xF0; cpop a0, a0; li a7, 93; ecall
    let words = [0x0F00_0513, 0x6025_1513, 0x05D0_0893, 0x0000_0073];
    let path = file("cpop.elf", &elf_file(&words));
    assert_eq!(run(&path, &["--compat-ecall"]).status.code(), Some(4));
    assert_eq!(run(&path, &["--compat-ecall", "--extensions", "zba,zbb"]).status.code(), Some(4));
    // A suite's program meets the missing instruction when it comes to it.
    let stopped = run(&path, &["--compat-ecall", "--extensions", "none"]);
    assert_eq!(stopped.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&stopped.stderr).contains("0x80000004"), "{stopped:?}");
    let refused = run(&path, &["--extensions", "zba,zbz"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no extension zbz"));
}

#[test]
fn guests_run_with_events() {
    let Some(hello) = guest("hello") else { return };
    let output = run(&hello, &[]);
    assert!(output.status.success());
    assert_eq!(output.stdout, b"hello from the guest\n");

    let Some(client) = guest("vendor-a") else { return };
    let output = run(&client, &["--json", "--event", "Entitlement:82700100", "--event", "Timer"]);
    assert!(output.status.success());
    let json = report(&output);
    let values: Vec<_> = json["events"].as_array().unwrap().iter().map(|e| &e["value"]).collect();
    assert_eq!(values, [0, 3, 0, 0], "{json}");

    let Some(spin) = guest("spin") else { return };
    let output = run(&spin, &["--max-instructions", "100000", "--event", "Timer", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(report(&output)["outcome"], "out_of_budget");
}

// spec-test: X-C03
#[test]
fn a_policy_decides_what_the_same_guest_may_do() {
    let Some(puppet) = guest("puppet") else { return };
    let random = ["--json", "--event", "Timer:000000551000000000000004"];
    assert!(run(&puppet, &random).status.success());
    let policy = portcullis_assets::policy("vendor-a").unwrap();
    let reference = file("reference.xml", policy.as_bytes());
    let refused = run(&puppet, &[&random[..], &["--policy", reference.to_str().unwrap()]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is permitted in no event"));
    // Permitted somewhere, but not in Timer: stopped, and the report names the call.
    let mut calls = String::from(r#"<event name="Player">"#);
    for id in portcullis_svm::Syscall::TABLE.iter().map(|call| call.id()) {
        calls += &format!(r#"<syscall id="0x{id:03x}"/>"#);
    }
    calls += "</event><onViolation";
    let policy = file("player.xml", policy.replace("<onViolation", &calls).as_bytes());
    let stopped = run(&puppet, &[&random[..], &["--policy", policy.to_str().unwrap()]].concat());
    assert_eq!(stopped.status.code(), Some(1));
    let json = report(&stopped);
    assert_eq!(json["outcome"], "violation");
    assert_eq!(json["denied"][0]["name"], "Random");
    assert_eq!(json["denied"][0]["event"], "Timer");
}

#[test]
fn a_package_runs_under_its_own_policy() {
    let (Some(elf_file), Some(policy)) =
        (portcullis_assets::client("vendor-b"), portcullis_assets::policy("vendor-b"))
    else {
        return;
    };
    let image = elf::flat_image(elf_file).unwrap();
    for package_type in [PackageType::Plain, PackageType::Compressed] {
        let unsigned = pack(&PackInput {
            version: 1,
            client_id: ScpClientId(2),
            super_scp_id: SuperScpId(0xB002),
            policy: policy.as_bytes(),
            image: &image,
            package_type,
            signature_type: SignatureType::Ed25519,
        })
        .unwrap();
        let path = file("vendor-b.scp", unsigned.signed_bytes());
        let output = run(&path, &["--json"]);
        let json = report(&output);
        assert!(output.status.success(), "{json}");
        assert_eq!(json["states"], serde_json::json!(["Initialize", "Idle", "Terminate", "End"]));
    }
}

#[test]
fn bad_files_and_arguments_are_one_line() {
    let text = file("text.elf", b"no program at all");
    for (output, code, says) in [
        (run(&text, &[]), 1, "neither ELF nor a package"),
        (run(Path::new("/nowhere/at-all"), &[]), 1, "/nowhere/at-all"),
        (run(&text, &["--event", "Lunch"]), 2, "no event Lunch"),
        (run(&text, &["--event", "Timer:0"]), 2, "odd number"),
    ] {
        assert_eq!(output.status.code(), Some(code));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(says), "{stderr}");
        assert!(code == 2 || stderr.lines().count() == 1, "{stderr}");
    }
}
