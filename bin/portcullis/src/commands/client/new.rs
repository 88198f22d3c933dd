//! `portcullis client new`: a project that builds a client, with the SDK inside.
//!
//! The SDK travels with the program, so that a project needs nothing but a compiler: in Rust cargo
//! and the target `riscv32im-unknown-none-elf`, in C gcc or clang.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis client new`.
#[derive(clap::Args)]
pub(super) struct NewArgs {
    /// Language of the client.
    #[arg(long, value_enum, default_value = "rust")]
    language: Language,
    /// Name of the client and of the folder that is made: small letters, digits and hyphens.
    name: String,
}

/// What a client can be written in.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Language {
    Rust,
    C,
}

/// Longest name.
const NAME_MAX: usize = 32;

macro_rules! sdk {
    ($file:literal) => {
        include_str!(concat!("../../../../../clients/sdk/", $file))
    };
}

macro_rules! sdk_c {
    ($file:literal) => {
        include_str!(concat!("../../../../../clients/sdk-c/", $file))
    };
}

/// A project in C; the name stands in the Makefile alone.
const C_FILES: [(&str, &str); 8] = [
    (".gitignore", "*.elf\n"),
    ("policy.xml", include_str!("template/policy.xml")),
    ("src/main.c", include_str!("template/main.c")),
    ("sdk/link.ld", sdk!("link.ld")),
    ("sdk/portcullis.h", sdk_c!("portcullis.h")),
    ("sdk/portcullis_abi.h", sdk_c!("portcullis_abi.h")),
    ("sdk/runtime.c", sdk_c!("runtime.c")),
    ("sdk/memory.c", sdk_c!("memory.c")),
];

/// A project in Rust: what does not depend on the name.
const RUST_FILES: [(&str, &str); 14] = [
    (".cargo/config.toml", CONFIG),
    (".gitignore", "target/\n"),
    ("events.json", include_str!("template/events.json")),
    ("policy.xml", include_str!("template/policy.xml")),
    ("src/main.rs", include_str!("template/main.rs")),
    ("sdk/Cargo.toml", SDK_MANIFEST),
    ("sdk/link.ld", sdk!("link.ld")),
    ("sdk/src/abi.rs", include_str!("../../../../../crates/svm/src/abi.rs")),
    ("sdk/src/content.rs", sdk!("src/content.rs")),
    ("sdk/src/event.rs", sdk!("src/event.rs")),
    ("sdk/src/heap.rs", sdk!("src/heap.rs")),
    ("sdk/src/start.rs", sdk!("src/start.rs")),
    ("sdk/src/sys.rs", sdk!("src/sys.rs")),
    ("sdk/src/trap.rs", sdk!("src/trap.rs")),
];

const CONFIG: &str = r#"[build]
target = "riscv32im-unknown-none-elf"

[target.riscv32im-unknown-none-elf]
rustflags = ["-Clink-arg=-Tsdk/link.ld", "-Clink-arg=-zmax-page-size=16"]
"#;

const SDK_MANIFEST: &str = r#"[package]
name = "portcullis-sdk"
version = "0.1.0"
edition = "2024"
license = "Apache-2.0 OR MIT"
publish = false
"#;

fn manifest(name: &str) -> String {
    format!(
        r#"[package]
name = "{name}"
version = "0.1.0"
edition = "2024"
publish = false

[workspace]

[dependencies]
portcullis-sdk = {{ path = "sdk" }}

[profile.release]
panic = "abort"
opt-level = "s"
lto = true
codegen-units = 1
strip = true
"#
    )
}

pub(super) fn run(args: &NewArgs) -> Outcome {
    let name = args.name.as_str();
    let legal = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= NAME_MAX
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !legal {
        return Err(Failure::usage(format!(
            "client new: {name}: a name is small letters, digits and hyphens, at most {NAME_MAX}"
        )));
    }
    let folder = PathBuf::from(name);
    let failed = |error: std::io::Error| Failure::new(format!("client new: {name}: {error}"));
    fs::create_dir(&folder).map_err(failed)?;
    match args.language {
        Language::Rust => write_rust(&folder, name),
        Language::C => write_c(&folder, name),
    }
    .map_err(failed)?;
    let build = match args.language {
        Language::Rust => "cargo build --release",
        Language::C => "make",
    };
    println!("{name}: made; build it with `{build}` in that folder");
    Ok(())
}

fn write_rust(folder: &Path, name: &str) -> std::io::Result<()> {
    let lib = sdk!("src/lib.rs").replace("#[path = \"../../../crates/svm/src/abi.rs\"]\n", "");
    write(folder, "Cargo.toml", &manifest(name))?;
    write(folder, "sdk/src/lib.rs", &lib)?;
    RUST_FILES.iter().try_for_each(|(path, text)| write(folder, path, text))
}

fn write_c(folder: &Path, name: &str) -> std::io::Result<()> {
    let makefile = include_str!("template/Makefile").replace("= CLIENT", &format!("= {name}"));
    write(folder, "Makefile", &makefile)?;
    C_FILES.iter().try_for_each(|(path, text)| write(folder, path, text))
}

fn write(folder: &Path, path: &str, text: &str) -> std::io::Result<()> {
    let path = folder.join(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text)
}
