//! The scramblers as the page has them, and the virtual machine, in V8: octet for octet and
//! instruction for instruction what the native program does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

use portcullis_tests::{has_tool, program, run, skip};

const EVEN: &str = "000102030405060708090a0b0c0d0e0f";
const ODD: &str = "f0e1d2c3b4a5968778695a4b3c2d1e0f";
/// All modes: name, scrambling_mode, octets of a control word.
const MODES: [(&str, &str, usize); 6] = [
    ("csa2", "1", 8),
    ("csa2-full", "2", 8),
    ("cissa", "16", 16),
    ("idsa", "112", 16),
    ("aes-cbc", "240", 16),
    ("aes-ctr", "241", 16),
];
const VIDEO: &str = "0x101";
const AUDIO: &str = "0x102";
/// All PIDs of the sample: the module asks for none.
const PIDS: [&str; 6] = ["0", "0x11", "0x100", VIDEO, AUDIO, "0x1FFF"];
/// The wide kernels of the module, and plain words.
const LANES: [&str; 2] = ["512", "64"];

/// `portcullis scramble` or `descramble` from file to file.
fn native(direction: &str, mode: &str, keys: &str, [input, output]: [&Path; 2], more: &[&str]) {
    let mut command = Command::new(program("portcullis"));
    command.args([direction, "--mode", mode, "--cw", keys]).args(more);
    let _ = run(command.arg("--input").arg(input).arg("--output").arg(output)).ok();
}

// spec-test: E-R29
#[test]
fn the_pages_scrambler_agrees_with_the_native_one_in_every_mode() {
    let test = "the_pages_scrambler_agrees_with_the_native_one_in_every_mode";
    if !has_tool(test, "node", "apt-get install nodejs") {
        return;
    }
    let Some(scrambler) = portcullis_assets::scrambler_wasm() else {
        return skip(test, "missing: wasm32-unknown-unknown; get it: apt-get install rustc-web");
    };
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let (module, clear) = (file("scrambler.wasm"), file("clear.ts"));
    std::fs::write(&module, scrambler).unwrap();
    std::fs::write(&clear, portcullis_assets::SAMPLE_TS).unwrap();
    let in_v8 = |direction: &str, mode: &str, keys: &str, lanes: &str, input: &Path| {
        let output = file("v8.ts");
        let mut node = Command::new("node");
        node.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../wasm/descramble.mjs")).arg(&module);
        node.args([direction, mode, keys, lanes]).args([input, output.as_path()]);
        let _ = run(&mut node).ok();
        std::fs::read(output).unwrap()
    };
    for (mode, number, octets) in MODES {
        let (even, odd) = (&EVEN[..2 * octets], &ODD[..2 * octets]);
        let keys = format!("{even},{odd}");
        let (half, both, all) = (file("half.ts"), file("both.ts"), file("all.ts"));
        native("scramble", mode, &keys, [&clear, &half], &["--pid", VIDEO]);
        native("scramble", mode, &keys, [&half, &both], &["--pid", AUDIO, "--parity", "odd"]);
        native("scramble", mode, &keys, [&clear, &all], &PIDS.map(|pid| ["--pid", pid]).concat());
        let all = std::fs::read(all).unwrap();
        for lanes in LANES {
            let descrambled = in_v8("descramble", number, &keys, lanes, &both);
            assert!(descrambled == portcullis_assets::SAMPLE_TS, "{mode}, {lanes} lanes: in clear");
            let scrambled = in_v8("scramble", number, &keys, lanes, &clear);
            assert!(scrambled == all, "{mode}, {lanes} lanes: scrambled");
        }
    }
}

/// What the guest `bench` is asked for, and how often: arithmetic, tables, mixing, AES, lists with
/// matrices and a state machine, and SHA-256.
const WORK: [(u32, u32); 8] =
    [(0, 20_000), (1, 20_000), (2, 20_000), (4, 2_000), (5, 500), (6, 50), (8, 1), (8, 3)];

// spec-test: X-05
#[test]
fn the_machine_in_v8_computes_and_counts_as_the_native_one() {
    let test = "the_machine_in_v8_computes_and_counts_as_the_native_one";
    if !has_tool(test, "node", "apt-get install nodejs") {
        return;
    }
    let (Some(machine), Some(guest)) =
        (portcullis_assets::machine_wasm(), portcullis_assets::hostile("bench"))
    else {
        return skip(test, "missing: wasm32-unknown-unknown; get it: apt-get install rustc-web");
    };
    let folder = tempfile::tempdir().unwrap();
    let (module, elf) = (folder.path().join("machine.wasm"), folder.path().join("bench.elf"));
    std::fs::write(&module, machine).unwrap();
    std::fs::write(&elf, guest).unwrap();
    // The native run has the events around it as well: what the work adds is compared.
    let mut added = Vec::new();
    for (what, rounds) in WORK {
        let mut native = Command::new(program("portcullis"));
        native.args(["svm", "run", "--json", "--engine", "match-loop"]).arg(&elf);
        let native = run(native.args(["--event", &format!("Timer:{what:08x}{rounds:08x}")])).ok();
        let native = native.json();
        let mut node = Command::new("node");
        node.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../wasm/raise.mjs")).args([&module, &elf]);
        let v8 = run(node.args([what, rounds].map(|number| number.to_string()))).ok().json();
        assert_eq!(v8["value"], native["events"][1]["value"], "work {what}: {native}");
        let of = |said: &serde_json::Value| said["instructions"].as_u64().unwrap();
        assert!(of(&v8) > 100_000 && of(&native) > of(&v8), "work {what}: {v8} {native}");
        added.push(of(&native) - of(&v8));
    }
    assert!(added.iter().all(|more| *more == added[0] && *more < 1_000), "{added:?}");
}
