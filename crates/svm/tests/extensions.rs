//! The declared extensions: each instruction runs when the policy declares it, and is refused
//! with its place and its extension when not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use portcullis_svm::{Client, Extension, Extensions, Limits, Outcome, ScanError};
use support::extension_words::{EXTENSION_WORDS, filled};
use support::*;

fn with(extensions: Extensions) -> Limits {
    Limits { extensions, ..Limits::default() }
}

fn scanned(word: u32, extensions: Extensions) -> Result<Client, ScanError> {
    load(&[addi(A0, 0, 1), word, ret()], with(extensions))
}

// spec-test: X-C02
// attack-test: T-15
#[test]
fn an_instruction_runs_only_where_its_extension_is_declared() {
    for known in EXTENSION_WORDS {
        let (name, extension, ..) = known;
        let word = filled(known, [A2, A0, A1, 3]);
        assert!(scanned(word, Extensions::NONE.with(*extension)).is_ok(), "{name}");
        assert!(scanned(word, Extensions::ALL).is_ok(), "{name}");
        let Err(ScanError::Undeclared { address: 4, word: told, needs }) =
            scanned(word, Extensions::NONE)
        else {
            panic!("{name} is not refused");
        };
        assert!(told == word && needs.has(*extension), "{name}: {needs}");
        // Whatever is declared, as long as it does not have the instruction.
        let others = Extension::ALL.into_iter().filter(|other| !needs.has(*other));
        let others = others.fold(Extensions::NONE, Extensions::with);
        assert!(matches!(scanned(word, others), Err(ScanError::Undeclared { .. })), "{name}");
    }
}

#[test]
fn the_refusal_names_place_and_extensions() {
    let said = |word| scanned(word, Extensions::NONE).err().unwrap().to_string();
    // rori a2, a0, 7; sha256sum0 a2, a0
    assert_eq!(
        said(0x6075_5613),
        "instruction 0x60755613 at 0x00000004 needs zbb or zbkb, which is not declared"
    );
    assert_eq!(
        said(0x1005_1613),
        "instruction 0x10051613 at 0x00000004 needs zknh, which is not declared"
    );
}

// spec-test: X-05
#[test]
fn a_declared_instruction_writes_its_register() {
    let mut words = Vec::from(li(A0, 0x8000_0123));
    // rori a2, a0, 4; exit with a2
    words.push(0x6045_5613);
    words.extend(exit_with(A2));
    let (outcome, ..) = run_with(&words, with(Extensions::NONE.with(Extension::Zbkb)));
    assert_eq!(outcome, Outcome::Exited(0x3800_0012));
}

#[test]
fn a_terminal_can_do_without() {
    let asked = with(Extensions::ALL);
    let terminal = with(Extensions::NONE.with(Extension::Zba));
    assert_eq!(asked.capped_by(&terminal).extensions, terminal.extensions);
    assert_eq!(terminal.capped_by(&asked).extensions, terminal.extensions);
}
