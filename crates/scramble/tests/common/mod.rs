//! What the tests of this crate share: pseudo-random octets and a way to ask a foreign program.
#![allow(dead_code)] // each test file uses its part

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Octets that look random and are the same in every run.
pub(crate) fn octets(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}

/// Runs a program with `input` on its standard input; `None` when there is no such program.
pub(crate) fn ask(command: &mut Command, input: &[u8]) -> Option<Vec<u8>> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{command:?} failed");
    Some(output.stdout)
}

/// Notes that a comparison could not be made.
pub(crate) fn skipped(test: &str, why: &str) {
    let line = format!("SKIPPED: {test}: {why}\n");
    eprint!("{line}");
    let Some(path) = std::env::var_os("PORTCULLIS_SKIP_LOG") else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(line.as_bytes())).unwrap();
}

/// libdvbcsa in a program of its own; `None`, and noted, where it cannot be built.
pub(crate) fn libdvbcsa(test: &str) -> Option<Oracle> {
    let folder = tempfile::tempdir().unwrap();
    let oracle = Oracle { folder };
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/dvbcsa.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-o"]).arg(oracle.path()).args([source, "-ldvbcsa"]);
    if compiler.output().is_ok_and(|output| output.status.success()) {
        return Some(oracle);
    }
    skipped(test, "a C compiler or libdvbcsa-dev is missing");
    None
}

/// A program that was compiled for a test.
pub(crate) struct Oracle {
    folder: tempfile::TempDir,
}

impl Oracle {
    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("oracle")
    }
}
