//! The thread that drives the pipeline.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use portcullis_ts::{PACKET_SIZE, Pcr};
use portcullis_types::{CpNumber, Parity};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::emms::{self, Emms};
use super::links::{Answer, Links};
use super::pace::Pacer;
use super::{Feed, PlayoutError, Summary};
use crate::event::Events;
use crate::input::Arrived;
use crate::location::Location;
use crate::output::Output;
use crate::pipeline::{Event, Outgoing, Pipeline, PipelineError, Progress, StreamTime};

/// How often the counters are reported.
const REPORT: Duration = Duration::from_secs(1);
/// How long to wait for an ECM before looking whether the operator wants an end.
const ECM_WAIT: Duration = Duration::from_millis(200);
/// On air, an ECM that is none is asked for again after this pause.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// All that one headend needs while it plays.
pub(super) struct Player {
    pub(super) input: Location,
    pub(super) feed: Feed,
    pub(super) pipeline: Pipeline,
    pub(super) provisions: Links,
    pub(super) emms: Emms,
    pub(super) output: Output,
    pub(super) paced: bool,
    pub(super) events: Events,
    pub(super) stop: Arc<AtomicBool>,
    /// ECMs to ask for once more, and when: at most one per ECM stream and crypto-period ahead.
    pub(super) again: Vec<(Instant, usize, CpNumber)>,
}

/// What is counted while playing.
struct Tally {
    begun: Instant,
    begun_unix_ms: u64,
    crypto_periods: u64,
    last_time: StreamTime,
    reported: Instant,
    reported_time: StreamTime,
    reported_packets: u64,
}

impl Player {
    /// Plays to the end of the input.
    pub(super) fn play(mut self) -> Result<Summary, PlayoutError> {
        for (ca_system_id, sections) in std::mem::take(&mut self.emms.at_once) {
            let pushed = self.pipeline.push_emm(ca_system_id, sections);
            pushed.map_err(|source| self.failed(source))?;
        }
        let mut pacer = Pacer::new();
        let mut out = Outgoing::default();
        let mut tally = Tally::new();
        let mut ended = false;
        loop {
            self.exchange(None)?;
            let progress = self.pipeline.advance(&mut out).map_err(|e| self.failed(e))?;
            self.tell(&mut tally, &out);
            if self.paced {
                pacer.send(&out, &mut self.output)?;
            } else {
                self.output.write(&out.packets)?;
            }
            out.clear();
            match progress {
                // On air there is nothing to bring to an end.
                Progress::NeedEcm | Progress::More
                    if self.paced && self.stop.load(Ordering::Relaxed) =>
                {
                    break;
                }
                Progress::NeedEcm => {
                    self.output.flush()?;
                    self.send_provisions();
                    let answers = &mut self.provisions.answers;
                    let answer = Handle::current()
                        .block_on(async { timeout(ECM_WAIT, answers.recv()).await });
                    self.exchange(answer.ok().flatten())?;
                }
                Progress::More => {}
                Progress::NeedInput if ended => break,
                Progress::NeedInput => {
                    let more = !self.stop.load(Ordering::Relaxed) && self.read()?;
                    if !more {
                        self.pipeline.finish().map_err(|e| self.failed(e))?;
                        ended = true;
                    }
                }
            }
        }
        tally.report(&self.events, &self.pipeline);
        self.output.finish()?;
        let duration_ms = tally.last_time.0 / StreamTime::PER_MS;
        Ok(Summary::of(self.pipeline.stats(), tally.crypto_periods, duration_ms))
    }

