//! PAT, CAT and PMT of the output.
//!
//! The PAT passes as it is, and is repeated only where the input pauses. The PMT of the service
//! gets its CA_descriptors and scrambling_descriptor, the CAT its CA_descriptors beside what is in
//! it already; both are played here, while other sections on their PIDs go on as they came.

use portcullis_ts::RawPacket;
use portcullis_ts::psi::{CaDescriptor, Cat, Pmt, SectionPacketizer};
use portcullis_types::{Pid, ScramblingMode, ServiceId};

use super::ecm::EcmStream;
use super::emm::EmmStream;
use super::inserts::{Inserts, StreamId};
use super::tables::Tables;
use super::{PipelineError, StreamTime};

/// The CAT is repeated this often; the input may have none.
const CAT_REPETITION: u64 = 95 * StreamTime::PER_MS;
/// The PMT follows the input's, and is repeated when that one pauses this long.
const PMT_PAUSE_MAX: u64 = 145 * StreamTime::PER_MS;
/// They may take the place of a null packet this long before they are due.
const EARLY: u64 = 20 * StreamTime::PER_MS;
/// The PAT is repeated when the input pauses this long (TR 101 290 calls more an error).
const PAT_PAUSE_MAX: u64 = 450 * StreamTime::PER_MS;

/// The signalling of one scrambled service.
pub(super) struct Signalling {
    service: ServiceId,
    mode: ScramblingMode,
    pub(super) pat: Played,
    pub(super) cat: Played,
    pub(super) pmt: Played,
    pub(super) pmt_pid: Pid,
    cat_version: Option<u8>,
    pmt_version: Option<u8>,
}

/// A table on air.
pub(super) struct Played {
    pub(super) inserts: StreamId,
    sections: Vec<Vec<u8>>,
    last: Option<StreamTime>,
    pause_max: u64,
}

impl Played {
    fn new(inserts: StreamId, pause_max: u64) -> Self {
        Self { inserts, sections: Vec::new(), last: None, pause_max }
    }

    pub(super) fn packets(&self) -> Vec<RawPacket> {
        let sections: Vec<_> = self.sections.iter().map(Vec::as_slice).collect();
        // The PID is set when the packets leave.
        SectionPacketizer::new(Pid::NULL).packetize_all(&sections)
    }

    /// The table was on air.
    pub(super) const fn played(&mut self, now: StreamTime) {
        self.last = Some(now);
    }

    /// Plays the table when it is due; returns when to ask again.
    fn repeat(&mut self, inserts: &mut Inserts, now: StreamTime) -> StreamTime {
        if self.sections.is_empty() {
            return StreamTime::NEVER;
        }
        let due = self.last.map_or(now, |last| last + self.pause_max);
        if now + EARLY >= due {
            inserts.push(self.inserts, &self.packets(), due);
            self.last = Some(due.min(now));
        }
        let last = self.last.unwrap_or(now);
        StreamTime((last + self.pause_max).0.saturating_sub(EARLY))
    }
}

impl Signalling {
    pub(super) fn new(
        service: ServiceId,
        mode: ScramblingMode,
        pmt_pid: Pid,
        inserts: &mut Inserts,
    ) -> Self {
        Self {
            service,
            mode,
            pat: Played::new(inserts.add(Pid::PAT, 0), PAT_PAUSE_MAX),
            cat: Played::new(inserts.add(Pid::CAT, 0), CAT_REPETITION),
            pmt: Played::new(inserts.add(pmt_pid, 0), PMT_PAUSE_MAX),
            pmt_pid,
            cat_version: None,
            pmt_version: None,
        }
    }

    /// Builds all tables of the output from those of the input.
    pub(super) fn rebuild(
        &mut self,
        tables: &Tables,
        ecm: &[EcmStream],
        emm: &[EmmStream],
    ) -> Result<(), PipelineError> {
        if let Some(pat) = &tables.pat {
            self.pat.sections = pat.to_sections()?;
        }
        self.cat.sections = vec![self.build_cat(tables.cat.as_ref(), emm)?];
        if let Some(pmt) = tables.pmts.get(&self.service) {
            self.pmt.sections = vec![self.build_pmt(pmt, ecm)?];
        }
        Ok(())
    }

    fn build_cat(
        &mut self,
        input: Option<&Cat>,
        emm: &[EmmStream],
    ) -> Result<Vec<u8>, PipelineError> {
        let ours = |descriptor: &CaDescriptor| {
            emm.iter().any(|stream| stream.ca_system_id == descriptor.ca_system_id)
        };
        let mut cat = input.cloned().unwrap_or_default();
        cat.version = next_version(&mut self.cat_version, input.map(|cat| cat.version));
        // What the input says of other CA systems, and whatever else it says, stays; of ours, it
        // can only be stale.
        cat.remove_ca_descriptors(ours);
        for stream in emm {
            cat.add_ca_descriptor(&CaDescriptor::new(stream.ca_system_id, stream.pid))?;
        }
        Ok(cat.to_section()?)
    }

    fn build_pmt(&mut self, input: &Pmt, ecm: &[EcmStream]) -> Result<Vec<u8>, PipelineError> {
        let mut pmt = input.clone();
        pmt.remove_conditional_access();
        for stream in ecm {
            let ca_system_id = stream.config.super_cas_id.ca_system_id();
            pmt.add_ca_descriptor(&CaDescriptor::new(ca_system_id, stream.pid))?;
        }
        pmt.set_scrambling_mode(self.mode)?;
        pmt.version = next_version(&mut self.pmt_version, Some(input.version));
        Ok(pmt.to_section()?)
    }

    /// Plays what is due; returns when to ask again.
    pub(super) fn repeat(&mut self, inserts: &mut Inserts, now: StreamTime) -> StreamTime {
        [&mut self.pat, &mut self.cat, &mut self.pmt]
            .map(|table| table.repeat(inserts, now))
            .into_iter()
            .fold(StreamTime::NEVER, StreamTime::min)
    }

    /// The input's PMT of the service came by: ours takes its place.
    pub(super) fn replace_pmt(&mut self, inserts: &mut Inserts, now: StreamTime) {
        inserts.push(self.pmt.inserts, &self.pmt.packets(), now);
        self.pmt.played(now);
    }

    /// Another section on the PMT PID goes on as it came.
    pub(super) fn pass_section(&self, inserts: &mut Inserts, section: &[u8], now: StreamTime) {
        let packets = SectionPacketizer::new(self.pmt_pid).packetize(section);
        inserts.push(self.pmt.inserts, &packets, now);
    }
}

/// Each table that is built differs from the one before it and from the input's.
fn next_version(ours: &mut Option<u8>, input: Option<u8>) -> u8 {
    let next = ours.or(input).map_or(0, |version| version.wrapping_add(1) & 0x1F);
    *ours = Some(next);
    next
}
