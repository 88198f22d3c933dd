//! Inputs that change, and inputs that cannot be scrambled.

use portcullis_ts::packet::null_packet;
use portcullis_ts::psi::{Pat, Pmt, PmtStream, Program, SectionAssembler, SectionPacketizer};
use portcullis_ts::{Packet, PacketMut, Pcr, RawPacket};

use super::super::testing::*;
use super::super::*;
use super::receiver::*;

#[test]
fn what_cannot_be_scrambled_is_refused_with_what_is_there() {
    let input = Made { nulls: true, shared_pmt_pid: false, seconds: 1 }.packets();
    let fail = |config: PipelineConfig, input: &[RawPacket]| {
        try_run(config, input, |_| true).unwrap_err().to_string()
    };
    assert_eq!(
        fail(PipelineConfig { service: ServiceId(7), ..config() }, &input),
        "service 7 is not in the stream (services there: 1, 2)"
    );
    assert_eq!(fail(config(), &[null_packet(); 50]), "no PAT in the first 50 packets");
    let without_pmt: Vec<_> =
        input.iter().filter(|p| Packet::new(p).pid() != pid(PMT_1)).copied().collect();
    assert_eq!(fail(config(), &without_pmt), "service 1: no PMT on PID 0x0100");
    let (scrambled, ..) = run(config(), &input);
    assert_eq!(fail(config(), &scrambled.packets), "service 1: PID 0x0101 is already scrambled");
    let mut later = input;
    let at = later.iter().rposition(|p| Packet::new(p).pid() == pid(AUDIO)).unwrap();
    later[at][3] |= 0x80;
    assert_eq!(
        fail(config(), &later),
        format!("service 1: PID 0x0102 is already scrambled (input packet {at})")
    );
}

#[test]
fn our_stream_gives_way_when_the_input_begins_to_use_its_pid() {
    let mut input = Made { nulls: true, shared_pmt_pid: false, seconds: 4 }.packets();
    let (out, ..) = run(config(), &input);
    let ecm_pid = {
        let receiver = check_identity(ScramblingMode::Cissa, &input, &out);
        receiver.ecm_pid().unwrap()
    };
    for (i, packet) in input.iter_mut().enumerate().skip(2_500) {
        if Packet::new(packet).pid() == Pid::NULL {
            *packet = content(ecm_pid.get(), 0, i);
        }
    }
    let (out, events, _) = run(config(), &input);
    assert!(events.iter().any(|e| matches!(e, Event::PidMoved { from, .. } if *from == ecm_pid)));
    let tail = out.packets.len() - 1_000;
    assert!(of(&input, ecm_pid.get()).ends_with(&of(&out.packets[tail..], ecm_pid.get())));
}

#[test]
fn a_clock_on_the_pid_of_the_pmt_goes_on() {
    let mut input = Vec::new();
    for packet in (Made { nulls: false, shared_pmt_pid: false, seconds: 2 }).packets() {
        input.push(packet);
        if Packet::new(&packet).pid() == pid(PMT_1) {
            let mut clock = null_packet();
            clock[3..12].copy_from_slice(&[0x20, 183, 0x10, 0, 0, 0, 0, 0, 0]);
            let mut view = PacketMut::new(&mut clock);
            view.set_pcr(Pcr::from_ticks(input.len() as u64 * 27_000));
            view.set_pid(pid(PMT_1));
            view.set_cc(Packet::new(&packet).cc());
            input.push(clock);
        }
    }
    let (out, ..) = run(config(), &input);
    let clocks = |packets: &[RawPacket]| -> Vec<Pcr> {
        of(packets, PMT_1).iter().filter_map(|packet| Packet::new(packet).pcr()).collect()
    };
    assert_eq!(clocks(&out.packets), clocks(&input));
    let mut last = None;
    for packet in of(&out.packets, PMT_1) {
        let view = Packet::new(&packet);
        let expected =
            last.map_or_else(|| view.cc(), |cc: u8| (cc + u8::from(view.has_payload())) & 15);
        assert_eq!(view.cc(), expected);
        last = Some(view.cc());
    }
}

