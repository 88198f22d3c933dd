//! Builds the guest programs of `clients/` and lists them for embedding.
//!
//! Two ways: the `riscv32im-unknown-none-elf` target of the compiler in use, when it is installed;
//! else Debian's `rustc-web`, `rust-web-src` and `lld-19`, which build the core library as well.
//! Without either nothing is embedded, and one line says how to get it.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

const TARGET: &str = "riscv32im-unknown-none-elf";

/// Name in the API, name of the program, policy file under `clients/`.
const GUESTS: [(&str, &str, &str); 19] = [
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
    ("bench", "bench", "reference-cas/policy.xml"),
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

    let list = compile(&workspace, &target_dir(&out_dir))
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
fn compile(workspace: &Path, target_dir: &Path) -> Result<PathBuf, String> {
    if env::var_os("PORTCULLIS_SKIP_GUESTS").is_some() {
        return Err("PORTCULLIS_SKIP_GUESTS is set".to_owned());
    }
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--release", "--quiet", "--locked", "--target", TARGET])
        .current_dir(workspace.join("clients"))
        .stdin(Stdio::null());
    clean_environment(&mut cargo);
    cargo.env("CARGO_TARGET_DIR", target_dir);
    let own = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    if sysroot(&own).is_some_and(|root| root.join("lib/rustlib").join(TARGET).is_dir()) {
        cargo.env("RUSTC", own);
    } else {
        debian(&mut cargo)?;
    }
    let output = cargo.output().map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text.lines().find(|line| line.starts_with("error")).unwrap_or("no message");
        return Err(format!("building clients/ failed: {line}"));
    }
    Ok(target_dir.join(TARGET).join("release"))
}

/// Debian's compiler, with its own sources of the core library and its linker.
fn debian(cargo: &mut Command) -> Result<(), String> {
    const COMPILER: &str = "/usr/bin/rustc";
    let missing = || {
        format!(
            "run `rustup target add {TARGET}`, or on Debian `apt-get install rustc-web \
             rust-web-src lld-19`, and build again"
        )
    };
    let root = sysroot(&COMPILER.into()).ok_or_else(missing)?;
    let library = root.join("lib/rustlib/src/rust/library");
    let linker = (19..30)
        .map(|version| PathBuf::from(format!("/usr/bin/ld.lld-{version}")))
        .find(|path| path.exists())
        .ok_or_else(missing)?;
    if !library.join("core").is_dir() {
        return Err(missing());
    }
    cargo
        .args(["-Zbuild-std=core,alloc,compiler_builtins"])
        .arg("-Zbuild-std-features=compiler-builtins-mem")
        .env("RUSTC", COMPILER)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_RISCV32IM_UNKNOWN_NONE_ELF_LINKER", linker)
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("LD_LIBRARY_PATH");
    Ok(())
}

/// Cargo tells a build script about this build in the environment; the guests are another one.
fn clean_environment(cargo: &mut Command) {
    const KEPT: [&str; 5] =
        ["CARGO_HOME", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR", "CARGO_SOURCE_"];
    const OTHERS: [&str; 10] = [
        "RUSTFLAGS",
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_LINKER",
        "RUSTDOC",
        "TARGET",
        "HOST",
        "OUT_DIR",
        "PROFILE",
    ];
    let ours = env::vars_os().map(|(name, _)| name).filter(|name| {
        let text = name.to_string_lossy();
        text.starts_with("CARGO_") && !KEPT.iter().any(|kept| text.starts_with(kept))
    });
    for name in ours.chain(OTHERS.map(OsString::from)) {
        cargo.env_remove(name);
    }
}

fn sysroot(compiler: &OsString) -> Option<PathBuf> {
    let output = Command::new(compiler)
        .args(["--print", "sysroot"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

/// `target/guests` of the target directory this build script works in.
fn target_dir(out_dir: &Path) -> PathBuf {
    let tagged = out_dir.ancestors().find(|dir| dir.join("CACHEDIR.TAG").exists());
    tagged.unwrap_or(out_dir).join("guests")
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
