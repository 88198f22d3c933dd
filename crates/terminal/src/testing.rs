//! Test kit: a chip without keys, and small streams.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use portcullis_chipset::{ChipError, ChipHandleError, Descrambled, SessionId};
use portcullis_crypto::sha256;
use portcullis_ts::psi::{CaDescriptor, Cat, Pat, Pmt, PmtStream, Program, SectionPacketizer};
use portcullis_ts::{Packet, RawPacket};
use portcullis_types::{CaSystemId, Parity, Pid, ScramblingMode, ServiceId};

use crate::chip::SecurityChip;
use crate::discovery::Discovery;

type Result<T> = std::result::Result<T, ChipHandleError>;

/// A chip that seals, counts and remembers what it was asked.
pub(crate) struct FakeChip {
    number: u8,
    counters: BTreeMap<String, u64>,
    pub(crate) asked: Vec<String>,
    pub(crate) refuse: Option<ChipError>,
    pub(crate) gone: bool,
}

impl FakeChip {
    pub(crate) fn new(number: u8) -> Self {
        Self { number, counters: BTreeMap::new(), asked: Vec::new(), refuse: None, gone: false }
    }

    fn ask(&mut self, what: String) -> Result<()> {
        self.asked.push(what);
        if self.gone {
            return Err(ChipHandleError::ChipGone);
        }
        self.refuse.clone().map_or(Ok(()), |error| Err(error.into()))
    }
}

impl SecurityChip for FakeChip {
    fn set_pids(&mut self, _: SessionId, pids: &[Pid]) -> Result<()> {
        self.ask(format!("pids {pids:?}"))
    }

    fn set_ek2(&mut self, _: SessionId, message: &[u8]) -> Result<()> {
        self.ask(format!("ek2 {}", message.len()))
    }

    fn set_ek1(&mut self, _: SessionId, message: &[u8]) -> Result<()> {
        self.ask(format!("ek1 {}", message.len()))
    }

    fn open_message(&mut self, _: SessionId, message: &[u8]) -> Result<Vec<u8>> {
        self.ask(format!("open {}", message.len()))?;
        Ok(vec![0xB0; message.len() / 2])
    }

    fn load_cw(&mut self, _: SessionId, parity: Parity, _: &[u8; 16], uri: &[u8]) -> Result<()> {
        self.ask(format!("cw {parity:?} {}", uri.len()))
    }

    fn release(&mut self, _: SessionId) -> Result<()> {
        self.ask("release".into())
    }

    fn close_session(&mut self, _: SessionId) -> Result<()> {
        self.ask("close".into())
    }

    fn challenge(&mut self, _: SessionId, nonce: &[u8; 16]) -> Result<[u8; 16]> {
        self.ask("challenge".into())?;
        Ok(nonce.map(|octet| octet ^ 0xFF))
    }

    fn descramble(&mut self, _: SessionId, packets: &mut [RawPacket]) -> Result<Descrambled> {
        self.ask(format!("descramble {}", packets.len()))?;
        Ok(Descrambled::default())
    }

    fn seal(&mut self, label: &str, data: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = sha256(&[&[self.number], label.as_bytes(), b"\0", data]).to_vec();
        sealed.extend_from_slice(data);
        Ok(sealed)
    }

    fn unseal(&mut self, label: &str, data: &[u8]) -> Result<Vec<u8>> {
        let (tag, plain) = data.split_at_checked(32).ok_or(ChipError::SealRefused)?;
        if sha256(&[&[self.number], label.as_bytes(), b"\0", plain]).as_slice() == tag {
            Ok(plain.to_vec())
        } else {
            Err(ChipError::SealRefused.into())
        }
    }

    fn counter_read(&mut self, name: &str) -> Result<u64> {
        Ok(self.counters.get(name).copied().unwrap_or(0))
    }

    fn counter_raise(&mut self, name: &str, value: u64) -> Result<()> {
        self.counters.insert(name.to_owned(), value);
        Ok(())
    }
}

/// The packets of one section on a PID.
pub(crate) fn section_packets(pid: Pid, section: &[u8]) -> Vec<RawPacket> {
    SectionPacketizer::new(pid).packetize(section)
}

/// Feeds packets to a discovery.
pub(crate) fn feed(discovery: &mut Discovery, packets: &[RawPacket]) {
    for packet in packets {
        discovery.push(Packet::new(packet));
    }
}

/// PAT, CAT and PMTs of a small stream.
pub(crate) struct StreamBuilder {
    packets: Vec<RawPacket>,
}

impl StreamBuilder {
    /// Service 1 in clear on 0x111, service 2 under two CA systems on 0x211 and 0x212.
    pub(crate) fn two_services() -> Self {
        let pid = |pid| Pid::new(pid).unwrap();
        let program = |service, pmt_pid| Program { service: ServiceId(service), pmt_pid };
        let pat = Pat {
            transport_stream_id: 1,
            version: 0,
            network_pid: None,
            programs: vec![program(1, pid(0x110)), program(2, pid(0x210))],
        };
        let mut cat = Cat::default();
        let ca = |system, at| CaDescriptor::new(CaSystemId(system), pid(at));
        cat.add_ca_descriptor(&ca(0x7A10, 0x400)).unwrap();
        cat.add_ca_descriptor(&ca(0x7B20, 0x401)).unwrap();
        let pmt = |service, pids: &[u16]| Pmt {
            service: ServiceId(service),
            version: 0,
            pcr_pid: None,
            descriptors: Vec::new(),
            streams: pids
                .iter()
                .map(|at| PmtStream { stream_type: 0x1B, pid: pid(*at), descriptors: Vec::new() })
                .collect(),
        };
        let clear = pmt(1, &[0x111]);
        let mut scrambled = pmt(2, &[0x211, 0x212]);
        scrambled.add_ca_descriptor(&ca(0x7A10, 0x300)).unwrap();
        scrambled.add_ca_descriptor(&ca(0x7B20, 0x301)).unwrap();
        scrambled.set_scrambling_mode(ScramblingMode::Cissa).unwrap();
        let mut packets = Vec::new();
        for section in pat.to_sections().unwrap() {
            packets.extend(section_packets(Pid::PAT, &section));
        }
        packets.extend(section_packets(Pid::CAT, &cat.to_section().unwrap()));
        packets.extend(section_packets(pid(0x110), &clear.to_section().unwrap()));
        packets.extend(section_packets(pid(0x210), &scrambled.to_section().unwrap()));
        Self { packets }
    }

    pub(crate) fn packets(&self) -> Vec<RawPacket> {
        self.packets.clone()
    }
}
