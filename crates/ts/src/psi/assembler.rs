//! Packets in, sections out; sections in, whole tables out.

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;

use broadcast_common::Parse as _;
use mpeg_ts::section::Section;
use mpeg_ts::ts::SectionReassembler;

use super::PsiError;
use crate::packet::{Packet, ScramblingControl};

/// Collects the sections of one PID.
///
/// The crate's reassembler knows nothing of continuity counters; here a repeated packet is
/// ignored once, as the standard allows it to be sent, and after a gap the half-read section is
/// thrown away, so that two halves of different sections are never joined.
#[derive(Default)]
pub struct SectionAssembler {
    inner: SectionReassembler,
    last_cc: Option<u8>,
}

impl SectionAssembler {
    /// An assembler that waits for its first section start.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next packet of the PID. Scrambled packets and packets marked as damaged are
    /// passed over. Afterwards [`SectionAssembler::pop`] gives the sections it completed.
    pub fn push(&mut self, packet: Packet<'_>) {
        if packet.transport_error() || packet.tsc() != ScramblingControl::Clear {
            return;
        }
        let payload = packet.payload();
        if payload.is_empty() {
            return;
        }
        match self.last_cc.replace(packet.cc()) {
            Some(last) if last == packet.cc() => return,
            Some(last) if last.wrapping_add(1) & 0x0F != packet.cc() => {
                self.inner = SectionReassembler::default();
            }
            _ => {}
        }
        self.inner.feed(payload, packet.pusi());
    }

    /// The next whole section: header, body and, in the long form, CRC (not checked here).
    pub fn pop(&mut self) -> Option<Vec<u8>> {
        self.inner.pop_section().map(|section| section.to_vec())
    }
}

/// The header of a section in the long form whose CRC is right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LongHeader {
    /// table_id.
    pub table_id: u8,
    /// table_id_extension: transport_stream_id of a PAT, program_number of a PMT.
    pub extension: u16,
    /// version_number.
    pub version: u8,
    /// current_next_indicator.
    pub current: bool,
    /// section_number.
    pub number: u8,
    /// last_section_number.
    pub last: u8,
}

impl LongHeader {
    /// Reads the header and checks the CRC.
    ///
    /// # Errors
    /// [`PsiError`] when the section is in the short form, cut short or damaged.
    pub fn parse(section: &[u8]) -> Result<Self, PsiError> {
        let malformed =
            |reason: &str| PsiError::Malformed { table: "section", reason: reason.to_string() };
        let parsed = Section::parse(section).map_err(|cause| malformed(&cause.to_string()))?;
        if !parsed.section_syntax_indicator {
            return Err(malformed("short form where the long form is due"));
        }
        if usize::from(parsed.section_length) + 3 != section.len() {
            return Err(malformed("octets after the end of the section"));
        }
        parsed
            .validate_crc(section)
            .map_err(|_| PsiError::WrongCrc { table_id: parsed.table_id })?;
        Ok(Self {
            table_id: parsed.table_id,
            extension: parsed.extension_id,
            version: parsed.version_number,
            current: parsed.current_next_indicator,
            number: parsed.section_number,
            last: parsed.last_section_number,
        })
    }
}

/// Joins the sections of one table (one table_id and extension) and gives each new version once.
///
/// Holds at most 256 sections, the most that a section_number can name.
#[derive(Default)]
pub struct TableAssembler {
    /// Version and last_section_number of the table under construction, or of the one given out.
    key: Option<(u8, u8)>,
    sections: BTreeMap<u8, Vec<u8>>,
    given: Option<Vec<Vec<u8>>>,
}

impl TableAssembler {
    /// An assembler without a section.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a section; returns all sections of the table, in order, when the table is complete
    /// and differs from the one given before. Tables that are not yet current are passed over.
    ///
    /// # Errors
    /// [`PsiError`] when the section is not a sound long-form section.
    pub fn push(&mut self, section: Vec<u8>) -> Result<Option<Vec<Vec<u8>>>, PsiError> {
        let header = LongHeader::parse(&section)?;
        if !header.current || header.number > header.last {
            return Ok(None);
        }
        if self.key != Some((header.version, header.last)) {
            self.key = Some((header.version, header.last));
            self.sections.clear();
        }
        self.sections.insert(header.number, section);
        if self.sections.len() <= usize::from(header.last) {
            return Ok(None);
        }
        let table: Vec<_> = core::mem::take(&mut self.sections).into_values().collect();
        if self.given.as_ref() == Some(&table) {
            return Ok(None);
        }
        self.given = Some(table.clone());
        Ok(Some(table))
    }
}
