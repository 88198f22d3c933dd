//! A receiver that knows nothing but what is on air.

use std::collections::BTreeMap;

use portcullis_scramble::{Cipher, KeySlots};
use portcullis_ts::psi::{Cat, Pat, Pmt, SectionAssembler, TableAssembler};
use portcullis_ts::{Packet, PacketMut, Pcr, RawPacket};

use super::super::testing::*;
use super::super::*;

/// Reads sections of one PID.
#[derive(Default)]
pub(crate) struct Reader(SectionAssembler);

impl Reader {
    pub(crate) fn push(&mut self, packet: Packet<'_>) -> Vec<Vec<u8>> {
        self.0.push(packet);
        std::iter::from_fn(|| self.0.pop()).collect()
    }
}

/// A receiver that opens a service with the control words of the fake ECMs. A control word whose
/// parity is in use is held until the packets change parity.
pub(crate) struct Receiver {
    pub(crate) mode: ScramblingMode,
    pub(crate) pmt: Option<Pmt>,
    pub(crate) cat: Option<Cat>,
    pub(crate) pat: Reader,
    pub(crate) cats: TableAssembler,
    pub(crate) cat_pid: Reader,
    pub(crate) pmt_pid: Option<(Pid, Reader)>,
    pub(crate) ecm: Reader,
    pub(crate) ecm_times: Vec<(StreamTime, u16)>,
    pub(crate) keys: KeySlots,
    pub(crate) next: BTreeMap<u16, Vec<u8>>,
}

impl Receiver {
    pub(crate) fn new(mode: ScramblingMode) -> Self {
        Self {
            mode,
            pmt: None,
            cat: None,
            pat: Reader::default(),
            cats: TableAssembler::new(),
            cat_pid: Reader::default(),
            pmt_pid: None,
            ecm: Reader::default(),
            ecm_times: Vec::new(),
            keys: KeySlots::new(),
            next: BTreeMap::new(),
        }
    }

    pub(crate) fn ecm_pid(&self) -> Option<Pid> {
        self.pmt.as_ref()?.ecm_pid(CaSystemId(0x7A10))
    }

    /// Descrambles a packet with what is known so far.
    pub(crate) fn push(&mut self, raw: &RawPacket, time: StreamTime) -> RawPacket {
        let mut packet = *raw;
        let view = Packet::new(raw);
        if view.pid() == Pid::PAT {
            for section in self.pat.push(view) {
                let at = Pat::parse(&[section]).unwrap().pmt_pid(ServiceId(1)).unwrap();
                self.pmt_pid.get_or_insert_with(|| (at, Reader::default()));
            }
        } else if view.pid() == Pid::CAT {
            for section in self.cat_pid.push(view) {
                if let Some(sections) = self.cats.push(section).unwrap() {
                    self.cat = Some(Cat::parse(&sections).unwrap());
                }
            }
        } else if self.pmt_pid.as_ref().is_some_and(|(at, _)| *at == view.pid()) {
            for section in self.pmt_pid.as_mut().unwrap().1.push(view) {
                let pmt = Pmt::parse(&section).unwrap();
                if pmt.service == ServiceId(1) {
                    self.pmt = Some(pmt);
                }
            }
        } else if Some(view.pid()) == self.ecm_pid() {
            for section in self.ecm.push(view) {
                self.take_ecm(&section, time);
            }
        } else if let Some(parity) = view.tsc().parity() {
            let length = self.mode.control_word_len();
            let number = *self.next.keys().find(|n| CpNumber(**n).parity() == parity).unwrap();
            let cipher = Cipher::new(self.mode, &self.next[&number][..length]).unwrap();
            self.keys.set(parity, cipher);
            self.keys.descramble_packet(&mut packet);
        }
        packet
    }

    pub(crate) fn take_ecm(&mut self, section: &[u8], time: StreamTime) {
        let number = u16::from_be_bytes([section[3], section[4]]);
        self.ecm_times.push((time, number));
        self.next = section[5..]
            .chunks(2 + self.mode.control_word_len())
            .map(|word| (u16::from_be_bytes([word[0], word[1]]), word[2..].to_vec()))
            .collect();
    }
}

pub(crate) fn of(packets: &[RawPacket], number: u16) -> Vec<RawPacket> {
    packets.iter().filter(|p| Packet::new(p).pid().get() == number).copied().collect()
}

/// Clock references say where a packet is, and may change.
fn without_clocks(mut packets: Vec<RawPacket>) -> Vec<RawPacket> {
    for raw in &mut packets {
        PacketMut::new(raw).set_pcr(Pcr::from_ticks(0));
    }
    packets
}

/// Descrambles everything and checks that every PID of the content came through untouched.
pub(crate) fn check_identity(mode: ScramblingMode, input: &[RawPacket], out: &Played) -> Receiver {
    let mut receiver = Receiver::new(mode);
    let opened: Vec<_> =
        out.packets.iter().zip(&out.times).map(|(raw, time)| receiver.push(raw, *time)).collect();
    for number in [VIDEO, AUDIO, OTHER] {
        let content = |packets| without_clocks(of(packets, number));
        assert!(content(&opened) == content(input), "PID {number:#x}");
    }
    assert!(out.times.is_sorted());
    receiver
}
