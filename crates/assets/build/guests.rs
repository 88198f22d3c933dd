//! Builds the guest programs of `clients/` and lists them for embedding.
//!
//! Without a compiler for them nothing is embedded, and one line says how to get it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::cross::{self, Cross};

const TARGET: &str = "riscv32im-unknown-none-elf";

/// Name in the API, name of the program, policy file under `clients/`.
const GUESTS: [(&str, &str, &str); 21] = [
    ("vendor-a", "portcullis-reference-cas", "reference-cas/policy.xml"),
    ("vendor-b", "portcullis-reference-cas-b", "reference-cas-b/policy.xml"),
    ("hello", "hello", "reference-cas/policy.xml"),
    ("puppet", "puppet", "reference-cas/policy.xml"),
    ("greedy", "greedy", "reference-cas/policy.xml"),
    ("spin", "spin", "reference-cas/policy.xml"),
    ("wild-pointers", "wild-pointers", "reference-cas/policy.xml"),
    ("forbidden-call", "forbidden-call", "reference-cas/policy.xml"),
    ("stack", "stack", "reference-cas/policy.xml"),
    ("write-code", "write-code", "reference-cas/policy.xml"),
    ("jump-ram", "jump-ram", "reference-cas/policy.xml"),
    ("alloc-storm", "alloc-storm", "reference-cas/policy.xml"),
    ("register-again", "register-again", "reference-cas/policy.xml"),
    ("call-storm", "call-storm", "reference-cas/policy.xml"),
    ("timer-storm", "timer-storm", "hostile/policy.xml"),
    ("message-flood", "message-flood", "hostile/policy.xml"),
    ("network-elsewhere", "network-elsewhere", "hostile/policy.xml"),
    ("storage-flood", "storage-flood", "hostile/policy.xml"),
    ("own-cipher", "own-cipher", "hostile/own-cipher.xml"),
    ("bench", "bench", "reference-cas/policy.xml"),
    ("corpus", "corpus", "reference-cas/policy.xml"),
];

/// What the guests are made of, relative to the workspace.
const SOURCES: [&str; 10] = [
    "clients/Cargo.toml",
    "clients/Cargo.lock",
    "clients/.cargo",
    "clients/sdk",
    "clients/cas-core",
    "clients/reference-cas",
    "clients/reference-cas-b",
    "clients/hostile",
    "crates/messages",
    "crates/types",
];

/// Builds the guests and writes `guests.rs` into `OUT_DIR`.
pub(crate) fn build() {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let workspace = manifest.join("../..");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }
    println!("cargo::rerun-if-changed={}", workspace.join("crates/svm/src/abi.rs").display());
    println!("cargo::rerun-if-changed=build/guests.rs");
    println!("cargo::rerun-if-env-changed=PORTCULLIS_SKIP_GUESTS");

    let list = compile(&workspace, &out_dir)
        .and_then(|programs| embed(&programs, &workspace.join("clients"), &out_dir));
    let code = list.unwrap_or_else(|why| {
        println!("cargo::warning=the reference clients are not embedded: {why}");
        "&[]".to_owned()
    });
    if let Err(error) = fs::write(out_dir.join("guests.rs"), code) {
        println!("cargo::error=cannot write guests.rs: {error}");
    }
}

/// Builds all guests and gives the directory they are in.
fn compile(workspace: &Path, out_dir: &Path) -> Result<PathBuf, String> {
    if env::var_os("PORTCULLIS_SKIP_GUESTS").is_some() {
        return Err("PORTCULLIS_SKIP_GUESTS is set".to_owned());
    }
    let linkers: Vec<_> = (19..30).map(|version| format!("ld.lld-{version}")).collect();
    Cross {
        target: TARGET,
        build_std: &[
            "-Zbuild-std=core,alloc,compiler_builtins",
            "-Zbuild-std-features=compiler-builtins-mem",
        ],
        linkers: &linkers,
    }
    .build(&workspace.join("clients"), &cross::folder(out_dir, "guests"))
}

/// Copies the programs and their policies to `OUT_DIR` and writes the list of them.
fn embed(programs: &Path, clients: &Path, out_dir: &Path) -> Result<String, String> {
    let mut list = String::from("&[\n");
    for (name, program, policy) in GUESTS {
        let bytes =
            fs::read(programs.join(program)).map_err(|error| format!("{program}: {error}"))?;
        let image = portcullis_svm::elf::flat_image(&bytes)
            .map_err(|error| format!("{program}: {error}"))?;
        let template = fs::read_to_string(clients.join(policy))
            .map_err(|error| format!("clients/{policy}: {error}"))?;
        let policy = template.replace("TEXT_BYTES", &image.text_bytes.to_string());
        let (elf, xml) = (out_dir.join(format!("{name}.elf")), out_dir.join(format!("{name}.xml")));
        fs::write(&elf, bytes)
            .and_then(|()| fs::write(&xml, policy))
            .map_err(|error| format!("{name}: {error}"))?;
        let _ = writeln!(
            list,
            "Guest {{ name: {name:?}, elf: include_bytes!({elf:?}), policy: include_str!({xml:?}) }},"
        );
    }
    list.push(']');
    Ok(list)
}
