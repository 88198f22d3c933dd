//! What the chip itself reads in a message: its address and the ladder parts.

use alloc::vec::Vec;

use portcullis_crypto::sha256;
use portcullis_types::{ChipId, GroupId, MemberIndex, ProductId, VendorSysId};

/// key_ref of a unique EMM: a pseudonym of the chip towards one vendor, so that the ChipID
/// itself is never on air.
// defends: T-47
#[must_use]
pub fn unique_address(chip_id: ChipId, vendor: VendorSysId) -> u32 {
    let hash = sha256(&[b"portcullis-address", &chip_id.0.to_be_bytes(), &vendor.0.to_be_bytes()]);
    let [a, b, c, d, ..] = hash;
    u32::from_be_bytes([a, b, c, d])
}

/// Ladder part of a unique EMM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UniqueLadder {
    /// The group this chip belongs to.
    pub group_id: GroupId,
    /// Its place in the member bitmap.
    pub member_index: MemberIndex,
    /// EK2 = E(K3, K2).
    pub ek2: [u8; 16],
}

impl UniqueLadder {
    /// Octets.
    pub const LEN: usize = 21;

    /// As it stands in the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::LEN);
        out.extend_from_slice(&self.group_id.0.to_be_bytes());
        out.push(self.member_index.0);
        out.extend_from_slice(&self.ek2);
        out
    }

    /// Reads it; `None` when the length is not [`Self::LEN`].
    #[must_use]
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let (group, rest) = octets.split_first_chunk::<4>()?;
        let (member, ek2) = rest.split_first()?;
        Some(Self {
            group_id: GroupId(u32::from_be_bytes(*group)),
            member_index: MemberIndex(*member),
            ek2: ek2.try_into().ok()?,
        })
    }
}

/// Ladder part of a group EMM. Its epoch is the header's sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GroupLadder {
    /// The product K1 belongs to.
    pub product_id: ProductId,
    /// Who may load it.
    pub members: MemberBitmap,
    /// EK1 = E(K2, K1).
    pub ek1: [u8; 16],
}

impl GroupLadder {
    /// Octets.
    pub const LEN: usize = 52;

    /// As it stands in the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::LEN);
        out.extend_from_slice(&self.product_id.0.to_be_bytes());
        out.extend_from_slice(&self.members.0);
        out.extend_from_slice(&self.ek1);
        out
    }

    /// Reads it; `None` when the length is not [`Self::LEN`].
    #[must_use]
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let (product, rest) = octets.split_first_chunk::<4>()?;
        let (members, ek1) = rest.split_first_chunk::<32>()?;
        Some(Self {
            product_id: ProductId(u32::from_be_bytes(*product)),
            members: MemberBitmap(*members),
            ek1: ek1.try_into().ok()?,
        })
    }
}

/// The members of a group that a message is for: member i is bit 7 - i mod 8 of octet i / 8.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MemberBitmap(pub [u8; 32]);

impl MemberBitmap {
    /// Whether the bit of a member is set.
    #[must_use]
    pub fn contains(&self, MemberIndex(index): MemberIndex) -> bool {
        self.0.get(usize::from(index / 8)).is_some_and(|octet| octet & bit(index) != 0)
    }

    /// Sets the bit of a member.
    pub fn insert(&mut self, MemberIndex(index): MemberIndex) {
        if let Some(octet) = self.0.get_mut(usize::from(index / 8)) {
            *octet |= bit(index);
        }
    }

    /// Clears the bit of a member.
    pub fn remove(&mut self, MemberIndex(index): MemberIndex) {
        if let Some(octet) = self.0.get_mut(usize::from(index / 8)) {
            *octet &= !bit(index);
        }
    }
}

const fn bit(index: u8) -> u8 {
    1 << (7 - index % 8)
}
