//! The pipeline against streams made in code, a generator without cryptography, and a receiver
//! that knows nothing but what is on air.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use portcullis_scramble::{Cipher, KeySlots};
use portcullis_ts::packet::null_packet;
use portcullis_ts::psi::{
    Cat, Pat, Pmt, PmtStream, Program, SectionAssembler, SectionPacketizer, TableAssembler,
};
use portcullis_ts::{Packet, PacketMut, Pcr};

use super::*;

const VIDEO: u16 = 0x101;
const AUDIO: u16 = 0x102;
const OTHER: u16 = 0x201;
const PMT_1: u16 = 0x100;
const PMT_2: u16 = 0x200;

fn pid(number: u16) -> Pid {
    Pid::new(number).unwrap()
}

/// A stream of two services at 1000 packets a second, with a clock reference every 40 ms.
struct Made {
    nulls: bool,
    shared_pmt_pid: bool,
    seconds: usize,
}

impl Made {
    fn packets(&self) -> Vec<RawPacket> {
        let second_pmt = if self.shared_pmt_pid { PMT_1 } else { PMT_2 };
        let programs = [(1, PMT_1), (2, second_pmt)].map(|(service, pmt_pid)| Program {
            service: ServiceId(service),
            pmt_pid: pid(pmt_pid),
        });
        let pat = Pat {
            transport_stream_id: 9,
            version: 3,
            network_pid: None,
            programs: programs.to_vec(),
        };
        let stream = |stream_type, number| PmtStream {
            stream_type,
            pid: pid(number),
            descriptors: Vec::new(),
        };
        let pmt = |service, clock: u16, streams: &[PmtStream]| Pmt {
            service: ServiceId(service),
            version: 5,
            pcr_pid: Some(pid(clock)),
            descriptors: Vec::new(),
            streams: streams.to_vec(),
        };
        let pmt_1 = pmt(1, VIDEO, &[stream(0x1B, VIDEO), stream(0x0F, AUDIO)]);
        let pmt_2 = pmt(2, OTHER, &[stream(0x1B, OTHER)]);
        let mut pat_out = SectionPacketizer::new(Pid::PAT);
        let mut pmt_out = [SectionPacketizer::new(pid(PMT_1)), SectionPacketizer::new(pid(PMT_2))];
        let mut counters = BTreeMap::<u16, u8>::new();
        let mut packets = Vec::new();
        for i in 0..self.seconds * 1_000 {
            match i % 100 {
                3 => packets.extend(pat_out.packetize(&pat.to_sections().unwrap()[0])),
                4 => packets.extend(pmt_out[0].packetize(&pmt_1.to_section().unwrap())),
                5 => {
                    let section = pmt_2.to_section().unwrap();
                    packets.extend(pmt_out[usize::from(!self.shared_pmt_pid)].packetize(&section));
                }
                n if self.nulls && n % 8 == 6 => packets.push(null_packet()),
                n => {
                    let number = [VIDEO, VIDEO, AUDIO, OTHER][n % 4];
                    let cc = counters.entry(number).or_default();
                    packets.push(content(number, *cc, i));
                    *cc = (*cc + 1) & 15;
                }
            }
        }
        packets
    }
}

/// A packet of content; every 40 ms with a clock reference, some with short payloads.
fn content(number: u16, cc: u8, i: usize) -> RawPacket {
    let mut raw: RawPacket = core::array::from_fn(|at| (at * 7 + i * 13) as u8);
    raw[..4].copy_from_slice(&[0x47, 0, 0, 0x10]);
    if number == VIDEO && i.is_multiple_of(40) {
        raw[3] = 0x30;
        raw[4..12].copy_from_slice(&[7 + (i % 3) as u8 * 80, 0x10, 0, 0, 0, 0, 0, 0]);
        PacketMut::new(&mut raw).set_pcr(Pcr::from_ticks(i as u64 * 27_000));
    }
    let mut view = PacketMut::new(&mut raw);
    view.set_pid(pid(number));
    view.set_cc(cc);
    raw
}

fn ecm_config(super_cas_id: u32) -> EcmStreamConfig {
    EcmStreamConfig {
        super_cas_id: SuperCasId(super_cas_id),
        in_packets: false,
        delay_start_ms: 200,
        delay_stop_ms: 200,
        transition_delay_start_ms: -500,
        rep_period_ms: 100,
        lead_cw: 1,
        cw_per_msg: 2,
    }
}

