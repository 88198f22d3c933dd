//! What the embedded SCP needs of the chip, as a trait, and the chip's seal as the store sees it.

use portcullis_chipset::{ChipError, ChipHandle, ChipHandleError, Descrambled, SessionId};
use portcullis_crypto::sha256;
use portcullis_store::{Sealer, SealerError};
use portcullis_ts::RawPacket;
use portcullis_types::{Parity, Pid};

type Result<T> = std::result::Result<T, ChipHandleError>;

/// The chip behind a handle. No method takes or gives a key.
///
/// # Errors
/// Every method: [`ChipHandleError`].
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
pub trait SecurityChip {
    /// Sets the elementary streams of a session.
    fn set_pids(&mut self, session: SessionId, pids: &[Pid]) -> Result<()>;
    /// Loads K2 from a sealed unique EMM.
    fn set_ek2(&mut self, session: SessionId, message: &[u8]) -> Result<()>;
    /// Loads K1 from a sealed group EMM.
    fn set_ek1(&mut self, session: SessionId, message: &[u8]) -> Result<()>;
    /// Opens a sealed message.
    fn open_message(&mut self, session: SessionId, message: &[u8]) -> Result<Vec<u8>>;
    /// Loads an encrypted control word under its usage rights.
    fn load_cw(
        &mut self,
        session: SessionId,
        parity: Parity,
        ecw: &[u8; 16],
        usage_rights: &[u8],
    ) -> Result<()>;
    /// Clears the descrambler keys of a session.
    fn release(&mut self, session: SessionId) -> Result<()>;
    /// Closes a session.
    fn close_session(&mut self, session: SessionId) -> Result<()>;
    /// Challenge-response.
    fn challenge(&mut self, session: SessionId, nonce: &[u8; 16]) -> Result<[u8; 16]>;
    /// Descrambles the session's packets in place.
    fn descramble(&mut self, session: SessionId, packets: &mut [RawPacket]) -> Result<Descrambled>;
    /// Seals data for this chip.
    fn seal(&mut self, label: &str, data: &[u8]) -> Result<Vec<u8>>;
    /// Opens sealed data.
    fn unseal(&mut self, label: &str, data: &[u8]) -> Result<Vec<u8>>;
    /// Reads a monotonic counter.
    fn counter_read(&mut self, name: &str) -> Result<u64>;
    /// Raises a monotonic counter.
    fn counter_raise(&mut self, name: &str, value: u64) -> Result<()>;
}

impl SecurityChip for ChipHandle {
    fn set_pids(&mut self, session: SessionId, pids: &[Pid]) -> Result<()> {
        Self::set_pids(self, session, pids)
    }

    fn set_ek2(&mut self, session: SessionId, message: &[u8]) -> Result<()> {
        Self::set_ek2(self, session, message).map(drop)
    }

    fn set_ek1(&mut self, session: SessionId, message: &[u8]) -> Result<()> {
        Self::set_ek1(self, session, message).map(drop)
    }

    fn open_message(&mut self, session: SessionId, message: &[u8]) -> Result<Vec<u8>> {
        Self::open_message(self, session, message)
    }

    fn load_cw(
        &mut self,
        session: SessionId,
        parity: Parity,
        ecw: &[u8; 16],
        usage_rights: &[u8],
    ) -> Result<()> {
        Self::load_cw(self, session, parity, ecw, usage_rights)
    }

    fn release(&mut self, session: SessionId) -> Result<()> {
        Self::release(self, session)
    }

    fn close_session(&mut self, session: SessionId) -> Result<()> {
        Self::close_session(self, session)
    }

    fn challenge(&mut self, session: SessionId, nonce: &[u8; 16]) -> Result<[u8; 16]> {
        Self::challenge(self, session, nonce)
    }

    fn descramble(&mut self, session: SessionId, packets: &mut [RawPacket]) -> Result<Descrambled> {
        Self::descramble(self, session, packets)
    }

    fn seal(&mut self, label: &str, data: &[u8]) -> Result<Vec<u8>> {
        Self::seal(self, label, data)
    }

    fn unseal(&mut self, label: &str, data: &[u8]) -> Result<Vec<u8>> {
        Self::unseal(self, label, data)
    }

    fn counter_read(&mut self, name: &str) -> Result<u64> {
        Self::counter_read(self, name)
    }

    fn counter_raise(&mut self, name: &str, value: u64) -> Result<()> {
        Self::counter_raise(self, name, value)
    }
}

/// The chip as the store's sealer.
///
/// The chip seals so much at a time; a longer blob is sealed in pieces, each of which carries the
/// hash of the whole and its own place, so that pieces of two blobs never make a third (T-38).
pub(crate) struct ChipSealer<'a, C: SecurityChip>(pub(crate) &'a mut C);

