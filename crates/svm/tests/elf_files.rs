//! The ELF reader on files made here: what it takes and what it refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_svm::elf::{ElfError, flat_image, program};
use portcullis_svm::{Client, Event, Limits, Outcome};
use support::*;

const HEADERS: usize = 52;

/// An ELF file with these program headers (type, offset, vaddr, paddr, filesz, memsz, flags) and
/// this content behind them.
fn elf_file(entry: u32, segments: &[[u32; 7]], content: &[u8]) -> Vec<u8> {
    let mut out = vec![0x7F, b'E', b'L', b'F', 1, 1, 1];
    out.resize(16, 0);
    for half in [2_u16, 243] {
        out.extend(half.to_le_bytes());
    }
    for word in [1, entry, HEADERS as u32, 0, 0] {
        out.extend(word.to_le_bytes());
    }
    for half in [52, 32, segments.len() as u16, 40, 0, 0] {
        out.extend(half.to_le_bytes());
    }
    for segment in segments {
        for word in segment.iter().chain(&[4]) {
            out.extend(word.to_le_bytes());
        }
    }
    out.extend(content);
    out
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Stores to the address in T0 and exits with what it reads back.
fn store_and_exit(address: u32) -> Vec<u32> {
    let mut words = Vec::from(li(T0, address));
    words.extend([addi(A0, 0, 9), sw(A0, T0, 0), lw(A1, T0, 0)]);
    words.extend(exit_with(A1));
    words
}

fn run_file(file: &[u8]) -> Outcome {
    let program = program(file).unwrap();
    let mut client = Client::load_program(&program, everything(), Limits::default()).unwrap();
    client.raise(Event::Initialize, &[], &mut Recorder::default())
}

#[test]
fn segments_lie_at_their_own_addresses_and_code_is_not_writable() {
    let at = (HEADERS + 64) as u32;
    for (address, works) in [(0x8001_0000, true), (0x8000_0000, false)] {
        let code = bytes(&store_and_exit(address));
        let len = code.len() as u32;
        let segments = [
            [1, at, 0x8000_0000, 0x8000_0000, len, len, 7],
            [1, 0, 0x8001_0000, 0x8001_0000, 0, 64, 6],
        ];
        let outcome = run_file(&elf_file(0x8000_0000, &segments, &code));
        assert_eq!(outcome == Outcome::Exited(9), works, "{outcome}");
    }
}

#[test]
fn a_flat_image_has_initial_data_behind_the_text() {
    let at = (HEADERS + 64) as u32;
    let mut content = bytes(&[ret(), ret()]);
    content.extend([1, 2, 3, 4]);
    let segments = [[1, at, 0, 0, 8, 8, 5], [1, at + 8, 0x1000_0000, 0x10, 4, 32, 6]];
    let image = flat_image(&elf_file(4, &segments, &content)).unwrap();
    assert_eq!((image.text_bytes, image.entry, image.load_offset), (8, 4, 0));
    assert_eq!(image.code[8..], [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
}

// attack-test: T-28
// Found by the fuzz target `elf`.
#[test]
fn instructions_that_lie_apart_in_memory_alone_are_no_flat_image() {
    let at = (HEADERS + 64) as u32;
    let code = bytes(&exit_with(A0));
    let len = code.len() as u32;
    let segment = |address, load| [1, at, address, load, len, len, 5];
    let apart = [segment(0, 0), segment(0x1000, len)];
    let refused = flat_image(&elf_file(0, &apart, &code)).unwrap_err().to_string();
    assert!(refused.contains("the instructions end beyond the image"), "{refused}");
    let together = [segment(0, 0), segment(len, len)];
    assert_eq!(flat_image(&elf_file(0, &together, &code)).unwrap().text_bytes, 2 * len);
}

#[test]
fn illegal_files_are_refused_with_a_reason() {
    let at = (HEADERS + 64) as u32;
    let code = bytes(&[ret()]);
    let text = [1, at, 0, 0, 4, 4, 5];
    let none = [0; 7];
    let good = elf_file(0, &[text, none], &code);
    assert!(program(&good).is_ok());
    for (cut, _) in good.iter().enumerate() {
        assert!(program(&good[..cut]).is_err(), "cut at {cut}");
    }
    let with = |at: usize, value: u8| {
        let mut file = good.clone();
        file[at] = value;
        program(&file).err().unwrap()
    };
    for (at, value, field) in
        [(0, 0, 0), (4, 2, 4), (5, 2, 4), (6, 0, 4), (16, 3, 16), (18, 62, 18)]
    {
        assert!(matches!(with(at, value), ElfError::Kind { at, .. } if at == field), "{at}");
    }
    for flags in [1, 2, 4, 6] {
        assert_eq!(with(36, flags), ElfError::Flags(flags.into()));
    }
    // Headers that are too many, or too small to hold their fields.
    for (at, value) in [(45, 2), (42, 31)] {
        assert!(matches!(with(at, value), ElfError::Segments { at: 42, .. }), "{at}");
    }
    // At which header, or at which field of the file's.
    for (segments, place) in [
        ([none, none], 28),
        ([text, text], 28),
        ([[1, at, 0, 0, 4, 3, 5], none], HEADERS),
        ([none, [1, at, 0, 0, 4, 0x0500_0000, 5]], HEADERS + 32),
        ([[1, at, 0, 0, 4, 4, 6], none], 28),
    ] {
        let refused = program(&elf_file(0, &segments, &code)).err();
        let expected = matches!(refused, Some(ElfError::Segments { at, .. }) if at == place);
        assert!(expected, "{segments:?}: {refused:?}");
    }
    let beyond = [[1, at, 0, 0, 5, 5, 5], none];
    assert_eq!(program(&elf_file(0, &beyond, &code)).err(), Some(ElfError::Truncated(at as usize)));
    let far = [text, [1, at, 0x1000_0000, 0x0500_0000, 4, 4, 6]];
    let refused = flat_image(&elf_file(0, &far, &code)).err().unwrap();
    assert_eq!(refused.to_string(), "offset 0x1c: load addresses are too far apart");
    let early = flat_image(&elf_file(0, &[[1, at, 4, 4, 4, 4, 5], none], &code)).err().unwrap();
    assert_eq!(early.to_string(), "offset 0x18: entry before the image");
}
