//! Common Encryption of samples in place (ISO/IEC 23001-7, schemes `cenc`, `cens`, `cbc1`, `cbcs`).
//!
//! Trust domains: headend and chip; a key expanded here is zeroised when it is dropped. A sample
//! lies in a buffer that the caller owns; its subsample map says which octets of it are protected.
//! Key streams and chains go on from one subsample to the next without a copy.
//!
//! | scheme | mode | protected part | begins anew |
//! |---|---|---|---|
//! | cenc | AES-CTR | every octet | with the sample |
//! | cens | AES-CTR | whole blocks of the pattern | with the sample |
//! | cbc1 | AES-CBC | whole blocks | with the sample |
//! | cbcs | AES-CBC | whole blocks of the pattern | with every subsample |
//!
//! The block counter is the last eight octets of the counter block and wraps within them; the
//! pattern begins anew with every subsample, and a broken block stays in clear in all schemes but
//! cenc.
//!
//! What must never happen: that a map which does not fit its sample is followed anyway, or that a
//! sample is left half done.

mod chain;
mod counter;
mod error;
mod runs;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod vaes;

use core::fmt;
use core::str::FromStr;

#[cfg(target_arch = "x86_64")]
use portcullis_crypto::RoundKeys;
use portcullis_crypto::{Aes128, Key128, SHALLOW, Wiped, leaving_no_trace};

pub use error::{CencError, UnknownScheme};
pub use runs::{Pattern, Subsample};

use chain::Chain;
use counter::Counter;
use runs::runs;

#[cfg(target_arch = "x86_64")]
use crate::sliced::{LANES_MAX, lanes_limit};

const BLOCK: usize = 16;
type Block = [u8; BLOCK];

/// The protection scheme, by its scheme_type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scheme {
    /// AES-CTR, every protected octet.
    Cenc,
    /// AES-CTR with a pattern.
    Cens,
    /// AES-CBC.
    Cbc1,
    /// AES-CBC with a pattern, each subsample by itself.
    Cbcs,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Cenc, Self::Cens, Self::Cbc1, Self::Cbcs];

    /// The four characters of scheme_type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cenc => "cenc",
            Self::Cens => "cens",
            Self::Cbc1 => "cbc1",
            Self::Cbcs => "cbcs",
        }
    }

    const fn has_pattern(self) -> bool {
        matches!(self, Self::Cens | Self::Cbcs)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scheme {
    type Err = UnknownScheme;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == text).ok_or(UnknownScheme)
    }
}

/// An InitializationVector: of a sample, or constant for all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InitializationVector(Block);

impl InitializationVector {
    /// Of 8 octets, which the block counter follows, or of 16.
    ///
    /// # Errors
    /// [`CencError::InitializationVector`] for any other length.
    pub fn new(octets: &[u8]) -> Result<Self, CencError> {
        let mut block = [0; BLOCK];
        match octets.len() {
            8 | 16 => {
                for (to, from) in block.iter_mut().zip(octets) {
                    *to = *from;
                }
                Ok(Self(block))
            }
            length => Err(CencError::InitializationVector { length }),
        }
    }
}

/// One sample with what belongs to it.
pub struct Sample<'a> {
    /// The octets.
    pub data: &'a mut [u8],
    /// Its own or the constant one.
    pub iv: InitializationVector,
    /// The subsample map; empty when the whole sample is protected.
    pub subsamples: &'a [Subsample],
}

/// What the kernels of this module need of a key.
struct Keyed {
    aes: Aes128,
    #[cfg(target_arch = "x86_64")]
    wide: Option<RoundKeys>,
}

// spec: E-R29
/// Encrypts and decrypts samples under one key.
pub struct SampleCipher {
    scheme: Scheme,
    pattern: Pattern,
    key: Wiped<Keyed>,
}

impl SampleCipher {
    /// Expands a key. The pattern is that of the track; schemes without one want
    /// [`Pattern::NONE`].
    ///
    /// # Errors
    /// [`CencError::Pattern`] when the scheme has no pattern, or it is none.
    pub fn new(scheme: Scheme, pattern: Pattern, key: &Key128) -> Result<Self, CencError> {
        if !pattern.is_valid() || (pattern != Pattern::NONE && !scheme.has_pattern()) {
            let Pattern { crypt_byte_block, skip_byte_block } = pattern;
            return Err(CencError::Pattern { scheme, crypt_byte_block, skip_byte_block });
        }
        let key = leaving_no_trace::<SHALLOW, _>(|| {
            Wiped::new(Keyed {
                aes: Aes128::new(key),
                #[cfg(target_arch = "x86_64")]
                wide: (vaes::detected() && lanes_limit() >= LANES_MAX)
                    .then(|| RoundKeys::new(key))
                    .flatten(),
            })
        });
        Ok(Self { scheme, pattern, key })
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Decrypts one sample.
    ///
    /// # Errors
    /// [`CencError`] when the map does not fit the sample; nothing is changed then.
    pub fn decrypt(&self, sample: Sample<'_>) -> Result<(), CencError> {
        let Sample { data, iv, subsamples } = sample;
        runs::check(self.scheme, data.len(), subsamples)?;
        leaving_no_trace::<SHALLOW, _>(|| match self.scheme {
            Scheme::Cenc | Scheme::Cens => self.count(data, iv, subsamples),
            Scheme::Cbc1 => {
                let mut chain = Chain::new(&self.key, Pattern::NONE, iv.0);
                runs(data, subsamples).for_each(|run| chain.decrypt(run));
            }
            Scheme::Cbcs => runs(data, subsamples)
                .for_each(|run| Chain::new(&self.key, self.pattern, iv.0).decrypt(run)),
        });
        Ok(())
    }

    /// Encrypts one sample.
    ///
    /// # Errors
    /// [`CencError`] when the map does not fit the sample; nothing is changed then.
    pub fn encrypt(&self, sample: Sample<'_>) -> Result<(), CencError> {
        self.encrypt_many([sample])
    }

    /// Encrypts samples. Chains are serial, so it takes many subsamples at once to be fast.
    ///
    /// # Errors
    /// [`CencError`] when a map does not fit its sample; that sample and all behind it are not
    /// changed then.
    pub fn encrypt_many<'a>(
        &self,
        samples: impl IntoIterator<Item = Sample<'a>>,
    ) -> Result<(), CencError> {
        leaving_no_trace::<SHALLOW, _>(|| {
            let mut chains = chain::Chains::new(&self.key, self.pattern);
            for Sample { data, iv, subsamples } in samples {
                runs::check(self.scheme, data.len(), subsamples)?;
                match self.scheme {
                    Scheme::Cenc | Scheme::Cens => self.count(data, iv, subsamples),
                    Scheme::Cbc1 => {
                        let mut chain = Chain::new(&self.key, Pattern::NONE, iv.0);
                        runs(data, subsamples).for_each(|run| chain.encrypt(run));
                    }
                    Scheme::Cbcs => {
                        runs(data, subsamples).for_each(|run| chains.encrypt(iv.0, run));
                    }
                }
            }
            Ok(())
        })
    }

    /// Counter mode is its own inverse.
    fn count(&self, data: &mut [u8], iv: InitializationVector, subsamples: &[Subsample]) {
        let mut counter = Counter::new(&self.key, iv.0);
        for run in runs(data, subsamples) {
            if self.scheme == Scheme::Cens {
                let (blocks, _) = run.as_chunks_mut();
                self.pattern
                    .crypt_runs(blocks)
                    .for_each(|run| counter.apply(run.as_flattened_mut()));
            } else {
                counter.apply(run);
            }
        }
    }
}
