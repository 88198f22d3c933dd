//! What the tables of the input say: which PIDs are taken, watched and scrambled; and streams of
//! our own, which give way to them.

use portcullis_ts::Packet;
use portcullis_types::{CaSystemId, Pid};

use super::super::emm::EmmStream;
use super::super::machine::Report;
use super::super::pids::PidSet;
use super::super::tables::Said;
use super::super::{Event, PipelineConfig, PipelineError, StreamTime};
use super::{EMM_STREAMS_MAX, Mux};

impl Mux {
    /// Takes notice of a packet with tables.
    pub(super) fn listen(
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
    pub(super) fn learn_pids(&mut self, config: &PipelineConfig, report: &mut Report) -> bool {
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
    pub(super) fn emm_stream(
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

    pub(super) fn take_pid(&mut self) -> Result<Pid, PipelineError> {
        let pid = self.used.take_unused().ok_or(PipelineError::NoUnusedPid)?;
        self.ours.insert(pid);
        Ok(pid)
    }

    /// The input uses a PID that looked unused: our stream gives way.
    pub(super) fn move_stream(
        &mut self,
        report: &mut Report,
        from: Pid,
    ) -> Result<(), PipelineError> {
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
