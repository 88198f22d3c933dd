//! Sections and tables: round trips, edits, damage, and octets from nowhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use portcullis_ts::psi::{
    CaDescriptor, Cat, LongHeader, Pat, Pmt, PmtStream, Program, PsiError, Sdt, SectionAssembler,
    SectionPacketizer, TableAssembler,
};
use portcullis_ts::{Packet, PacketMut, RawPacket, ScramblingControl};
use portcullis_types::{CaSystemId, Parity, Pid, ScramblingMode, ServiceId};
use proptest::prelude::*;

fn pid(number: u16) -> Pid {
    Pid::new(number).unwrap()
}

fn pat(programs: u16) -> Pat {
    Pat {
        transport_stream_id: 0x1234,
        version: 7,
        network_pid: Some(pid(0x10)),
        programs: (1..=programs)
            .map(|n| Program { service: ServiceId(n), pmt_pid: pid(0x1000 + n) })
            .collect(),
    }
}

fn pmt() -> Pmt {
    Pmt {
        service: ServiceId(0x0810),
        version: 31,
        pcr_pid: Some(pid(0x101)),
        descriptors: vec![0x05, 4, b'H', b'D', b'M', b'V'],
        streams: vec![
            PmtStream { stream_type: 0x1B, pid: pid(0x101), descriptors: vec![0x52, 1, 1] },
            PmtStream { stream_type: 0x0F, pid: pid(0x102), descriptors: Vec::new() },
        ],
    }
}

fn sections(packets: &[RawPacket]) -> Vec<Vec<u8>> {
    let mut assembler = SectionAssembler::new();
    let mut found = Vec::new();
    for packet in packets {
        assembler.push(Packet::new(packet));
        found.extend(std::iter::from_fn(|| assembler.pop()));
    }
    found
}

#[test]
fn tables_round_trip() {
    for programs in [0, 1, 253, 600] {
        let pat = pat(programs);
        let sections = pat.to_sections().unwrap();
        assert!(sections.iter().all(|section| section.len() <= 1024));
        assert_eq!(Pat::parse(&sections).unwrap(), pat);
    }
    assert_eq!(Pmt::parse(&pmt().to_section().unwrap()).unwrap(), pmt());
    assert_eq!(pat(3).pmt_pid(ServiceId(2)), Some(pid(0x1002)));
    assert_eq!(pat(3).pmt_pid(ServiceId(4)), None);
}

// spec-test: D-02
#[test]
fn a_pmt_takes_conditional_access_and_gives_it_back() {
    let mut edited = pmt();
    for (id, at) in [(0x7A10, 0x1F0), (0x7B20, 0x1F1)] {
        edited.add_ca_descriptor(&CaDescriptor::new(CaSystemId(id), pid(at))).unwrap();
    }
    edited.set_scrambling_mode(ScramblingMode::Csa2).unwrap();
    edited.set_scrambling_mode(ScramblingMode::Cissa).unwrap();
    edited.bump_version();
    let read = Pmt::parse(&edited.to_section().unwrap()).unwrap();
    assert_eq!(read.version, 0, "31 is followed by 0");
    assert_eq!(read.ecm_pid(CaSystemId(0x7B20)), Some(pid(0x1F1)));
    assert_eq!(read.scrambling_mode_value(), Some(0x10));
    assert_eq!(
        read.descriptors[6..],
        [9, 4, 0x7A, 0x10, 0xE1, 0xF0, 9, 4, 0x7B, 0x20, 0xE1, 0xF1, 0x65, 1, 0x10]
    );
    edited.remove_conditional_access();
    assert_eq!(edited.descriptors, pmt().descriptors);
}

#[test]
fn a_component_may_have_a_ca_descriptor_of_its_own() {
    let mut pmt = pmt();
    let descriptor = CaDescriptor {
        ca_system_id: CaSystemId(0x7A10),
        pid: pid(0x1F0),
        private_data: vec![1, 2, 3],
    };
    pmt.streams[1].descriptors = descriptor.to_bytes().unwrap();
    assert_eq!(pmt.ca_descriptors(), [descriptor]);
    assert_eq!(pmt.ecm_pid(CaSystemId(0x7A10)), Some(pid(0x1F0)));
}

