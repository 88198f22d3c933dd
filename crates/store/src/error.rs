//! What can go wrong, by whose fault.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// The chip did not do what the store asked of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SealerError {
    /// The data were not sealed by this chip under this label, or were altered.
    #[error("not sealed by this chip for this purpose, or altered")]
    Foreign,
    /// The chip refused the operation.
    #[error("the chip refused: {0}")]
    Refused(String),
    /// The chip no longer answers.
    #[error("the chip is gone: {0}")]
    Gone(String),
}

/// Errors of the terminal's store.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// An older state was put back: the chip counted further than the file says.
    #[error("storage {path} was rolled back: the chip counts {chip}, the file {file}")]
    RolledBack {
        /// The file.
        path: PathBuf,
        /// Counter value in the chip.
        chip: u64,
        /// Counter value in the file; 0 when the file is gone.
        file: u64,
    },
    /// The file is further ahead of the chip than a power cut explains.
    #[error("storage {path} does not belong to this chip: the chip counts {chip}, the file {file}")]
    Ahead {
        /// The file.
        path: PathBuf,
        /// Counter value in the chip.
        chip: u64,
        /// Counter value in the file.
        file: u64,
    },
    /// The file was sealed by another chip or for another client, or was altered.
    #[error("storage {path} is not this client's on this chip, or was altered")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The content of a file breaks its format.
    #[error("storage {path} is damaged at offset {offset}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: usize,
    },
    /// A client version below the floor was offered.
    #[error("client version {offered} is older than {floor}, which already ran here")]
    Rollback {
        /// The lowest version still accepted.
        floor: u32,
        /// What was offered.
        offered: u32,
    },
    /// The client asked for more than its share.
    #[error("storage quota: {needed} octets asked, {quota} allowed")]
    Quota {
        /// Octets that the write would need in all.
        needed: usize,
        /// Octets allowed.
        quota: usize,
    },
    /// A key is empty or longer than allowed, or there are too many keys.
    #[error("storage key refused: {0}")]
    Key(&'static str),
    /// An image is larger than a slot.
    #[error("image of {size} octets does not fit a slot of {limit}")]
    ImageTooLarge {
        /// Octets of the image.
        size: usize,
        /// Octets of a slot.
        limit: usize,
    },
    /// The slot holds no image that could be started.
    #[error("slot {0} has nothing left to try")]
    NothingToTry(crate::Slot),
    /// A commit failed half way; the store must be opened again.
    #[error("storage {path} failed during a commit and must be opened again")]
    Poisoned {
        /// The file.
        path: PathBuf,
    },
    /// The disk failed.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The chip failed.
    #[error(transparent)]
    Chip(#[from] SealerError),
}

impl StoreError {
    /// For `map_err` at a disk operation.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_path_buf(), source }
    }
}
