//! What reaches the receiver: everything of the content, and what opens it.

use std::collections::BTreeMap;

use portcullis_ts::psi::{CaDescriptor, Cat, Pmt, SectionPacketizer};
use portcullis_ts::{Packet, RawPacket};

use super::super::testing::*;
use super::super::*;
use super::receiver::*;

// spec-test: S-18 D-05 D-K9
#[test]
fn every_mode_gives_the_content_back_octet_by_octet() {
    for mode in [
        ScramblingMode::Cissa,
        ScramblingMode::Csa2,
        ScramblingMode::Csa2Full,
        ScramblingMode::Idsa,
        ScramblingMode::AesCbc,
    ] {
        for nulls in [true, false] {
            let input = Made { nulls, shared_pmt_pid: false, seconds: 5 }.packets();
            let (out, events, stats) = run(PipelineConfig { mode, ..config() }, &input);
            let receiver = check_identity(mode, &input, &out);
            let expected = of(&input, VIDEO).len() + of(&input, AUDIO).len();
            assert_eq!(stats.scrambled as usize, expected, "{mode}");
            assert_eq!(stats.packets as usize, out.packets.len());
            assert_eq!(
                receiver.pmt.unwrap().scrambling_mode_value(),
                Some(mode.descriptor_value())
            );
            assert_eq!(stats.nulls_replaced > 0, nulls);
            let numbers: Vec<_> = events
                .iter()
                .map(|event| match event {
                    Event::CryptoPeriod { cp_number, .. } => cp_number.0,
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(numbers, [0xFFFE, 0xFFFF, 0, 1, 2]);
        }
    }
}

#[test]
fn null_packets_give_their_place() {
    let input = Made { nulls: true, shared_pmt_pid: false, seconds: 5 }.packets();
    let (out, _, stats) = run(config(), &input);
    // What stands in front is inserted, and a new ECM does not wait for a null packet; later
    // null packets make up for both.
    assert_eq!(out.packets.len(), input.len());
    assert!(stats.nulls_replaced > 80);
}

#[test]
fn a_file_begins_with_pat_cat_pmt_emm_and_ecm() {
    let input = Made { nulls: true, shared_pmt_pid: false, seconds: 2 }.packets();
    let (out, ..) = run(config(), &input);
    let receiver = check_identity(ScramblingMode::Cissa, &input, &out);
    let emm_pid = receiver.cat.unwrap().ca_descriptors()[0].pid;
    let ecm_pid = receiver.pmt.as_ref().unwrap().ecm_pid(CaSystemId(0x7A10)).unwrap();
    let order: Vec<_> = out.packets.iter().take(6).map(|p| Packet::new(p).pid()).collect();
    assert_eq!(order, [Pid::PAT, Pid::CAT, pid(PMT_1), emm_pid, emm_pid, ecm_pid]);
    assert!(out.packets[6] != input[0], "the first packet of the service is scrambled");
    assert_eq!(out.packets[6][4..6], input[0][4..6]);
    for used in [ecm_pid, emm_pid] {
        assert!(of(&input, used.get()).is_empty());
    }
    // Continuity over all PIDs, the PAT's own packets included.
    let mut counters = BTreeMap::new();
    for packet in out.packets.iter().map(Packet::new).filter(|p| p.pid() != Pid::NULL) {
        if let Some(last) = counters.insert(packet.pid(), packet.cc()) {
            assert_eq!(packet.cc(), (last + 1) & 15, "{packet:?}");
        }
    }
    assert!(of(&out.packets, 0)[1..] == of(&input, 0), "the PAT passes as it came");
}

#[test]
fn other_services_keep_their_tables_also_on_a_shared_pmt_pid() {
    for shared_pmt_pid in [false, true] {
        let input = Made { nulls: false, shared_pmt_pid, seconds: 2 }.packets();
        let (out, ..) = run(config(), &input);
        check_identity(ScramblingMode::Cissa, &input, &out);
        let at = if shared_pmt_pid { PMT_1 } else { PMT_2 };
        let read = |packets: &[RawPacket]| -> Vec<Vec<u8>> {
            let mut reader = Reader::default();
            let sections = of(packets, at)
                .iter()
                .flat_map(|p| reader.push(Packet::new(p)))
                .collect::<Vec<_>>();
            sections
                .into_iter()
                .filter(|s| Pmt::parse(s).unwrap().service == ServiceId(2))
                .collect()
        };
        assert_eq!(read(&out.packets), read(&input));
        if !shared_pmt_pid {
            assert!(of(&out.packets, PMT_2) == of(&input, PMT_2));
        }
    }
}

#[test]
fn on_air_the_first_ecm_goes_500_ms_ahead_of_scrambling() {
    let input = Made { nulls: true, shared_pmt_pid: false, seconds: 2 }.packets();
    let (out, events, _) = run(PipelineConfig { pace: Pace::Live, ..config() }, &input);
    let receiver = check_identity(ScramblingMode::Cissa, &input, &out);
    assert_eq!(receiver.ecm_times[0].0, StreamTime(0));
    let first = out.packets.iter().position(|p| !Packet::new(p).tsc().is_clear()).unwrap();
    assert!(out.times[first].0.abs_diff(500 * StreamTime::PER_MS) <= 3 * StreamTime::PER_MS);
    assert!(
        matches!(events[0], Event::CryptoPeriod { start, .. } if start.0 == 500 * StreamTime::PER_MS)
    );
}

/// PCR of each packet that has one, with its place in the stream.
fn clocks(packets: &[RawPacket]) -> Vec<(usize, u64)> {
    let clock = |(place, raw)| Some((place, Packet::new(raw).pcr()?.ticks()));
    packets.iter().enumerate().filter_map(clock).collect()
}

#[test]
fn clock_references_of_a_constant_rate_say_where_they_are() {
    let input = Made { nulls: true, shared_pmt_pid: false, seconds: 5 }.packets();
    let (out, ..) = run(config(), &input);
    assert!(clocks(&out.packets) != clocks(&input), "packets were pushed back");
    // 1000 packets a second; 500 ns are 13.5 ticks.
    for (place, ticks) in clocks(&out.packets) {
        assert!(ticks.abs_diff(place as u64 * 27_000) <= 13, "packet {place}: {ticks}");
    }
    assert_eq!(clocks(&out.packets).len(), clocks(&input).len());
}

#[test]
fn clock_references_without_null_packets_and_on_air_stay() {
    let values = |packets: &[RawPacket]| -> Vec<u64> {
        clocks(packets).into_iter().map(|(_, ticks)| ticks).collect()
    };
    for (nulls, pace) in [(false, Pace::File), (true, Pace::Live), (false, Pace::Live)] {
        let input = Made { nulls, shared_pmt_pid: false, seconds: 3 }.packets();
        let (out, ..) = run(PipelineConfig { pace, ..config() }, &input);
        assert_eq!(values(&out.packets), values(&input));
        let start = clocks(&input)[0].1;
        for (place, ticks) in clocks(&out.packets) {
            assert_eq!(out.times[place].0, ticks - start, "it leaves at its own time");
        }
    }
}

#[test]
fn what_else_the_cat_says_stays() {
    let mut input = Made { nulls: true, shared_pmt_pid: false, seconds: 1 }.packets();
    let other = CaDescriptor::new(CaSystemId(0x0B00), Pid::new(0x555).unwrap()).to_bytes().unwrap();
    let stale = CaDescriptor::new(CaSystemId(0x7A10), Pid::new(0x556).unwrap()).to_bytes().unwrap();
    let private = [0xFE, 3, 1, 2, 3];
    let descriptors = [&private[..], &stale, &other, &private].concat();
    let cat = Cat { version: 1, descriptors };
    input[7] = SectionPacketizer::new(Pid::CAT).packetize(&cat.to_section().unwrap())[0];
    let (out, ..) = run(config(), &input);
    let mut receiver = Receiver::new(ScramblingMode::Cissa);
    for raw in &out.packets {
        receiver.push(raw, StreamTime(0));
    }
    let found = receiver.cat.unwrap();
    assert!(found.descriptors.starts_with(&[&private[..], &other, &private].concat()));
    let systems: Vec<_> = found.ca_descriptors().iter().map(|ca| ca.ca_system_id.0).collect();
    assert_eq!(systems, [0x0B00, 0x7A10]);
}
