//! Program map table (ISO/IEC 13818-1 2.4.4.9), read and edited.

use alloc::vec::Vec;

use broadcast_common::Parse as _;
use dvb_si::descriptors::DescriptorLoop;
use dvb_si::tables::pmt::{PmtSection, PmtStream as WireStream, StreamType};
use portcullis_types::{CaSystemId, Pid, ScramblingMode, ServiceId};

use super::descriptors::{
    CA_TAG, CaDescriptor, SCRAMBLING_TAG, ca_descriptors, scrambling_descriptor,
    scrambling_mode_value, without_tag,
};
use super::pat::ToBytesChecked as _;
use super::{LongHeader, PsiError};

/// Octets of the longest PSI section.
const PSI_SECTION_MAX: usize = 1024;

/// One elementary stream of a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PmtStream {
    /// stream_type.
    pub stream_type: u8,
    /// elementary_PID.
    pub pid: Pid,
    /// The component's descriptor loop.
    pub descriptors: Vec<u8>,
}

impl PmtStream {
    /// Whether the stream_type alone says that this is video.
    #[must_use]
    pub fn is_video(&self) -> bool {
        StreamType::from_u8(self.stream_type).is_video()
    }

    /// Whether the stream_type alone says that this is audio.
    #[must_use]
    pub fn is_audio(&self) -> bool {
        StreamType::from_u8(self.stream_type).is_audio()
    }
}

/// The program map table of one service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pmt {
    /// program_number, which is the service_id.
    pub service: ServiceId,
    /// version_number.
    pub version: u8,
    /// PCR_PID; `None` when the service has no clock.
    pub pcr_pid: Option<Pid>,
    /// The program's descriptor loop.
    pub descriptors: Vec<u8>,
    /// The elementary streams in the order of the table.
    pub streams: Vec<PmtStream>,
}

impl Pmt {
    /// Reads one section, which is the whole table.
    ///
    /// # Errors
    /// [`PsiError`] when the section is damaged or no PMT.
    pub fn parse(section: &[u8]) -> Result<Self, PsiError> {
        LongHeader::parse(section)?;
        let parsed = PmtSection::parse(section).map_err(PsiError::malformed("PMT"))?;
        let pcr_pid = Pid::from_low_bits(parsed.pcr_pid.value());
        Ok(Self {
            service: ServiceId(parsed.program_number),
            version: parsed.version_number,
            pcr_pid: (pcr_pid != Pid::NULL).then_some(pcr_pid),
            descriptors: parsed.program_info.raw().to_vec(),
            streams: parsed
                .streams
                .iter()
                .map(|stream| PmtStream {
                    stream_type: stream.stream_type.to_u8(),
                    pid: Pid::from_low_bits(stream.elementary_pid.value()),
                    descriptors: stream.es_info.raw().to_vec(),
                })
                .collect(),
        })
    }

    /// The table as a section, with CRC.
    ///
    /// # Errors
    /// [`PsiError`] when it is longer than 1024 octets.
    pub fn to_section(&self) -> Result<Vec<u8>, PsiError> {
        let pid = |pid: Pid| mpeg_ts::pid::Pid::new(pid.get());
        let streams = self
            .streams
            .iter()
            .map(|stream| {
                WireStream::new(
                    StreamType::from_u8(stream.stream_type),
                    pid(stream.pid),
                    DescriptorLoop::new(&stream.descriptors),
                )
            })
            .collect();
        let section = PmtSection::new(
            self.service.0,
            self.version,
            true,
            0,
            0,
            pid(self.pcr_pid.unwrap_or(Pid::NULL)),
            DescriptorLoop::new(&self.descriptors),
            streams,
        )
        .to_bytes_checked("PMT")?;
        if section.len() > PSI_SECTION_MAX {
            return Err(PsiError::DoesNotFit {
                table: "PMT",
                reason: alloc::format!("{} of {PSI_SECTION_MAX} octets", section.len()),
            });
        }
        Ok(section)
    }

    /// The CA_descriptors of the program and of its components.
    #[must_use]
    pub fn ca_descriptors(&self) -> Vec<CaDescriptor> {
        let components = self.streams.iter().flat_map(|stream| ca_descriptors(&stream.descriptors));
        ca_descriptors(&self.descriptors).into_iter().chain(components).collect()
    }

    /// The ECM PID of a CA system: in the program loop, else in the first component with one.
    #[must_use]
    pub fn ecm_pid(&self, ca_system_id: CaSystemId) -> Option<Pid> {
        self.ca_descriptors()
            .into_iter()
            .find(|found| found.ca_system_id == ca_system_id)
            .map(|found| found.pid)
    }

    /// The scrambling_mode octet, when there is a scrambling_descriptor.
    #[must_use]
    pub fn scrambling_mode_value(&self) -> Option<u8> {
        scrambling_mode_value(&self.descriptors)
    }

    /// Puts a CA_descriptor at the end of the program loop.
    ///
    /// # Errors
    /// [`PsiError`] when the descriptor is too long.
    pub fn add_ca_descriptor(&mut self, descriptor: &CaDescriptor) -> Result<(), PsiError> {
        self.descriptors.extend(descriptor.to_bytes()?);
        Ok(())
    }

    /// Puts the scrambling_descriptor of a mode into the program loop, in place of any other.
    ///
    /// # Errors
    /// [`PsiError`] when the descriptor cannot be built.
    pub fn set_scrambling_mode(&mut self, mode: ScramblingMode) -> Result<(), PsiError> {
        let mut descriptors = without_tag(&self.descriptors, SCRAMBLING_TAG);
        descriptors.extend(scrambling_descriptor(mode)?);
        self.descriptors = descriptors;
        Ok(())
    }

    /// Takes every CA_descriptor and scrambling_descriptor out, as for a clear service.
    pub fn remove_conditional_access(&mut self) {
        let strip =
            |descriptors: &[u8]| without_tag(&without_tag(descriptors, CA_TAG), SCRAMBLING_TAG);
        self.descriptors = strip(&self.descriptors);
        for stream in &mut self.streams {
            stream.descriptors = strip(&stream.descriptors);
        }
    }

    /// The next version_number.
    pub const fn bump_version(&mut self) {
        self.version = self.version.wrapping_add(1) & 0x1F;
    }
}
