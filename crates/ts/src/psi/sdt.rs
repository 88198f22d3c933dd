//! Service description table (EN 300 468 5.2.3), for the names of services.

use alloc::string::String;
use alloc::vec::Vec;

use broadcast_common::Parse as _;
use dvb_si::descriptors::service::{ServiceDescriptor, TAG};
use dvb_si::tables::sdt::SdtSection;
use portcullis_types::ServiceId;

use super::{LongHeader, PsiError};

/// One service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SdtService {
    /// service_id.
    pub service: ServiceId,
    /// free_CA_mode: at least one component may be scrambled.
    pub free_ca_mode: bool,
    /// Its name; empty when there is no service_descriptor.
    pub name: String,
}

/// The service description table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sdt {
    /// The services in the order of the table.
    pub services: Vec<SdtService>,
}

impl Sdt {
    /// Reads the sections of one table.
    ///
    /// # Errors
    /// [`PsiError`] when a section is damaged or no SDT.
    pub fn parse(sections: &[Vec<u8>]) -> Result<Self, PsiError> {
        let mut services = Vec::new();
        for section in sections {
            LongHeader::parse(section)?;
            let parsed = SdtSection::parse(section).map_err(PsiError::malformed("SDT"))?;
            services.extend(parsed.services.iter().map(|service| SdtService {
                service: ServiceId(service.service_id),
                free_ca_mode: service.free_ca_mode,
                name: name(service.descriptors.raw()),
            }));
        }
        Ok(Self { services })
    }

    /// The name of a service, when the table has one.
    #[must_use]
    pub fn name(&self, service: ServiceId) -> Option<&str> {
        self.services
            .iter()
            .find(|entry| entry.service == service && !entry.name.is_empty())
            .map(|entry| entry.name.as_str())
    }
}

fn name(descriptors: &[u8]) -> String {
    super::descriptors::with_tag(descriptors, TAG)
        .find_map(|octets| ServiceDescriptor::parse(octets).ok())
        .map(|found| found.service_name.decode().into_owned())
        .unwrap_or_default()
}
