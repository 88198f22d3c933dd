//! The multiplexer: packet by packet, once the service is found.

mod learn;
mod time;

use portcullis_ts::packet::null_packet;
use portcullis_ts::{Packet, PacketMut, Pcr, RawPacket};
use portcullis_types::{CaSystemId, Pid};

use super::clock::{Segment, Segmenter};
use super::ecm::EcmStream;
use super::emm::EmmStream;
use super::inserts::{Inserts, StreamId};
use super::machine::Report;
use super::periods::{CryptoPeriods, Period};
use super::pids::PidSet;
use super::probe::Probe;
use super::signalling::Signalling;
use super::tables::Tables;
use super::{Outgoing, Pace, PipelineConfig, PipelineError, Progress, StreamTime};

/// CA systems with EMMs in one stream.
const EMM_STREAMS_MAX: usize = 64;
/// Steps in a gap of the stream are not shorter than this.
const STEP_MIN: u64 = StreamTime::PER_MS;
/// So many inserted packets are remembered until null packets make up for them.
const OWED_MAX: u32 = 10_000;
/// Clock references follow the place of their packet in a file so far: less than a receiver's
/// buffer minds.
const RESTAMP_MAX: u64 = 20 * StreamTime::PER_MS;

/// The stages of a running pipeline.
pub(super) struct Mux {
    tables: Tables,
    /// PIDs that are taken, by the input or by us.
    used: PidSet,
    /// PIDs whose packets [`Tables`] wants to see.
    watched: PidSet,
    /// PIDs that are scrambled.
    components: PidSet,
    /// PIDs of our own streams.
    ours: PidSet,
    segmenter: Segmenter,
    segment: Option<Segment>,
    /// Next packet of the segment.
    at: usize,
    input_packets: u64,
    inserts: Inserts,
    signalling: Signalling,
    ecm: Vec<EcmStream>,
    emm: Vec<EmmStream>,
    front_emms: Vec<(CaSystemId, Vec<Vec<u8>>)>,
    started: bool,
    /// How far the output has come.
    time: StreamTime,
    /// Nothing is due before.
    wake: StreamTime,
    /// Packets that were inserted between others: so many null packets go, and the rate stays.
    owed: u32,
    /// A file with null packets: its rate stays constant, and clock references say where they are.
    restamps: bool,
    late_reported: Option<Period>,
}

/// Whether the work can go on.
enum Tick {
    Done,
    NeedEcm,
}

impl Mux {
    pub(super) fn new(
        config: &PipelineConfig,
        probe: Probe,
        mut inserts: Inserts,
        ecm: Vec<EcmStream>,
        front_emms: Vec<(CaSystemId, Vec<Vec<u8>>)>,
        report: &mut Report,
    ) -> Result<Self, PipelineError> {
        let Probe { mut tables, seen, first_pat_cc, .. } = probe;
        tables.rewind();
        let restamps = config.pace == Pace::File && seen.contains(Pid::NULL);
        let pmt_pid = tables.pat.as_ref().and_then(|pat| pat.pmt_pid(config.service));
        let pcr_pid = tables.pmts.get(&config.service).and_then(|pmt| pmt.pcr_pid);
        let signalling = Signalling::new(
            config.service,
            config.mode,
            pmt_pid.unwrap_or(Pid::NULL),
            &mut inserts,
        );
        let mut mux = Self {
            tables,
            used: seen,
            watched: PidSet::default(),
            components: PidSet::default(),
            ours: PidSet::default(),
            segmenter: Segmenter::new(pcr_pid, config.assumed_bitrate_bps),
            segment: None,
            at: 0,
            input_packets: 0,
            inserts,
            signalling,
            ecm,
            emm: Vec::new(),
            front_emms,
            started: false,
            time: StreamTime(0),
            wake: StreamTime(0),
            owed: 0,
            restamps,
            late_reported: None,
        };
        if !mux.learn_pids(config, report) {
            return Err(PipelineError::NothingToScramble { service: config.service });
        }
        for index in 0..mux.ecm.len() {
            let pid = mux.take_pid()?;
            if let Some(stream) = mux.ecm.get_mut(index) {
                stream.pid = pid;
                mux.inserts.set_pid(stream.inserts, pid);
            }
        }
        let in_front = mux.front_emms.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        for ca_system_id in config.emm.iter().copied().chain(in_front) {
            mux.emm_stream(config, ca_system_id)?;
        }
        mux.signalling.rebuild(&mux.tables, &mux.ecm, &mux.emm)?;
        let pat_packets = mux.signalling.pat.packets().len() as u8;
        let pat_cc = first_pat_cc.unwrap_or_default().wrapping_sub(pat_packets);
        mux.inserts.set_next_cc(mux.signalling.pat.inserts, pat_cc);
        Ok(mux)
    }