#[test]
fn a_cat_round_trips() {
    let mut cat = Cat { version: 3, descriptors: Vec::new() };
    cat.add_ca_descriptor(&CaDescriptor::new(CaSystemId(0x7A10), pid(0x1EE))).unwrap();
    let section = cat.to_section().unwrap();
    assert_eq!(Cat::parse(&[section]).unwrap(), cat);
    assert_eq!(cat.ca_descriptors()[0].pid, pid(0x1EE));
}

#[test]
fn what_does_not_fit_a_section_is_refused() {
    let mut cat = Cat::default();
    let long =
        CaDescriptor { ca_system_id: CaSystemId(1), pid: pid(0x20), private_data: vec![0; 252] };
    assert!(matches!(cat.add_ca_descriptor(&long), Err(PsiError::DoesNotFit { .. })));
    let fits = CaDescriptor { private_data: vec![0; 251], ..long };
    (0..4).for_each(|_| cat.add_ca_descriptor(&fits).unwrap());
    assert!(matches!(cat.to_section(), Err(PsiError::DoesNotFit { table: "CAT", .. })));
    let mut pmt = pmt();
    pmt.descriptors = vec![0; 1_010];
    assert!(matches!(pmt.to_section(), Err(PsiError::DoesNotFit { table: "PMT", .. })));
}

#[test]
fn a_damaged_section_is_no_table() {
    let section = pmt().to_section().unwrap();
    for at in 0..section.len() {
        for bit in 0..8 {
            let mut damaged = section.clone();
            damaged[at] ^= 1 << bit;
            assert!(Pmt::parse(&damaged).is_err(), "bit {bit} of octet {at}");
        }
    }
    for length in 0..section.len() {
        assert!(LongHeader::parse(&section[..length]).is_err());
    }
}

#[test]
fn names_of_services_are_read() {
    // One service: running, free_CA_mode set, service_descriptor with provider and name.
    let mut body = vec![0x12, 0x34, 0xC1, 0, 0, 0x20, 0x01, 0xFF];
    let descriptor = [&[0x48, 13, 1, 3][..], b"Pro", &[7], b"Gate 1!"].concat();
    body.extend([0, 9, 0xFC, 0x90, descriptor.len() as u8]);
    body.extend(descriptor);
    let length = body.len() + 4;
    let mut section = vec![0x42, 0xF0, length as u8];
    section.extend(body);
    section.extend(crc(&section).to_be_bytes());
    let sdt = Sdt::parse(&[section]).unwrap();
    assert_eq!(sdt.name(ServiceId(9)), Some("Gate 1!"));
    assert_eq!(sdt.name(ServiceId(1)), None);
    assert!(sdt.services[0].free_ca_mode);
}

/// CRC_32 of ISO/IEC 13818-1 annex A, bit by bit.
fn crc(octets: &[u8]) -> u32 {
    octets.iter().fold(0xFFFF_FFFF, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 }
        })
    })
}

#[test]
fn sections_survive_packets_of_any_fill() {
    let mut out = SectionPacketizer::new(pid(0x123));
    let long: Vec<Vec<u8>> = [3, 180, 183, 184, 185, 400, 4096]
        .into_iter()
        .map(|length: usize| {
            let mut section = vec![length as u8; length];
            section[..3].copy_from_slice(&[
                0x82,
                0x70 | ((length - 3) >> 8) as u8,
                (length - 3) as u8,
            ]);
            section
        })
        .collect();
    let slices: Vec<_> = long.iter().map(Vec::as_slice).collect();
    let together = out.packetize_all(&slices);
    assert_eq!(sections(&together), long);
    let apart: Vec<_> = long.iter().flat_map(|section| out.packetize(section)).collect();
    assert_eq!(sections(&apart), long);
    for (n, packet) in together.iter().chain(&apart).map(Packet::new).enumerate() {
        assert_eq!((packet.pid(), packet.cc()), (pid(0x123), (n & 15) as u8));
    }
}