fn config() -> PipelineConfig {
    PipelineConfig {
        service: ServiceId(1),
        mode: ScramblingMode::Cissa,
        crypto_period: Milliseconds(1_000),
        first_cp: CpNumber(0xFFFE),
        pace: Pace::File,
        ecm: vec![ecm_config(0x7A10_0001)],
        emm: vec![CaSystemId(0x7A10)],
        emm_bandwidth_kbps: 100,
        assumed_bitrate_bps: 1_504_000,
    }
}

fn random() -> Randomness {
    let mut state = 1u64;
    Box::new(move |octets| {
        octets.fill_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        });
    })
}

/// An ECM that hides nothing: CP_number, then each control word with its number.
fn fake_ecm(provision: &CwProvision) -> Vec<u8> {
    let mut body = provision.cp_number.0.to_be_bytes().to_vec();
    for (number, octets) in &provision.control_words {
        body.extend(number.0.to_be_bytes());
        body.extend(octets);
    }
    let mut section = vec![0x80 | (provision.cp_number.0 & 1) as u8, 0x70, body.len() as u8];
    section.extend(body);
    section
}

/// Runs a pipeline whose ECM generator answers at once.
fn run(config: PipelineConfig, input: &[RawPacket]) -> (Outgoing, Vec<Event>, Stats) {
    try_run(config, input, |_| true).unwrap()
}

type Outcome = Result<(Outgoing, Vec<Event>, Stats), PipelineError>;

/// `answers` says whether the generator answers a provision before more input comes.
fn try_run(
    config: PipelineConfig,
    input: &[RawPacket],
    answers: impl Fn(&CwProvision) -> bool,
) -> Outcome {
    let mut pipeline = Pipeline::new(config, random());
    pipeline.push_emm(CaSystemId(0x7A10), vec![emm_section(1), emm_section(2)])?;
    let mut out = Outgoing::default();
    let mut unanswered = Vec::new();
    let mut chunks = input.chunks(333);
    let mut ended = false;
    loop {
        while let Some(provision) = pipeline.poll_provision() {
            if answers(&provision) {
                pipeline.handle_ecm(
                    provision.stream,
                    provision.cp_number,
                    &fake_ecm(&provision),
                )?;
            } else {
                unanswered.push(provision);
            }
        }
        match pipeline.advance(&mut out)? {
            Progress::NeedEcm if !unanswered.is_empty() => {
                for provision in unanswered.drain(..) {
                    let ecm = fake_ecm(&provision);
                    pipeline.handle_ecm(provision.stream, provision.cp_number, &ecm)?;
                }
            }
            Progress::NeedEcm | Progress::More => {}
            Progress::NeedInput => match chunks.next() {
                Some(chunk) => pipeline.push(chunk)?,
                None if ended => break,
                None => {
                    pipeline.finish()?;
                    ended = true;
                }
            },
        }
    }
    let events = std::iter::from_fn(|| pipeline.poll_event()).collect();
    Ok((out, events, pipeline.stats()))
}

fn emm_section(mark: u8) -> Vec<u8> {
    let mut section = vec![0x82, 0x70, 120];
    section.resize(123, mark);
    section
}

/// Reads sections of one PID.
#[derive(Default)]
struct Reader(SectionAssembler);

impl Reader {
    fn push(&mut self, packet: Packet<'_>) -> Vec<Vec<u8>> {
        self.0.push(packet);
        std::iter::from_fn(|| self.0.pop()).collect()
    }
}

/// A receiver that opens a service with the control words of the fake ECMs. A control word whose
/// parity is in use is held until the packets change parity.
struct Receiver {
    mode: ScramblingMode,
    pmt: Option<Pmt>,
    cat: Option<Cat>,
    pat: Reader,
    cats: TableAssembler,
    cat_pid: Reader,
    pmt_pid: Option<(Pid, Reader)>,
    ecm: Reader,
    pub(super) ecm_times: Vec<(StreamTime, u16)>,
    keys: KeySlots,
    next: BTreeMap<u16, Vec<u8>>,
}

