//! Opens a stream with what stands in it: PAT, PMT, and the clear control words of the ECMs.

use std::collections::BTreeMap;

use portcullis_scramble::{Cipher, KeySlots};
use portcullis_ts::psi::{Pat, Pmt, SectionAssembler};
use portcullis_ts::{Packet, RawPacket};
use portcullis_types::{CaSystemId, CpNumber, Pid, ScramblingMode, ServiceId};

pub(crate) struct Receiver {
    service: ServiceId,
    mode: ScramblingMode,
    sections: BTreeMap<Pid, SectionAssembler>,
    pmt_pid: Option<Pid>,
    pub(crate) pmt: Option<Pmt>,
    ecm_pid: Option<Pid>,
    pub(crate) ecms: usize,
    words: BTreeMap<u16, Vec<u8>>,
}

impl Receiver {
    pub(crate) fn new(service: u16, mode: ScramblingMode) -> Self {
        Self {
            service: ServiceId(service),
            mode,
            sections: BTreeMap::new(),
            pmt_pid: None,
            pmt: None,
            ecm_pid: None,
            ecms: 0,
            words: BTreeMap::new(),
        }
    }

    /// All packets in clear; a packet without its key is a failure.
    pub(crate) fn open(&mut self, packets: &[RawPacket]) -> Vec<RawPacket> {
        packets.iter().map(|packet| self.push(packet)).collect()
    }

    pub(crate) fn push(&mut self, raw: &RawPacket) -> RawPacket {
        let packet = Packet::new(raw);
        let pid = packet.pid();
        if pid == Pid::PAT || Some(pid) == self.pmt_pid || Some(pid) == self.ecm_pid {
            let assembler = self.sections.entry(pid).or_default();
            assembler.push(packet);
            while let Some(section) = self.sections.get_mut(&pid).unwrap().pop() {
                self.read(pid, &section);
            }
        }
        let mut opened = *raw;
        if let Some(parity) = packet.tsc().parity() {
            let number = self.words.keys().find(|n| CpNumber(**n).parity() == parity).unwrap();
            let mut slots = KeySlots::new();
            slots.set(parity, Cipher::new(self.mode, &self.words[number]).unwrap());
            slots.descramble_packet(&mut opened);
        }
        opened
    }

    fn read(&mut self, pid: Pid, section: &[u8]) {
        if pid == Pid::PAT {
            self.pmt_pid = Pat::parse(&[section.to_vec()]).unwrap().pmt_pid(self.service);
        } else if Some(pid) == self.pmt_pid {
            let pmt = Pmt::parse(section).unwrap();
            if pmt.service == self.service {
                self.ecm_pid = pmt.ecm_pid(CaSystemId(0x7A10));
                self.pmt = Some(pmt);
            }
        } else {
            self.ecms += 1;
            self.words = section[5..]
                .chunks(2 + self.mode.control_word_len())
                .map(|word| (u16::from_be_bytes([word[0], word[1]]), word[2..].to_vec()))
                .collect();
        }
    }
}

/// The packets of some PIDs.
pub(crate) fn of(packets: &[RawPacket], pids: &[Pid]) -> Vec<RawPacket> {
    packets.iter().filter(|packet| pids.contains(&Packet::new(packet).pid())).copied().collect()
}

/// The packets of some PIDs, their clock references apart: in a file those follow the packet's
/// new place.
pub(crate) fn without_clocks(packets: &[RawPacket], pids: &[Pid]) -> Vec<RawPacket> {
    let mut kept = of(packets, pids);
    for packet in &mut kept {
        // An adaptation field with at least flags and PCR, and the PCR flag in it.
        if packet[3] & 0x20 != 0 && packet[4] >= 7 && packet[5] & 0x10 != 0 {
            packet[6..12].fill(0);
        }
    }
    kept
}
