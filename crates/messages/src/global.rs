//! The global EMM: signed, not sealed, for every terminal of a CA system.

use alloc::vec::Vec;

use portcullis_types::UnixSeconds;

use crate::error::DecodeError;
use crate::reader::Reader;

/// Signed time. Terminals raise their clock floor by it and never lower it.
// defends: T-12
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GlobalEmm {
    /// The headend's time.
    pub time: UnixSeconds,
    /// Rises with every global EMM.
    pub sequence: u32,
}

/// A global EMM as received; the signature is not checked yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignedGlobalEmm {
    /// What it says, to be believed only after [`Self::signature`] has been verified.
    pub unverified: GlobalEmm,
    /// Ed25519 signature over [`GlobalEmm::signed_bytes`].
    pub signature: [u8; 64],
}

impl GlobalEmm {
    /// The bytes under the signature: the domain tag, then the message.
    // defends: T-22
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut out = Vec::from(GLOBAL_EMM_TAG);
        out.extend_from_slice(&self.message());
        out
    }

    /// The payload of the section: the message and its signature.
    #[must_use]
    pub fn encode(&self, signature: &[u8; 64]) -> Vec<u8> {
        let mut out = Vec::from(self.message());
        out.extend_from_slice(signature);
        out
    }

    /// Reads a global EMM without believing it.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset of the fault.
    pub fn decode(payload: &[u8]) -> Result<SignedGlobalEmm, DecodeError> {
        let mut reader = Reader::new(payload);
        reader.head(VERSION, KIND_TIME)?;
        let time = UnixSeconds(reader.u64()?);
        let sequence = reader.u32()?;
        let signature = reader.array()?;
        reader.end()?;
        Ok(SignedGlobalEmm { unverified: Self { time, sequence }, signature })
    }

    fn message(&self) -> [u8; 14] {
        let mut out = [0; 14];
        out[0] = VERSION;
        out[1] = KIND_TIME;
        out[2..10].copy_from_slice(&self.time.0.to_be_bytes());
        out[10..].copy_from_slice(&self.sequence.to_be_bytes());
        out
    }
}

/// Stands before the message in the bytes that are signed, and nowhere on the wire.
pub const GLOBAL_EMM_TAG: &[u8] = b"portcullis global EMM v1";

/// Octets of a global EMM: message and signature.
pub const GLOBAL_EMM_LEN: usize = 14 + 64;

const VERSION: u8 = 1;
const KIND_TIME: u8 = 1;
