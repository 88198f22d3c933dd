//! Decides whether the threaded engine is part of this build.
//!
//! Its handlers call each other in tail position and rely on the compiler to turn such calls into
//! jumps. That holds for optimised code on x86-64 with six argument registers and nothing that
//! instruments functions; everywhere else the match loop runs alone.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(portcullis_threaded)");
    let is = |name: &str, values: &[&str]| env::var(name).is_ok_and(|v| values.contains(&&*v));
    // Inputs of the fuzz targets run for some thousand instructions: the stack holds that even
    // where counters keep calls from becoming jumps, and the engines are to be compared there.
    println!("cargo::rerun-if-env-changed=PORTCULLIS_FUZZING");
    let short_runs = env::var_os("PORTCULLIS_FUZZING").is_some();
    let instrumented = env::var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| {
        ["sanitizer", "instrument", "profile-"].iter().any(|f| flags.contains(f))
    });
    if is("CARGO_CFG_TARGET_ARCH", &["x86_64"])
        && is("CARGO_CFG_TARGET_FAMILY", &["unix"])
        && is("OPT_LEVEL", &["2", "3", "s"])
        && env::var_os("CARGO_CFG_MIRI").is_none()
        && (short_runs || !instrumented)
    {
        println!("cargo::rustc-cfg=portcullis_threaded");
    }
}
