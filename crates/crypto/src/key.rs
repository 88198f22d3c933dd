//! A 128-bit secret key.

use zeroize::Zeroizing;

use crate::Randomness;

/// A 128-bit secret: SCK, ladder keys, control words, message keys.
///
/// It is zeroised when it is dropped (copies that the compiler makes on the stack while a value
/// moves stay there until something overwrites them: work with a key within
/// [`leaving_no_trace`](crate::leaving_no_trace)), and it can be neither printed, cloned nor
/// compared by accident:
///
/// ```compile_fail,E0277
/// let key = portcullis_crypto::Key128::new([0; 16]);
/// println!("{key:?}");
/// ```
///
/// ```compile_fail,E0599
/// let key = portcullis_crypto::Key128::new([0; 16]);
/// let copy = key.clone();
/// ```
///
/// ```compile_fail,E0369
/// let key = portcullis_crypto::Key128::new([0; 16]);
/// let same = key == portcullis_crypto::Key128::new([0; 16]);
/// ```
///
/// What does compile is naming the exposure:
///
/// ```
/// let key = portcullis_crypto::Key128::new([7; 16]);
/// assert_eq!(key.expose_secret(), &[7; 16]);
/// ```
// defends: T-39
pub struct Key128(Zeroizing<[u8; 16]>);

impl Key128 {
    /// Takes the octets over; the caller wipes its own copy if it has one.
    #[must_use]
    pub fn new(octets: [u8; 16]) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// A fresh random key.
    #[must_use]
    pub fn generate(fill: Randomness<'_>) -> Self {
        let mut key = Self::new([0; 16]);
        fill(&mut *key.0);
        key
    }

    /// The octets. Each call of this is a place where a secret leaves its type: keep them few.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; 16] {
        &self.0
    }
}
