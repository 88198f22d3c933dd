//! Streams made in code and a generator without cryptography, to try pipelines with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use portcullis_scramble::{FULL_BATCH, Scheduler};
use portcullis_ts::packet::null_packet;
use portcullis_ts::psi::{Pat, Pmt, PmtStream, Program, SectionPacketizer};
use portcullis_ts::{PacketMut, Pcr, RawPacket};

use super::*;

pub(crate) const VIDEO: u16 = 0x101;
pub(crate) const AUDIO: u16 = 0x102;
pub(crate) const OTHER: u16 = 0x201;
pub(crate) const PMT_1: u16 = 0x100;
pub(crate) const PMT_2: u16 = 0x200;

pub(crate) fn pid(number: u16) -> Pid {
    Pid::new(number).unwrap()
}

/// A stream of two services at 1000 packets a second, with a clock reference every 40 ms.
pub(crate) struct Made {
    pub(crate) nulls: bool,
    pub(crate) shared_pmt_pid: bool,
    pub(crate) seconds: usize,
}

impl Made {
    pub(crate) fn packets(&self) -> Vec<RawPacket> {
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
pub(crate) fn content(number: u16, cc: u8, i: usize) -> RawPacket {
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

pub(crate) fn ecm_config(super_cas_id: u32) -> EcmStreamConfig {
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

pub(crate) fn config() -> PipelineConfig {
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

pub(crate) fn random() -> Randomness {
    let mut state = 1u64;
    Box::new(move |octets| {
        octets.fill_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        });
    })
}

/// An ECM that hides nothing: CP_number, then each control word with its number.
pub(crate) fn fake_ecm(provision: &CwProvision) -> Vec<u8> {
    let mut body = provision.cp_number.0.to_be_bytes().to_vec();
    for (number, octets) in &provision.control_words {
        body.extend(number.0.to_be_bytes());
        body.extend(octets);
    }
    let mut section = vec![0x80 | (provision.cp_number.0 & 1) as u8, 0x70, body.len() as u8];
    section.extend(body);
    section
}

/// What came out of a pipeline, scrambled.
#[derive(Default, Debug)]
pub(crate) struct Played {
    pub(crate) packets: Vec<RawPacket>,
    pub(crate) times: Vec<StreamTime>,
}

impl Played {
    /// Takes the next output of a pipeline.
    pub(crate) fn advance(&mut self, pipeline: &mut Pipeline) -> Result<Progress, PipelineError> {
        let mut out = Outgoing::default();
        let progress = pipeline.advance(&mut out)?;
        let mut scheduler = Scheduler::scrambler(FULL_BATCH);
        let (packets, times) = out.scramble(&mut scheduler);
        self.packets.extend_from_slice(packets);
        self.times.extend_from_slice(times);
        Ok(progress)
    }
}

/// Runs a pipeline whose ECM generator answers at once.
pub(crate) fn run(config: PipelineConfig, input: &[RawPacket]) -> (Played, Vec<Event>, Stats) {
    try_run(config, input, |_| true).unwrap()
}

pub(crate) type Outcome = Result<(Played, Vec<Event>, Stats), PipelineError>;

/// `answers` says whether the generator answers a provision before more input comes.
pub(crate) fn try_run(
    config: PipelineConfig,
    input: &[RawPacket],
    answers: impl Fn(&CwProvision) -> bool,
) -> Outcome {
    let mut pipeline = Pipeline::new(config, random());
    pipeline.push_emm(CaSystemId(0x7A10), vec![emm_section(1), emm_section(2)])?;
    let mut played = Played::default();
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
        match played.advance(&mut pipeline)? {
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
    Ok((played, events, pipeline.stats()))
}

pub(crate) fn emm_section(mark: u8) -> Vec<u8> {
    let mut section = vec![0x82, 0x70, 120];
    section.resize(123, mark);
    section
}
