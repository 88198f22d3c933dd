//! Decides whether the threaded engine is part of this build, and how its rows go on.
//!
//! Its handlers call each other in tail position and rely on the compiler to turn such calls into
//! jumps. That holds for optimised code on x86-64 with six argument registers and nothing that
//! instruments functions. In WebAssembly they return to a loop instead; where
//! `PORTCULLIS_TRAMPOLINE` is set they do so on this machine, to be tested. Everywhere else the
//! match loop runs alone.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

/// Numbers that functions may have.
const NUMBERS: usize = 4096;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(portcullis_threaded)");
    println!("cargo::rustc-check-cfg=cfg(portcullis_trampoline)");
    println!("cargo::rustc-check-cfg=cfg(portcullis_few_rows)");
    let is = |name: &str, values: &[&str]| env::var(name).is_ok_and(|v| values.contains(&&*v));
    // Inputs of the fuzz targets run for some thousand instructions: the stack holds that even
    // where counters keep calls from becoming jumps, and the engines are to be compared there.
    println!("cargo::rerun-if-env-changed=PORTCULLIS_FUZZING");
    let short_runs = env::var_os("PORTCULLIS_FUZZING").is_some();
    let instrumented = env::var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| {
        ["sanitizer", "instrument", "profile-"].iter().any(|f| flags.contains(f))
    });
    let optimised = is("OPT_LEVEL", &["2", "3", "s"]);
    // Where the engine's way of going on is looked at and not its pace: the chosen rows are most of
    // what there is to compile.
    println!("cargo::rerun-if-env-changed=PORTCULLIS_FEW_ROWS");
    if env::var_os("PORTCULLIS_FEW_ROWS").is_some() {
        println!("cargo::rustc-cfg=portcullis_few_rows");
    }
    println!("cargo::rerun-if-env-changed=PORTCULLIS_TRAMPOLINE");
    let asked_for = env::var_os("PORTCULLIS_TRAMPOLINE").is_some();
    if asked_for || optimised && is("CARGO_CFG_TARGET_ARCH", &["wasm32"]) {
        println!("cargo::rustc-cfg=portcullis_threaded");
        println!("cargo::rustc-cfg=portcullis_trampoline");
        let folder = env::var_os("OUT_DIR").unwrap_or_default();
        fs::write(Path::new(&folder).join("numbers.rs"), numbers())?;
    } else if optimised
        && is("CARGO_CFG_TARGET_ARCH", &["x86_64"])
        && is("CARGO_CFG_TARGET_FAMILY", &["unix"])
        && env::var_os("CARGO_CFG_MIRI").is_none()
        && (short_runs || !instrumented)
    {
        println!("cargo::rustc-cfg=portcullis_threaded");
    }
    Ok(())
}

/// The macro `by_number!`: a `match` over a number that calls with the number as a literal.
fn numbers() -> String {
    let mut code = String::from(
        "macro_rules! by_number { ($number:expr, $call:ident, $arguments:tt, $else:expr) => {\n\
         match $number {\n",
    );
    for number in 0..NUMBERS {
        let _ = writeln!(code, "{number} => $call!({number}, $arguments),");
    }
    code + "_ => $else,\n} }; }\n"
}
