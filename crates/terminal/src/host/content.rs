//! Content that a client descrambles itself: on its way there and back.
//!
//! Clauses: X.1198 6.3 (descrambling in the machine), 7.1 (content buffer), 7.2 (Descramble).
//! What must never happen: a packet that takes another's payload, or one of another length.

use portcullis_svm::abi::{CALL_BYTES_MAX, CONTENT_HEAD, status};
use portcullis_svm::{GuestMemory, HostFault, Reply};
use portcullis_types::{Parity, Pid};

/// Scrambled payloads of one parity, as one Descramble event hands them over: the content buffer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// Of all its packets.
    pub parity: Parity,
    packets: u32,
    octets: Vec<u8>,
}

impl Content {
    /// Without packets.
    #[must_use]
    pub const fn new(parity: Parity) -> Self {
        Self { parity, packets: 0, octets: Vec::new() }
    }

    /// Takes a payload; `false` when there is no room, and it was not taken.
    // spec: X-62
    pub fn push(&mut self, pid: Pid, payload: &[u8]) -> bool {
        let needed = CONTENT_HEAD as usize + payload.len();
        let Ok(len) = u16::try_from(payload.len()) else { return false };
        if self.octets.len() + needed > CALL_BYTES_MAX as usize {
            return false;
        }
        self.packets += 1;
        self.octets.extend_from_slice(&pid.get().to_le_bytes());
        self.octets.extend_from_slice(&len.to_le_bytes());
        self.octets.extend_from_slice(payload);
        true
    }

    /// How many packets it holds.
    #[must_use]
    pub const fn packets(&self) -> u32 {
        self.packets
    }

    /// As the client sees it.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}

/// The payloads of a content, in their order.
pub(crate) fn payloads(mut octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (_, payload, rest) = split(octets)?;
        octets = rest;
        Some(payload)
    })
}

/// Head and payload of the first packet, and what follows.
fn split(octets: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (head, rest) = octets.split_first_chunk::<4>()?;
    let (payload, rest) = rest.split_at_checked(u16::from_le_bytes([head[2], head[3]]).into())?;
    Some((head, payload, rest))
}

/// The same packets with the same lengths.
fn same_heads(mut a: &[u8], mut b: &[u8]) -> bool {
    while let (Some((head_a, _, rest_a)), Some((head_b, _, rest_b))) = (split(a), split(b)) {
        if head_a != head_b {
            return false;
        }
        (a, b) = (rest_a, rest_b);
    }
    a.is_empty() && b.is_empty()
}

/// What an event has of content: given to the client, given back by it.
#[derive(Default)]
pub(super) struct ContentBuffer {
    pub(super) scrambled: Option<Vec<u8>>,
    pub(super) descrambled: Option<Vec<u8>>,
}

impl ContentBuffer {
    /// `PutContent`.
    // spec: X-47 X-60 X-62
    pub(super) fn put(
        &mut self,
        ptr: u32,
        len: u32,
        memory: &GuestMemory,
    ) -> Result<Reply, HostFault> {
        let octets = memory.read(ptr, len)?;
        Ok(match &self.scrambled {
            None => Reply::error(status::NOT_FOUND),
            Some(scrambled) if !same_heads(scrambled, &octets) => {
                Reply::error(status::BAD_ARGUMENT)
            }
            Some(_) => {
                self.descrambled = Some(octets);
                Reply::ok(0)
            }
        })
    }
}
