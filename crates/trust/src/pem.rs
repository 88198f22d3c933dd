//! Certificates in PEM files.

use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::{CertificatePlace, MAX_CHAIN, TrustError};

/// The certificates of a PEM text in their order.
///
/// # Errors
/// [`TrustError`] when there is none, one is malformed, or there are too many.
pub fn certificates_from_pem(text: &[u8]) -> Result<Vec<Vec<u8>>, TrustError> {
    let mut chain = Vec::new();
    for item in CertificateDer::pem_slice_iter(text) {
        let at = CertificatePlace { index: chain.len(), subject: String::new() };
        let der = item.map_err(|_| TrustError::Malformed { at, what: "not PEM" })?;
        chain.push(der.as_ref().to_vec());
        // One more than a chain, because files also carry the anchor.
        if chain.len() > MAX_CHAIN + 1 {
            return Err(TrustError::TooDeep(chain.len()));
        }
    }
    if chain.is_empty() { Err(TrustError::Empty) } else { Ok(chain) }
}
