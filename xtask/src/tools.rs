//! What the machine must have, why, and how to get it.

use std::path::{Path, PathBuf};

use crate::Done;
use crate::shell::{command, output, quiet, root, which};

/// Something the project uses but does not bring along.
pub(crate) struct Tool {
    /// What is missing, as the user knows it.
    pub(crate) name: &'static str,
    /// What for.
    pub(crate) why: &'static str,
    /// How to get it.
    pub(crate) get: &'static str,
    /// Debian packages that bring it.
    pub(crate) packages: &'static [&'static str],
    present: fn() -> bool,
}

impl Tool {
    pub(crate) fn is_present(&self) -> bool {
        (self.present)()
    }

    /// The one line a user needs.
    pub(crate) fn missing_line(&self) -> String {
        format!("missing: {} ({}); get it: {}", self.name, self.why, self.get)
    }
}

pub(crate) const C_COMPILER: Tool = Tool {
    name: "cc",
    why: "C compiler for SQLite and the TLS library",
    get: "apt-get install gcc libc6-dev",
    packages: &["gcc", "libc6-dev"],
    present: || which("cc").is_some(),
};

pub(crate) const CMAKE: Tool = Tool {
    name: "cmake",
    why: "builds the TLS library on some machines",
    get: "apt-get install cmake",
    packages: &["cmake"],
    present: || which("cmake").is_some(),
};

pub(crate) const NODE: Tool = Tool {
    name: "node",
    why: "Node 20.19 or newer with npm builds the page",
    get: "https://nodejs.org, or apt-get install nodejs npm where that is new enough",
    packages: &["nodejs", "npm"],
    present: || node_is_new_enough() && which("npm").is_some(),
};

pub(crate) const GUEST_TOOLCHAIN: Tool = Tool {
    name: "riscv32im-unknown-none-elf",
    why: "compiles the guest clients",
    get: "rustup target add riscv32im-unknown-none-elf, or apt-get install rustc-web rust-web-src \
          lld-19",
    packages: &["rustc-web", "rust-web-src", "lld-19"],
    present: || rustup_target("riscv32im-unknown-none-elf") || debian_cross(),
};

pub(crate) const WASM_TOOLCHAIN: Tool = Tool {
    name: "wasm32-unknown-unknown",
    why: "compiles the scrambler of the page",
    get: "rustup target add wasm32-unknown-unknown, or apt-get install rustc-web rust-web-src lld-19",
    packages: &["rustc-web", "rust-web-src", "lld-19"],
    present: || rustup_target("wasm32-unknown-unknown") || debian_cross(),
};

pub(crate) const FFMPEG: Tool = Tool {
    name: "ffmpeg",
    why: "makes streams for tests",
    get: "apt-get install ffmpeg",
    packages: &["ffmpeg"],
    present: || which("ffmpeg").is_some() && which("ffprobe").is_some(),
};

pub(crate) const CHROMIUM: Tool = Tool {
    name: "chromium",
    why: "plays the page in the end-to-end tests",
    get: "apt-get install chromium",
    packages: &["chromium", "fonts-dejavu-core"],
    present: || browser().is_some(),
};

pub(crate) const OPENSSL: Tool = Tool {
    name: "openssl",
    why: "judges certificates, signatures and the AES modes in tests",
    get: "apt-get install openssl",
    packages: &["openssl"],
    present: || which("openssl").is_some(),
};

pub(crate) const TSHARK: Tool = Tool {
    name: "tshark",
    why: "judges SimulCrypt messages in tests",
    get: "apt-get install tshark",
    packages: &["tshark"],
    present: || which("tshark").is_some(),
};

pub(crate) const LIBDVBCSA: Tool = Tool {
    name: "libdvbcsa",
    why: "judges DVB-CSA2 in tests",
    get: "apt-get install libdvbcsa-dev pkg-config",
    packages: &["libdvbcsa-dev", "pkg-config"],
    present: || quiet(command("pkg-config").args(["--exists", "libdvbcsa"])) || dvbcsa_header(),
};

pub(crate) const AGE: Tool = Tool {
    name: "age",
    why: "judges the files at rest in tests",
    get: "apt-get install age",
    packages: &["age"],
    present: || which("age").is_some(),
};

pub(crate) const QEMU: Tool = Tool {
    name: "qemu-riscv32",
    why: "judges the virtual machine's instructions in tests",
    get: "apt-get install qemu-user",
    packages: &["qemu-user"],
    present: || which("qemu-riscv32").is_some(),
};

pub(crate) const ARM_TOOLCHAIN: Tool = Tool {
    name: "aarch64-unknown-linux-gnu",
    why: "compiles the scrambler for 64-bit ARM in tests",
    get: "rustup target add aarch64-unknown-linux-gnu, or apt-get install rustc-web rust-web-src",
    packages: &["rustc-web", "rust-web-src"],
    present: || rustup_target("aarch64-unknown-linux-gnu") || debian_compiler(),
};

pub(crate) const ARM_GCC: Tool = Tool {
    name: "aarch64-linux-gnu-gcc",
    why: "links what is tested for 64-bit ARM",
    get: "apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    packages: &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
    present: || which("aarch64-linux-gnu-gcc").is_some() && Path::new(ARM_ROOT).is_dir(),
};

