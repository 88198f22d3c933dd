//! Atomic writing: the final name holds the old octets or the new ones, never a mixture.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::VaultError;

/// Writes a file only its owner can read (0600): temporary file, fsync, rename, fsync of the
/// directory. Missing directories are made (0700).
///
/// # Errors
/// [`VaultError::Io`] naming the file.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    write(path, bytes, 0o600)
}

/// The same for a file that everybody may read (0644): certificates, public records.
///
/// # Errors
/// [`VaultError::Io`] naming the file.
pub fn write_public(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    write(path, bytes, 0o644)
}

/// Makes a directory only its owner can enter (0700), with its parents.
///
/// # Errors
/// [`VaultError::Io`] naming the directory.
pub fn create_private_dir(dir: &Path) -> Result<(), VaultError> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| VaultError::io(dir, e))
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), VaultError> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    create_private_dir(dir)?;
    let temporary = temporary_name(path);
    let written = write_new(&temporary, bytes, mode)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| File::open(dir)?.sync_all());
    if written.is_err() {
        // Best effort: the error that counts is the first one.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(|e| VaultError::io(path, e))
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A name beside `path` that no other writer of this machine uses at the same time.
fn temporary_name(path: &Path) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}