    pub(super) fn push(&mut self, packets: &[RawPacket]) {
        packets.iter().for_each(|packet| self.segmenter.push(packet));
    }

    pub(super) fn finish(&mut self) {
        self.segmenter.flush();
    }

    /// The ECM streams, to give one its ECM.
    pub(super) fn ecm_streams(&mut self) -> &mut [EcmStream] {
        self.wake = StreamTime(0);
        &mut self.ecm
    }

    pub(super) fn push_emm(
        &mut self,
        config: &PipelineConfig,
        ca_system_id: CaSystemId,
        sections: Vec<Vec<u8>>,
        report: &mut Report,
    ) -> Result<(), PipelineError> {
        let known = self.emm.len();
        let Some(index) = self.emm_stream(config, ca_system_id)? else { return Ok(()) };
        if let Some(stream) = self.emm.get_mut(index) {
            stream.push(sections);
        }
        if self.emm.len() > known {
            self.signalling.rebuild(&self.tables, &self.ecm, &self.emm)?;
        }
        report.stats.emm_dropped = self.emm.iter().map(|stream| stream.dropped).sum();
        self.wake = StreamTime(0);
        Ok(())
    }

    pub(super) fn advance(
        &mut self,
        config: &PipelineConfig,
        periods: &mut CryptoPeriods,
        report: &mut Report,
        out: &mut Outgoing,
    ) -> Result<Progress, PipelineError> {
        if !self.started {
            if !self.ecm.iter().all(|stream| stream.has(0)) {
                return Ok(Progress::NeedEcm);
            }
            let before = out.len();
            self.put_in_front(periods, report, out);
            self.owed += (out.len() - before) as u32;
            self.started = true;
        }
        self.work(config, periods, report, out)
    }

    /// Everything that a terminal needs to open the stream from its first packet.
    fn put_in_front(&mut self, periods: &CryptoPeriods, report: &mut Report, out: &mut Outgoing) {
        let now = StreamTime(0);
        for table in [&mut self.signalling.pat, &mut self.signalling.cat, &mut self.signalling.pmt]
        {
            self.inserts.push(table.inserts, &table.packets(), now);
            table.played(now);
            drain(&mut self.inserts, &self.ecm, &self.emm, report, out);
        }
        self.inserts.forget_shift(self.signalling.pat.inserts);
        for (ca_system_id, sections) in std::mem::take(&mut self.front_emms) {
            let stream = self.emm.iter_mut().find(|stream| stream.ca_system_id == ca_system_id);
            if let Some(stream) = stream {
                let packets = stream.front(sections);
                self.inserts.push(stream.inserts, &packets, now);
            }
            drain(&mut self.inserts, &self.ecm, &self.emm, report, out);
        }
        for index in 0..self.ecm.len() {
            if let Some(stream) = self.ecm.get_mut(index) {
                let inserts = stream.inserts;
                let packets = stream.play(periods, now).map_or(&[][..], |(packets, _)| packets);
                self.inserts.push(inserts, packets, now);
            }
            drain(&mut self.inserts, &self.ecm, &self.emm, report, out);
        }
    }

    fn work(
        &mut self,
        config: &PipelineConfig,
        periods: &mut CryptoPeriods,
        report: &mut Report,
        out: &mut Outgoing,
    ) -> Result<Progress, PipelineError> {
        // Ends: every turn takes a packet, or a segment, or returns.
        loop {
            let Some(segment) = self.segment.take().or_else(|| self.segmenter.pop()) else {
                return Ok(Progress::NeedInput);
            };
            while let Some(packet) = segment.packets.get(self.at) {
                let now = segment.time(self.at);
                if let Tick::NeedEcm = self.come_to(config, periods, report, out, now) {
                    self.segment = Some(segment);
                    return Ok(Progress::NeedEcm);
                }
                self.take(config, periods, report, out, packet, now)?;
                if self.restamps {
                    delay_clock(packet, out, || segment.ticks_of(self.owed));
                }
                self.at += 1;
            }
            self.at = 0;
            if config.pace == Pace::Live {
                return Ok(Progress::More);
            }
        }
    }

