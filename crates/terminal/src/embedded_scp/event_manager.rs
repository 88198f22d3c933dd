//! The event manager: owns the queue of events, turns tokens, user actions, timers and messages
//! into events of the client and drives it with them.
//!
//! Clauses: X.1198 7.2, 7.5, 7.7. One event is one transaction: what the client wrote becomes
//! durable when the event ended well, and is forgotten when the client was stopped in it. A client
//! that was stopped stays stopped; the media client gets a return code and, unless the policy says
//! otherwise, an error event, and the operator a record. The client has no thread of its own: it
//! runs on the caller's, and between events nothing runs.
//!
//! What must never happen: an event after the lifetime of the policy; a client stopped in silence.

use std::path::PathBuf;
use std::time::Duration;

use portcullis_package::Lifetime;
use portcullis_store::{ClientName, Disk};
use portcullis_svm::abi::{player, reason, token};
use portcullis_svm::{Client, Event, Outcome, State, StopKind};
use portcullis_types::ServiceId;
use serde_json::json;

use crate::chip::{ChipSealer, SecurityChip};
use crate::embedded_scp::link::{Answer, LinkError, MediaEnd, MediaEvent, ScpEnd, Sequence, link};
use crate::embedded_scp::recording::Recording;
use crate::embedded_scp::violations::{self, ViolationRecord};
use crate::host::{Content, GUEST_SESSION, Host};
use crate::report::Reporter;

/// Events of timers and messages in one turn: the stream goes on in between.
const TURN: usize = 16;

/// The event manager of one client, with the queue of its events.
pub struct EventManager<C: SecurityChip, D: Disk> {
    client: Client,
    host: Host<C, D>,
    events: ScpEnd,
    reporter: Reporter,
    terms: Terms,
    disk: D,
    recording: Option<Recording>,
    started_ms: u64,
    instructions: u64,
}

/// A client that was initialised, with the media client's end of the link to its event manager.
/// Made by [`Self::start`] only, from a loaded client.
pub struct RunningClient<C: SecurityChip, D: Disk> {
    link: MediaEnd,
    manager: EventManager<C, D>,
}

/// What the verified package says of a client's life.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Supplier and client.
    pub name: ClientName,
    /// When, and how long without a restart, it may run.
    pub lifetime: Lifetime,
    /// Whether the media client gets an error event beside the return code.
    pub report_violations: bool,
    /// The flash whose log keeps what stopped it; `None` keeps nothing.
    pub flash: Option<PathBuf>,
}

/// A client that was stopped, and why.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{why}")]
pub struct Stopped {
    /// Which kind of end it was; [`StopKind::code`] is the return code.
    pub kind: StopKind,
    /// In words.
    pub why: String,
    /// Whether the chip went away.
    pub chip_gone: bool,
}

impl<C: SecurityChip, D: Disk + Clone> RunningClient<C, D> {
    /// Initialises a loaded client. A client that fails here gives the chip back.
    ///
    /// # Errors
    /// [`Stopped`] and the chip.
    pub fn start(
        client: Client,
        host: Host<C, D>,
        reporter: Reporter,
        terms: Terms,
        disk: D,
    ) -> Result<Self, (Stopped, C)> {
        Self::start_recorded(client, host, reporter, terms, disk, None)
    }

    /// The same; everything the client does is written down.
    ///
    /// # Errors
    /// [`Stopped`] and the chip.
    // spec: X-51 X-57
    pub fn start_recorded(
        client: Client,
        host: Host<C, D>,
        reporter: Reporter,
        terms: Terms,
        disk: D,
        recording: Option<Recording>,
    ) -> Result<Self, (Stopped, C)> {
        let (started_ms, instructions) = (host.clock().monotonic_ms(), 0);
        let (link, events) = link();
        let manager = EventManager {
            client,
            host,
            events,
            reporter,
            terms,
            disk,
            recording,
            started_ms,
            instructions,
        };
        let mut running = Self { link, manager };
        match running.hand_over(MediaEvent::Initialize) {
            Ok(_) => Ok(running),
            Err(stopped) => Err((stopped, running.manager.host.into_chip())),
        }
    }

    /// Hands an event over and waits for its answer.
    ///
    /// # Errors
    /// [`Stopped`].
    // spec: X-E07 X-E13
    pub fn hand_over(&mut self, event: MediaEvent) -> Result<u32, Stopped> {
        let sent = self.link.send(event).map_err(|error| self.manager.link_broke(error))?;
        while let Some(answer) = self.manager.serve()? {
            let taken = self.link.answered(&answer);
            taken.map_err(|error| self.manager.link_broke(error))?;
            if answer.sequence == sent {
                return Ok(answer.result);
            }
        }
        let came = Sequence(sent.0 + 1);
        Err(self.manager.link_broke(LinkError::Lost { expected: sent, came }))
    }

