//! Conditional access table (ISO/IEC 13818-1 2.4.4.6).

use alloc::vec::Vec;

use broadcast_common::Parse as _;
use dvb_si::descriptors::DescriptorLoop;
use dvb_si::tables::cat::CatSection;

use super::descriptors::{CaDescriptor, ca_descriptors};
use super::pat::ToBytesChecked as _;
use super::{LongHeader, PsiError};

/// Octets of the longest CAT section.
const CAT_SECTION_MAX: usize = 1024;

/// The conditional access table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cat {
    /// version_number.
    pub version: u8,
    /// The descriptor loop, over all sections.
    pub descriptors: Vec<u8>,
}

impl Cat {
    /// Reads the sections of one table.
    ///
    /// # Errors
    /// [`PsiError`] when a section is damaged or no CAT.
    pub fn parse(sections: &[Vec<u8>]) -> Result<Self, PsiError> {
        let mut cat = Self::default();
        for section in sections {
            LongHeader::parse(section)?;
            let parsed = CatSection::parse(section).map_err(PsiError::malformed("CAT"))?;
            cat.version = parsed.version_number;
            cat.descriptors.extend_from_slice(parsed.descriptors.raw());
        }
        Ok(cat)
    }

    /// The CA_descriptors.
    #[must_use]
    pub fn ca_descriptors(&self) -> Vec<CaDescriptor> {
        ca_descriptors(&self.descriptors)
    }

    /// Adds a CA_descriptor.
    ///
    /// # Errors
    /// [`PsiError`] when the descriptor is too long.
    pub fn add_ca_descriptor(&mut self, descriptor: &CaDescriptor) -> Result<(), PsiError> {
        self.descriptors.extend(descriptor.to_bytes()?);
        Ok(())
    }

    /// Takes away the CA_descriptors that are unwanted; every other descriptor stays as it is, in
    /// its place. What ends inside a descriptor goes too.
    pub fn remove_ca_descriptors(&mut self, unwanted: impl Fn(&CaDescriptor) -> bool) {
        let mut kept = Vec::with_capacity(self.descriptors.len());
        let mut rest = self.descriptors.as_slice();
        while let [_, length, ..] = rest
            && let Some((descriptor, more)) = rest.split_at_checked(2 + usize::from(*length))
        {
            if !ca_descriptors(descriptor).iter().any(&unwanted) {
                kept.extend_from_slice(descriptor);
            }
            rest = more;
        }
        self.descriptors = kept;
    }

    /// The next version_number.
    pub const fn bump_version(&mut self) {
        self.version = self.version.wrapping_add(1) & 0x1F;
    }

    /// The table as one section, with CRC.
    ///
    /// # Errors
    /// [`PsiError`] when it is longer than 1024 octets.
    pub fn to_section(&self) -> Result<Vec<u8>, PsiError> {
        let descriptors = DescriptorLoop::new(&self.descriptors);
        let section =
            CatSection::new(self.version, true, 0, 0, descriptors).to_bytes_checked("CAT")?;
        if section.len() > CAT_SECTION_MAX {
            return Err(PsiError::DoesNotFit {
                table: "CAT",
                reason: alloc::format!("{} of {CAT_SECTION_MAX} octets", section.len()),
            });
        }
        Ok(section)
    }
}
