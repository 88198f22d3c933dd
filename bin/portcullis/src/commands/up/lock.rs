//! One `up` per data directory: an advisory lock that the system takes back however this process
//! ends.
//!
//! Two at once would generate for the same services and fight over the boxes (F-24).

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::cli::Failure;

/// The file in the data directory. It stays; only the lock on it means anything.
const FILE: &str = "up.lock";
/// Octets of the file that are looked at: a process id.
const FILE_MAX: u64 = 20;

/// The lock, held as long as this lives.
#[derive(Debug)]
pub(super) struct Lock(#[allow(dead_code)] File);

impl Lock {
    /// Takes the lock of an existing data directory, or says who has it.
    // defends: F-24
    pub(super) fn take(data: &Path) -> Result<Self, Failure> {
        let path = data.join(FILE);
        let failed = |e: std::io::Error| Failure::new(format!("up: {}: {e}", path.display()));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who it is helps to find it; the refusal stands without.
                let _ = file.take(FILE_MAX).read_to_string(&mut holder);
                let holder: String = holder.chars().filter(char::is_ascii_digit).collect();
                return Err(Failure::new(format!(
                    "up: {}: in use by another `portcullis up` (process {holder})",
                    data.display()
                )));
            }
        }
        file.set_len(0).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self(file))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    // attack-test: F-24
    #[test]
    fn a_second_one_is_refused_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        let refused = Lock::take(dir.path()).unwrap_err().line;
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        // A stale file with any content is no lock.
        std::fs::write(dir.path().join(FILE), "4294967296 rubbish\u{7}").unwrap();
        let _third = Lock::take(dir.path()).unwrap();
        assert!(Lock::take(dir.path()).is_err());
    }
}