    /// A service was chosen.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn select_content(&mut self, service: ServiceId) -> Result<u32, Stopped> {
        self.hand_over(MediaEvent::SelectContent(service))
    }

    /// A new EMM section came.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn entitlement(&mut self, section: &[u8]) -> Result<u32, Stopped> {
        self.hand_over(MediaEvent::Entitlement(section.to_vec()))
    }

    /// A new ECM section came.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn change_key(&mut self, section: &[u8]) -> Result<u32, Stopped> {
        self.hand_over(MediaEvent::ChangeKey(section.to_vec()))
    }

    /// Lets the client descramble; `None` when it answered no, or gave nothing back.
    ///
    /// # Errors
    /// [`Stopped`].
    // spec: X-47 X-60 X-S10
    pub fn descramble(&mut self, content: Content) -> Result<Option<Vec<u8>>, Stopped> {
        let answered = self.hand_over(MediaEvent::Descramble(content))?;
        let descrambled = self.manager.host.take_descrambled();
        Ok(descrambled.filter(|_| answered == reason::OK))
    }

    /// Ends the client and gives the chip back.
    pub fn terminate(mut self) -> C {
        // It ends in any case; what it says about it changes nothing.
        let _ = self.hand_over(MediaEvent::Terminate);
        self.manager.host.into_chip()
    }

    /// The host, for descrambling between events.
    pub fn host(&mut self) -> &mut Host<C, D> {
        &mut self.manager.host
    }

    /// The host, to look at.
    pub const fn host_ref(&self) -> &Host<C, D> {
        &self.manager.host
    }

    /// How long until [`Self::handle_timeout`] has something to do; `None` when only an event
    /// from outside can bring that about.
    // spec: X-S01
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let EventManager { host, terms, started_ms, .. } = &self.manager;
        let clock = host.clock();
        let now = clock.monotonic_ms();
        let Lifetime { not_after, max_uptime_seconds, .. } = terms.lifetime;
        let end = not_after.0.saturating_sub(clock.wall().0).saturating_add(1).saturating_mul(1000);
        let uptime = (max_uptime_seconds != 0)
            .then(|| started_ms.saturating_add(u64::from(max_uptime_seconds) * 1000));
        let due = [host.poll_timeout(), uptime, Some(now.saturating_add(end))];
        due.into_iter().flatten().min().map(|due| Duration::from_millis(due.saturating_sub(now)))
    }

    /// Raises the events of timers that ran out and of messages that came.
    ///
    /// # Errors
    /// [`Stopped`], also when the client's lifetime is over.
    // spec: X-S09
    pub fn handle_timeout(&mut self) -> Result<(), Stopped> {
        self.manager.check_lifetime(None)?;
        for _ in 0..TURN {
            let host = &mut self.manager.host;
            if let Some(timer) = host.timer_ran_out() {
                let params = [timer.number, timer.times, timer.late_ms];
                self.hand_over(MediaEvent::Timer(params))?;
            } else if let Some(message) = host.message_came() {
                self.hand_over(MediaEvent::Message(message))?;
            } else {
                break;
            }
        }
        Ok(())
    }
}

impl<C: SecurityChip, D: Disk + Clone> EventManager<C, D> {
    /// Takes the event that waits longest and has the client handle it; `None` when none waits.
    ///
    /// # Errors
    /// [`Stopped`]: the client is at its end.
    // spec: X-51 X-57 X-E05
    pub fn serve(&mut self) -> Result<Option<Answer>, Stopped> {
        let numbered = match self.events.take() {
            Ok(Some(numbered)) => numbered,
            Ok(None) => return Ok(None),
            Err(error) => return Err(self.link_broke(error)),
        };
        let len = |section: &[u8]| section.len() as u32;
        let sequence = numbered.sequence;
        let result = match &numbered.event {
            event @ (MediaEvent::Initialize | MediaEvent::Terminate) => {
                self.raise(sequence, event.event(), &[], None)
            }
            MediaEvent::SelectContent(service) => {
                let params = [GUEST_SESSION, service.0.into()];
                self.raise(sequence, Event::SelectContent, &params, None)
            }
            MediaEvent::Entitlement(section) => {
                let token = Some((token::EMM, section.as_slice()));
                self.raise(sequence, Event::Entitlement, &[len(section)], token)
            }
            MediaEvent::ChangeKey(section) => {
                let token = Some((token::ECM, section.as_slice()));
                self.raise(sequence, Event::ChangeKey, &[GUEST_SESSION, len(section)], token)
            }
            MediaEvent::Descramble(content) => {
                let octets = content.octets();
                let parity = content.parity.index() as u32;
                let params = [GUEST_SESSION, parity, content.packets(), len(octets)];
                let token = Some((token::CONTENT, octets));
                self.raise(sequence, Event::Descramble, &params, token)
            }
            MediaEvent::Timer(params) => self.raise(sequence, Event::Timer, params, None),
            MediaEvent::Message([source, number, octets]) => {
                let params = [player::MESSAGE, *source, *number, *octets];
                self.raise(sequence, Event::Player, &params, None)
            }
        }?;
        Ok(Some(Answer { sequence, result }))
    }

