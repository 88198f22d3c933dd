//! zlib with a bomb guard: the output limit is known before the first octet comes out.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::PackageError;

/// Inflates exactly one zlib stream that fills `stored`, to at most `limit` octets.
// spec: X-A05
// defends: T-19
pub(crate) fn inflate(
    part: &'static str,
    stored: &[u8],
    limit: u64,
) -> Result<Vec<u8>, PackageError> {
    let mut decoder = flate2::bufread::ZlibDecoder::new(stored);
    let mut out = Vec::new();
    decoder
        .by_ref()
        .take(limit.saturating_add(1))
        .read_to_end(&mut out)
        .map_err(|_| PackageError::Inflate(part))?;
    if out.len() as u64 > limit {
        return Err(PackageError::TooLarge { part, len: out.len() as u64, limit });
    }
    // Octets behind the stream would be signed but unused: a place to hide things.
    if decoder.total_in() != stored.len() as u64 {
        return Err(PackageError::Inflate(part));
    }
    Ok(out)
}

/// Compresses one part.
pub(crate) fn deflate(part: &'static str, plain: &[u8]) -> Result<Vec<u8>, PackageError> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(plain)
        .and_then(|()| encoder.finish())
        .map_err(|_| PackageError::Inflate(part))
}
