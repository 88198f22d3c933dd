//! What comes out of a box, given to whoever looks at it.
//!
//! A reader that joins gets everything since the last picture that decodes by itself, with the
//! tables before it, so that its picture starts at once; a reader that is too slow is dropped
//! and never holds up the box.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use portcullis_ts::{PACKET_SIZE, Packet, RawPacket, SYNC_BYTE};
use portcullis_types::Pid;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

use crate::Limits;

/// Packets of a PMT that are kept.
const PMT_PACKETS_MAX: usize = 8;
/// Octets of a partial packet at most.
const REST_MAX: usize = PACKET_SIZE - 1;
/// PES start code prefix and the stream ids of video.
const PES_PREFIX: [u8; 3] = [0, 0, 1];
const VIDEO_STREAMS: std::ops::RangeInclusive<u8> = 0xE0..=0xEF;
/// random_access_indicator in the flags of the adaptation field.
const RANDOM_ACCESS: u8 = 0x40;

/// The live output of one box.
#[derive(Debug)]
pub struct BoxOutput {
    inner: Mutex<Inner>,
    backlog: usize,
    join_octets: usize,
}

#[derive(Debug)]
struct Inner {
    readers: broadcast::Sender<Bytes>,
    rest: Vec<u8>,
    pat: Option<RawPacket>,
    pmt_pid: Option<Pid>,
    pmt: Vec<RawPacket>,
    /// Since the last random access point; `None` until there is one.
    join: Option<Vec<u8>>,
}

impl BoxOutput {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            inner: Mutex::new(Inner::new(limits.reader_backlog)),
            backlog: limits.reader_backlog,
            join_octets: limits.join_octets,
        }
    }

    /// Takes octets of the box's output, of any length; gives the number of pictures that begin
    /// in them.
    pub(crate) fn feed(&self, octets: &[u8]) -> u32 {
        let mut inner = self.lock();
        let mut bytes = std::mem::take(&mut inner.rest);
        bytes.extend_from_slice(octets);
        let (mut at, mut pictures, mut out) = (0, 0, Vec::with_capacity(bytes.len()));
        while let Some(packet) = bytes.get(at..).and_then(<[u8]>::first_chunk::<PACKET_SIZE>) {
            if packet[0] != SYNC_BYTE {
                at += 1;
                continue;
            }
            pictures += u32::from(inner.take(packet, self.join_octets));
            out.extend_from_slice(packet);
            at += PACKET_SIZE;
        }
        bytes.drain(..at.min(bytes.len()));
        bytes.truncate(REST_MAX);
        inner.rest = bytes;
        if !out.is_empty() {
            // Nobody looking is no fault.
            let _ = inner.readers.send(Bytes::from(out));
        }
        pictures
    }

    /// The box starts anew: whoever looks at the old output is at its end.
    pub(crate) fn restart(&self) {
        *self.lock() = Inner::new(self.backlog);
    }

    /// A reader from now on.
    pub(crate) fn read(
        &self,
    ) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> + use<> {
        let inner = self.lock();
        let joined = inner.join.clone().filter(|join| !join.is_empty()).map(Bytes::from);
        let live = BroadcastStream::new(inner.readers.subscribe());
        // A reader that fell behind has a gap: its stream ends, and it may come again.
        stream::iter(joined)
            .chain(
                live.take_while(|part| std::future::ready(part.is_ok()))
                    .filter_map(|part| std::future::ready(part.ok())),
            )
            .map(Ok)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn new(backlog: usize) -> Self {
        Self {
            readers: broadcast::Sender::new(backlog),
            rest: Vec::new(),
            pat: None,
            pmt_pid: None,
            pmt: Vec::new(),
            join: None,
        }
    }

    /// Notes one packet; says whether a picture begins in it.
    fn take(&mut self, octets: &RawPacket, join_octets: usize) -> bool {
        let packet = Packet::new(octets);
        if packet.pid() == Pid::PAT && packet.pusi() {
            self.pat = Some(*octets);
            self.pmt_pid = first_pmt_pid(packet.payload());
        } else if Some(packet.pid()) == self.pmt_pid {
            if packet.pusi() {
                self.pmt.clear();
            }
            if self.pmt.len() < PMT_PACKETS_MAX {
                self.pmt.push(*octets);
            }
        }
        let payload = packet.payload();
        let picture = packet.pusi()
            && packet.tsc().is_clear()
            && payload.starts_with(&PES_PREFIX)
            && payload.get(3).is_some_and(|id| VIDEO_STREAMS.contains(id));
        if picture && is_random_access(octets) {
            let mut join = Vec::new();
            self.pat.iter().chain(&self.pmt).for_each(|table| join.extend_from_slice(table));
            self.join = Some(join);
        }
        if let Some(join) = &mut self.join {
            join.extend_from_slice(octets);
        }
        if self.join.as_ref().is_some_and(|join| join.len() > join_octets) {
            self.join = None;
        }
        picture
    }
}

fn is_random_access(octets: &RawPacket) -> bool {
    Packet::new(octets).has_adaptation_field() && octets[4] > 0 && octets[5] & RANDOM_ACCESS != 0
}

/// PID of the first PMT in a PAT that begins in this payload.
fn first_pmt_pid(payload: &[u8]) -> Option<Pid> {
    const PROGRAMS: usize = 8;
    let pointer = usize::from(*payload.first()?);
    let section = payload.get(1 + pointer..)?;
    let entries = section.get(PROGRAMS..)?;
    let entry = entries.as_chunks::<4>().0.iter().find(|entry| entry[..2] != [0, 0])?;
    Some(Pid::from_low_bits(u16::from_be_bytes([entry[2], entry[3]])))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sample() -> &'static [u8] {
        portcullis_assets::SAMPLE_TS
    }

    #[tokio::test]
    async fn a_reader_that_joins_begins_with_tables_and_a_whole_picture() {
        let output = BoxOutput::new(&Limits::default());
        let half = sample().len() / 2 + 77;
        let pictures = output.feed(&sample()[..half]);
        assert!((200..300).contains(&pictures), "{pictures} pictures in half of 512");
        let mut reader = std::pin::pin!(output.read());
        let joined = reader.next().await.unwrap().unwrap();
        let (packets, rest) = joined.as_chunks::<PACKET_SIZE>();
        assert!(rest.is_empty());
        assert_eq!(Packet::new(&packets[0]).pid(), Pid::PAT);
        assert!(is_random_access(&packets[2]));
        output.feed(&sample()[half..half + 1000]);
        let live = reader.next().await.unwrap().unwrap();
        assert_eq!(live.len() % PACKET_SIZE, 0);
        assert_eq!(live[0], SYNC_BYTE);
    }

    #[tokio::test]
    async fn a_slow_reader_is_dropped_and_a_restart_ends_all() {
        let limits = Limits { reader_backlog: 4, ..Limits::default() };
        let output = BoxOutput::new(&limits);
        let mut slow = std::pin::pin!(output.read());
        for part in sample().chunks(PACKET_SIZE).take(9) {
            output.feed(part);
        }
        assert!(slow.next().await.is_none());
        let mut reader = std::pin::pin!(output.read());
        output.restart();
        assert!(reader.next().await.is_none());
    }
}
