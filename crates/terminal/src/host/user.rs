//! The calls that reach the user and the picture, and the timers.
//!
//! Clauses: X.1198 7 (the media client displays SCP messages), 7.2 (Timer). The media client's
//! hooks do what the terminal can do; what it cannot is told by a status.
//!
//! What must never happen: control characters of a client on a console; more lines than the limits.

use portcullis_store::Disk;
use portcullis_svm::abi::{parental, source, status};
use portcullis_svm::{GuestMemory, HostFault, Reply, Syscall};
use serde_json::{Value, json};

use super::Host;
use super::messages::Message;
use crate::chip::SecurityChip;

/// Octets of a line for the user.
const UI_LINE: usize = 512;
/// Octets of a watermark payload.
const WATERMARK: usize = 64;
/// Oldest age that a parental check asks for.
const AGE_MAX: u32 = 99;

/// What the media client does for a client beside playing.
///
/// The default of each is what a terminal without the function does.
pub trait MediaHooks: Send {
    /// A line for the user. The event that shows it is reported in any case.
    fn show(&mut self, text: &str) {
        let _ = text;
    }

    /// Puts a payload into the picture as a watermark; `false` when this terminal cannot.
    fn watermark(&mut self, payload: &[u8]) -> bool {
        let _ = payload;
        false
    }

    /// Whether content for viewers of this age and above may be shown.
    fn parental(&mut self, age: u8) -> bool;

    /// Opens an export of a session to the system that `target` names; `None` when this terminal
    /// cannot.
    fn export(&mut self, session: u32, target: &[u8]) -> Option<u32> {
        let _ = (session, target);
        None
    }

    /// Takes content over that another system exported; `None` when this terminal cannot.
    fn import(&mut self, offer: &[u8]) -> Option<u32> {
        let _ = offer;
        None
    }
}

/// A media client without watermark, export and import, and with an age limit.
#[derive(Clone, Copy, Default, Debug)]
pub struct PlainMedia {
    /// The limit; `None` shows everything.
    pub age_limit: Option<u8>,
}

impl MediaHooks for PlainMedia {
    fn parental(&mut self, age: u8) -> bool {
        self.age_limit.is_none_or(|limit| age <= limit)
    }
}

impl<C: SecurityChip, D: Disk> Host<C, D> {
    pub(super) fn text(
        &mut self,
        call: Syscall,
        args: &[u32],
        memory: &GuestMemory,
    ) -> Result<Reply, HostFault> {
        let (ptr, len) = match (call, args) {
            (Syscall::Log | Syscall::UiMessage, &[_, ptr, len]) | (_, &[ptr, len]) => (ptr, len),
            _ => return Err(HostFault::NoSuchCall),
        };
        let bytes = memory.read(ptr, len)?;
        if bytes.len() > self.limits.text {
            return Ok(Reply::error(status::QUOTA));
        }
        match (call, args) {
            (Syscall::ClientStatus, _) => return Ok(self.client_status(&bytes)),
            (Syscall::UiMessage, &[kind, ..]) => return Ok(self.ui_message(kind, &bytes)),
            _ => {}
        }
        if self.used.log_lines >= self.limits.log_lines {
            return Ok(Reply::error(status::QUOTA));
        }
        self.used.log_lines += 1;
        // Whatever level the client claims: its words are not errors of the terminal.
        tracing::info!("client: {}", printable(&bytes));
        Ok(Reply::ok(len))
    }

    // spec: X-48
    fn client_status(&mut self, bytes: &[u8]) -> Reply {
        if self.used.statuses >= self.limits.statuses {
            return Reply::error(status::QUOTA);
        }
        self.used.statuses += 1;
        let Ok(Value::Object(mut said)) = serde_json::from_slice(bytes) else {
            return Reply::error(status::MALFORMED);
        };
        said.insert("event".into(), "entitlement".into());
        let said = Value::Object(said);
        self.reporter.emit(said.clone());
        self.status = Some(said);
        Reply::ok(0)
    }

    // spec: X-48
    fn ui_message(&mut self, kind: u32, bytes: &[u8]) -> Reply {
        let kind = match kind {
            1 => "information",
            2 => "warning",
            3 => "error",
            _ => return Reply::error(status::BAD_ARGUMENT),
        };
        if self.used.ui_lines >= self.limits.ui_lines || bytes.len() > UI_LINE {
            return Reply::error(status::QUOTA);
        }
        self.used.ui_lines += 1;
        let text = printable(bytes);
        self.media.show(&text);
        self.reporter.emit(json!({ "event": "ui", "kind": kind, "text": text }));
        Reply::ok(0)
    }

    /// Watermark, parental check, export and import.
    pub(super) fn hook(
        &mut self,
        call: Syscall,
        args: &[u32],
        memory: &GuestMemory,
    ) -> Result<Reply, HostFault> {
        let unsupported = Reply::error(status::UNSUPPORTED);
        Ok(match (call, args) {
            (Syscall::Watermark, &[ptr, len]) => {
                let payload = memory.read(ptr, len)?;
                match payload.len() {
                    0 => Reply::error(status::BAD_ARGUMENT),
                    len if len > WATERMARK => Reply::error(status::QUOTA),
                    _ if self.media.watermark(&payload) => Reply::ok(0),
                    _ => unsupported,
                }
            }
            (Syscall::ParentalCheck, &[age]) => {
                let Some(age) = u8::try_from(age).ok().filter(|age| u32::from(*age) <= AGE_MAX)
                else {
                    return Ok(Reply::error(status::BAD_ARGUMENT));
                };
                self.parental_check(age)
            }
            (Syscall::ExportSession, &[session, ptr, len]) => {
                let target = memory.read(ptr, len)?;
                self.media.export(session, &target).map_or(unsupported, Reply::ok)
            }
            (Syscall::ImportSession, &[ptr, len]) => {
                let offer = memory.read(ptr, len)?;
                self.media.import(&offer).map_or(unsupported, Reply::ok)
            }
            _ => return Err(HostFault::NoSuchCall),
        })
    }

    /// The answer is a message: a terminal that asks its user for a PIN needs a while.
    fn parental_check(&mut self, age: u8) -> Reply {
        let number = self.parental_checks;
        let answer = if self.media.parental(age) { parental::ALLOWED } else { parental::DENIED };
        let body = answer.to_le_bytes().to_vec();
        if !self.inbox.push(Message { source: source::PARENTAL, number, body }) {
            return Reply::error(status::QUOTA);
        }
        self.parental_checks = number.wrapping_add(1);
        Reply::ok(number)
    }

    pub(super) fn timer(&mut self, call: Syscall, args: &[u32]) -> Result<Reply, HostFault> {
        Ok(match (call, args) {
            (Syscall::SetTimer, &[number, first, period]) => {
                match self.timers.set(number, first, period, self.clock.monotonic_ms()) {
                    Ok(()) => Reply::ok(0),
                    Err(_) => Reply::error(status::BAD_ARGUMENT),
                }
            }
            (Syscall::CancelTimer, &[number]) => match self.timers.cancel(number) {
                true => Reply::ok(0),
                false => Reply::error(status::NOT_FOUND),
            },
            _ => return Err(HostFault::NoSuchCall),
        })
    }
}

/// Control characters of a client do not reach a console.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
