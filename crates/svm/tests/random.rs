//! Random programs: nothing a guest does makes the machine panic, and it always stops.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_svm::{Client, Compatibility, Event, Limits, Outcome, State, elf};
use proptest::prelude::*;
use support::*;

fn small() -> Limits {
    Limits {
        code_bytes: 4096,
        ram_bytes: 4096,
        stack_bytes: 1024,
        heap_bytes: 1024,
        budget: 2000,
        change_key_budget: 500,
        ..Limits::default()
    }
}

/// Words that mostly decode: a random word with a legal opcode.
fn word() -> impl Strategy<Value = u32> {
    const OPCODES: &[u32] = &[0x37, 0x17, 0x6F, 0x67, 0x63, 0x03, 0x23, 0x13, 0x33, 0x0F];
    prop_oneof![
        6 => (any::<u32>(), prop::sample::select(OPCODES)).prop_map(|(w, op)| w & !0x7F | op),
        2 => (0u16..0x90).prop_map(portcullis_svm::abi::trap_word),
        1 => Just(ret()),
        1 => any::<u32>(),
    ]
}

/// Bends branches and jumps so that they stay in the text, or the scan would refuse nearly all.
fn bend(words: &[u32]) -> Vec<u32> {
    let len = words.len() as i32;
    let bent = words.iter().enumerate().map(|(at, word)| {
        let offset = ((word >> 12) as i32 % len - at as i32) * 4;
        match word & 0x7F {
            0x63 => branch(word >> 12 & 7, word >> 15 & 31, word >> 20 & 31, offset),
            0x6F => jal(word >> 7 & 31, offset),
            _ => *word,
        }
    });
    bent.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    // attack-test: T-30 T-31
    // spec-test: E-F03 X-06
    #[test]
    fn random_programs_stop_and_never_panic(
        words in prop::collection::vec(word(), 1..64),
        params in prop::collection::vec(any::<u32>(), 0..14),
    ) {
        let words = bend(&words);
        // Compatibility mode, so that words which the scan would refuse are run up to as well.
        let limits =
            Limits { compatibility: Compatibility::UnsafeSimulatorEcall, ..small() };
        for limits in [small(), limits] {
            let Ok(mut client) = load(&words, limits) else { continue };
            let mut host = Recorder::default();
            let outcome = client.raise(Event::Initialize, &[], &mut host);
            prop_assert!(client.retired_instructions() <= 2000);
            if outcome == Outcome::Returned(0) {
                client.raise(Event::ChangeKey, &params, &mut host);
            } else {
                prop_assert_eq!(client.state(), State::End);
            }
        }
    }

    #[test]
    fn random_handlers_stop_and_never_panic(
        words in prop::collection::vec(word(), 1..48),
        params in prop::collection::vec(any::<u32>(), 0..14),
    ) {
        let limits = Limits { compatibility: Compatibility::UnsafeSimulatorEcall, ..small() };
        if let Ok(mut client) = load(&with_handler(&bend(&words)), limits) {
            let mut host = Recorder::default();
            client.raise(Event::Initialize, &[], &mut host);
            for event in [Event::Timer, Event::ChangeKey, Event::Terminate] {
                client.raise(event, &params, &mut host);
            }
        }
    }

    #[test]
    fn random_bytes_are_no_elf_and_no_panic(
        mut file in prop::collection::vec(any::<u8>(), 0..400),
        header in any::<bool>(),
    ) {
        if header && file.len() > 52 {
            file[..8].copy_from_slice(&[0x7F, b'E', b'L', b'F', 1, 1, 1, 0]);
            file[16..20].copy_from_slice(&[2, 0, 243, 0]);
            file[28..52].copy_from_slice(&[
                52, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 52, 0, 32, 0, 3, 0, 40, 0, 0, 0, 0, 0,
            ]);
        }
        if let Ok(program) = elf::program(&file) {
            let _ = Client::load_program(&program, everything(), small());
        }
        let _ = elf::flat_image(&file);
    }
}
