//! Tickets: what the CDCS_PSS gives a device to show to the CDCS_MSS (J.1020 steps 10.5 to 10.9).
//!
//! A ticket names the device, the image and its time, and opens one image request. It is
//! authenticated with HMAC-SHA-256 under a key the centre's roles share; nobody else reads it.

use std::collections::BTreeMap;

use portcullis_crypto::{ct_eq, hmac_sha256};
use portcullis_types::{ChipId, UnixSeconds};

use crate::error::ErrorCode;

/// Octets of a ticket.
pub const TICKET_LEN: usize = 106;
/// The longest life of a ticket.
pub const LIFETIME_S: u64 = 600;
/// Used tickets that are remembered; more than this in ten minutes is answered BUSY.
pub const USED_CAP: usize = 65_536;

/// What a ticket allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// Number of the ticket.
    pub id: [u8; 16],
    /// The device it was given to.
    pub chip_id: ChipId,
    /// The image it opens.
    pub sha256: [u8; 32],
    /// When it was issued.
    pub not_before: UnixSeconds,
    /// When it ends.
    pub not_after: UnixSeconds,
}

/// Issues and checks tickets, and remembers the used ones until they expire.
pub struct TicketAuthority {
    key: [u8; 32],
    used: BTreeMap<[u8; 16], UnixSeconds>,
}

impl TicketAuthority {
    /// An authority with the key that the centre's roles share.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key, used: BTreeMap::new() }
    }

    /// Issues a ticket with a random number.
    #[must_use]
    pub fn issue(
        &self,
        id: [u8; 16],
        chip_id: ChipId,
        sha256: [u8; 32],
        now: UnixSeconds,
    ) -> [u8; TICKET_LEN] {
        let not_after = UnixSeconds(now.0.saturating_add(LIFETIME_S));
        let ticket = Ticket { id, chip_id, sha256, not_before: now, not_after };
        let mut out = [0; TICKET_LEN];
        let (body, tag) = out.split_at_mut(TICKET_LEN - 32);
        body.copy_from_slice(&encode(&ticket));
        tag.copy_from_slice(&self.tag(body));
        out
    }

    /// Checks a ticket for one device and one image and marks it as used.
    ///
    /// # Errors
    /// `TICKET_MISMATCH`, `TICKET_EXPIRED`, `TICKET_REUSED`, or `BUSY` when too many are open.
    // spec: M-B09
    // defends: T-44
    pub fn redeem(
        &mut self,
        bytes: &[u8],
        chip_id: ChipId,
        sha256: &[u8; 32],
        now: UnixSeconds,
    ) -> Result<Ticket, ErrorCode> {
        let ticket = self.verify(bytes).ok_or(ErrorCode::TicketMismatch)?;
        if ticket.chip_id != chip_id || ticket.sha256 != *sha256 {
            return Err(ErrorCode::TicketMismatch);
        }
        // A minute of disagreement between two clocks of the centre is no attack.
        if now > ticket.not_after || UnixSeconds(now.0.saturating_add(60)) < ticket.not_before {
            return Err(ErrorCode::TicketExpired);
        }
        self.used.retain(|_, not_after| *not_after >= now);
        if self.used.contains_key(&ticket.id) {
            return Err(ErrorCode::TicketReused);
        }
        if self.used.len() >= USED_CAP {
            return Err(ErrorCode::Busy);
        }
        self.used.insert(ticket.id, ticket.not_after);
        Ok(ticket)
    }

    fn verify(&self, bytes: &[u8]) -> Option<Ticket> {
        let (body, tag) = bytes.split_at_checked(TICKET_LEN - 32)?;
        ct_eq(&self.tag(body), tag).then(|| decode(body)).flatten()
    }

    fn tag(&self, body: &[u8]) -> [u8; 32] {
        hmac_sha256(&self.key, &[b"portcullis CDCS_MSS ticket v1\0", body])
    }
}

impl Drop for TicketAuthority {
    fn drop(&mut self) {
        self.key = [0; 32];
    }
}

