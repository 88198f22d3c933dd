//! A file by several threads: the same octets and the same counts as by one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

use portcullis_tests::{Finished, program, run};

const WORDS: &str = "0102030405060708,1112131415161718";
/// Copies of the sample in the file: some dozen chunks of what is read at a time.
const COPIES: usize = 10;

fn portcullis(direction: &str, threads: &str, input: &Path, output: &Path) -> Finished {
    let mut command = Command::new(program("portcullis"));
    command.args([direction, "--json", "--mode", "csa2", "--cw", WORDS, "--threads", threads]);
    run(command.arg("--input").arg(input).arg("--output").arg(output))
}

// spec-test: E-R29
#[test]
fn many_threads_give_the_same_file_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let clear = portcullis_assets::SAMPLE_TS.repeat(COPIES);
    std::fs::write(file("clear.ts"), &clear).unwrap();
    let mut told = Vec::new();
    for threads in ["1", "2", "7"] {
        let scrambled = file(&format!("scrambled-{threads}.ts"));
        told.push(portcullis("scramble", threads, &file("clear.ts"), &scrambled).ok().json());
        let back = file("back.ts");
        let said = portcullis("descramble", threads, &scrambled, &back).ok().json();
        assert_eq!(said["packets"].as_u64().unwrap() as usize, clear.len() / 188);
        assert_eq!(said["descrambled"], told[0]["scrambled"]);
        assert!(std::fs::read(back).unwrap() == clear, "{threads} threads");
    }
    let [one, two, seven] =
        ["1", "2", "7"].map(|n| std::fs::read(file(&format!("scrambled-{n}.ts"))).unwrap());
    assert!(one != clear && one == two && one == seven);
    assert!(told.iter().all(|said| said["scrambled"] == told[0]["scrambled"]), "{told:?}");
}

/// The fault stands far behind the first chunk; threads that wait for their turn must not wait on.
#[test]
fn a_fault_in_the_middle_ends_all_threads_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let mut broken = portcullis_assets::SAMPLE_TS.repeat(COPIES);
    let at = broken.len() / 2 / 188 * 188;
    broken[at..at + 400].fill(0);
    std::fs::write(file("broken.ts"), &broken).unwrap();
    for threads in ["1", "2", "7"] {
        let line = portcullis("scramble", threads, &file("broken.ts"), &file("out.ts")).refused();
        assert!(line.contains(&format!("offset {at}")), "{line}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{threads} threads");
    }
}