pub(crate) const ARM_QEMU: Tool = Tool {
    name: "qemu-aarch64",
    why: "runs what is tested for 64-bit ARM",
    get: "apt-get install qemu-user",
    packages: &["qemu-user"],
    present: || which("qemu-aarch64").is_some(),
};

/// Where the C library for 64-bit ARM lies.
pub(crate) const ARM_ROOT: &str = "/usr/aarch64-linux-gnu";

pub(crate) const VALGRIND: Tool = Tool {
    name: "valgrind",
    why: "counts the instructions of hot code",
    get: "apt-get install valgrind",
    packages: &["valgrind"],
    present: || which("valgrind").is_some(),
};

pub(crate) const OBJDUMP: Tool = Tool {
    name: "objdump",
    why: "shows the instructions of hot code that valgrind does not know",
    get: "apt-get install binutils",
    packages: &["binutils"],
    present: || which("objdump").is_some(),
};

pub(crate) const RISCV_GCC: Tool = Tool {
    name: "riscv64-unknown-elf-gcc",
    why: "compiles guests in C and the suite of instructions in tests",
    get: "apt-get install gcc-riscv64-unknown-elf make",
    packages: &["gcc-riscv64-unknown-elf", "make"],
    present: || which("riscv64-unknown-elf-gcc").is_some() && which("make").is_some(),
};

pub(crate) const CLANG: Tool = Tool {
    name: "clang",
    why: "compiles guests in C in tests and measurements",
    get: "apt-get install clang lld",
    packages: &["clang", "lld"],
    present: || which("clang").is_some() && which("ld.lld").is_some(),
};

pub(crate) const CXX_COMPILER: Tool = Tool {
    name: "c++",
    why: "compiles the fuzzing engine",
    get: "apt-get install g++",
    packages: &["g++"],
    present: || which("c++").is_some(),
};

pub(crate) const STRACE: Tool = Tool {
    name: "strace",
    why: "sees what a client makes the process ask of the operating system",
    get: "apt-get install strace",
    packages: &["strace"],
    present: || which("strace").is_some(),
};

/// Debian's own compiler.
pub(crate) const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// What `up` cannot do without.
pub(crate) const FOR_UP: &[&Tool] = &[&C_COMPILER, &GUEST_TOOLCHAIN, &NODE];

/// What the tests use besides; without it some are skipped.
pub(crate) const FOR_TESTS: &[&Tool] = &[
    &FFMPEG,
    &CHROMIUM,
    &OPENSSL,
    &TSHARK,
    &LIBDVBCSA,
    &AGE,
    &QEMU,
    &CMAKE,
    &VALGRIND,
    &OBJDUMP,
    &RISCV_GCC,
    &CLANG,
    &WASM_TOOLCHAIN,
    &ARM_TOOLCHAIN,
    &ARM_GCC,
    &ARM_QEMU,
    &STRACE,
    &CXX_COMPILER,
];

/// The browser of the end-to-end tests.
pub(crate) fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("PORTCULLIS_BROWSER").map(PathBuf::from);
    named.filter(|path| path.is_file()).or_else(|| {
        ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| which(name))
    })
}

/// Fails with one line per missing tool printed before.
pub(crate) fn require(tools: &[&Tool]) -> Done {
    let missing: Vec<&str> = tools
        .iter()
        .filter(|tool| !tool.is_present() && !is_built_elsewhere(tool))
        .map(|tool| {
            eprintln!("{}", tool.missing_line());
            tool.name
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} missing; `cargo xtask setup --yes` installs them on Debian",
        missing.join(", ")
    ))
}

/// A page that was built on another machine needs no Node here.
fn is_built_elsewhere(tool: &Tool) -> bool {
    tool.name == NODE.name && root().join("web/dist/.sources").is_file()
}

fn node_is_new_enough() -> bool {
    let version = which("node").and_then(|node| output(command(node).arg("--version")).ok());
    let mut numbers = version
        .as_deref()
        .map(|text| text.trim().trim_start_matches('v').split('.').map_while(|n| n.parse().ok()))
        .into_iter()
        .flatten();
    let version: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version >= (20, 19)
}

pub(crate) fn rustup_target(target: &str) -> bool {
    output(command("rustc").args(["--print", "target-libdir", "--target", target]))
        .is_ok_and(|folder| Path::new(folder.trim()).is_dir())
}

/// Debian's own compiler with its library sources: it can build the guests' core library.
fn debian_cross() -> bool {
    let linker = ["ld.lld-19", "ld.lld-20", "ld.lld-21", "ld.lld"];
    debian_compiler() && linker.iter().any(|name| which(name).is_some())
}

fn debian_compiler() -> bool {
    Path::new(DEBIAN_RUSTC).is_file() && debian_sources()
}

fn debian_sources() -> bool {
    let root = output(command(DEBIAN_RUSTC).args(["--print", "sysroot"]));
    root.is_ok_and(|root| {
        Path::new(root.trim()).join("lib/rustlib/src/rust/library/core/src/lib.rs").is_file()
    })
}

fn dvbcsa_header() -> bool {
    Path::new("/usr/include/dvbcsa/dvbcsa.h").is_file()
}
