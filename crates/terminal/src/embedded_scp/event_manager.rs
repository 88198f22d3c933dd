//! The event manager: turns tokens and user actions into events and drives the client with them.
//!
//! Clauses: X.1198 7.2, 7.7. One event is one transaction: what the client wrote becomes durable
//! when the event ended well, and is forgotten when the client was stopped in it. A client that
//! was stopped stays stopped.

use portcullis_store::Disk;
use portcullis_svm::{Client, Event, Outcome};
use portcullis_types::ServiceId;
use serde_json::json;

use crate::chip::SecurityChip;
use crate::host::{GUEST_SESSION, Host};
use crate::report::Reporter;

/// A client that was initialised. Made by [`Self::start`] only, from a loaded client.
pub struct RunningClient<C: SecurityChip, D: Disk> {
    client: Client,
    host: Host<C, D>,
    reporter: Reporter,
    instructions: u64,
}

/// A client that was stopped, and why.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{why}")]
pub struct Stopped {
    /// In words.
    pub why: String,
    /// Whether the chip went away.
    pub chip_gone: bool,
}

impl<C: SecurityChip, D: Disk> RunningClient<C, D> {
    /// Initialises a loaded client. A client that fails here gives the chip back.
    ///
    /// # Errors
    /// [`Stopped`] and the chip.
    // spec: X-51 X-57
    pub fn start(
        client: Client,
        host: Host<C, D>,
        reporter: Reporter,
    ) -> Result<Self, (Stopped, C)> {
        let mut running = Self { client, host, reporter, instructions: 0 };
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

    fn raise(
        &mut self,
        event: Event,
        params: &[u32],
        emm: Option<&[u8]>,
        ecm: Option<&[u8]>,
    ) -> Result<u32, Stopped> {
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
            other => Err(other.to_string()),
        };
        let kept = self.host.end_event(returned.is_ok());
        let returned = match (returned, kept) {
            (Ok(_), Err(error)) => {
                self.client.force_end(&mut self.host);
                Err(error.to_string())
            }
            (returned, _) => returned,
        };
        self.reporter.emit(json!({ "event": "svm", "state": self.client.state().name() }));
        returned.map_err(|why| Stopped { why, chip_gone: self.host.chip_is_gone() })
    }
}