/// The input with another PAT and PMT of service 1 from half of it on.
fn with_new_tables(pmt_pid: u16, streams: &[u16]) -> Vec<RawPacket> {
    let program = |service, number| Program { service: ServiceId(service), pmt_pid: pid(number) };
    let pat = Pat {
        transport_stream_id: 9,
        version: 4,
        network_pid: None,
        programs: vec![program(1, pmt_pid), program(2, PMT_2)],
    };
    let stream =
        |number: &u16| PmtStream { stream_type: 0x1B, pid: pid(*number), descriptors: Vec::new() };
    let pmt = Pmt {
        service: ServiceId(1),
        version: 6,
        pcr_pid: Some(pid(VIDEO)),
        descriptors: Vec::new(),
        streams: streams.iter().map(stream).collect(),
    };
    let mut pmt_out = SectionPacketizer::new(pid(pmt_pid));
    let mut input = Made { nulls: true, shared_pmt_pid: false, seconds: 4 }.packets();
    for packet in input.iter_mut().skip(2_000) {
        let view = Packet::new(packet);
        let cc = view.cc();
        if view.pid() == Pid::PAT {
            *packet = SectionPacketizer::new(Pid::PAT).packetize(&pat.to_sections().unwrap()[0])[0];
            PacketMut::new(packet).set_cc(cc);
        } else if view.pid() == pid(PMT_1) {
            *packet = pmt_out.packetize(&pmt.to_section().unwrap())[0];
        }
    }
    input
}

#[test]
fn a_service_that_pauses_does_not_end_the_stream() {
    let input = with_new_tables(PMT_1, &[]);
    let (out, events, _) = run(config(), &input);
    assert!(events.contains(&Event::NothingToScramble));
    let in_clear = |packet: &RawPacket| {
        let view = Packet::new(packet);
        view.payload_offset().is_some() && view.tsc().is_clear()
    };
    assert!(!of(&out.packets, VIDEO).iter().any(in_clear), "its content stays scrambled");
    assert_eq!(of(&out.packets, OTHER), of(&input, OTHER));
}

#[test]
fn our_stream_gives_way_to_a_pmt_that_moves_to_its_pid() {
    let (out, ..) = run(config(), &with_new_tables(PMT_1, &[VIDEO, AUDIO]));
    let mut receiver = Receiver::new(ScramblingMode::Cissa);
    for raw in &out.packets {
        receiver.push(raw, StreamTime(0));
    }
    let ecm_pid = receiver.ecm_pid().unwrap();

    let input = with_new_tables(ecm_pid.get(), &[VIDEO, AUDIO]);
    let (out, events, _) = run(config(), &input);
    assert!(events.iter().any(|e| matches!(e, Event::PidMoved { from, .. } if *from == ecm_pid)));
    let mut sections = SectionAssembler::new();
    let mut tables = 0;
    for packet in of(&out.packets[2_200..], ecm_pid.get()) {
        sections.push(Packet::new(&packet));
        while let Some(section) = sections.pop() {
            assert_eq!(section[0], 0x02, "nothing but the PMT");
            let pmt = Pmt::parse(&section).unwrap();
            assert!(pmt.ca_descriptors().iter().all(|descriptor| descriptor.pid != ecm_pid));
            tables += 1;
        }
    }
    assert!(tables > 10);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(60))]

    /// Damage anywhere in the input is passed on or refused, and never ends the program.
    #[test]
    fn damaged_packets_never_panic(
        damage in proptest::collection::vec((0usize..1_500, 1usize..188, proptest::prelude::any::<u8>()), 0..400),
        live in proptest::prelude::any::<bool>(),
    ) {
        let mut input = Made { nulls: true, shared_pmt_pid: true, seconds: 2 }.packets();
        for (packet, octet, value) in damage {
            input[packet][octet] = value;
        }
        let pace = if live { Pace::Live } else { Pace::File };
        if let Ok((out, ..)) = try_run(PipelineConfig { pace, ..config() }, &input, |_| true) {
            proptest::prop_assert!(out.packets.iter().all(|packet| packet[0] == 0x47));
            proptest::prop_assert!(out.packets.len() > 1_500);
        }
    }
}
