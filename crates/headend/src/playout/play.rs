//! The thread that drives the pipeline.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use portcullis_scramble::{FULL_BATCH, Scheduler};
use portcullis_ts::{PACKET_SIZE, Pcr};
use portcullis_types::{CpNumber, Parity};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::air::Air;
use super::emms::{self, Emms};
use super::links::{Answer, Links};
use super::{Feed, PlayoutError, Summary};
use crate::batches::Batches;
use crate::event::Events;
use crate::input::Arrived;
use crate::location::Location;
use crate::output::Output;
use crate::pipeline::{Event, Outgoing, Pipeline, PipelineError, Progress, StreamTime};

/// How often the counters are reported.
const REPORT: Duration = Duration::from_secs(1);
/// The longest wait before looking what else there is to do.
const WAIT_MAX: Duration = Duration::from_millis(200);
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
    pub(super) way: Way,
    pub(super) begun: Instant,
    pub(super) events: Events,
    pub(super) stop: Arc<AtomicBool>,
    /// ECMs to ask for once more, and when: at most one per ECM stream and crypto-period ahead.
    pub(super) again: Vec<(Instant, usize, CpNumber)>,
}

/// The way from the pipeline to the output.
// There is one per headend, so its size does not matter.
#[allow(clippy::large_enum_variant)]
pub(super) enum Way {
    /// Everything is at hand: scrambled where it lies and written at once.
    File(Scheduler),
    /// Collected for batches, and sent at its time when the output is on air.
    Air(Air),
}

impl Way {
    pub(super) fn new(live: bool, paced: bool, deadline: Duration) -> Self {
        if live {
            Self::Air(Air::new(deadline, paced))
        } else {
            Self::File(Scheduler::scrambler(FULL_BATCH))
        }
    }

    fn batches(&self) -> Batches {
        match self {
            Self::File(scheduler) => scheduler.stats().into(),
            Self::Air(air) => air.stats().into(),
        }
    }
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
        let mut out = Outgoing::default();
        let mut tally = Tally::new();
        let mut ended = false;
        loop {
            self.exchange(None)?;
            let has_room = self.has_room();
            let progress = if has_room {
                self.pipeline.advance(&mut out).map_err(|e| self.failed(e))?
            } else {
                Progress::More
            };
            self.tell(&mut tally, &out);
            self.put_out(&mut out)?;
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
                    let wait = self.wait(ECM_WAIT);
                    let answers = &mut self.provisions.answers;
                    let answer =
                        Handle::current().block_on(async { timeout(wait, answers.recv()).await });
                    self.exchange(answer.ok().flatten())?;
                }
                Progress::More if !has_room => thread::sleep(self.wait(WAIT_MAX)),
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
        self.put_rest_out()?;
        tally.report(&self.events, &self.pipeline, self.way.batches());
        self.output.finish()?;
        let duration_ms = tally.last_time.0 / StreamTime::PER_MS;
        let batches = self.way.batches();
        Ok(Summary::of(self.pipeline.stats(), tally.crypto_periods, duration_ms, batches))
    }

    /// Sends what the pipeline put out, or what of it is due.
    fn put_out(&mut self, out: &mut Outgoing) -> Result<(), PlayoutError> {
        match &mut self.way {
            Way::File(scheduler) => self.output.write(out.scramble(scheduler).0)?,
            Way::Air(air) => {
                let now = self.begun.elapsed();
                air.take(out, now);
                self.output.write(air.due(now))?;
            }
        }
        out.clear();
        Ok(())
    }

    /// Sends what still waits, at its time.
    fn put_rest_out(&mut self) -> Result<(), PlayoutError> {
        let Way::Air(air) = &mut self.way else { return Ok(()) };
        air.finish(self.begun.elapsed());
        // Ends: every turn sends what is due and waits for the next packet.
        while let Some(due) = air.poll_timeout() {
            thread::sleep(due.saturating_sub(self.begun.elapsed()));
            self.output.write(air.due(self.begun.elapsed()))?;
        }
        Ok(())
    }

    /// Whether what waits for the output leaves room: when it does not, nothing is read.
    fn has_room(&self) -> bool {
        let at_hand = match &self.feed {
            Feed::Once(input) => input.is_at_hand(),
            Feed::Looped(_) => true,
        };
        match &self.way {
            Way::File(_) => true,
            Way::Air(air) => air.has_room(at_hand, self.begun.elapsed()),
        }
    }

    /// How long nothing has to be sent, at most so long.
    fn wait(&self, longest: Duration) -> Duration {
        let due = match &self.way {
            Way::File(_) => None,
            Way::Air(air) => air.poll_timeout(),
        };
        due.map_or(longest, |due| due.saturating_sub(self.begun.elapsed()).min(longest))
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
        let wait = self.wait(WAIT_MAX);
        let arrived = match &mut self.feed {
            Feed::Once(input) => input.read_within(wait)?,
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
        tally.last_time = out.times().last().copied().unwrap_or(tally.last_time);
        while let Some(event) = self.pipeline.poll_event() {
            tally.crypto_periods += u64::from(matches!(event, Event::CryptoPeriod { .. }));
            tally.tell(&self.events, &event);
        }
        if tally.reported.elapsed() >= REPORT {
            tally.report(&self.events, &self.pipeline, self.way.batches());
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

    fn report(&mut self, events: &Events, pipeline: &Pipeline, batches: Batches) {
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
                "batches": batches,
            })
        });
        self.reported = Instant::now();
        self.reported_time = self.last_time;
        self.reported_packets = stats.packets;
    }
}
