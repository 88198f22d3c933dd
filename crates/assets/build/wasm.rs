//! Builds the modules of `wasm/` for a browser's engine and lists them for embedding.
//!
//! Without a compiler for them nothing is embedded, and one line says how to get it: the page then
//! does without, and what is measured or tested in such an engine is left out.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::cross::{self, Cross};

const TARGET: &str = "wasm32-unknown-unknown";

/// Constant, and the module's file.
const MODULES: [(&str, &str); 2] = [("MACHINE", "machine.wasm"), ("SCRAMBLER", "scrambler.wasm")];

/// What the modules are made of, relative to the workspace.
const SOURCES: [&str; 11] = [
    "wasm/Cargo.toml",
    "wasm/Cargo.lock",
    "wasm/.cargo",
    "wasm/machine",
    "wasm/scrambler",
    "crates/crypto/src",
    "crates/scramble/src",
    "crates/svm/build.rs",
    "crates/svm/src",
    "crates/ts/src",
    "crates/types/src",
];

/// Builds the modules and writes `wasm.rs` into `OUT_DIR`.
pub(crate) fn build() {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let workspace = manifest.join("../..");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }
    println!("cargo::rerun-if-changed=build/wasm.rs");
    println!("cargo::rerun-if-env-changed=PORTCULLIS_SKIP_WASM");

    let modules = compile(&workspace, &out_dir).and_then(|folder| embed(&folder, &out_dir));
    let code = modules.unwrap_or_else(|why| {
        println!("cargo::warning=the modules for browsers are not embedded: {why}");
        MODULES.map(|(name, _)| constant(name, "None")).concat()
    });
    if let Err(error) = fs::write(out_dir.join("wasm.rs"), code) {
        println!("cargo::error=cannot write wasm.rs: {error}");
    }
}

fn compile(workspace: &Path, out_dir: &Path) -> Result<PathBuf, String> {
    if env::var_os("PORTCULLIS_SKIP_WASM").is_some() {
        return Err("PORTCULLIS_SKIP_WASM is set".to_owned());
    }
    let linkers: Vec<_> = (19..30).map(|version| format!("wasm-ld-{version}")).collect();
    Cross { target: TARGET, build_std: &["-Zbuild-std=std,panic_abort"], linkers: &linkers }
        .build(&workspace.join("wasm"), &cross::folder(out_dir, "wasm"))
}

fn embed(folder: &Path, out_dir: &Path) -> Result<String, String> {
    let mut code = String::new();
    for (name, file) in MODULES {
        let copy = out_dir.join(file);
        fs::copy(folder.join(file), &copy).map_err(|error| format!("{file}: {error}"))?;
        let _ = write!(code, "{}", constant(name, &format!("Some(include_bytes!({copy:?}))")));
    }
    Ok(code)
}

fn constant(name: &str, value: &str) -> String {
    format!("const {name}: Option<&[u8]> = {value};\n")
}
