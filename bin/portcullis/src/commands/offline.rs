//! The off-line programs as child processes, and the parties' private files.
//!
//! Nothing on line links the code of SDMP or Trust Authority; `init` and `box add` run
//! `portcullis-sdmp` and `portcullis-authority`, which stand beside this executable.

use std::ffi::OsStr;
use std::fs::File;
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

/// A directory that vanishes again unless it is kept: nothing half done stays. What a killed
/// process left (it may hold private keys) is removed by the next one that works there.
pub(crate) struct Scratch {
    path: PathBuf,
    kept: bool,
    /// Held on the directory itself: tells work in progress from what was left behind.
    _lock: File,
}

impl Scratch {
    /// A new directory beside `target`, so that a rename moves it there.
    pub(crate) fn beside(target: &Path) -> Result<Self, Failure> {
        let name = target.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.ok_or_else(|| Failure::new(format!("{}: no name", target.display())))?;
        remove_left_behind(parent(target));
        let path = target.with_file_name(format!(".{name}{MARK}{}", std::process::id()));
        let failed = |e: std::io::Error| Failure::new(format!("{}: {e}", path.display()));
        for _ in 0..ATTEMPTS {
            portcullis_vault::create_private_dir(&path)?;
            let lock = match File::open(&path) {
                // Somebody tidied up before it was locked: once more.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                opened => opened.map_err(failed)?,
            };
            lock.lock().map_err(failed)?;
            if path.is_dir() {
                return Ok(Self { path, kept: false, _lock: lock });
            }
        }
        Err(Failure::new(format!("{}: goes away as soon as it is made", path.display())))
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
        File::open(parent(target)).and_then(|dir| dir.sync_all()).map_err(failed)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

fn parent(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Removes the scratch directories in `folder` whose process was killed.
// defends: F-03
fn remove_left_behind(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok).take(LEFT_BEHIND_MAX) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix('.').and_then(|name| name.rsplit_once(MARK));
        let is_ours = process.is_some_and(|(target, process)| {
            !target.is_empty()
                && !process.is_empty()
                && process.bytes().all(|octet| octet.is_ascii_digit())
        });
        // A link is never followed: only a directory of this very place is removed.
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        if File::open(entry.path()).is_ok_and(|directory| directory.try_lock().is_ok()) {
            // An off-line program of the killed process may still be writing for a moment; what
            // cannot be removed then is tried again by the next one.
            for _ in 0..ATTEMPTS {
                if std::fs::remove_dir_all(entry.path()).is_ok() {
                    break;
                }
                std::thread::sleep(PAUSE);
            }
        }
    }
}

/// Stands between a target's name and the process that makes it.
const MARK: &str = ".new-";
/// How often a directory is made that others take for left behind, or removed while somebody
/// still writes into it.
const ATTEMPTS: usize = 10;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(30);
/// Entries of a directory that are looked at.
const LEFT_BEHIND_MAX: usize = 65_536;

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    // attack-test: F-03
    #[test]
    fn what_a_killed_process_left_goes_and_work_in_progress_stays() {
        let dir = tempfile::tempdir().unwrap();
        let left = dir.path().join(".box.new-123");
        std::fs::create_dir_all(left.join("otp")).unwrap();
        std::fs::write(left.join("otp/secret"), "key").unwrap();
        let others = [".box.new-", ".box.new-12a", "box.new-1", ".new-1", ".other"];
        others.iter().for_each(|name| std::fs::create_dir(dir.path().join(name)).unwrap());

        let work = Scratch::beside(&dir.path().join("box")).unwrap();
        assert!(!left.exists());
        assert!(others.iter().all(|name| dir.path().join(name).is_dir()));
        // Another process's work: under another number, but locked.
        remove_left_behind(dir.path());
        assert!(work.path().is_dir());
        work.keep(&dir.path().join("box")).unwrap();
        assert!(dir.path().join("box").is_dir());
    }
}
