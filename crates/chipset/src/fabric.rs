//! For those who make chips and boxes: burning OTP, certificates and images.
//!
//! Trust domain: SDMP (ESCK), serialiser (burn), bootloader owner and platform signer (images).
//! Each function takes the keys of one of them only.

use std::path::Path;

use crate::software::{RandomSource, SoftwareChip};
use crate::wire::{Operation, Outcome, Reply, Request};

pub use crate::boot::{
    BlKey1Certificate, BootImage, ImageVersion, PlatformKeyCertificate, fingerprint,
};
pub use crate::otp::{Otp, OtpContents, OtpError, encrypt_sck};

/// What the factory may seal into a box's flash before the box is sold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactoryError {
    /// The chip cannot be powered up.
    #[error("chip")]
    Chip(#[from] OtpError),
    /// The chip does not seal it.
    #[error("chip refused to seal {label}")]
    Refused {
        /// What was to be sealed.
        label: String,
    },
}

/// Powers a burnt chip up once, on the factory bench, and has it seal `data`: only this chip
/// opens it again.
///
/// # Errors
/// [`FactoryError`] when the chip does not start or refuses.
// spec: D-X7 D-X12
// defends: T-02
pub fn seal_on_bench(
    otp_dir: &Path,
    random: RandomSource,
    label: &str,
    data: &[u8],
) -> Result<Vec<u8>, FactoryError> {
    let mut chip = SoftwareChip::new(otp_dir, random)?;
    let seal = Operation::Seal { label: label.to_owned(), data: data.to_owned() };
    match chip.handle(Request::One(seal)) {
        Reply::One(Ok(Outcome::Data(sealed))) => Ok(sealed),
        _ => Err(FactoryError::Refused { label: label.to_owned() }),
    }
}
