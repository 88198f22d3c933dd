//! Finds packets in a run of octets (ISO/IEC 13818-1 2.4.3.3: the sync byte).
//!
//! Sans-IO: the caller holds a buffer and asks what stands at its front; [`Framer`] keeps the
//! offset, so that every fault names the octet of the input. Whether a fault ends the work (a
//! file) or is counted and passed over (a broadcast) is the caller's choice: after a fault the
//! framer goes on at the next place that looks like packets.

use core::fmt;

use crate::packet::{PACKET_SIZE, RawPacket, SYNC_BYTE};

/// So many sync bytes in a row, 188 octets apart, prove after a fault that octets are packets.
pub const SYNC_CONFIDENCE: usize = 5;

/// Octets that a caller must be able to hold so that the framer never stalls.
pub const BUFFER_MIN: usize = SYNC_CONFIDENCE * PACKET_SIZE;

/// Why octets are no packets. Offsets count from the beginning of the input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncError {
    /// The input is empty.
    Empty,
    /// Where a sync byte was due, another octet stood.
    Lost {
        /// Where.
        offset: u64,
        /// What stood there.
        found: u8,
    },
    /// The input ends inside a packet.
    Truncated {
        /// Where the last packet begins.
        offset: u64,
        /// How many of its 188 octets there are.
        length: usize,
    },
}

impl SyncError {
    /// The same fault at another offset.
    #[must_use]
    pub fn map_offset(self, map: impl FnOnce(u64) -> u64) -> Self {
        match self {
            Self::Empty => Self::Empty,
            Self::Lost { offset, found } => Self::Lost { offset: map(offset), found },
            Self::Truncated { offset, length } => Self::Truncated { offset: map(offset), length },
        }
    }
}

impl fmt::Display for SyncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no transport stream: the input is empty"),
            Self::Lost { offset: 0, found } => {
                write!(f, "no transport stream: 0x{found:02x} at offset 0 where 0x47 is due")
            }
            Self::Lost { offset, found } => {
                write!(f, "sync lost at offset {offset}: 0x{found:02x} where 0x47 is due")
            }
            Self::Truncated { offset, length } => write!(
                f,
                "truncated: the packet at offset {offset} has {length} of {PACKET_SIZE} octets"
            ),
        }
    }
}

impl core::error::Error for SyncError {}

/// What [`Framer::next`] found at the front of the buffer.
#[derive(Debug)]
pub enum Framed<'a> {
    /// One or more whole packets.
    Packets(&'a mut [RawPacket]),
    /// Octets that are no packets, after a fault that was reported before.
    Skipped(usize),
    /// A fault. Asking again goes on behind it.
    Fault(SyncError),
    /// More octets are needed; at the end of the input: there is nothing left.
    NeedMore,
}

/// The state of synchronisation of one input.
#[derive(Clone, Debug)]
pub struct Framer {
    offset: u64,
    locked: bool,
    empty_reported: bool,
}

impl Default for Framer {
    fn default() -> Self {
        Self::new()
    }
}

impl Framer {
    /// A framer at the beginning of an input, which has to begin with a packet.
    #[must_use]
    pub const fn new() -> Self {
        Self { offset: 0, locked: true, empty_reported: false }
    }

    /// Input offset of the front of the caller's buffer.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Looks at the front of `buffer` (at least [`BUFFER_MIN`] octets unless `end`). Returns what
    /// is there and how many octets it took: the caller drops those before the next call. `end`
    /// says that no more octets come.
    pub fn next<'a>(&mut self, buffer: &'a mut [u8], end: bool) -> (Framed<'a>, usize) {
        if buffer.is_empty() {
            if end && self.offset == 0 && !self.empty_reported {
                self.empty_reported = true;
                return (Framed::Fault(SyncError::Empty), 0);
            }
            return (Framed::NeedMore, 0);
        }
        if !self.locked {
            match find_sync(buffer, end) {
                Some(0) => self.locked = true,
                Some(at) => return self.skip(at),
                None if end => return self.skip(buffer.len()),
                None => return (Framed::NeedMore, 0),
            }
        }
        let whole = buffer
            .chunks_exact(PACKET_SIZE)
            .take_while(|packet| packet.first() == Some(&SYNC_BYTE))
            .count();
        if whole > 0 {
            let taken = whole * PACKET_SIZE;
            self.offset += taken as u64;
            let (packets, _) = buffer.split_at_mut(taken).0.as_chunks_mut();
            return (Framed::Packets(packets), taken);
        }
        let (offset, length) = (self.offset, buffer.len());
        match buffer.first().copied() {
            Some(SYNC_BYTE) if end => {
                self.offset += length as u64;
                (Framed::Fault(SyncError::Truncated { offset, length }), length)
            }
            Some(found) if found != SYNC_BYTE => {
                self.locked = false;
                (Framed::Fault(SyncError::Lost { offset, found }), 0)
            }
            _ => (Framed::NeedMore, 0),
        }
    }

    const fn skip<'a>(&mut self, count: usize) -> (Framed<'a>, usize) {
        self.offset += count as u64;
        (Framed::Skipped(count), count)
    }
}