#[test]
fn lost_repeated_and_scrambled_packets_never_join_halves() {
    let section = {
        let mut section = vec![0x5A; 500];
        section[..3].copy_from_slice(&[0x82, 0x71, 0xF1]);
        section
    };
    let mut out = SectionPacketizer::new(pid(0x50));
    let mut packets = out.packetize(&section);
    packets.extend(out.packetize(&section));
    assert_eq!(packets.len(), 6);
    let mut repeated = packets.clone();
    repeated.insert(1, packets[1]);
    repeated.insert(1, packets[0]);
    assert_eq!(sections(&repeated), [section.clone(), section.clone()]);
    let mut lost = packets.clone();
    lost.remove(1);
    assert_eq!(sections(&lost), std::slice::from_ref(&section));
    PacketMut::new(&mut packets[1]).set_tsc(ScramblingControl::Scrambled(Parity::Even));
    assert_eq!(sections(&packets), [section]);
}

#[test]
fn a_table_is_given_once_per_version_and_only_whole() {
    let mut table = TableAssembler::new();
    let first = pat(600).to_sections().unwrap();
    assert_eq!(first.len(), 3);
    for section in [&first[2], &first[0], &first[0]] {
        assert_eq!(table.push(section.clone()).unwrap(), None);
    }
    assert_eq!(table.push(first[1].clone()).unwrap(), Some(first.clone()));
    for section in &first {
        assert_eq!(table.push(section.clone()).unwrap(), None, "nothing new");
    }
    let second = Pat { version: 8, ..pat(1) }.to_sections().unwrap();
    assert_eq!(table.push(second[0].clone()).unwrap(), Some(second));
}

proptest! {
    #[test]
    fn octets_from_nowhere_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..1200)) {
        let _ = Pmt::parse(&octets);
        let _ = Pat::parse(std::slice::from_ref(&octets));
        let _ = Cat::parse(std::slice::from_ref(&octets));
        let _ = Sdt::parse(std::slice::from_ref(&octets));
        let _ = portcullis_ts::psi::ca_descriptors(&octets);
        let _ = portcullis_ts::psi::scrambling_mode_value(&octets);
        let _ = TableAssembler::new().push(octets);
    }

    // The CRC keeps strangers out of the table parsers; this lets them in.
    #[test]
    fn bodies_from_nowhere_with_a_right_crc_never_panic(
        table_id in prop_oneof![Just(0u8), Just(1), Just(2), Just(0x42)],
        body in proptest::collection::vec(any::<u8>(), 5..300),
    ) {
        let length = body.len() + 4;
        let mut section = vec![table_id, 0xB0 | (length >> 8) as u8, length as u8];
        section.extend(body);
        section.extend(crc(&section).to_be_bytes());
        if let Ok(pmt) = Pmt::parse(&section) {
            let _ = (pmt.ca_descriptors(), pmt.scrambling_mode_value(), pmt.to_section());
        }
        let _ = Pat::parse(std::slice::from_ref(&section)).map(|pat| pat.to_sections());
        let _ = Cat::parse(std::slice::from_ref(&section)).map(|cat| cat.ca_descriptors());
        let _ = Sdt::parse(std::slice::from_ref(&section));
    }

    #[test]
    fn packets_from_nowhere_never_panic_the_assembler(
        payloads in proptest::collection::vec((any::<[u8; 16]>(), any::<u8>()), 0..40),
    ) {
        let mut assembler = SectionAssembler::new();
        for (head, fill) in payloads {
            let mut raw = [fill; 188];
            raw[..16].copy_from_slice(&head);
            raw[0] = 0x47;
            assembler.push(Packet::new(&raw));
            while let Some(section) = assembler.pop() {
                prop_assert!(section.len() <= portcullis_ts::psi::SECTION_MAX + 3);
            }
        }
    }
}