/// Octets of a blob in one sealed piece.
const PIECE: usize = 16 * 1024;
/// SHA-256 of the whole, index, count.
const PIECE_HEAD: usize = 32 + 2 + 2;

impl<C: SecurityChip> Sealer for ChipSealer<'_, C> {
    fn seal(&mut self, label: &str, plain: &[u8]) -> std::result::Result<Vec<u8>, SealerError> {
        let digest = sha256(&[plain]);
        let count = plain.len().div_ceil(PIECE).max(1);
        let count =
            u16::try_from(count).map_err(|_| SealerError::Refused("blob too long".into()))?;
        let mut out = Vec::new();
        for index in 0..count {
            let from = usize::from(index) * PIECE;
            let piece = plain.get(from..plain.len().min(from + PIECE)).unwrap_or_default();
            let mut data = Vec::with_capacity(PIECE_HEAD + piece.len());
            data.extend_from_slice(&digest);
            data.extend_from_slice(&index.to_be_bytes());
            data.extend_from_slice(&count.to_be_bytes());
            data.extend_from_slice(piece);
            let sealed = self.0.seal(label, &data).map_err(refused)?;
            out.extend_from_slice(&(sealed.len() as u32).to_be_bytes());
            out.extend_from_slice(&sealed);
        }
        Ok(out)
    }

    fn unseal(&mut self, label: &str, sealed: &[u8]) -> std::result::Result<Vec<u8>, SealerError> {
        let foreign = || SealerError::Foreign;
        let mut rest = sealed;
        let mut plain = Vec::new();
        let mut whole: Option<([u8; 32], u16)> = None;
        let mut next = 0;
        while !rest.is_empty() {
            let (length, more) = rest.split_first_chunk::<4>().ok_or_else(foreign)?;
            let length = u32::from_be_bytes(*length) as usize;
            let (piece, more) = more.split_at_checked(length).ok_or_else(foreign)?;
            rest = more;
            let data = self.0.unseal(label, piece).map_err(refused)?;
            let (digest, data) = data.split_first_chunk::<32>().ok_or_else(foreign)?;
            let (index, data) = data.split_first_chunk::<2>().ok_or_else(foreign)?;
            let (count, data) = data.split_first_chunk::<2>().ok_or_else(foreign)?;
            let this = (*digest, u16::from_be_bytes(*count));
            if *whole.get_or_insert(this) != this || u16::from_be_bytes(*index) != next {
                return Err(foreign());
            }
            next += 1;
            plain.extend_from_slice(data);
        }
        match whole {
            Some((digest, count)) if count == next && sha256(&[&plain]) == digest => Ok(plain),
            _ => Err(foreign()),
        }
    }

    fn counter(&mut self, name: &str) -> std::result::Result<u64, SealerError> {
        self.0.counter_read(name).map_err(refused)
    }

    fn raise_counter(&mut self, name: &str, to: u64) -> std::result::Result<(), SealerError> {
        self.0.counter_raise(name, to).map_err(refused)
    }
}

fn refused(error: ChipHandleError) -> SealerError {
    match error {
        ChipHandleError::Refused(ChipError::SealRefused) => SealerError::Foreign,
        ChipHandleError::Refused(error) => SealerError::Refused(error.to_string()),
        other => SealerError::Gone(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::FakeChip;

    // attack-test: T-38
    #[test]
    fn long_blobs_seal_in_pieces_that_do_not_mix() {
        let mut chip = FakeChip::new(1);
        let mut sealer = ChipSealer(&mut chip);
        for length in [0, 1, PIECE, PIECE + 1, 3 * PIECE + 7] {
            let plain: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let sealed = sealer.seal("x", &plain).unwrap();
            assert_eq!(sealer.unseal("x", &sealed).unwrap(), plain);
            assert!(matches!(sealer.unseal("y", &sealed), Err(SealerError::Foreign)));
            if length > 0 {
                let cut = &sealed[..sealed.len() - 1];
                assert!(matches!(sealer.unseal("x", cut), Err(SealerError::Foreign)));
            }
        }
        let (a, b) = (vec![1; 2 * PIECE], vec![2; 2 * PIECE]);
        let (a, b) = (sealer.seal("x", &a).unwrap(), sealer.seal("x", &b).unwrap());
        let half = a.len() / 2;
        let mixed = [&a[..half], &b[half..]].concat();
        assert!(matches!(sealer.unseal("x", &mixed), Err(SealerError::Foreign)));
        let twice = [&a[..half], &a[..half]].concat();
        assert!(matches!(sealer.unseal("x", &twice), Err(SealerError::Foreign)));
        assert!(matches!(sealer.unseal("x", &a[..half]), Err(SealerError::Foreign)));
    }
}
