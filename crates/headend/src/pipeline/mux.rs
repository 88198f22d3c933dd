//! The multiplexer: packet by packet, once the service is found.

use portcullis_ts::packet::null_packet;
use portcullis_ts::{Packet, PacketMut, Pcr, RawPacket};
use portcullis_types::{CaSystemId, Milliseconds, Pid};

use super::clock::{Segment, Segmenter};
use super::ecm::EcmStream;
use super::emm::{EmmStream, PATIENCE};
use super::inserts::{Inserts, StreamId};
use super::machine::Report;
use super::periods::{CryptoPeriods, Period};
use super::pids::PidSet;
use super::probe::Probe;
use super::signalling::Signalling;
use super::tables::{Said, Tables};
use super::{Event, Outgoing, Pace, PipelineConfig, PipelineError, Progress, StreamTime};

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

    /// Brings the output up to `now`. Where the input pauses, what falls due in the pause goes out
    /// in it: a service of little bitrate has its ECMs in time as well.
    fn come_to(
        &mut self,
        config: &PipelineConfig,
        periods: &mut CryptoPeriods,
        report: &mut Report,
        out: &mut Outgoing,
        now: StreamTime,
    ) -> Tick {
        // Ends: every turn goes on by a step at least.
        loop {
            let due = self.wake.min(self.inserts.earliest());
            let at = due.max(self.time + STEP_MIN).min(now);
            if at >= self.wake
                && let Tick::NeedEcm = self.tick(config, periods, report, at)
            {
                return Tick::NeedEcm;
            }
            while let Some((stream, packet)) = self.inserts.pop_due(at) {
                count(stream, &self.ecm, &self.emm, report);
                out.push(&packet, at);
                self.owed = (self.owed + 1).min(OWED_MAX);
            }
            self.time = at;
            if at >= now {
                return Tick::Done;
            }
        }
    }

    /// What stream time brings: a new crypto-period, copies of ECMs and tables, EMMs.
    fn tick(
        &mut self,
        config: &PipelineConfig,
        periods: &mut CryptoPeriods,
        report: &mut Report,
        now: StreamTime,
    ) -> Tick {
        let waits = |period: Period| config.pace == Pace::File || period == 0;
        for stream in &self.ecm {
            let missing = stream.needs(periods, now).filter(|period| !stream.has(*period));
            if missing.is_some_and(waits) {
                return Tick::NeedEcm;
            }
        }
        while now >= periods.next_start {
            let next = periods.upcoming();
            if let Some(late) = self.ecm.iter().find(|stream| !stream.has(next)) {
                if waits(next) {
                    return Tick::NeedEcm;
                }
                if self.late_reported.replace(next) != Some(next) {
                    let super_cas_id = late.config.super_cas_id;
                    let cp_number = periods.number(next);
                    report.event(Event::EcmLate { super_cas_id, cp_number });
                }
                break;
            }
            let Some(cp_number) = periods.begin_next(now) else { break };
            let start = periods.current_start().unwrap_or(now);
            let duration = Milliseconds(config.crypto_period.0);
            let parity = cp_number.parity();
            report.event(Event::CryptoPeriod { cp_number, parity, duration, start });
        }
        let mut wake =
            if periods.next_start > now { periods.next_start } else { StreamTime::NEVER };
        for stream in &mut self.ecm {
            let inserts = stream.inserts;
            if let Some((packets, due)) = stream.play(periods, now) {
                self.inserts.push(inserts, packets, due);
            }
            wake = wake.min(stream.wake(periods, now));
        }
        wake = wake.min(self.signalling.repeat(&mut self.inserts, now));
        for stream in &mut self.emm {
            let packets = stream.play(now);
            self.inserts.push(stream.inserts, &packets, now + PATIENCE);
            wake = wake.min(stream.wake());
        }
        self.wake = wake;
        Tick::Done
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

    /// Takes notice of a packet with tables.
    fn listen(
        &mut self,
        config: &PipelineConfig,
        report: &mut Report,
        packet: Packet<'_>,
        now: StreamTime,
    ) -> Result<(), PipelineError> {
        for said in self.tables.push(packet) {
            match said {
                Said::Pat => {
                    let pat = self.tables.pat.as_ref();
                    match pat.and_then(|pat| pat.pmt_pid(config.service)) {
                        Some(pid) => {
                            self.signalling.pmt_pid = pid;
                            self.inserts.set_pid(self.signalling.pmt.inserts, pid);
                        }
                        None => report.event(Event::ServiceGone),
                    }
                    self.learn_anew(config, report)?;
                }
                Said::Cat => self.learn_anew(config, report)?,
                Said::Pmt { service, changed, pid, section } => {
                    if changed {
                        self.learn_anew(config, report)?;
                    }
                    if service == config.service {
                        self.signalling.replace_pmt(&mut self.inserts, now);
                    } else if pid == self.signalling.pmt_pid {
                        self.signalling.pass_section(&mut self.inserts, &section, now);
                    }
                }
                Said::Other { pid, section } if pid == self.signalling.pmt_pid => {
                    self.signalling.pass_section(&mut self.inserts, &section, now);
                }
                Said::Other { .. } => {}
            }
        }
        Ok(())
    }

    /// The tables of the input changed.
    fn learn_anew(
        &mut self,
        config: &PipelineConfig,
        report: &mut Report,
    ) -> Result<(), PipelineError> {
        if !self.learn_pids(config, report) {
            // A service may pause; it is no reason to end the stream of all the others.
            report.event(Event::NothingToScramble);
        }
        let mut named = PidSet::default();
        self.tables.add_named_pids(&mut named);
        let ecm = self.ecm.iter().map(|stream| stream.pid);
        let emm = self.emm.iter().map(|stream| stream.pid);
        for pid in ecm.chain(emm).filter(|pid| named.contains(*pid)).collect::<Vec<_>>() {
            self.move_stream(report, pid)?;
        }
        self.signalling.rebuild(&self.tables, &self.ecm, &self.emm)
    }

    /// Reads from the tables which PIDs are taken, watched and scrambled; `false` when nothing is.
    fn learn_pids(&mut self, config: &PipelineConfig, report: &mut Report) -> bool {
        self.watched = self.tables.pids();
        self.tables.add_named_pids(&mut self.used);
        let Some(pmt) = self.tables.pmts.get(&config.service) else { return true };
        self.segmenter.set_pcr_pid(pmt.pcr_pid);
        let mut any = false;
        // What was a component once stays scrambled as long as nothing else claims its PID: a PMT
        // that pauses or leaves it out lets no content out in clear.
        let (watched, tables) = (&self.watched, &self.tables);
        self.components.retain(|pid| {
            !watched.contains(pid) && !tables.belongs_to_another(pid, config.service)
        });
        for stream in &pmt.streams {
            let reserved = stream.pid.get() < 0x20 || stream.pid == Pid::NULL;
            if reserved || self.watched.contains(stream.pid) {
                continue;
            }
            if self.tables.belongs_to_another(stream.pid, config.service) {
                report.event(Event::SharedComponent { pid: stream.pid });
                continue;
            }
            self.components.insert(stream.pid);
            any = true;
        }
        any
    }

    /// The EMM stream of a CA system, a new one when need be.
    fn emm_stream(
        &mut self,
        config: &PipelineConfig,
        ca_system_id: CaSystemId,
    ) -> Result<Option<usize>, PipelineError> {
        let known = self.emm.iter().position(|stream| stream.ca_system_id == ca_system_id);
        if known.is_some() || self.emm.len() >= EMM_STREAMS_MAX {
            return Ok(known);
        }
        let pid = self.take_pid()?;
        let inserts = self.inserts.add(pid, 0);
        self.emm.push(EmmStream::new(ca_system_id, pid, inserts, config.emm_bandwidth_kbps));
        Ok(Some(self.emm.len() - 1))
    }

    fn take_pid(&mut self) -> Result<Pid, PipelineError> {
        let pid = self.used.take_unused().ok_or(PipelineError::NoUnusedPid)?;
        self.ours.insert(pid);
        Ok(pid)
    }

    /// The input uses a PID that looked unused: our stream gives way.
    fn move_stream(&mut self, report: &mut Report, from: Pid) -> Result<(), PipelineError> {
        self.ours.remove(from);
        let to = self.take_pid()?;
        let ecm = self.ecm.iter_mut().map(|stream| (&mut stream.pid, stream.inserts));
        let emm = self.emm.iter_mut().map(|stream| (&mut stream.pid, stream.inserts));
        for (pid, inserts) in ecm.chain(emm).filter(|(pid, _)| **pid == from) {
            *pid = to;
            self.inserts.set_pid(inserts, to);
        }
        report.event(Event::PidMoved { from, to });
        self.signalling.rebuild(&self.tables, &self.ecm, &self.emm)
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
