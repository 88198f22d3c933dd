//! The two descriptors that conditional access adds, and how they are found in a loop.

use alloc::vec::Vec;

use broadcast_common::Parse as _;
use dvb_si::descriptors::{ca, scrambling};
use portcullis_types::{CaSystemId, Pid, ScramblingMode};

use super::PsiError;
use super::pat::ToBytesChecked as _;

/// Octets of tag and length in front of a descriptor's body.
const DESCRIPTOR_HEADER: usize = 2;

/// CA_descriptor: where the ECM (in a PMT) or EMM (in the CAT) of a CA system are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaDescriptor {
    /// CA_system_id.
    pub ca_system_id: CaSystemId,
    /// CA_PID.
    pub pid: Pid,
    /// Private data of the CA system.
    pub private_data: Vec<u8>,
}

impl CaDescriptor {
    /// A descriptor without private data.
    #[must_use]
    pub const fn new(ca_system_id: CaSystemId, pid: Pid) -> Self {
        Self { ca_system_id, pid, private_data: Vec::new() }
    }

    /// Tag, length and body.
    ///
    /// # Errors
    /// [`PsiError`] when the private data is too long.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PsiError> {
        let pid = mpeg_ts::pid::Pid::new(self.pid.get());
        ca::CaDescriptor::new(self.ca_system_id.0, pid, &self.private_data)
            .to_bytes_checked("CA_descriptor")
    }
}

/// The CA_descriptors of a descriptor loop; a loop that is cut short ends early.
#[must_use]
pub fn ca_descriptors(descriptors: &[u8]) -> Vec<CaDescriptor> {
    with_tag(descriptors, ca::TAG)
        .filter_map(|octets| ca::CaDescriptor::parse(octets).ok())
        .map(|found| CaDescriptor {
            ca_system_id: CaSystemId(found.ca_system_id),
            pid: Pid::from_low_bits(found.ca_pid.value()),
            private_data: found.private_data.to_vec(),
        })
        .collect()
}

/// The scrambling_mode octet of the scrambling_descriptor in a loop.
#[must_use]
pub fn scrambling_mode_value(descriptors: &[u8]) -> Option<u8> {
    with_tag(descriptors, scrambling::TAG)
        .find_map(|octets| scrambling::ScramblingDescriptor::parse(octets).ok())
        .map(|found| found.scrambling_mode.to_u8())
}

/// A scrambling_descriptor.
pub(super) fn scrambling_descriptor(mode: ScramblingMode) -> Result<Vec<u8>, PsiError> {
    let scrambling_mode = scrambling::ScramblingMode::from_u8(mode.descriptor_value());
    scrambling::ScramblingDescriptor { scrambling_mode }.to_bytes_checked("scrambling_descriptor")
}

/// A loop without its descriptors of one tag.
pub(super) fn without_tag(descriptors: &[u8], tag: u8) -> Vec<u8> {
    all(descriptors).filter(|octets| octets.first() != Some(&tag)).flatten().copied().collect()
}

/// The tag of the scrambling_descriptor.
pub(super) const SCRAMBLING_TAG: u8 = scrambling::TAG;
/// The tag of the CA_descriptor.
pub(super) const CA_TAG: u8 = ca::TAG;

pub(super) fn with_tag(descriptors: &[u8], tag: u8) -> impl Iterator<Item = &[u8]> {
    all(descriptors).filter(move |octets| octets.first() == Some(&tag))
}

/// The descriptors of a loop, each with tag and length. Written here because the crate's walks give
/// parsed bodies or bodies without their header, and an edit needs the octets as they stand.
fn all(descriptors: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = descriptors;
    core::iter::from_fn(move || {
        let length = usize::from(*rest.get(1)?);
        let (octets, later) = rest.split_at_checked(DESCRIPTOR_HEADER + length)?;
        rest = later;
        Some(octets)
    })
}
