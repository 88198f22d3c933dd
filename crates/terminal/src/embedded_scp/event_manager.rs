//! The event manager: turns tokens, user actions, timers and messages into events and drives the
//! client with them.
//!
//! Clauses: X.1198 7.2, 7.5, 7.7. One event is one transaction: what the client wrote becomes
//! durable when the event ended well, and is forgotten when the client was stopped in it. A client
//! that was stopped stays stopped; the media client gets a return code and, unless the policy says
//! otherwise, an error event, and the operator a record.
//!
//! What must never happen: an event after the lifetime of the policy; a client stopped in silence.

use std::path::PathBuf;
use std::time::Duration;

use portcullis_package::Lifetime;
use portcullis_store::{ClientName, Disk};
use portcullis_svm::abi::player;
use portcullis_svm::{Client, Event, Outcome, State, StopKind};
use portcullis_types::ServiceId;
use serde_json::json;

use crate::chip::{ChipSealer, SecurityChip};
use crate::embedded_scp::violations::{self, ViolationRecord};
use crate::host::{GUEST_SESSION, Host};
use crate::report::Reporter;

/// Events of timers and messages in one turn: the stream goes on in between.
const TURN: usize = 16;

/// A client that was initialised. Made by [`Self::start`] only, from a loaded client.
pub struct RunningClient<C: SecurityChip, D: Disk> {
    client: Client,
    host: Host<C, D>,
    reporter: Reporter,
    terms: Terms,
    disk: D,
    started_ms: u64,
    instructions: u64,
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
    // spec: X-51 X-57
    pub fn start(
        client: Client,
        host: Host<C, D>,
        reporter: Reporter,
        terms: Terms,
        disk: D,
    ) -> Result<Self, (Stopped, C)> {
        let started_ms = host.clock().monotonic_ms();
        let mut running = Self { client, host, reporter, terms, disk, started_ms, instructions: 0 };
        match running.raise(Event::Initialize, &[], None, None) {
            Ok(_) => Ok(running),
            Err(stopped) => Err((stopped, running.host.into_chip())),
        }
    }

    /// A service was chosen.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn select_content(&mut self, service: ServiceId) -> Result<u32, Stopped> {
        self.raise(Event::SelectContent, &[GUEST_SESSION, service.0.into()], None, None)
    }

    /// A new EMM section came.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn entitlement(&mut self, section: &[u8]) -> Result<u32, Stopped> {
        self.raise(Event::Entitlement, &[section.len() as u32], Some(section), None)
    }

    /// A new ECM section came.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn change_key(&mut self, section: &[u8]) -> Result<u32, Stopped> {
        let params = [GUEST_SESSION, section.len() as u32];
        self.raise(Event::ChangeKey, &params, None, Some(section))
    }

    /// Ends the client and gives the chip back.
    pub fn terminate(mut self) -> C {
        // It ends in any case; what it says about it changes nothing.
        let _ = self.raise(Event::Terminate, &[], None, None);
        self.host.into_chip()
    }

    /// The host, for descrambling between events.
    pub fn host(&mut self) -> &mut Host<C, D> {
        &mut self.host
    }

    /// The host, to look at.
    pub const fn host_ref(&self) -> &Host<C, D> {
        &self.host
    }

    /// How long until [`Self::handle_timeout`] has something to do; `None` when only an event
    /// from outside can bring that about.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let clock = self.host.clock();
        let now = clock.monotonic_ms();
        let Lifetime { not_after, max_uptime_seconds, .. } = self.terms.lifetime;
        let end = not_after.0.saturating_sub(clock.wall().0).saturating_add(1).saturating_mul(1000);
        let uptime = (max_uptime_seconds != 0)
            .then(|| self.started_ms.saturating_add(u64::from(max_uptime_seconds) * 1000));
        let due = [self.host.poll_timeout(), uptime, Some(now.saturating_add(end))];
        due.into_iter().flatten().min().map(|due| Duration::from_millis(due.saturating_sub(now)))
    }

    /// Raises the events of timers that ran out and of messages that came.
    ///
    /// # Errors
    /// [`Stopped`], also when the client's lifetime is over.
    // spec: X-S09
    pub fn handle_timeout(&mut self) -> Result<(), Stopped> {
        self.check_lifetime(None)?;
        for _ in 0..TURN {
            if let Some(timer) = self.host.timer_ran_out() {
                let params = [timer.number, timer.times, timer.late_ms];
                self.raise(Event::Timer, &params, None, None)?;
            } else if let Some([source, number, octets]) = self.host.message_came() {
                let params = [player::MESSAGE, source, number, octets];
                self.raise(Event::Player, &params, None, None)?;
            } else {
                break;
            }
        }
        Ok(())
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
        event: Event,
        params: &[u32],
        emm: Option<&[u8]>,
        ecm: Option<&[u8]>,
    ) -> Result<u32, Stopped> {
        self.check_lifetime(Some(event))?;
        self.host.begin_event(emm, ecm);
        let outcome = self.client.raise(event, params, &mut self.host);
        let total = self.client.retired_instructions();
        let spent = total - self.instructions;
        self.instructions = total;
        self.reporter.emit(json!({
            "event": "svm",
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
