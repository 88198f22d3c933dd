//! Just enough of ISO/IEC 13818-1 to judge an output: packets, PAT, PMT, payloads.

use std::collections::BTreeSet;
use std::path::Path;

const PACKET: usize = 188;

/// A transport stream in memory.
pub struct Packets(Vec<u8>);

/// What the PMT of a service says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programme {
    /// PIDs of the elementary streams.
    pub streams: Vec<u16>,
    /// CA_system_id and ECM PID of each CA_descriptor, at any level.
    pub ca: Vec<(u16, u16)>,
}

impl Packets {
    /// Reads a file.
    ///
    /// # Panics
    /// When it is no transport stream from its first octet to its last.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let bytes =
            std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(!bytes.is_empty(), "{} is empty", path.display());
        assert_eq!(bytes.len() % PACKET, 0, "{} ends within a packet", path.display());
        let packets = Self(bytes);
        assert!(packets.iter().all(|packet| packet[0] == 0x47), "{} lost sync", path.display());
        packets
    }

    /// The packets in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.chunks_exact(PACKET)
    }

    /// The packets of one PID.
    pub fn of(&self, pid: u16) -> impl Iterator<Item = &[u8]> {
        self.iter().filter(move |packet| self::pid(packet) == pid)
    }

    /// All payload octets of one PID, in order.
    #[must_use]
    pub fn payload(&self, pid: u16) -> Vec<u8> {
        self.of(pid).flat_map(|packet| payload(packet).iter().copied()).collect()
    }

    /// How many packets with payload of these PIDs are scrambled, and how many there are.
    #[must_use]
    pub fn scrambled(&self, pids: &[u16]) -> (usize, usize) {
        let all: Vec<&[u8]> = self
            .iter()
            .filter(|packet| pids.contains(&pid(packet)) && !payload(packet).is_empty())
            .collect();
        (all.iter().filter(|packet| packet[3] & 0xC0 != 0).count(), all.len())
    }

    /// Values of transport_scrambling_control that occur on these PIDs.
    #[must_use]
    pub fn parities(&self, pids: &[u16]) -> BTreeSet<u8> {
        let of_pids = self.iter().filter(|packet| pids.contains(&pid(packet)));
        of_pids.map(|packet| packet[3] >> 6).collect()
    }

    /// The service's newest PMT.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn programme(&self, service: u16) -> Programme {
        let pat = self.section(0, 0x00).expect("a PAT");
        let entries = pat[8..pat.len() - 4].chunks_exact(4);
        let pmt_pid = entries
            .filter(|entry| number(entry) == service)
            .map(|entry| number(&entry[2..]) & 0x1FFF)
            .next()
            .unwrap_or_else(|| panic!("no service {service} in the PAT"));
        programme(&self.section(pmt_pid, 0x02).expect("a PMT"))
    }

    /// The CA_system_id and EMM PID of each CA_descriptor in the CAT.
    #[must_use]
    pub fn cat(&self) -> Vec<(u16, u16)> {
        self.section(1, 0x01).map_or_else(Vec::new, |cat| ca_of(&cat[8..cat.len() - 4]))
    }

    /// The last whole section of a table on a PID.
    #[must_use]
    pub fn section(&self, pid: u16, table: u8) -> Option<Vec<u8>> {
        let mut found = None;
        let mut open: Vec<u8> = Vec::new();
        for packet in self.of(pid) {
            let mut rest = payload(packet);
            if packet[1] & 0x40 != 0 && !rest.is_empty() {
                let pointer = usize::from(rest[0]);
                open.clear();
                rest = rest.get(1 + pointer..).unwrap_or_default();
            } else if open.is_empty() {
                continue;
            }
            open.extend_from_slice(rest);
            if open.len() >= 3 {
                let length = 3 + usize::from(number(&open[1..]) & 0x0FFF);
                if open.len() >= length && open[0] == table {
                    found = Some(open[..length].to_vec());
                    open.clear();
                }
            }
        }
        found
    }
}

fn programme(pmt: &[u8]) -> Programme {
    let info = usize::from(number(&pmt[10..]) & 0x0FFF);
    let mut ca = ca_of(&pmt[12..12 + info]);
    let mut streams = Vec::new();
    let mut rest = &pmt[12 + info..pmt.len() - 4];
    while rest.len() >= 5 {
        streams.push(number(&rest[1..]) & 0x1FFF);
        let length = usize::from(number(&rest[3..]) & 0x0FFF);
        ca.extend(ca_of(&rest[5..5 + length]));
        rest = &rest[5 + length..];
    }
    Programme { streams, ca }
}

fn ca_of(mut descriptors: &[u8]) -> Vec<(u16, u16)> {
    let mut found = Vec::new();
    while descriptors.len() >= 2 {
        let length = usize::from(descriptors[1]);
        if descriptors[0] == 0x09 {
            found.push((number(&descriptors[2..]), number(&descriptors[4..]) & 0x1FFF));
        }
        descriptors = &descriptors[2 + length..];
    }
    found
}

fn number(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}

fn pid(packet: &[u8]) -> u16 {
    number(&packet[1..]) & 0x1FFF
}

fn payload(packet: &[u8]) -> &[u8] {
    let start = match packet[3] & 0x30 {
        0x10 => 4,
        0x30 => 5 + usize::from(packet[4]),
        _ => PACKET,
    };
    packet.get(start..).unwrap_or_default()
}
