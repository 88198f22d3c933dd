//! ELF files of unusual shape: the same program linked in many ways runs in each, as it does
//! under qemu.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::Path;

use portcullis_svm::{Engine, Outcome};
use support::suite::*;

/// Entry in the middle; reads initial data, looks at a large .bss, writes both, uses the stack;
/// a second section of text; a section that simulators look for. Exits with 42.
const TEXT: &str = r#"
    .option norvc
    .text
    before: j before
    .globl _start
    _start:
        la t0, initial
        lw t1, 0(t0)
        li t2, 40
        bne t1, t2, wrong
        addi t1, t1, 1
        sw t1, 0(t0)
        lw t1, 0(t0)
        la t0, large + 1000000
        lw t2, 0(t0)
        bnez t2, wrong
        sw t1, 0(t0)
        lw a0, 0(t0)
        addi sp, sp, -16
        sw a0, 12(sp)
        lw a0, 12(sp)
        call further
        li a7, 93
        ecall
    wrong:
        li a0, 1
        li a7, 93
        ecall
    .section .text.further, "ax", @progbits
    further:
        addi a0, a0, 1
        ret
    .section .rodata
    .word 0xFFFFFFFF, 0x00000063, 0x73
    .data
    .balign 4
    initial: .word 40
    .section .tohost, "aw", @progbits
    .balign 64
    .globl tohost
    tohost: .dword 0
    .bss
    .balign 16
    large: .space 4000000
"#;

/// Everything in one segment that may be read, written and run, data first.
const DATA_FIRST: &str = "ENTRY(_start)
    SECTIONS { . = 0x20000 + SIZEOF_HEADERS; .data : { *(.data) *(.tohost) }
    .text : { *(.text .text.*) } .rodata : { *(.rodata) } .bss : { *(.bss) } }";

/// Name, flags of the linker, and what is done to the file.
const SHAPES: [(&str, &[&str], Change); 8] = [
    ("plain", &[], Change::None),
    ("low", &["-Wl,-Ttext=0x20000,-Tdata=0x60000"], Change::None),
    ("high", &["-Wl,-Ttext=0x80000000,-Tdata=0x80200000"], Change::None),
    ("one_segment", &["-Wl,-N"], Change::None),
    ("data_first", &["-Wl,-N", "-T", "data_first.ld"], Change::None),
    ("text_apart", &["-Wl,--section-start=.text.further=0x90000,-Ttext=0x20000"], Change::None),
    ("no_symbols", &["-s"], Change::None),
    ("no_section_headers", &[], Change::NoSectionHeaders),
];

#[derive(Clone, Copy, PartialEq)]
enum Change {
    None,
    NoSectionHeaders,
}

// spec-test: X-05
#[test]
fn elf_files_of_unusual_shape_run_as_under_qemu() {
    if let Some(why) = missing() {
        return skip("suite_shapes", why);
    }
    std::fs::write(folder().join("data_first.ld"), DATA_FIRST).unwrap();
    for (name, flags, change) in SHAPES {
        let file = assemble(&format!("shape_{name}"), TEXT, "rv32im", flags);
        if change == Change::NoSectionHeaders {
            without_section_headers(&file);
        }
        assert_eq!(by_qemu(&file, "rv32"), 42, "{name}: the judge");
        for engine in [Engine::MatchLoop, Engine::Threaded] {
            let outcome = by_engine(&file, engine);
            assert_eq!(outcome, Outcome::Exited(42), "{name}: {engine:?}: {outcome}");
        }
    }
}

/// Offset, entry size and count of section headers become zero.
fn without_section_headers(file: &Path) {
    let mut octets = std::fs::read(file).unwrap();
    octets[32..36].fill(0);
    octets[46..52].fill(0);
    std::fs::write(file, octets).unwrap();
}

#[test]
fn flags_that_change_nothing_for_us_are_taken() {
    if let Some(why) = missing() {
        return skip("suite_shapes", why);
    }
    let file = assemble("shape_flags", TEXT, "rv32im", &[]);
    let octets = std::fs::read(&file).unwrap();
    // RVE: the sixteen registers of it are among ours. TSO: there is one thread.
    for flag in [8_u8, 16] {
        let mut changed = octets.clone();
        changed[36] |= flag;
        let path = file.with_extension(format!("{flag}.elf"));
        std::fs::write(&path, changed).unwrap();
        assert_eq!(by_engine(&path, Engine::default()), Outcome::Exited(42), "{flag}");
    }
}
