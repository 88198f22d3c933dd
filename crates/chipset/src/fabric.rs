//! For those who make chips and boxes: burning OTP, certificates and images.
//!
//! Trust domain: SDMP (ESCK), serialiser (burn), bootloader owner and platform signer (images).
//! Each function takes the keys of one of them only.

pub use crate::boot::{
    BlKey1Certificate, BootImage, ImageVersion, PlatformKeyCertificate, fingerprint,
};
pub use crate::otp::{Otp, OtpContents, OtpError, encrypt_sck};
