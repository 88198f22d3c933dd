//! The round keys as kernels for many packets take them.
//!
//! Trust domain: headend and chip. Such a kernel (see `sliced::block`) keeps the octets of a block
//! in eight registers r and computes in round t, all places modulo 8,
//!
//! ```text
//! s = SBOX[r[t-1] ^ key[t]]
//! r[t]   ^= s
//! r[t-2] ^= P(s) ^ r[t+2]
//! r[t+4] ^= r[t+1] ^ r[t+2]
//! ```
//!
//! Keys are XORed only, as the registers are among each other, so that each register may hold its
//! octet XOR a sum of keys. If that sum is key\[t\] in r\[t-1\] when round t begins, the round
//! needs no XOR in front of its S-box: what is missing goes into the second line, where an
//! instruction with three inputs has room for it. Here it is computed what that is.

use zeroize::Zeroizing;

use super::block::ROUNDS;

/// Registers that a block has.
const REGISTERS: usize = 8;
/// Octets of the merged keys.
pub(crate) const MERGED: usize = ROUNDS + REGISTERS;

/// Keys of one control word: what goes into r\[t\] in round t, then what has to be taken out of
/// registers 0 to 6 behind the last round, then the key of the first round, for register 7.
pub(crate) struct MergedKeys(Zeroizing<[u8; MERGED]>);

impl MergedKeys {
    pub(super) fn new(rounds: &[u8; ROUNDS]) -> Self {
        let mut merged = Zeroizing::new([0; MERGED]);
        // What each register holds beside its octet.
        let mut sums = Zeroizing::new([0; REGISTERS]);
        sums[7] = rounds[0];
        for (round, merged) in merged.iter_mut().take(ROUNDS).enumerate() {
            let at = |place| (round + place) % REGISTERS;
            // Register 7 is left with nothing, so that it needs nothing taken out.
            let wanted = rounds.get(round + 1).copied().unwrap_or_default();
            *merged = sums[at(0)] ^ wanted;
            sums[at(0)] = wanted;
            sums[at(6)] ^= sums[at(2)];
            sums[at(4)] ^= sums[at(1)] ^ sums[at(2)];
        }
        if let Some(last) = merged.last_chunk_mut() {
            *last = *sums;
            last[7] = rounds[0];
        }
        Self(merged)
    }

    pub(crate) fn octets(&self) -> &[u8; MERGED] {
        &self.0
    }
}
