//! `cargo xtask arm`: the unit tests of `scramble` on 64-bit ARM, emulated, so that the kernels for
//! NEON are compared with the scalar code where nobody has such a processor.
//!
//! Two ways to the standard library: that of the compiler in use, where the target is installed;
//! else Debian's compiler builds it from Debian's sources, in a target folder of its own: five minutes
//! of CPU time at first, half a minute afterwards.

use crate::Done;
use crate::shell::{cargo, step, target_dir};
use crate::tools::{
    ARM_GCC, ARM_QEMU, ARM_ROOT, ARM_TOOLCHAIN, DEBIAN_RUSTC, require, rustup_target,
};

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// Builds and runs; on another processor than x86-64 nothing is emulated.
pub(crate) fn check() -> Done {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        println!("   64-bit ARM: emulated on Linux on x86-64 alone");
        return Ok(());
    }
    require(&[&ARM_TOOLCHAIN, &ARM_GCC, &ARM_QEMU])?;
    let mut cargo = cargo(&["test", "--release", "--quiet", "--locked", "--lib"]);
    cargo.args(["--package", "portcullis-scramble", "--target", TARGET]);
    if !rustup_target(TARGET) {
        cargo
            .args(["-Zbuild-std=std,test,panic_unwind", "-Zbuild-std-features="])
            .env("RUSTC", DEBIAN_RUSTC)
            .env("RUSTC_BOOTSTRAP", "1")
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("LD_LIBRARY_PATH");
    }
    cargo
        .env("CARGO_TARGET_DIR", target_dir().join("arm"))
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", ARM_GCC.name)
        .env(
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER",
            format!("{} -L {ARM_ROOT}", ARM_QEMU.name),
        )
        // What takes the time is compiling the library and the peers.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        // A minute by itself; the others have every length and mixed keys.
        .args(["--", "--skip", "a_million_packets"]);
    step("scrambler on 64-bit ARM, emulated", &mut cargo)
}
