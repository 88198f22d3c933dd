//! Builds a workspace of ours for another machine.
//!
//! Two ways: the target of the compiler in use, when it is installed; else Debian's `rustc-web`,
//! `rust-web-src` and `lld-19`, which build the standard library as well.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What to build for, and how where the target is not installed.
pub(crate) struct Cross<'a> {
    pub(crate) target: &'a str,
    /// What makes Debian's compiler build the libraries.
    pub(crate) build_std: &'a [&'a str],
    /// Names of the linker, the first that there is.
    pub(crate) linkers: &'a [String],
}

impl Cross<'_> {
    /// Builds the workspace in a folder and gives the directory of its programs.
    pub(crate) fn build(&self, workspace: &Path, target_dir: &Path) -> Result<PathBuf, String> {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args(["build", "--release", "--quiet", "--locked", "--target", self.target])
            .current_dir(workspace)
            .stdin(Stdio::null());
        clean_environment(&mut cargo);
        cargo.env("CARGO_TARGET_DIR", target_dir);
        let own = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let installed = |root: PathBuf| root.join("lib/rustlib").join(self.target).is_dir();
        if sysroot(&own).is_some_and(installed) {
            cargo.env("RUSTC", own);
        } else {
            self.debian(&mut cargo)?;
        }
        let output = cargo.output().map_err(|error| format!("cargo: {error}"))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            let line = text.lines().find(|line| line.starts_with("error")).unwrap_or("no message");
            return Err(format!("building {} failed: {line}", workspace.display()));
        }
        Ok(target_dir.join(self.target).join("release"))
    }

    /// Debian's compiler, with its own sources of the libraries and its linker.
    fn debian(&self, cargo: &mut Command) -> Result<(), String> {
        const COMPILER: &str = "/usr/bin/rustc";
        let missing = || {
            format!(
                "run `rustup target add {}`, or on Debian `apt-get install rustc-web rust-web-src \
                 lld-19`, and build again",
                self.target
            )
        };
        let root = sysroot(&COMPILER.into()).ok_or_else(missing)?;
        let linker = self.linkers.iter().map(|name| Path::new("/usr/bin").join(name));
        let linker = linker.into_iter().find(|path| path.exists()).ok_or_else(missing)?;
        if !root.join("lib/rustlib/src/rust/library/core").is_dir() {
            return Err(missing());
        }
        let key = self.target.replace('-', "_").to_uppercase();
        cargo
            .args(self.build_std)
            .env("RUSTC", COMPILER)
            .env("RUSTC_BOOTSTRAP", "1")
            .env(format!("CARGO_TARGET_{key}_LINKER"), linker)
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("LD_LIBRARY_PATH");
        Ok(())
    }
}

/// Cargo tells a build script about this build in the environment; this is another one.
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

/// A folder of this name in the target directory that this build script works in.
pub(crate) fn folder(out_dir: &Path, name: &str) -> PathBuf {
    let tagged = out_dir.ancestors().find(|dir| dir.join("CACHEDIR.TAG").exists());
    tagged.unwrap_or(out_dir).join(name)
}
