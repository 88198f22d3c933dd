//! An ELF file from anywhere: as a flat image for a package, and as a plain program that runs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::{Silent, everything, small};
use portcullis_svm::{Client, Event, elf};

fuzz_target!(|data: &[u8]| {
    look(data);
    // The input as program headers and what they point at, under a header that is good.
    look(&[&HEADER[..], data].concat());
});

/// ELF32, little-endian, executable, RISC-V, entry 0, two program headers behind it.
const HEADER: [u8; 52] = {
    let mut header = [0; 52];
    let parts: [(usize, &[u8]); 6] = [
        (0, &[0x7F, b'E', b'L', b'F', 1, 1, 1]),
        (16, &[2, 0, 243, 0, 1]),
        (28, &[52]),
        (40, &[52, 0, 32, 0]),
        (44, &[2, 0, 40]),
        (24, &[0, 0, 0, 0]),
    ];
    let mut part = 0;
    while part < parts.len() {
        let (at, octets) = parts[part];
        let mut octet = 0;
        while octet < octets.len() {
            header[at + octet] = octets[octet];
            octet += 1;
        }
        part += 1;
    }
    header
};

fn look(data: &[u8]) {
    if let Ok(image) = elf::flat_image(data) {
        assert!(image.text_bytes as usize <= image.code.len());
        let _ = Client::load(&image, everything(), small());
    }
    if let Ok(program) = elf::program(data)
        && let Ok(mut client) = Client::load_program(&program, everything(), small())
    {
        client.raise(Event::Initialize, &[], &mut Silent);
        assert!(client.retired_instructions() <= small().budget);
    }
}
