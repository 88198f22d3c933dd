//! Why a private file could not be written or opened.

use std::path::PathBuf;

/// Errors of the vault. No variant carries file contents.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The unlock key is there already; a party is never made twice.
    #[error("{0}: exists")]
    Exists(PathBuf),
    /// The unlock key is protected and no passphrase was given.
    #[error("{0}: protected by a passphrase (give --passphrase-file)")]
    PassphraseNeeded(PathBuf),
    /// The file does not open with this passphrase.
    #[error("{0}: wrong passphrase")]
    WrongPassphrase(PathBuf),
    /// The unlock key has no passphrase, and others than its owner may use it.
    #[error("{path}: others than its owner may use it (mode {mode:o}): chmod 600 it")]
    OpenToOthers {
        /// The unlock key.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file holds no age X25519 identity.
    #[error("{0}: not an age identity file")]
    NotAnIdentity(PathBuf),
    /// The file is not sealed to this identity, or was changed.
    #[error("{0}: does not open with this unlock key (other party's file, or damaged)")]
    DoesNotOpen(PathBuf),
    /// The file is larger than the vault handles.
    #[error("{path}: larger than {limit} octets")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// The passphrase file is empty.
    #[error("{0}: empty passphrase")]
    EmptyPassphrase(PathBuf),
    /// The text is no age recipient.
    #[error("not an age recipient (age1..)")]
    NotARecipient,
    /// The name of a private file leaves the party's directory.
    #[error("{0}: not a file name inside the party's directory")]
    BadName(PathBuf),
    /// The text is no Ed25519 private key in PEM.
    #[error("not an Ed25519 private key (PKCS#8, PEM)")]
    NotASigningKey,
    /// Sealing failed.
    #[error("{0}: sealing failed")]
    Sealing(PathBuf),
}

impl VaultError {
    pub(crate) fn io(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