/// Where packets begin, or may begin when the octets seen so far do not decide it. `None` means
/// that the front may begin packets but more octets are needed, or (at the end) that nothing does.
fn find_sync(buffer: &[u8], end: bool) -> Option<usize> {
    for at in 0..buffer.len() {
        let mut expected = buffer.get(at..)?.iter().step_by(PACKET_SIZE).take(SYNC_CONFIDENCE);
        let seen = expected.len();
        if !expected.all(|octet| *octet == SYNC_BYTE) {
            continue;
        }
        if seen == SYNC_CONFIDENCE {
            return Some(at);
        }
        if !end {
            return if at == 0 { None } else { Some(at) };
        }
        if buffer.len() - at >= PACKET_SIZE {
            return Some(at);
        }
    }
    if end || buffer.is_empty() { None } else { Some(buffer.len()) }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::packet::null_packet;

    /// Runs a framer over `input` in pieces of `piece` octets.
    fn frame(input: &[u8], piece: usize) -> (usize, Vec<SyncError>, usize) {
        let mut framer = Framer::new();
        let (mut buffer, mut rest) = (Vec::new(), input);
        let (mut packets, mut faults, mut skipped) = (0, Vec::new(), 0);
        loop {
            let (framed, taken) = framer.next(&mut buffer, rest.is_empty());
            match framed {
                Framed::Packets(found) => {
                    assert!(found.iter().all(|packet| packet[0] == SYNC_BYTE));
                    packets += found.len();
                }
                Framed::Skipped(count) => skipped += count,
                Framed::Fault(fault) => faults.push(fault),
                Framed::NeedMore if rest.is_empty() => {
                    assert_eq!(framer.offset(), input.len() as u64);
                    return (packets, faults, skipped);
                }
                Framed::NeedMore => {
                    let (now, later) = rest.split_at(piece.min(rest.len()));
                    buffer.extend_from_slice(now);
                    rest = later;
                    continue;
                }
            }
            buffer.drain(..taken);
        }
    }

    fn packets(count: usize) -> Vec<u8> {
        null_packet().repeat(count)
    }

    #[test]
    fn whole_packets_pass_in_any_piece_size() {
        for piece in [1, 7, 187, 188, 189, 100_000] {
            assert_eq!(frame(&packets(20), piece), (20, Vec::new(), 0));
        }
    }

    #[test]
    fn garbage_is_named_by_its_offset_and_passed_over() {
        let input = [packets(3), std::vec![0x00; 100], packets(9)].concat();
        for piece in [1, 188, 100_000] {
            let (found, faults, skipped) = frame(&input, piece);
            assert_eq!((found, skipped), (12, 100));
            assert_eq!(faults, [SyncError::Lost { offset: 3 * 188, found: 0 }]);
        }
    }

    #[test]
    fn a_truncated_last_packet_is_named() {
        let mut input = packets(4);
        input.truncate(3 * 188 + 50);
        let (found, faults, _) = frame(&input, 64);
        assert_eq!(found, 3);
        assert_eq!(faults, [SyncError::Truncated { offset: 564, length: 50 }]);
    }

    #[test]
    fn an_input_that_is_no_stream_gives_one_fault() {
        assert_eq!(frame(&[], 1).1, [SyncError::Empty]);
        let text = std::vec![b'x'; 5_000];
        let (found, faults, skipped) = frame(&text, 512);
        assert_eq!((found, skipped), (0, 5_000));
        assert_eq!(faults, [SyncError::Lost { offset: 0, found: b'x' }]);
    }

    #[test]
    fn a_lone_sync_byte_in_garbage_does_not_lock() {
        let mut garbage = std::vec![0x00; 400];
        garbage[100] = SYNC_BYTE;
        let input = [garbage, packets(6)].concat();
        let (found, faults, skipped) = frame(&input, 33);
        assert_eq!((found, faults.len(), skipped), (6, 1, 400));
    }
}