// Body: version 1, role 1 (2 = issued by CDCS_PSS for CDCS_MSS), id 16, chip id 8, SHA-256 32,
// not before 8, not after 8.

fn encode(ticket: &Ticket) -> [u8; TICKET_LEN - 32] {
    let mut out = [0; TICKET_LEN - 32];
    let parts: [&[u8]; 6] = [
        &HEAD,
        &ticket.id,
        &ticket.chip_id.0.to_be_bytes(),
        &ticket.sha256,
        &ticket.not_before.0.to_be_bytes(),
        &ticket.not_after.0.to_be_bytes(),
    ];
    let octets = parts.into_iter().flatten().copied();
    out.iter_mut().zip(octets).for_each(|(to, from)| *to = from);
    out
}

fn decode(body: &[u8]) -> Option<Ticket> {
    let body = body.strip_prefix(&HEAD)?;
    let (id, body) = body.split_first_chunk::<16>()?;
    let (chip_id, body) = body.split_first_chunk::<8>()?;
    let (sha256, body) = body.split_first_chunk::<32>()?;
    let (not_before, body) = body.split_first_chunk::<8>()?;
    Some(Ticket {
        id: *id,
        chip_id: ChipId(u64::from_be_bytes(*chip_id)),
        sha256: *sha256,
        not_before: UnixSeconds(u64::from_be_bytes(*not_before)),
        not_after: UnixSeconds(u64::from_be_bytes(body.try_into().ok()?)),
    })
}

const HEAD: [u8; 2] = [1, 2];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const CHIP: ChipId = ChipId(7);
    const IMAGE: [u8; 32] = [9; 32];
    const NOW: UnixSeconds = UnixSeconds(1_000_000);

    // spec-test: M-B09
    // attack-test: T-44
    #[test]
    fn a_ticket_opens_one_image_for_one_device_once() {
        let mut authority = TicketAuthority::new([1; 32]);
        let ticket = authority.issue([3; 16], CHIP, IMAGE, NOW);
        let mut redeem = |bytes: &[u8], chip, image: [u8; 32], now| {
            authority.redeem(bytes, chip, &image, UnixSeconds(now)).map(|_| ())
        };
        assert_eq!(redeem(&ticket, ChipId(8), IMAGE, NOW.0), Err(ErrorCode::TicketMismatch));
        assert_eq!(redeem(&ticket, CHIP, [8; 32], NOW.0), Err(ErrorCode::TicketMismatch));
        assert_eq!(redeem(&ticket, CHIP, IMAGE, NOW.0 + 601), Err(ErrorCode::TicketExpired));
        assert_eq!(redeem(&ticket, CHIP, IMAGE, NOW.0 - 61), Err(ErrorCode::TicketExpired));
        assert_eq!(redeem(&ticket, CHIP, IMAGE, NOW.0 + 600), Ok(()));
        assert_eq!(redeem(&ticket, CHIP, IMAGE, NOW.0 + 600), Err(ErrorCode::TicketReused));
    }

    // attack-test: T-44
    #[test]
    fn a_tampered_cut_or_foreign_ticket_is_refused() {
        let mut authority = TicketAuthority::new([1; 32]);
        let ticket = authority.issue([3; 16], CHIP, IMAGE, NOW);
        for at in 0..TICKET_LEN {
            let mut bad = ticket;
            bad[at] ^= 0x10;
            assert_eq!(
                authority.redeem(&bad, CHIP, &IMAGE, NOW),
                Err(ErrorCode::TicketMismatch),
                "octet {at}"
            );
            assert_eq!(
                authority.redeem(&ticket[..at], CHIP, &IMAGE, NOW),
                Err(ErrorCode::TicketMismatch)
            );
        }
        let foreign = TicketAuthority::new([2; 32]).issue([3; 16], CHIP, IMAGE, NOW);
        assert!(authority.redeem(&foreign, CHIP, &IMAGE, NOW).is_err());
        assert!(authority.redeem(&ticket, CHIP, &IMAGE, NOW).is_ok());
    }
}
