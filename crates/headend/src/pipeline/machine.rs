//! The pipeline as its caller sees it: probe first, then the multiplexer; CW_provisions at all
//! times.

use std::collections::VecDeque;

use portcullis_ts::RawPacket;
use portcullis_types::{CaSystemId, CpNumber, Pid};

use super::ecm::EcmStream;
use super::inserts::Inserts;
use super::mux::Mux;
use super::periods::{CryptoPeriods, Period, Randomness};
use super::probe::Probe;
use super::{
    CwProvision, Event, Outgoing, Pace, PipelineConfig, PipelineError, Progress, Stats, StreamTime,
};

/// Events that wait for the caller at most; older ones give way.
const EVENTS_MAX: usize = 1_024;

/// Scrambles one service of a transport stream.
pub struct Pipeline {
    config: PipelineConfig,
    periods: CryptoPeriods,
    /// The last period for which CW_provisions went out.
    provisioned: Option<Period>,
    provisions: VecDeque<CwProvision>,
    stage: Stage,
    report: Report,
}

// There is one pipeline per stream, so the size of its stage does not matter.
#[allow(clippy::large_enum_variant)]
enum Stage {
    /// Looking for the service.
    Probing {
        probe: Probe,
        backlog: Vec<RawPacket>,
        front_emms: Vec<(CaSystemId, Vec<Vec<u8>>)>,
        inserts: Inserts,
        ecm: Vec<EcmStream>,
    },
    Running(Mux),
    /// A failed start; every call has been answered with the error.
    Failed,
}

/// What is told to the operator.
#[derive(Default)]
pub(super) struct Report {
    events: VecDeque<Event>,
    pub(super) stats: Stats,
}

impl Report {
    pub(super) fn event(&mut self, event: Event) {
        if self.events.len() >= EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}

impl Pipeline {
    /// A pipeline before its first packet. `random` makes the control words.
    #[must_use]
    pub fn new(config: PipelineConfig, random: Randomness) -> Self {
        let start = match config.pace {
            Pace::File => StreamTime(0),
            // The service stays clear as long as the earliest first ECM goes ahead.
            Pace::Live => {
                let delays = config.ecm.iter().map(|ecm| ecm.transition_delay_start_ms);
                StreamTime(0).offset_ms(delays.min().unwrap_or(0).saturating_neg().max(0))
            }
        };
        let length = u64::from(config.crypto_period.0) * StreamTime::PER_MS;
        let periods = CryptoPeriods::new(config.mode, config.first_cp, length, start, random);
        let mut inserts = Inserts::default();
        let ecm = config
            .ecm
            .iter()
            // Their PIDs are chosen when the PIDs of the input are known.
            .map(|stream| EcmStream::new(stream.clone(), Pid::NULL, inserts.add(Pid::NULL, 0)))
            .collect();
        let stage = Stage::Probing {
            probe: Probe::new(config.service),
            backlog: Vec::new(),
            front_emms: Vec::new(),
            inserts,
            ecm,
        };
        let mut pipeline = Self {
            config,
            periods,
            provisioned: None,
            provisions: VecDeque::new(),
            stage,
            report: Report::default(),
        };
        pipeline.provision_ahead();
        pipeline
    }

    /// Takes input packets. To be called when [`Pipeline::advance`] needs input.
    ///
    /// # Errors
    /// [`PipelineError`] when the service is not there or cannot be scrambled.
    pub fn push(&mut self, packets: &[RawPacket]) -> Result<(), PipelineError> {
        match &mut self.stage {
            Stage::Running(mux) => {
                mux.push(packets);
                Ok(())
            }
            Stage::Probing { probe, backlog, .. } => {
                backlog.extend_from_slice(packets);
                let found = probe.push(packets, false)?;
                if found { self.start() } else { Ok(()) }
            }
            Stage::Failed => Ok(()),
        }
    }

