//! The C SDK says what the machine says: `portcullis_abi.h` is made from `src/abi.rs`, and
//! `portcullis.h` has a function for every call of the table, with its number of parameters.
//!
//! `PORTCULLIS_UPDATE=1 cargo test --release -p portcullis-svm --test c_header` writes the file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::PathBuf;

use portcullis_svm::Syscall;

const ABI: &str = include_str!("../src/abi.rs");

fn sdk(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../clients/sdk-c").join(file)
}

/// A constant of `abi.rs`: its module (or nothing), name, type, value and first line of text.
struct Constant<'a> {
    module: &'a str,
    name: &'a str,
    kind: &'a str,
    value: &'a str,
    text: &'a str,
}

/// The constants in order. A line of the file that this does not understand is a failure, so that
/// nothing is left out in silence.
fn constants() -> Vec<Constant<'static>> {
    let (mut module, mut text, mut found) = ("", "", Vec::new());
    let mut in_function = false;
    for line in ABI.lines() {
        let (indented, line) = (line.starts_with("    "), line.trim());
        if let Some(doc) = line.strip_prefix("/// ") {
            text = if text.is_empty() { doc } else { text };
            continue;
        }
        if let Some(rest) = line.strip_prefix("pub mod ") {
            module = rest.strip_suffix(" {").unwrap();
        } else if let Some(rest) = line.strip_prefix("pub const fn ") {
            assert!(rest.starts_with("trap_word("), "{line}");
            in_function = true;
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let (name, rest) = rest.split_once(": ").unwrap();
            let (kind, value) = rest.split_once(" = ").unwrap();
            let value = value.strip_suffix(';').expect("a constant is one line");
            let module = if indented { module } else { "" };
            found.push(Constant { module, name, kind, value, text });
        } else if line == "}" {
            in_function = false;
        } else {
            let known = line.is_empty() || line.starts_with("//!") || line == "#[must_use]";
            assert!(known || in_function, "abi.rs: the C header does not know: {line}");
            if line.starts_with('#') {
                continue;
            }
        }
        text = "";
    }
    found
}

fn c_name(constant: &Constant<'_>) -> String {
    let module = constant.module.to_uppercase();
    let between = if module.is_empty() { "" } else { "_" };
    format!("PT_{module}{between}{}", constant.name)
}

fn header() -> String {
    let mut out = String::from(
        "/* Made from crates/svm/src/abi.rs; do not change it by hand. The test c_header of that\n   \
         crate compares it and says how to make it anew. */\n\
         #ifndef PORTCULLIS_ABI_H\n#define PORTCULLIS_ABI_H\n",
    );
    let mut module = None;
    for constant in constants() {
        if module != Some(constant.module) {
            out.push('\n');
            module = Some(constant.module);
        }
        let digits = constant.value.replace('_', "");
        let value = match (constant.kind, constant.value.parse::<i64>()) {
            ("i32", _) => format!("({digits})"),
            ("u32", _) if digits.contains(' ') => format!("({digits}u)"),
            ("u32", _) => format!("{digits}u"),
            _ => digits,
        };
        let text = constant.text.replace('`', "").replace("crate::", "");
        let _ = write!(out, "/* {text} */\n#define {} {value}\n", c_name(&constant));
    }
    out.push_str("\n#endif\n");
    out
}

// spec-test: X-T01
#[test]
fn the_numbers_in_c_are_those_of_the_machine() {
    let (path, wanted) = (sdk("portcullis_abi.h"), header());
    if std::env::var_os("PORTCULLIS_UPDATE").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "{} is not what abi.rs says: see the head of this test",
        path.display()
    );
    for (name, value) in [
        ("PT_RAM_BASE", "0x10000000u"),
        ("PT_CALL_KL_LOAD_CW", "0x044"),
        ("PT_EVENT_CHANGE_KEY", "4u"),
        ("PT_STATUS_TOO_SMALL", "(-3)"),
        ("PT_CALL_BYTES_MAX", "(64 * 1024u)"),
    ] {
        assert!(wanted.contains(&format!("#define {name} {value}\n")), "{name}: {wanted}");
    }
}

#[test]
fn every_call_has_a_function_in_c_with_its_number_of_parameters() {
    let functions = std::fs::read_to_string(sdk("portcullis.h")).unwrap();
    for call in Syscall::TABLE {
        let id = format!("0x{:03x}", call.id());
        let number = constants()
            .into_iter()
            .find(|c| c.module == "call" && c.value.eq_ignore_ascii_case(&id))
            .unwrap_or_else(|| panic!("{call}: no number in abi.rs"));
        let trap = format!("PT_TRAP{}({}", call.arguments(), c_name(&number));
        let comes = functions.matches(&trap).count();
        assert_eq!(comes, 1, "portcullis.h: {call}: one function with {trap}..) is expected");
    }
}
