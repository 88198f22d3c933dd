//! The same sources (`guests/*.c`) compiled for every machine, when the measurement is asked for.
//! A compiler that is not there leaves its guest out, and one line says which packages bring it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Guest;
use crate::native::NativePeer;

/// What all guests are made of, besides the file of their machine, which includes `work.c`.
const WORK: [&str; 4] = ["guests/aes.c", "guests/sha256.c", "guests/coremark.c", "guests/unseen.c"];
/// What a guest of our machine is made of besides.
const SVM: [&str; 2] = ["guests/svm.c", "../clients/sdk-c/memory.c"];
const FLAGS: [&str; 4] = ["-std=c11", "-O2", "-ffreestanding", "-nostdlib"];
/// The versions of clang that are tried, the newest first.
const CLANG: core::ops::RangeInclusive<u32> = 14..=30;

const GCC: &str = "riscv64-unknown-elf-gcc";
const RV32: [&str; 2] = ["-march=rv32im", "-mabi=ilp32"];
const FOR_CLANG: [&str; 4] =
    ["--target=riscv32-unknown-elf", "-fuse-ld=lld", "-march=rv32im", "-mabi=ilp32"];
/// Programs of the corpus, see `rows.rs`.
#[cfg(feature = "rows")]
const CORPUS: &str = "guests/corpus";

/// What could be compiled.
pub(super) struct Guests {
    /// For our machine, by clang.
    pub(super) svm_clang: Option<Vec<u8>>,
    /// For our machine, by gcc.
    pub(super) svm_gcc: Option<Vec<u8>>,
    /// For WebAssembly machines, by clang.
    pub(super) wasm: Option<Vec<u8>>,
    /// For ckb-vm, by gcc.
    #[cfg_attr(not(feature = "peer-ckb-vm"), allow(dead_code))]
    pub(super) ckb: Option<Vec<u8>>,
    /// For this processor, by the machine's own compiler: a running process.
    pub(super) native: Option<NativePeer>,
}

impl Guests {
    /// The guest of our machine that this compiler made.
    pub(super) fn file(&self, guest: Guest) -> Option<&[u8]> {
        match guest {
            Guest::Clang => self.svm_clang.as_deref(),
            Guest::Gcc => self.svm_gcc.as_deref(),
            Guest::Rustc => portcullis_assets::hostile("bench"),
        }
    }

    /// Compiles all, into files beside this program.
    pub(super) fn compile() -> Self {
        let clang = clang();
        let by = |compiler: &str, packages: &str, file: &str, flags: &[&str], more: &[&str]| {
            let sources = [&WORK[..], more].concat();
            let made = runs(compiler).then(|| compiled(compiler, file, flags, &sources)).flatten();
            if made.is_none() {
                eprintln!("portcullis-bench: {file}: not compiled; apt-get install {packages}");
            }
            made
        };
        let wasm = ["--target=wasm32-unknown-unknown", "-Wl,--no-entry,--allow-undefined,-s"];
        let rv64 =
            ["-march=rv64im", "-mabi=lp64", "-mcmodel=medany", "-Wl,-e,_start", "-Tguests/ckb.ld"];
        Self {
            svm_clang: by(&clang, "clang lld", "svm-clang.elf", &svm(&FOR_CLANG), &SVM),
            svm_gcc: by(GCC, "gcc-riscv64-unknown-elf", "svm-gcc.elf", &svm(&RV32), &SVM),
            wasm: by(&clang, "clang lld", "guest.wasm", &wasm, &["guests/wasm.c"]),
            ckb: if cfg!(feature = "peer-ckb-vm") {
                let sources = ["guests/ckb.c", "../clients/sdk-c/memory.c"];
                by(GCC, "gcc-riscv64-unknown-elf", "ckb.elf", &rv64, &sources)
            } else {
                None
            },
            native: NativePeer::start_guest(&[&WORK[..], &["guests/native.c"]].concat()),
        }
    }
}

/// The corpus for our machine, by each compiler that clients are made with; `None` without it.
#[cfg(feature = "rows")]
pub(super) fn corpus() -> [Option<Vec<u8>>; 3] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(CORPUS);
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    let sources = names.filter(|name| name.ends_with(".c")).map(|name| format!("{CORPUS}/{name}"));
    let mut sources: Vec<String> = sources.collect();
    sources.sort();
    let runtime = ["../clients/sdk-c/runtime.c", "../clients/sdk-c/memory.c"];
    let sources: Vec<&str> = sources.iter().map(String::as_str).chain(runtime).collect();
    let by = |compiler: &str, file: &str, flags: &[&str], more: &[&str]| {
        let flags = [&svm(flags)[..], &["-Iguests"], more].concat();
        // What gcc calls for shifts of 64 bits.
        let library: &[&str] = if compiler == GCC { &["-lgcc"] } else { &[] };
        compiled(compiler, file, &flags, &[&sources, library].concat())
    };
    [
        by(&clang(), "corpus-clang.elf", &FOR_CLANG, &[]),
        by(GCC, "corpus-gcc.elf", &RV32, &[]),
        by(GCC, "corpus-gcc-small.elf", &RV32, &["-Os"]),
    ]
}

/// The names of its programs, in the order of its header.
#[cfg(feature = "rows")]
pub(super) fn corpus_names() -> Option<Vec<String>> {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join(CORPUS).join("corpus.h");
    let text = std::fs::read_to_string(header).ok()?;
    let names = text.split("X(").skip(1).map_while(|rest| Some(rest.split_once(')')?.0.to_owned()));
    Some(names.collect())
}

/// The newest clang that runs.
fn clang() -> String {
    let clang = CLANG.rev().map(|n| format!("clang-{n}")).chain(["clang".to_owned()]);
    clang.into_iter().find(|name| runs(name)).unwrap_or_default()
}

/// With the memory map and the header of the C SDK.
fn svm<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    const MAP: [&str; 4] =
        ["-static", "-I../clients/sdk-c", "-T../clients/sdk/link.ld", "-Wl,-z,max-page-size=16"];
    [flags, &MAP].concat()
}

fn compiled(compiler: &str, file: &str, flags: &[&str], sources: &[&str]) -> Option<Vec<u8>> {
    let out = folder()?.join(file);
    let mut command = Command::new(compiler);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(FLAGS).args(flags);
    let status = command.arg("-o").arg(&out).args(sources).status().ok()?;
    status.success().then(|| std::fs::read(out).ok()).flatten()
}

fn folder() -> Option<PathBuf> {
    let folder = std::env::current_exe().ok()?.parent().map(|f: &Path| f.join("bench-guests"))?;
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder)
}

fn runs(compiler: &str) -> bool {
    let mut command = Command::new(compiler);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    !compiler.is_empty() && command.status().is_ok_and(|status| status.success())
}
