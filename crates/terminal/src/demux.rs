//! From packets to CA sections: which PIDs carry ECM and EMM, and the sections they make.
//!
//! Clause: X.1198 7 (data manager watches the content). A section that is no CA section, or too
//! long, is dropped here; nothing else is.

use portcullis_ts::Packet;
use portcullis_ts::psi::SectionAssembler;
use portcullis_types::Pid;

/// Octets of the longest EMM section.
const EMM_MAX: usize = 1024;
/// Octets of the longest ECM section.
const ECM_MAX: usize = 256;

/// A CA section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum CaSection {
    /// table_id 0x80 or 0x81.
    Ecm(Vec<u8>),
    /// table_id 0x82 to 0x8F.
    Emm(Vec<u8>),
}

/// Takes the CA sections of one client out of the stream.
#[derive(Default)]
pub(crate) struct Demux {
    ecm: Option<(Pid, SectionAssembler)>,
    emm: Option<(Pid, SectionAssembler)>,
}

impl Demux {
    /// Sets the PIDs; an assembler whose PID stays the same goes on.
    pub(crate) fn set_pids(&mut self, ecm: Option<Pid>, emm: Option<Pid>) {
        replace(&mut self.ecm, ecm);
        replace(&mut self.emm, emm);
    }

    /// Takes a packet and gives the sections that it completed.
    pub(crate) fn push(&mut self, packet: Packet<'_>) -> Vec<CaSection> {
        let mut sections = Vec::new();
        let pid = packet.pid();
        for (place, max) in [(&mut self.ecm, ECM_MAX), (&mut self.emm, EMM_MAX)] {
            if let Some((wanted, assembler)) = place
                && *wanted == pid
            {
                assembler.push(packet);
                while let Some(section) = assembler.pop() {
                    if section.len() <= max {
                        sections.extend(classify(section));
                    }
                }
                // ECM and EMM may share a PID; one assembler is enough then.
                break;
            }
        }
        sections
    }
}

fn replace(place: &mut Option<(Pid, SectionAssembler)>, pid: Option<Pid>) {
    if place.as_ref().map(|(pid, _)| *pid) != pid {
        *place = pid.map(|pid| (pid, SectionAssembler::new()));
    }
}

fn classify(section: Vec<u8>) -> Option<CaSection> {
    let (table_id, high, low) = match section.as_slice() {
        [table_id, high, low, ..] => (*table_id, *high, *low),
        _ => return None,
    };
    let length = usize::from(u16::from_be_bytes([high & 0x0F, low])) + 3;
    if length != section.len() {
        return None;
    }
    match table_id {
        0x80 | 0x81 => Some(CaSection::Ecm(section)),
        0x82..=0x8F => Some(CaSection::Emm(section)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::section_packets;

    #[test]
    fn sections_come_out_by_kind_and_foreign_tables_do_not() {
        let (ecm_pid, emm_pid) = (Pid::new(0x100).unwrap(), Pid::new(0x101).unwrap());
        let mut demux = Demux::default();
        demux.set_pids(Some(ecm_pid), Some(emm_pid));
        let section = |table_id: u8, body: usize| {
            let mut section = vec![table_id, 0x70 | (body >> 8) as u8, body as u8];
            section.resize(3 + body, 0xAA);
            section
        };
        let (ecm, emm) = (section(0x80, 100), section(0x84, 600));
        let mut got = Vec::new();
        for packet in section_packets(ecm_pid, &ecm)
            .iter()
            .chain(&section_packets(emm_pid, &emm))
            .chain(&section_packets(emm_pid, &section(0x42, 60)))
            .chain(&section_packets(ecm_pid, &section(0x81, 400)))
        {
            got.extend(demux.push(Packet::new(packet)));
        }
        assert_eq!(got, [CaSection::Ecm(ecm), CaSection::Emm(emm)]);
    }
}
