//! An output that does not take what there is: nothing more is read, nothing is lost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use portcullis_tests::program;

const PACKET: usize = 188;
/// 75 MB: far more than any queue on the way holds.
const PACKETS: usize = 400_000;
/// What pipes and queues on the way may take in while nobody reads the output.
const HELD_MAX: usize = 8 << 20;
const PID: u16 = 0x100;
const MINUTE: Duration = Duration::from_secs(60);

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Packets of two PIDs; those of the second stay in clear and carry their number.
fn packet(number: usize) -> [u8; PACKET] {
    let mut raw = [0x5A; PACKET];
    let pid = PID + (number % 2) as u16;
    raw[..4].copy_from_slice(&[0x47, (pid >> 8) as u8, pid as u8, 0x10 | (number / 2 % 16) as u8]);
    raw[4..12].copy_from_slice(&number.to_be_bytes());
    raw
}

// attack-test: F-10
#[test]
fn an_output_that_nobody_reads_stops_the_input_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    pipe(&input);
    pipe(&output);
    let mut child = Command::new(program("portcullis"))
        .args(["scramble", "--mode", "csa2", "--cw", "0001020304050607", "--pid", "0x100"])
        .arg("--input")
        .arg(&input)
        .arg("--output")
        .arg(&output)
        .spawn()
        .unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let writer = std::thread::spawn(move || {
        let mut pipe = File::options().write(true).open(input).unwrap();
        for first in (0..PACKETS).step_by(100) {
            let octets: Vec<u8> = (first..first + 100).flat_map(packet).collect();
            pipe.write_all(&octets).unwrap();
            count.fetch_add(octets.len(), Ordering::Relaxed);
        }
    });
    let mut reader = File::open(output).unwrap();
    // Until the input stands still for a while.
    let begun = Instant::now();
    let (mut last, mut since) = (0, Instant::now());
    while last == 0 || since.elapsed() < Duration::from_secs(2) {
        assert!(begun.elapsed() < MINUTE, "the input goes on and on");
        std::thread::sleep(Duration::from_millis(50));
        let now = taken.load(Ordering::Relaxed);
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    assert!(last < HELD_MAX, "{last} octets were read while nobody took any");

    let mut found = Vec::new();
    reader.read_to_end(&mut found).unwrap();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(found.len(), PACKETS * PACKET);
    for (number, raw) in found.chunks_exact(PACKET).enumerate() {
        let clear = packet(number);
        if number % 2 == 1 {
            assert_eq!(raw, clear, "packet {number}");
        } else {
            assert_eq!((raw[..3].to_vec(), raw[3]), (clear[..3].to_vec(), clear[3] | 0x80));
            assert_ne!(raw[4..], clear[4..], "packet {number}");
        }
    }
}
