//! What can be wrong with a sample and what comes with it.

use super::Scheme;

/// Why a sample cannot be worked on. All are the fault of whoever wrote the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CencError {
    /// The map is of another sample.
    #[error("the subsample map describes {described} octets, the sample has {found}")]
    SubsampleMap {
        /// Octets in the map, clear and protected.
        described: u64,
        /// Octets in the sample.
        found: usize,
    },
    /// A chain over the whole sample cannot go on behind a broken block.
    #[error("{protected} protected octets of subsample {index} are not whole blocks (cbc1)")]
    BrokenBlock {
        /// Which subsample, from 0.
        index: usize,
        /// Its BytesOfProtectedData.
        protected: u32,
    },
    /// A pattern where there is none, of more than 4 bits, or one that encrypts nothing.
    #[error("pattern {crypt_byte_block}:{skip_byte_block} is none of scheme {scheme}")]
    Pattern {
        /// The scheme.
        scheme: Scheme,
        /// Blocks to encrypt.
        crypt_byte_block: u8,
        /// Blocks to skip.
        skip_byte_block: u8,
    },
    /// Neither 8 nor 16 octets.
    #[error("an initialization vector has 8 or 16 octets, not {length}")]
    InitializationVector {
        /// Octets given.
        length: usize,
    },
}

/// A scheme_type that is not one of the four.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown protection scheme (known: cenc, cens, cbc1, cbcs)")]
pub struct UnknownScheme;
