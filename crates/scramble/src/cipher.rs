//! One control word under one scrambling mode.

use portcullis_crypto::{Key128, SHALLOW, Wiped, leaving_no_trace};
use portcullis_ts::{PacketMut, RawPacket, ScramblingControl};
use portcullis_types::{Parity, ScramblingMode};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::aes::{AesCipher, Chaining};
use crate::csa2::{Csa2, reduce_entropy};

/// A control word whose length does not belong to the mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("{mode} takes a control word of {expected} octets, not {found}")]
pub struct WrongControlWordLength {
    /// The mode.
    pub mode: ScramblingMode,
    /// Octets it takes.
    pub expected: usize,
    /// Octets given.
    pub found: usize,
}

/// What scrambling did with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scrambled {
    /// The payload is scrambled now (or too short for the algorithm) and the control bits say so.
    Yes,
    /// There is no payload; nothing was changed.
    NoPayload,
    /// The control bits said that it is scrambled already; nothing was changed.
    Already,
}

// spec: D-K9
/// A keyed scrambler and descrambler.
pub struct Cipher {
    mode: ScramblingMode,
    keyed: Wiped<Keyed>,
}

/// The algorithms with their expanded keys.
#[allow(clippy::large_enum_variant)] // one lives per control word
pub(crate) enum Keyed {
    Csa2(Csa2),
    Aes(AesCipher),
}

impl Cipher {
    /// Expands a control word. In mode `csa2` its checksum octets are computed here (the control
    /// word is entropy-reduced), whatever was given.
    ///
    /// # Errors
    /// [`WrongControlWordLength`] when the control word does not have the mode's length.
    // defends: T-39
    pub fn new(mode: ScramblingMode, control_word: &[u8]) -> Result<Self, WrongControlWordLength> {
        leaving_no_trace::<SHALLOW, _>(|| Self::expand(mode, control_word))
    }

    fn expand(mode: ScramblingMode, control_word: &[u8]) -> Result<Self, WrongControlWordLength> {
        let wrong_length = WrongControlWordLength {
            mode,
            expected: mode.control_word_len(),
            found: control_word.len(),
        };
        let keyed = match Chaining::of(mode) {
            Some(chaining) => {
                let key = control_word.try_into().map_err(|_| wrong_length)?;
                Keyed::Aes(AesCipher::new(chaining, &Key128::new(key)))
            }
            None => {
                let mut key: Zeroizing<[u8; 8]> =
                    Zeroizing::new(control_word.try_into().map_err(|_| wrong_length)?);
                if mode == ScramblingMode::Csa2 {
                    reduce_entropy(&mut key);
                }
                Keyed::Csa2(Csa2::new(&key))
            }
        };
        Ok(Self { mode, keyed: Wiped::new(keyed) })
    }

    /// The mode.
    #[must_use]
    pub const fn mode(&self) -> ScramblingMode {
        self.mode
    }

    pub(crate) fn keyed(&self) -> &Keyed {
        &self.keyed
    }

    /// Scrambles the payload of one packet and sets its control bits to the key's parity.
    pub fn scramble_packet(&self, packet: &mut RawPacket, parity: Parity) -> Scrambled {
        match mark_scrambled(packet, parity) {
            Scrambled::Yes => {}
            other => return other,
        }
        self.scramble_payload(PacketMut::new(packet).payload_mut());
        Scrambled::Yes
    }

    /// Descrambles the payload of one packet with this key, whatever its parity, and clears the
    /// control bits. Returns whether the packet was scrambled.
    pub fn descramble_packet(&self, packet: &mut RawPacket) -> bool {
        let mut view = PacketMut::new(packet);
        if view.as_packet().tsc().parity().is_none() {
            return false;
        }
        view.set_tsc(ScramblingControl::Clear);
        self.descramble_payload(view.payload_mut());
        true
    }

    /// Scrambles one payload in place.
    pub fn scramble_payload(&self, payload: &mut [u8]) {
        leaving_no_trace::<SHALLOW, _>(|| match &*self.keyed {
            Keyed::Csa2(csa2) => csa2.scramble(payload),
            Keyed::Aes(aes) => aes.scramble(payload),
        });
    }

    /// Descrambles one payload in place.
    pub fn descramble_payload(&self, payload: &mut [u8]) {
        leaving_no_trace::<SHALLOW, _>(|| match &*self.keyed {
            Keyed::Csa2(csa2) => csa2.descramble(payload),
            Keyed::Aes(aes) => aes.descramble(payload),
        });
    }
}

/// Sets the control bits of a packet that is about to be scrambled.
pub(crate) const fn mark_scrambled(packet: &mut RawPacket, parity: Parity) -> Scrambled {
    let mut view = PacketMut::new(packet);
    if view.as_packet().payload_offset().is_none() {
        return Scrambled::NoPayload;
    }
    if !matches!(view.as_packet().tsc(), ScramblingControl::Clear) {
        return Scrambled::Already;
    }
    view.set_tsc(ScramblingControl::Scrambled(parity));
    Scrambled::Yes
}