    /// One packet of the input.
    fn take(
        &mut self,
        config: &PipelineConfig,
        periods: &CryptoPeriods,
        report: &mut Report,
        out: &mut Outgoing,
        packet: &RawPacket,
        now: StreamTime,
    ) -> Result<(), PipelineError> {
        let view = Packet::new(packet);
        let pid = view.pid();
        self.input_packets += 1;
        if self.watched.contains(pid) {
            self.listen(config, report, view, now)?;
        }
        if pid == self.signalling.pmt_pid && view.pcr().is_some() {
            report.stats.packets += 1;
            out.push(&self.inserts.clock_of(self.signalling.pmt.inserts, view), now);
            return Ok(());
        }
        if pid == Pid::NULL || pid == Pid::CAT || pid == self.signalling.pmt_pid {
            // A free place: null packets, and tables that are played here.
            if let Some((stream, insert)) = self.inserts.pop() {
                count(stream, &self.ecm, &self.emm, report);
                report.stats.nulls_replaced += u64::from(pid == Pid::NULL);
                out.push(&insert, now);
            } else if self.owed > 0 {
                self.owed -= 1;
                report.stats.nulls_replaced += u64::from(pid == Pid::NULL);
            } else if pid == Pid::NULL || self.restamps {
                report.stats.packets += 1;
                out.push(&null_packet(), now);
            }
            return Ok(());
        }
        report.stats.packets += 1;
        if self.ours.contains(pid) {
            self.move_stream(report, pid)?;
        }
        out.push(packet, now);
        if pid == Pid::PAT {
            if let Some(passed) = out.last_mut() {
                self.inserts.pass(self.signalling.pat.inserts, passed);
            }
            if view.pusi() {
                self.signalling.pat.played(now);
            }
        } else if self.components.contains(pid) && view.payload_offset().is_some() {
            if !view.tsc().is_clear() {
                report.stats.already_scrambled += 1;
                if config.pace == Pace::File {
                    let (service, packet) = (config.service, Some(self.input_packets - 1));
                    return Err(PipelineError::AlreadyScrambled { service, pid, packet });
                }
            } else if let Some(key) = periods.key() {
                report.stats.scrambled += 1;
                out.mark_last(key);
            }
        }
        Ok(())
    }
}

/// In a stream of constant rate, a packet that others pushed back arrives later, and its clock
/// reference says so (ISO/IEC 13818-1 2.4.2.1: within 500 ns of its place). On air nothing is to
/// be done, since every packet leaves at its own time; and without null packets the rate between
/// two clock references is what they make it.
fn delay_clock(packet: &RawPacket, out: &mut Outgoing, delay: impl FnOnce() -> u64) {
    let view = Packet::new(packet);
    let Some(pcr) = view.pcr() else { return };
    let ticks = delay().min(RESTAMP_MAX);
    if let Some(last) = out.last_mut().filter(|last| Packet::new(last).pid() == view.pid()) {
        PacketMut::new(last).set_pcr(Pcr::from_ticks(pcr.ticks() + ticks));
    }
}

/// Lets everything out that waits.
fn drain(
    inserts: &mut Inserts,
    ecm: &[EcmStream],
    emm: &[EmmStream],
    report: &mut Report,
    out: &mut Outgoing,
) {
    while let Some((stream, packet)) = inserts.pop() {
        count(stream, ecm, emm, report);
        out.push(&packet, StreamTime(0));
    }
}

/// Counts a packet that was not in the input.
fn count(stream: StreamId, ecm: &[EcmStream], emm: &[EmmStream], report: &mut Report) {
    report.stats.packets += 1;
    report.stats.ecm_inserted += u64::from(ecm.iter().any(|ecm| ecm.inserts == stream));
    report.stats.emm_inserted += u64::from(emm.iter().any(|emm| emm.inserts == stream));
}
