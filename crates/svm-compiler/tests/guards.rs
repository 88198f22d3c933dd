//! The edges of a guest's memory, compiled: what the interpreter refuses, compiled code refuses,
//! at the same instruction and with the same fault. And no memory is writable and executable.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../svm/tests/support/mod.rs"]
mod support;
mod watch;

use portcullis_svm::{Client, Event, Fault, Limits, MemoryFault, Outcome, Program, Segment, abi};
use support::*;
use watch::same;

fn limits() -> Limits {
    Limits {
        ram_bytes: 8192,
        stack_bytes: 4096,
        budget: 100_000,
        compile: true,
        ..Limits::default()
    }
}

// attack-test: T-28 T-15
// spec-test: X-06
#[test]
fn every_edge_faults_at_the_same_instruction() {
    let ram_end = abi::RAM_BASE + 8192;
    let stack = ram_end + abi::GUARD_BYTES;
    let edges = [0, 64, 4096, abi::RAM_BASE, ram_end, stack, stack + 4096, 0x8000_0000, !0 - 7];
    for edge in edges {
        for around in -8..8 {
            for (offset, load) in [(0, true), (0, false), (-2048, true), (2047, false)] {
                let place = edge.wrapping_add_signed(around);
                let mut words = Vec::from(li(T0, place.wrapping_add_signed(-offset)));
                words.extend([addi(A0, A0, 1), addi(A0, A0, 1)]);
                for width in 0..3 {
                    words.push(match load {
                        true => i(0x03, width, A1, T0, offset),
                        false => store(width, A0, T0, offset),
                    });
                    words.push(addi(A0, A0, 1));
                }
                words.push(ret());
                let ran = same(&words, limits(), &format!("{place:#x} {offset} {load}"));
                assert_eq!(ran, 1);
            }
        }
    }
}

/// Two regions that touch each other: no access may lie in both.
fn neighbours(words: &[u32]) -> Program {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let segment = |address, bytes: Vec<u8>, memory_len, writable: bool| Segment {
        address,
        load_address: address,
        bytes,
        memory_len,
        executable: !writable,
        writable,
    };
    Program {
        text_start: 0x1_0000,
        text_bytes: bytes.len() as u32,
        entry: 0x1_0000,
        segments: vec![
            segment(0x1_0000, bytes, words.len() as u32 * 4, false),
            segment(0x2_0000, vec![], 8192, true),
            segment(0x2_2000, vec![], 8192, true),
            segment(0x2_4000, vec![], 100, true),
        ],
    }
}

fn ended(words: &[u32], compiled: bool) -> (Outcome, u64) {
    let mut client = Client::load_program(&neighbours(words), everything(), limits()).unwrap();
    if compiled {
        assert!(client.set_compiler(portcullis_svm_compiler::tier().unwrap()));
    }
    let outcome = client.raise(Event::Initialize, &[], &mut Recorder::default());
    (outcome, client.retired_instructions())
}

#[test]
fn an_access_never_lies_in_two_regions() {
    for (address, faults) in
        [(0x2_1FFC, false), (0x2_1FFD, true), (0x2_1FFF, true), (0x2_2000, false)]
    {
        let mut words = Vec::from(li(T0, address));
        words.extend([lw(A0, T0, 0), sw(A0, T0, 0)]);
        words.extend(exit_with(A0));
        let (outcome, count) = ended(&words, true);
        let fault = Fault::Memory { pc: 0x1_0008, fault: MemoryFault::Read { address, len: 4 } };
        assert_eq!(outcome == Outcome::Fault(fault), faults, "{address:#x}: {outcome}");
        assert_eq!((outcome, count), ended(&words, false));
    }
}

/// A page that a region covers in part is the interpreter's. After many visits there it keeps the
/// client; nobody can see that.
#[test]
fn a_page_that_is_used_in_part_means_the_same() {
    let mut words = Vec::from(li(T0, 0x2_4000));
    words.extend(li(A1, 9000));
    words.extend([lw(A0, T0, 96), addi(A0, A0, 3), sw(A0, T0, 96), addi(A1, A1, -1)]);
    words.push(branch(1, A1, 0, -16));
    words.extend(exit_with(A0));
    assert_eq!(ended(&words, true).0, Outcome::Exited(27_000));
    assert_eq!(ended(&words, true), ended(&words, false));
}

/// Lines of the process's memory map that are writable and executable.
fn both() -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(maps.lines().any(|line| line.contains(" r-xp ")), "maps are read");
    let is_both = |line: &&str| line.split(' ').nth(1).is_some_and(|p| p.starts_with("rwx"));
    maps.lines().filter(is_both).map(str::to_owned).collect()
}

// attack-test: T-15
#[test]
fn no_memory_is_writable_and_executable() {
    // A loop, and jumps into the middle of blocks, so that code is added while others run.
    let worker = std::thread::spawn(|| {
        for n in 0..200 {
            let mut words = vec![addi(A0, 0, 1000), addi(A0, A0, -1), branch(1, A0, 0, -4)];
            words.push(jalr(0, 0, 20));
            words.extend([addi(A1, A1, 1), addi(A1, A1, 2), addi(A1, A1, n), addi(A1, A1, 4)]);
            words.push(ret());
            assert_eq!(same(&words, limits(), "loop"), 1);
        }
    });
    let mut looks = 0;
    while !worker.is_finished() {
        assert_eq!(both(), Vec::<String>::new());
        looks += 1;
    }
    worker.join().unwrap();
    assert!(looks > 0);
}

// attack-test: T-15
#[test]
fn the_tier_is_taken_only_when_limits_open_it_and_before_the_first_event() {
    let words = [ret()];
    let mut closed = load(&words, Limits { compile: false, ..limits() }).unwrap();
    assert!(!closed.set_compiler(portcullis_svm_compiler::tier().unwrap()));
    let mut late = load(&with_handler(&words), limits()).unwrap();
    assert_eq!(late.raise(Event::Initialize, &[], &mut Recorder::default()), Outcome::Returned(0));
    assert!(!late.set_compiler(portcullis_svm_compiler::tier().unwrap()));
}

/// More clients than the signal handler has places: the rest are interpreted, and places that are
/// given back are used again.
#[test]
fn clients_without_a_place_are_refused() {
    let mut clients = Vec::new();
    for _ in 0..80 {
        let mut client = load(&[ret()], limits()).unwrap();
        if client.set_compiler(portcullis_svm_compiler::tier().unwrap()) {
            clients.push(client);
        }
    }
    assert!((1..=64).contains(&clients.len()), "{}", clients.len());
    clients.clear();
    let mut client = load(&[ret()], limits()).unwrap();
    assert!(client.set_compiler(portcullis_svm_compiler::tier().unwrap()));
}
