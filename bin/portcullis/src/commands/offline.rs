//! The off-line programs as child processes, and the parties' private files.
//!
//! Nothing on line links the code of SDMP or Trust Authority; `init` and `box add` run
//! `portcullis-sdmp` and `portcullis-authority`, which stand beside this executable.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use portcullis_vault::{Passphrase, VaultError};
use serde_json::Value;

use crate::cli::Failure;

/// The off-line programs.
pub(crate) struct Offline {
    bin_dir: PathBuf,
    passphrase_file: Option<PathBuf>,
}

/// Program of the trust authority.
pub(crate) const AUTHORITY: &str = "portcullis-authority";
/// Program of SDMP, chip vendor and serialiser.
pub(crate) const SDMP: &str = "portcullis-sdmp";

impl Offline {
    /// The programs beside this executable.
    pub(crate) fn new(passphrase_file: Option<&Path>) -> Result<Self, Failure> {
        let passphrase_file = match passphrase_file {
            Some(path) => Some(
                std::path::absolute(path)
                    .map_err(|e| Failure::new(format!("{}: {e}", path.display())))?,
            ),
            None => None,
        };
        let this = Self { bin_dir: bin_dir()?, passphrase_file };
        for program in [AUTHORITY, SDMP] {
            this.program(program)?;
        }
        Ok(this)
    }

    /// The path of a program of this release.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.bin_dir.join(name);
        if path.is_file() {
            Ok(path)
        } else {
            Err(Failure::new(format!("{}: program is missing", path.display())))
        }
    }

    /// Runs a program to its end and returns its JSON object; its one line of error is ours.
    pub(crate) fn run<S: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Value, Failure> {
        let mut command = Command::new(self.program(program)?);
        command.arg("--json").args(arguments).stdin(Stdio::null());
        if let Some(path) = &self.passphrase_file {
            command.arg("--passphrase-file").arg(path);
        }
        let output =
            command.output().map_err(|e| Failure::new(format!("{program}: cannot run: {e}")))?;
        if output.status.success() {
            return serde_json::from_slice(&output.stdout)
                .map_err(|_| Failure::new(format!("{program}: answered no JSON")));
        }
        let line = String::from_utf8_lossy(&output.stderr);
        let line = line.trim();
        Err(Failure::new(if line.is_empty() {
            format!("{program}: ended with {}", output.status)
        } else {
            line.to_owned()
        }))
    }

    /// The passphrase, when one was given.
    pub(crate) fn passphrase(&self) -> Result<Option<Passphrase>, VaultError> {
        self.passphrase_file.as_deref().map(Passphrase::from_file).transpose()
    }
}

/// Where the programs of this release stand.
pub(crate) fn bin_dir() -> Result<PathBuf, Failure> {
    let exe = std::env::current_exe()
        .map_err(|e| Failure::new(format!("own executable cannot be found: {e}")))?;
    Ok(exe.parent().map(Path::to_path_buf).unwrap_or_default())
}

/// A directory that vanishes again unless it is kept: nothing half done stays.
pub(crate) struct Scratch {
    path: PathBuf,
    kept: bool,
}

impl Scratch {
    /// A new directory beside `target`, so that a rename moves it there.
    pub(crate) fn beside(target: &Path) -> Result<Self, Failure> {
        let name = target.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.ok_or_else(|| Failure::new(format!("{}: no name", target.display())))?;
        let path = target.with_file_name(format!(".{name}.new-{}", std::process::id()));
        portcullis_vault::create_private_dir(&path)?;
        Ok(Self { path, kept: false })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Renames it to its target, which must not exist.
    pub(crate) fn keep(mut self, target: &Path) -> Result<(), Failure> {
        let failed = |e: std::io::Error| Failure::new(format!("{}: {e}", target.display()));
        if target.exists() {
            return Err(Failure::new(format!("{}: exists", target.display())));
        }
        std::fs::rename(&self.path, target).map_err(failed)?;
        self.kept = true;
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        std::fs::File::open(parent).and_then(|dir| dir.sync_all()).map_err(failed)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Prints one JSON object, or the lines for people; a closed pipe is no failure.
pub(crate) fn print(json: bool, object: &Value, lines: &str) {
    let text = if json { object.to_string() } else { lines.to_owned() };
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}

/// The time of this machine's clock.
pub(crate) fn now() -> portcullis_types::UnixSeconds {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    portcullis_types::UnixSeconds(now.map_or(0, |span| span.as_secs()))
}
