//! The few file operations the store is built from, as a trait, so that tests can cut the power
//! at each of them (F-17, F-18).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::error::StoreError;

/// File operations. None but `sync_file` and `sync_dir` promises durability.
pub trait Disk {
    /// The content of a file of at most `cap` octets; `None` when there is no such file.
    ///
    /// # Errors
    /// I/O errors, and `InvalidData` for a file above `cap`.
    fn read(&self, path: &Path, cap: usize) -> io::Result<Option<Vec<u8>>>;
    /// Creates or truncates a file and writes it.
    ///
    /// # Errors
    /// I/O errors.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Makes the content of a file durable.
    ///
    /// # Errors
    /// I/O errors.
    fn sync_file(&self, path: &Path) -> io::Result<()>;
    /// Renames over whatever is there.
    ///
    /// # Errors
    /// I/O errors.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// I/O errors.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Makes a directory and its parents.
    ///
    /// # Errors
    /// I/O errors.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
}

/// The file system of the machine.
#[derive(Clone, Copy, Default, Debug)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn read(&self, path: &Path, cap: usize) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(cap as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > cap {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "file too large"));
        }
        Ok(Some(bytes))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options.open(path)?.write_all(bytes)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }
}

/// Replaces a file so that a power cut leaves the old or the new content, never a mixture:
/// temporary file, fsync, rename, fsync of the directory.
///
/// # Errors
/// [`StoreError::Io`] naming the step that failed. The file is then old or new.
// spec: D-X12
pub fn write_atomically<D: Disk>(disk: &D, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = path.with_extension("new");
    let dir = path.parent().unwrap_or_else(|| Path::new("."));
    disk.write(&temporary, bytes).map_err(StoreError::io("write", &temporary))?;
    disk.sync_file(&temporary).map_err(StoreError::io("flush", &temporary))?;
    disk.rename(&temporary, path).map_err(StoreError::io("rename", path))?;
    disk.sync_dir(dir).map_err(StoreError::io("flush directory", dir))
}