    /// An event is missing, or came twice: the client is not trusted to be where it should be.
    fn link_broke(&mut self, error: LinkError) -> Stopped {
        self.client.force_end(&mut self.host);
        self.stopped(StopKind::Fault, error.to_string(), None, None)
    }

    // spec: X-Y01
    // defends: T-30
    fn check_lifetime(&mut self, event: Option<Event>) -> Result<(), Stopped> {
        let Lifetime { max_uptime_seconds, .. } = self.terms.lifetime;
        let now = self.host.clock().wall();
        let up = self.host.clock().monotonic_ms().saturating_sub(self.started_ms) / 1000;
        let why = if !self.terms.lifetime.contains(now) {
            "the lifetime that its policy gives is over"
        } else if max_uptime_seconds != 0 && up >= max_uptime_seconds.into() {
            "it has run as long as its policy allows without a restart"
        } else {
            return Ok(());
        };
        if self.client.state() == State::End {
            return Ok(());
        }
        self.client.force_end(&mut self.host);
        Err(self.stopped(StopKind::Lifetime, why.into(), event, None))
    }

    fn raise(
        &mut self,
        sequence: Sequence,
        event: Event,
        params: &[u32],
        token: Option<(u32, &[u8])>,
    ) -> Result<u32, Stopped> {
        self.check_lifetime(Some(event))?;
        self.host.begin_event(token.as_slice());
        let outcome = match &mut self.recording {
            Some(recording) => recording.raise(
                &mut self.client,
                event,
                params,
                token.as_slice(),
                &mut self.host,
                &self.reporter,
            ),
            None => self.client.raise(event, params, &mut self.host),
        };
        let total = self.client.retired_instructions();
        let spent = total - self.instructions;
        self.instructions = total;
        self.reporter.emit(json!({
            "event": "svm",
            "sequence": sequence.0,
            "state": event.state().name(),
            "instructions": spent,
            "outcome": outcome.to_string(),
        }));
        let returned = match outcome {
            Outcome::Returned(code) => Ok(code),
            // It was stopped before: that is reported and kept already.
            Outcome::Refused { .. } => {
                let why = outcome.to_string();
                self.host.end_event(false).unwrap_or_default();
                return Err(Stopped { kind: StopKind::Fault, why, chip_gone: false });
            }
            other => Err((other.stop_kind().unwrap_or(StopKind::Fault), other.to_string())),
        };
        let kept = self.host.end_event(returned.is_ok());
        let returned = match (returned, kept) {
            (Ok(_), Err(error)) => {
                self.client.force_end(&mut self.host);
                Err((StopKind::Storage, error.to_string()))
            }
            (returned, _) => returned,
        };
        self.reporter.emit(json!({ "event": "svm", "state": self.client.state().name() }));
        returned.map_err(|(kind, why)| self.stopped(kind, why, Some(event), Some(&outcome)))
    }

    /// The return code, the error event and the record of a client that was stopped.
    // spec: X-01 X-26 X-Y03
    fn stopped(
        &mut self,
        kind: StopKind,
        why: String,
        event: Option<Event>,
        outcome: Option<&Outcome>,
    ) -> Stopped {
        self.host.release_all();
        let mut record =
            ViolationRecord::new(self.host.clock().wall(), self.terms.name, kind, &why);
        if let Some(event) = event {
            record = record.during(event, outcome);
        }
        if self.terms.report_violations {
            self.reporter.emit(record.to_event());
        }
        // Without the chip nothing can be sealed; that it is gone is told by itself.
        let flash = self.terms.flash.as_ref().filter(|_| !self.host.chip_is_gone());
        if let Some(flash) = flash {
            let sealer = &mut ChipSealer(&mut self.host.chip);
            if let Err(error) = violations::keep(self.disk.clone(), flash, sealer, record) {
                tracing::warn!("a stopped client could not be recorded: {error}");
            }
        }
        Stopped { kind, why, chip_gone: self.host.chip_is_gone() }
    }
}