    /// The input has ended; what is held back comes out with the next [`Pipeline::advance`].
    ///
    /// # Errors
    /// [`PipelineError`] when the service was not found by now.
    pub fn finish(&mut self) -> Result<(), PipelineError> {
        if let Stage::Probing { probe, .. } = &mut self.stage {
            probe.push(&[], true)?;
            self.start()?;
        }
        if let Stage::Running(mux) = &mut self.stage {
            mux.finish();
        }
        Ok(())
    }

    /// Takes EMM sections of a CA system. Before the first output packet of a file they stand in
    /// front of it and come round again; later they are played once, in order.
    ///
    /// # Errors
    /// [`PipelineError`] when there is no PID for a new CA system.
    pub fn push_emm(
        &mut self,
        ca_system_id: CaSystemId,
        sections: Vec<Vec<u8>>,
    ) -> Result<(), PipelineError> {
        match &mut self.stage {
            // On air nobody could receive them yet, and the generator repeats them.
            Stage::Probing { front_emms, .. } if self.config.pace == Pace::File => {
                front_emms.push((ca_system_id, sections));
                Ok(())
            }
            Stage::Running(mux) => {
                mux.push_emm(&self.config, ca_system_id, sections, &mut self.report)
            }
            Stage::Probing { .. } | Stage::Failed => Ok(()),
        }
    }

    /// The next CW_provision to send.
    pub fn poll_provision(&mut self) -> Option<CwProvision> {
        self.provisions.pop_front()
    }

    /// Asks for the ECM of a crypto-period once more, after a failure.
    pub fn provision_again(&mut self, stream: usize, cp_number: CpNumber) {
        self.provision(stream, self.periods.period_of(cp_number));
    }

    /// Takes an ECM.
    ///
    /// # Errors
    /// [`PipelineError::BadEcm`] when it is none.
    pub fn handle_ecm(
        &mut self,
        stream: usize,
        cp_number: CpNumber,
        datagram: &[u8],
    ) -> Result<(), PipelineError> {
        let period = self.periods.period_of(cp_number);
        let streams = match &mut self.stage {
            Stage::Running(mux) => mux.ecm_streams(),
            Stage::Probing { ecm, .. } => ecm,
            Stage::Failed => return Ok(()),
        };
        streams.get_mut(stream).map_or(Ok(()), |ecm| ecm.receive(period, datagram))
    }

    /// Works on what there is; output packets are appended to `out`.
    ///
    /// # Errors
    /// [`PipelineError`] when the input cannot be scrambled any further.
    pub fn advance(&mut self, out: &mut Outgoing) -> Result<Progress, PipelineError> {
        let Stage::Running(mux) = &mut self.stage else { return Ok(Progress::NeedInput) };
        let progress = mux.advance(&self.config, &mut self.periods, &mut self.report, out)?;
        self.provision_ahead();
        Ok(progress)
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.report.events.pop_front()
    }

    /// The counters.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.report.stats
    }

    fn start(&mut self) -> Result<(), PipelineError> {
        let stage = std::mem::replace(&mut self.stage, Stage::Failed);
        let Stage::Probing { probe, backlog, front_emms, inserts, ecm } = stage else {
            self.stage = stage;
            return Ok(());
        };
        let mut mux = Mux::new(&self.config, probe, inserts, ecm, front_emms, &mut self.report)?;
        mux.push(&backlog);
        self.stage = Stage::Running(mux);
        Ok(())
    }

    /// Asks for every ECM up to the period after the present one: the ECM of period n is asked
    /// for as soon as period n-1 begins.
    fn provision_ahead(&mut self) {
        let last = self.periods.current().unwrap_or(0) + 1;
        let first = self.provisioned.map_or(0, |period| period + 1);
        for period in first..=last {
            for stream in 0..self.config.ecm.len() {
                self.provision(stream, period);
            }
            self.provisioned = Some(period);
        }
    }

    fn provision(&mut self, stream: usize, period: Period) {
        let Some(config) = self.config.ecm.get(stream) else { return };
        self.provisions.push_back(CwProvision {
            stream,
            cp_number: self.periods.number(period),
            control_words: self.periods.provision(period, config.lead_cw, config.cw_per_msg),
        });
    }
}
