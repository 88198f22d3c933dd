//! Why a chip secret is not made or handed out.

use std::path::PathBuf;

use portcullis_chipset::OtpError;
use portcullis_keyladder::ModuleIdMismatch;
use portcullis_keyladder::delivery::DeliveryError;
use portcullis_types::{ChipId, VendorSysId};
use portcullis_vault::VaultError;

/// Errors of SDMP, chip vendor and serialiser.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SdmpError {
    /// Private files.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A file that cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file that holds something else.
    #[error("{path}: not {wanted}")]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What it should be.
        wanted: &'static str,
    },
    /// A chip of this id was made already.
    #[error("ChipID {0} exists: a chip is made once")]
    DuplicateChip(ChipId),
    /// The randomness repeats itself.
    #[error("the same SCK came twice: the random source is broken")]
    DuplicateSck,
    /// The number is taken.
    #[error("Vendor_SysID {0} is allocated already")]
    VendorTaken(VendorSysId),
    /// The name is taken.
    #[error("vendor {0} has a Vendor_SysID already")]
    VendorNameTaken(String),
    /// No more vendors.
    #[error("no Vendor_SysID left")]
    VendorsFull,
    /// Name of a vendor that is no plain name.
    #[error("vendor name: 1 to 32 letters, digits, - or _ needed")]
    VendorName,
    /// A vendor for whom no output directory was given, or the other way round.
    #[error("vendor {0}: no directory for its SCKv file, or not a vendor of this SDMP")]
    VendorOutput(String),
    /// Profile and ModuleID do not go together.
    #[error(transparent)]
    Module(#[from] ModuleIdMismatch),
    /// A delivery that is not the SDMP's.
    #[error("{path}: {source}")]
    Delivery {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: DeliveryError,
    },
    /// Burning.
    #[error(transparent)]
    Otp(#[from] OtpError),
    /// There is no randomness.
    #[error("the system gives no randomness")]
    Randomness,
}

impl SdmpError {
    pub(crate) fn io(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn bad(path: &std::path::Path, wanted: &'static str) -> Self {
        Self::BadFile { path: path.to_owned(), wanted }
    }
}
