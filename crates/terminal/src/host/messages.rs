//! Messages to the client: what answers a call later waits here, and a Player event tells of it.
//!
//! Clauses: X.1198 7.7 (events), J.1013 SYS_GETMSG and SYS_SYNCCALL by role. A message is source,
//! number (both a word, little-endian) and body. What must never happen: more messages than the
//! limit in memory; a message lost in silence once it was taken over.

use std::collections::VecDeque;

use portcullis_store::Disk;
use portcullis_svm::abi::{CALL_BYTES_MAX, MESSAGE_HEAD, service, source, status};
use portcullis_svm::{GuestMemory, GuestSlice, HostFault, Reply};
use serde_json::json;

use super::Host;
use crate::chip::SecurityChip;

/// Messages that wait for one client.
const WAITING: usize = 32;
/// Octets of the body of one message.
pub(crate) const BODY: usize = (CALL_BYTES_MAX - MESSAGE_HEAD) as usize;

/// One message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Message {
    /// One of [`source`].
    pub(crate) source: u32,
    /// Which request, connection or channel.
    pub(crate) number: u32,
    pub(crate) body: Vec<u8>,
}

impl Message {
    fn octets(&self) -> Vec<u8> {
        let head = [self.source.to_le_bytes(), self.number.to_le_bytes()];
        [head.as_flattened(), &self.body].concat()
    }

    /// Octets that `GetMsg` gives.
    pub(crate) fn len(&self) -> u32 {
        MESSAGE_HEAD.saturating_add(u32::try_from(self.body.len()).unwrap_or(u32::MAX))
    }
}

/// Messages that wait, the oldest first.
#[derive(Default)]
pub(super) struct Inbox {
    waiting: VecDeque<Message>,
    /// How many of those at the end no event has told of yet.
    untold: usize,
}

impl Inbox {
    /// Whether another message can be taken over.
    // defends: T-31
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < WAITING
    }

    /// Takes a message over, of which an event will tell; `false` when there is no room.
    pub(super) fn push(&mut self, message: Message) -> bool {
        if !self.has_room() || message.body.len() > BODY {
            return false;
        }
        self.waiting.push_back(message);
        self.untold += 1;
        true
    }

    /// Whether an event has to tell of a message.
    pub(super) const fn has_untold(&self) -> bool {
        self.untold > 0
    }

    /// The next message that no event has told of.
    pub(super) fn tell(&mut self) -> Option<Message> {
        let at = self.waiting.len().checked_sub(self.untold)?;
        let message = self.waiting.get(at)?.clone();
        self.untold -= 1;
        Some(message)
    }

    fn take(&mut self) {
        self.waiting.pop_front();
        self.untold = self.untold.min(self.waiting.len());
    }
}

impl<C: SecurityChip, D: Disk> Host<C, D> {
    pub(super) fn get_message(
        &mut self,
        ptr: u32,
        cap: u32,
        memory: &mut GuestMemory,
    ) -> Result<Reply, HostFault> {
        GuestSlice::writable(memory, ptr, cap)?;
        let Some(message) = self.inbox.waiting.front() else {
            return Ok(Reply::error(status::NOT_FOUND));
        };
        let reply = memory.reply_with(ptr, cap, &message.octets())?;
        if reply.status == status::OK {
            self.inbox.take();
        }
        Ok(reply)
    }

    /// Asks a host service. Its answer comes before everything that waits, without an event.
    pub(super) fn sync_call(
        &mut self,
        number: u32,
        ptr: u32,
        len: u32,
        memory: &GuestMemory,
    ) -> Result<Reply, HostFault> {
        let request = memory.read(ptr, len)?;
        let body = match number {
            _ if !request.is_empty() => return Ok(Reply::error(status::BAD_ARGUMENT)),
            service::TIME => self.clock.wall().0.to_be_bytes().to_vec(),
            service::TERMINAL => json!({
                "system_calls": 1,
                "timers": portcullis_svm::abi::TIMERS,
                "network": self.network.is_some(),
                "channels": self.channel.is_some(),
            })
            .to_string()
            .into_bytes(),
            service::SCP_ID => self.scp_id.map(|id| id.0.to_vec()).unwrap_or_default(),
            _ => return Ok(Reply::error(status::NOT_FOUND)),
        };
        if !self.inbox.has_room() {
            return Ok(Reply::error(status::QUOTA));
        }
        let message = Message { source: source::SERVICE, number, body };
        let octets = message.len();
        self.inbox.waiting.push_front(message);
        Ok(Reply::ok(octets))
    }
}
