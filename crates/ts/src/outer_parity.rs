//! Packets of 204 octets: 188 and 16 parity octets of the outer code (EN 300 429 clause 6,
//! EN 300 421), as some modulators' interfaces and captures carry them.
//!
//! The parity octets are dropped; nothing is corrected with them.

use crate::packet::{PACKET_SIZE, SYNC_BYTE};

/// Octets of a packet with its outer parity.
pub const PROTECTED_SIZE: usize = 204;
/// So many octets decide whether a stream's packets have outer parity.
pub const DECIDING: usize = 4 * PROTECTED_SIZE + 1;

/// Whether packets with outer parity begin here. Needs [`DECIDING`] octets, or whole packets.
#[must_use]
pub fn has_outer_parity(octets: &[u8]) -> bool {
    let is_sync = |period: usize| {
        let mut due = octets.iter().step_by(period).take(DECIDING / period + 1);
        due.all(|octet| *octet == SYNC_BYTE)
    };
    octets.len() >= PROTECTED_SIZE && is_sync(PROTECTED_SIZE) && !is_sync(PACKET_SIZE)
}

/// Drops the parity octets of a stream that comes in pieces.
#[derive(Clone, Debug, Default)]
pub struct OuterParity {
    /// Octets of the present packet that came before.
    at: usize,
}

impl OuterParity {
    /// Moves the packets of this piece to its front; returns how many octets they are.
    pub fn drop_from(&mut self, octets: &mut [u8]) -> usize {
        let (mut from, mut to) = (0, 0);
        while from < octets.len() {
            let left = octets.len() - from;
            if let Some(of_packet) = PACKET_SIZE.checked_sub(self.at).filter(|rest| *rest > 0) {
                let count = of_packet.min(left);
                octets.copy_within(from..from + count, to);
                to += count;
                from += count;
                self.at += count;
            } else {
                let count = (PROTECTED_SIZE - self.at).min(left);
                from += count;
                self.at += count;
            }
            self.at %= PROTECTED_SIZE;
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::packet::null_packet;

    fn protected(count: usize) -> Vec<u8> {
        (0..count).flat_map(|_| null_packet().into_iter().chain([0xAB; 16])).collect()
    }

    #[test]
    fn parity_octets_go_in_any_piece_size() {
        for piece in [1, 15, 16, 187, 188, 189, 204, 1_000] {
            let mut parity = OuterParity::default();
            let mut found = Vec::new();
            for octets in protected(30).chunks_mut(piece) {
                let kept = parity.drop_from(octets);
                found.extend_from_slice(&octets[..kept]);
            }
            assert!(found == null_packet().repeat(30), "pieces of {piece}");
        }
    }

    #[test]
    fn what_has_parity_is_told_from_what_has_not() {
        assert!(has_outer_parity(&protected(6)));
        assert!(has_outer_parity(&protected(7)));
        assert!(!has_outer_parity(&null_packet().repeat(7)));
        assert!(!has_outer_parity(&[]));
        assert!(!has_outer_parity(&std::vec![0; 2_000]));
        // One packet of 188 octets and part of the next say nothing of parity.
        assert!(!has_outer_parity(&null_packet().repeat(2)[..300]));
    }
}