impl Receiver {
    fn new(mode: ScramblingMode) -> Self {
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

    fn ecm_pid(&self) -> Option<Pid> {
        self.pmt.as_ref()?.ecm_pid(CaSystemId(0x7A10))
    }

    /// Descrambles a packet with what is known so far.
    fn push(&mut self, raw: &RawPacket, time: StreamTime) -> RawPacket {
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

    fn take_ecm(&mut self, section: &[u8], time: StreamTime) {
        let number = u16::from_be_bytes([section[3], section[4]]);
        self.ecm_times.push((time, number));
        self.next = section[5..]
            .chunks(2 + self.mode.control_word_len())
            .map(|word| (u16::from_be_bytes([word[0], word[1]]), word[2..].to_vec()))
            .collect();
    }
}

fn of(packets: &[RawPacket], number: u16) -> Vec<RawPacket> {
    packets.iter().filter(|p| Packet::new(p).pid().get() == number).copied().collect()
}

/// Descrambles everything and checks that every PID of the content came through untouched.
fn check_identity(mode: ScramblingMode, input: &[RawPacket], out: &Outgoing) -> Receiver {
    let mut receiver = Receiver::new(mode);
    let opened: Vec<_> =
        out.packets.iter().zip(&out.times).map(|(raw, time)| receiver.push(raw, *time)).collect();
    for number in [VIDEO, AUDIO, OTHER] {
        assert!(of(&opened, number) == of(input, number), "PID {number:#x}");
    }
    assert!(out.times.is_sorted());
    receiver
}

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

// spec-test: S-17
#[test]
fn ecms_are_repeated_within_100_ms_of_stream_time() {
    for nulls in [true, false] {
        let input = Made { nulls, shared_pmt_pid: false, seconds: 6 }.packets();
        let (out, ..) = run(config(), &input);
        let receiver = check_identity(ScramblingMode::Cissa, &input, &out);
        assert!(receiver.ecm_times.len() >= 60);
        for pair in receiver.ecm_times.windows(2) {
            assert!(pair[1].0.0 - pair[0].0.0 <= 100 * StreamTime::PER_MS, "{pair:?}");
        }
    }
}

// spec-test: S-16
#[test]
fn ecms_change_at_delay_start_after_their_crypto_period_began() {
    for delay in [200, 0, -300] {
        let input = Made { nulls: false, shared_pmt_pid: false, seconds: 5 }.packets();
        let mut config = config();
        config.first_cp = CpNumber(0);
        config.ecm[0].delay_start_ms = delay;
        config.ecm[0].delay_stop_ms = delay;
        let (out, ..) = run(config, &input);
        let mut receiver = Receiver::new(ScramblingMode::Cissa);
        let mut switches = Vec::new();
        let mut parity = None;
        for (raw, time) in out.packets.iter().zip(&out.times) {
            receiver.push(raw, *time);
            let now = Packet::new(raw).tsc().parity();
            if now.is_some() && now != parity {
                switches.push(time.0 / StreamTime::PER_MS);
                parity = now;
            }
        }
        assert_eq!(switches.len(), 5);
        for (n, at) in switches.iter().enumerate() {
            assert!(at.abs_diff(n as u64 * 1_000) <= 3, "period {n} at {at} ms");
            let first = receiver.ecm_times.iter().find(|(_, number)| usize::from(*number) == n);
            let first = first.unwrap().0.0 / StreamTime::PER_MS;
            let planned = if n == 0 { 0 } else { (n as i64 * 1_000 + i64::from(delay)) as u64 };
            assert!(first.abs_diff(planned) <= 3, "ECM {n} at {first} ms, planned {planned}");
        }
    }
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
    assert_eq!(out.packets[6][4..12], input[0][4..12]);
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

// spec-test: S-07 S-08 E-R23
#[test]
fn two_generators_get_the_same_control_words_and_play_on_pids_of_their_own() {
    let input = Made { nulls: true, shared_pmt_pid: false, seconds: 3 }.packets();
    let mut config = config();
    config.ecm.push(EcmStreamConfig { in_packets: false, ..ecm_config(0x7B20_0001) });
    let (out, ..) = run(config, &input);
    let receiver = check_identity(ScramblingMode::Cissa, &input, &out);
    let descriptors = receiver.pmt.unwrap().ca_descriptors();
    assert_eq!(descriptors.len(), 2);
    let ecms = |pid: Pid| {
        let mut reader = Reader::default();
        let mut sections: Vec<_> =
            of(&out.packets, pid.get()).iter().flat_map(|p| reader.push(Packet::new(p))).collect();
        sections.dedup();
        sections
    };
    assert_ne!(descriptors[0].pid, descriptors[1].pid);
    assert_eq!(ecms(descriptors[0].pid), ecms(descriptors[1].pid));
}

#[test]
fn a_file_waits_for_a_late_ecm_and_a_broadcast_keeps_its_control_word() {
    let input = Made { nulls: true, shared_pmt_pid: false, seconds: 5 }.packets();
    let late = |provision: &CwProvision| provision.cp_number != CpNumber(2);
    let base = PipelineConfig { first_cp: CpNumber(0), ..config() };
    let (out, ..) = try_run(base.clone(), &input, late).unwrap();
    check_identity(ScramblingMode::Cissa, &input, &out);

    let live = PipelineConfig { pace: Pace::Live, ..base };
    let (out, events, _) = try_run(live, &input, late).unwrap();
    check_identity(ScramblingMode::Cissa, &input, &out);
    let begun = events.iter().filter(|e| matches!(e, Event::CryptoPeriod { .. })).count();
    assert_eq!(begun, 2);
    assert!(events.contains(&Event::EcmLate {
        super_cas_id: SuperCasId(0x7A10_0001),
        cp_number: CpNumber(2)
    }));
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

#[test]
fn emms_come_in_order_at_their_bandwidth() {
    let input = Made { nulls: true, shared_pmt_pid: false, seconds: 3 }.packets();
    let mut pipeline =
        Pipeline::new(PipelineConfig { emm_bandwidth_kbps: 50, ..config() }, random());
    let mut out = Outgoing::default();
    while let Some(provision) = pipeline.poll_provision() {
        pipeline.handle_ecm(0, provision.cp_number, &fake_ecm(&provision)).unwrap();
    }
    pipeline.push(&input[..50]).unwrap();
    pipeline.advance(&mut out).unwrap();
    let sections: Vec<_> = (0..100).map(emm_section).collect();
    pipeline.push_emm(CaSystemId(0x7C30), sections.clone()).unwrap();
    for chunk in input[50..].chunks(200) {
        while let Some(provision) = pipeline.poll_provision() {
            pipeline.handle_ecm(0, provision.cp_number, &fake_ecm(&provision)).unwrap();
        }
        pipeline.push(chunk).unwrap();
        assert_eq!(pipeline.advance(&mut out).unwrap(), Progress::NeedInput);
    }
    let receiver = check_identity(
        ScramblingMode::Cissa,
        &[],
        &Outgoing {
            packets: out
                .packets
                .iter()
                .filter(|p| Packet::new(p).pid() <= pid(1))
                .copied()
                .collect(),
            times: out.times.clone(),
        },
    );
    let descriptors = receiver.cat.unwrap().ca_descriptors();
    let emm = descriptors.iter().find(|d| d.ca_system_id == CaSystemId(0x7C30)).unwrap().pid;
    let mut reader = Reader::default();
    let found: Vec<_> =
        of(&out.packets, emm.get()).iter().flat_map(|p| reader.push(Packet::new(p))).collect();
    assert!(found.len() > 60, "{} sections", found.len());
    assert!(sections.starts_with(&found));
    // 2.9 s at 50 kbit/s are 96 packets; a run of 16 sections may go ahead.
    assert!(of(&out.packets, emm.get()).len() <= 96 + 12);
}

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
fn a_bad_ecm_is_the_generators_fault() {
    let mut pipeline = Pipeline::new(config(), random());
    let long = [&[0x80, 0x70, 254][..], &[0; 254]].concat();
    for bad in [&[0x80, 0x70][..], &[0x80, 0x70, 5, 1, 2], &[0x80; 5_000], &long] {
        let error = pipeline.handle_ecm(0, CpNumber(0xFFFE), bad).unwrap_err();
        assert!(matches!(error, PipelineError::BadEcm { .. }));
    }
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

// spec-test: S-16 S-17
#[test]
fn a_service_of_little_bitrate_has_its_ecms_in_time() {
    let made = Made { nulls: false, shared_pmt_pid: false, seconds: 6 }.packets();
    let input: Vec<_> =
        (0..made.len()).filter(|i| i % 120 == 0 || i % 1_000 < 6).map(|i| made[i]).collect();
    let (out, ..) = run(config(), &input);
    let mut receiver = Receiver::new(ScramblingMode::Cissa);
    for (raw, time) in out.packets.iter().zip(&out.times) {
        receiver.push(raw, *time);
    }
    assert!(out.times.is_sorted());
    assert!(receiver.ecm_times.len() >= 55);
    for pair in receiver.ecm_times.windows(2) {
        let gap = pair[1].0.0 - pair[0].0.0;
        assert!(gap <= 100 * StreamTime::PER_MS, "{} ms", gap / StreamTime::PER_MS);
        if pair[0].1 != pair[1].1 {
            let into_period = pair[1].0.0 / StreamTime::PER_MS % 1_000;
            assert!((200..=201).contains(&into_period), "new ECM {into_period} ms into a period");
        }
    }
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
