//! Program association table (ISO/IEC 13818-1 2.4.4.3).

use alloc::vec::Vec;

use broadcast_common::Parse as _;
use dvb_si::tables::pat::{PatEntry, PatSection};
use portcullis_types::{Pid, ServiceId};

use super::{LongHeader, PsiError};

/// Programs that fit one section of 1024 octets.
const PROGRAMS_PER_SECTION: usize = 253;

/// One program and where its PMT is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Program {
    /// program_number, which is the service_id.
    pub service: ServiceId,
    /// The PID of its PMT.
    pub pmt_pid: Pid,
}

/// The program association table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pat {
    /// transport_stream_id.
    pub transport_stream_id: u16,
    /// version_number.
    pub version: u8,
    /// network_PID, where the NIT is.
    pub network_pid: Option<Pid>,
    /// The programs in the order of the table.
    pub programs: Vec<Program>,
}

impl Pat {
    /// Reads the sections of one table.
    ///
    /// # Errors
    /// [`PsiError`] when a section is damaged or no PAT.
    pub fn parse(sections: &[Vec<u8>]) -> Result<Self, PsiError> {
        let mut pat =
            Self { transport_stream_id: 0, version: 0, network_pid: None, programs: Vec::new() };
        for section in sections {
            LongHeader::parse(section)?;
            let parsed = PatSection::parse(section).map_err(PsiError::malformed("PAT"))?;
            pat.transport_stream_id = parsed.transport_stream_id;
            pat.version = parsed.version_number;
            for entry in &parsed.entries {
                let pid = Pid::from_low_bits(entry.pid.value());
                match entry.program_number {
                    0 => pat.network_pid = Some(pid),
                    number => {
                        pat.programs.push(Program { service: ServiceId(number), pmt_pid: pid })
                    }
                }
            }
        }
        Ok(pat)
    }

    /// The PMT PID of a service.
    #[must_use]
    pub fn pmt_pid(&self, service: ServiceId) -> Option<Pid> {
        self.programs.iter().find(|program| program.service == service).map(|p| p.pmt_pid)
    }

    /// The table as sections.
    ///
    /// # Errors
    /// [`PsiError`] when there are more programs than 256 sections hold.
    pub fn to_sections(&self) -> Result<Vec<Vec<u8>>, PsiError> {
        let pid = |pid: Pid| mpeg_ts::pid::Pid::new(pid.get());
        let entries: Vec<_> = self
            .network_pid
            .map(|network| PatEntry::new(0, pid(network)))
            .into_iter()
            .chain(self.programs.iter().map(|p| PatEntry::new(p.service.0, pid(p.pmt_pid))))
            .collect();
        let mut pieces: Vec<_> = entries.chunks(PROGRAMS_PER_SECTION).collect();
        if pieces.is_empty() {
            pieces.push(&[]);
        }
        let last = u8::try_from(pieces.len() - 1).map_err(|_| PsiError::DoesNotFit {
            table: "PAT",
            reason: "more than 256 sections".into(),
        })?;
        let numbered = (0..=last).zip(pieces);
        numbered
            .map(|(number, piece)| {
                PatSection::new(
                    self.transport_stream_id,
                    self.version,
                    true,
                    number,
                    last,
                    piece.to_vec(),
                )
                .to_bytes_checked("PAT")
            })
            .collect()
    }
}

/// Serialisation with our error; the crate's own convenience function may panic.
pub(super) trait ToBytesChecked {
    fn to_bytes_checked(&self, table: &'static str) -> Result<Vec<u8>, PsiError>;
}

impl<T: broadcast_common::Serialize<Error = dvb_si::error::Error>> ToBytesChecked for T {
    fn to_bytes_checked(&self, table: &'static str) -> Result<Vec<u8>, PsiError> {
        let mut out = alloc::vec![0; self.serialized_len()];
        self.serialize_into(&mut out).map_err(PsiError::does_not_fit(table))?;
        Ok(out)
    }
}