    /// Gives the pipeline what came in beside the stream, and takes what it asks for.
    fn exchange(&mut self, first: Option<Answer>) -> Result<(), PlayoutError> {
        self.send_provisions();
        let mut next = first;
        while let Some(answer) = next.take().or_else(|| self.provisions.answers.try_recv().ok()) {
            let ecm = answer.ecm?;
            match self.pipeline.handle_ecm(answer.stream, answer.cp_number, &ecm) {
                // One bad ECM takes no service off the air: its control word stays meanwhile.
                Err(error) if self.paced => {
                    tracing::warn!("{error}; asking again");
                    self.again.push((Instant::now() + ASK_AGAIN, answer.stream, answer.cp_number));
                }
                taken => taken.map_err(|source| self.failed(source))?,
            }
        }
        while let Some(datagram) = self.emms.later.as_mut().and_then(|later| later.try_recv().ok())
        {
            let (ca_system_id, sections) = emms::split(datagram);
            let pushed = self.pipeline.push_emm(ca_system_id, sections);
            pushed.map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    fn send_provisions(&mut self) {
        let now = Instant::now();
        for (_, stream, cp_number) in self.again.extract_if(.., |(at, ..)| *at <= now) {
            self.pipeline.provision_again(stream, cp_number);
        }
        while let Some(provision) = self.pipeline.poll_provision() {
            // A link that takes no more has told why, or is about to.
            let _ = self.provisions.send(provision);
        }
    }

    /// Brings packets to the pipeline; `false` at the end.
    fn read(&mut self) -> Result<bool, PlayoutError> {
        let arrived = match &mut self.feed {
            Feed::Once(input) => input.read()?,
            Feed::Looped(input) => input.read()?,
        };
        match arrived {
            Arrived::Packets(packets) => {
                let pushed = self.pipeline.push(packets);
                pushed.map_err(|source| self.failed(source))?;
                Ok(true)
            }
            Arrived::Silence => Ok(true),
            Arrived::End => Ok(false),
        }
    }

    fn failed(&self, source: PipelineError) -> PlayoutError {
        PlayoutError::Pipeline { input: self.input.clone(), source }
    }

    /// Reports what happened, and once a second the counters.
    fn tell(&mut self, tally: &mut Tally, out: &Outgoing) {
        tally.last_time = out.times.last().copied().unwrap_or(tally.last_time);
        while let Some(event) = self.pipeline.poll_event() {
            tally.crypto_periods += u64::from(matches!(event, Event::CryptoPeriod { .. }));
            tally.tell(&self.events, &event);
        }
        if tally.reported.elapsed() >= REPORT {
            tally.report(&self.events, &self.pipeline);
        }
    }
}

impl Tally {
    fn new() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            begun: Instant::now(),
            begun_unix_ms: since_1970.as_millis() as u64,
            crypto_periods: 0,
            last_time: StreamTime(0),
            reported: Instant::now(),
            reported_time: StreamTime(0),
            reported_packets: 0,
        }
    }

    fn tell(&self, events: &Events, event: &Event) {
        match event {
            Event::CryptoPeriod { cp_number, parity, duration, .. } => events.emit(|| {
                let parity = match parity {
                    Parity::Even => "even",
                    Parity::Odd => "odd",
                };
                let now = self.begun_unix_ms + self.begun.elapsed().as_millis() as u64;
                json!({
                    "event": "crypto_period",
                    "cp_number": cp_number.0,
                    "parity": parity,
                    "duration_ms": duration.0,
                    "started_unix_ms": now,
                })
            }),
            Event::EcmLate { super_cas_id, cp_number } => {
                tracing::warn!("ECM {cp_number} of {super_cas_id} is late; control word kept");
                events.emit(|| {
                    json!({
                        "event": "ecm_late",
                        "super_cas_id": super_cas_id.to_string(),
                        "cp_number": cp_number.0,
                    })
                });
            }
            Event::PidMoved { from, to } => {
                tracing::warn!("the input uses PID {from}; our stream moved to {to}");
            }
            Event::SharedComponent { pid } => {
                tracing::warn!("PID {pid} also belongs to another service and stays clear");
            }
            Event::NothingToScramble => {
                tracing::warn!("the PMT of the service names no component to scramble");
            }
            Event::ServiceGone => tracing::warn!("the PAT no longer names the service"),
        }
    }

    fn report(&mut self, events: &Events, pipeline: &Pipeline) {
        let stats = pipeline.stats();
        let span = self.last_time.0.saturating_sub(self.reported_time.0);
        let bits = (stats.packets - self.reported_packets) * PACKET_SIZE as u64 * 8;
        let bitrate = (u128::from(bits) * u128::from(Pcr::HZ)).checked_div(u128::from(span));
        events.emit(|| {
            json!({
                "event": "headend",
                "packets": stats.packets,
                "scrambled": stats.scrambled,
                "ecm_inserted": stats.ecm_inserted,
                "emm_inserted": stats.emm_inserted,
                "nulls_replaced": stats.nulls_replaced,
                "bitrate_bps": bitrate.unwrap_or(0) as u64,
            })
        });
        self.reported = Instant::now();
        self.reported_time = self.last_time;
        self.reported_packets = stats.packets;
    }
}
