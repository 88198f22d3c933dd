//! Transport streams that come in: files, standard input, UDP and RTP.
//!
//! Trust domain: the operator, on line; every octet may be anybody's. A file has to be packets
//! from its first packet to its last octet, and the first fault ends the work with its offset;
//! only what a capture has in front of its first packet is passed over. A broadcast is taken up
//! again after a fault, and the faults are counted.
//!
//! What must never happen: memory that grows with the input.

mod looped;

use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::ops::Range;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use portcullis_ts::outer_parity::{self, OuterParity, PROTECTED_SIZE};
use portcullis_ts::sync::{BUFFER_MIN, Framed, Framer, SyncError};
use portcullis_ts::{PACKET_SIZE, RawPacket};

use crate::location::{Location, is_multicast};

pub use looped::{LoopStamps, Looped};

/// Octets read from a file at a time: many full batches for every scrambling kernel, whole memory
/// pages, and still few enough to stay in the processor's cache until they are written.
const CHUNK: usize = 4_096 * PACKET_SIZE;
/// Octets in the longest datagram.
const DATAGRAM_MAX: usize = 65_536;
/// Octets that may stand in front of a file's first packet: a capture begins anywhere.
const FRONT_MAX: u64 = 64 * 1024;
/// Chunks that a thread reads ahead from a pipe.
const AHEAD: usize = 2;
/// Datagrams that a thread reads ahead from a socket; what is more waits in the system's buffer,
/// and is lost there.
const DATAGRAMS_AHEAD: usize = 1_024;
/// How long a socket or pipe may be silent before the caller is asked whether to go on.
const SILENCE: Duration = Duration::from_millis(200);

/// Why there is no input.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The operating system's answer.
    #[error("{location}: cannot {action}")]
    Io {
        /// Which input.
        location: Location,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The octets are no packets.
    #[error("{location}: {source}")]
    Sync {
        /// Which input.
        location: Location,
        /// What stands where.
        source: SyncError,
    },
}

/// What [`Input::read`] gives.
#[derive(Debug)]
pub enum Arrived<'a> {
    /// Packets.
    Packets(&'a mut [RawPacket]),
    /// Nothing came for a while; sockets and pipes do this.
    Silence,
    /// The end.
    End,
}

/// An open input.
pub struct Input {
    location: Location,
    source: Source,
    framer: Framer,
    /// Of fixed length: room for one reading behind what the framer may leave.
    buffer: Vec<u8>,
    /// Where the octets that the framer has not taken are.
    pending: Range<usize>,
    packing: Packing,
    /// Where the packets of the last answer are.
    last: Range<usize>,
    ended: bool,
    faults: u64,
    /// A file that did not begin with a packet: the fault, until packets are found after all.
    front: Option<SyncError>,
}

/// Packets, and the buffer that they lie in.
#[derive(Debug)]
pub struct Chunk {
    buffer: Vec<u8>,
    packets: Range<usize>,
}

impl Chunk {
    /// The packets.
    pub fn packets(&mut self) -> &mut [RawPacket] {
        self.buffer.get_mut(self.packets.clone()).unwrap_or_default().as_chunks_mut().0
    }

    /// The buffer, for the next [`Input::detach`].
    #[must_use]
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}

enum Source {
    File(File),
    /// What a thread reads from a pipe or socket: they may be silent, and the work goes on.
    Ahead(Receiver<io::Result<Vec<u8>>>),
}

/// How a stream's packets come.
#[derive(Clone)]
enum Packing {
    /// Nothing was seen yet.
    Unknown,
    Plain,
    /// With outer parity, 204 octets.
    Protected(OuterParity),
}

impl Input {
    /// Opens an input.
    ///
    /// # Errors
    /// [`InputError`], one line that names it.
    pub fn open(location: &Location) -> Result<Self, InputError> {
        let failed = |action| {
            let location = location.clone();
            move |source| InputError::Io { location, action, source }
        };
        let source = match location {
            Location::Standard => read_ahead(io::stdin()),
            Location::File(path) => {
                let file = File::open(path).map_err(failed("open"))?;
                let about = file.metadata().map_err(failed("open"))?;
                if about.is_dir() {
                    return Err(failed("read")(io::ErrorKind::IsADirectory.into()));
                }
                if about.is_file() { Source::File(file) } else { read_ahead(file) }
            }
            Location::Udp(address) | Location::Rtp(address) => {
                let socket = listen(*address).map_err(failed("listen"))?;
                read_datagrams(socket, matches!(location, Location::Rtp(_)))
            }
        };
        Ok(Self {
            location: location.clone(),
            source,
            framer: Framer::new(),
            buffer: vec![0; BUFFER_MIN + CHUNK.max(DATAGRAM_MAX)],
            pending: 0..0,
            // Datagrams are looked at one by one.
            packing: if location.is_live() { Packing::Plain } else { Packing::Unknown },
            last: 0..0,
            ended: false,
            faults: 0,
            front: None,
        })
    }

    /// Where the stream comes from.
    #[must_use]
    pub const fn location(&self) -> &Location {
        &self.location
    }

    /// Whether everything is there without waiting: a file on disk.
    #[must_use]
    pub const fn is_at_hand(&self) -> bool {
        matches!(self.source, Source::File(_))
    }

    /// Losses of sync that were passed over (sockets only).
    #[must_use]
    pub const fn faults(&self) -> u64 {
        self.faults
    }

    /// The packets that the last [`Input::read`] gave.
    fn last(&mut self) -> &mut [RawPacket] {
        let octets = self.buffer.get_mut(self.last.clone()).unwrap_or_default();
        octets.as_chunks_mut().0
    }

    /// Gives away the packets of the last [`Input::read`] with the buffer that they lie in; `spare`
    /// takes its place.
    #[must_use]
    pub fn detach(&mut self, mut spare: Vec<u8>) -> Chunk {
        spare.resize(self.buffer.len(), 0);
        let pending = self.buffer.get(self.pending.clone()).unwrap_or_default();
        if let Some(front) = spare.get_mut(..pending.len()) {
            front.copy_from_slice(pending);
        }
        self.pending = 0..pending.len();
        let packets = std::mem::take(&mut self.last);
        Chunk { buffer: std::mem::replace(&mut self.buffer, spare), packets }
    }

    /// Waits for packets.
    ///
    /// # Errors
    /// [`InputError`] when reading fails or, in a file, when the octets are no packets.
    pub fn read(&mut self) -> Result<Arrived<'_>, InputError> {
        self.read_within(SILENCE)
    }

    /// Waits for packets, so long at most; a file never waits.
    ///
    /// # Errors
    /// As [`Input::read`].
    pub fn read_within(&mut self, wait: Duration) -> Result<Arrived<'_>, InputError> {
        // The loop ends: each turn takes octets from the buffer, fills it, or returns.
        loop {
            if let Packing::Unknown = self.packing
                && !self.decide_packing(self.ended)
            {
                if !self.fill(wait)? {
                    if self.pending.is_empty() {
                        return Ok(Arrived::Silence);
                    }
                    // A slow pipe is not held up for it.
                    self.decide_packing(true);
                }
                continue;
            }
            let pending = self.buffer.get_mut(self.pending.clone()).unwrap_or_default();
            let (framed, taken) = self.framer.next(pending, self.ended);
            let at = self.pending.start;
            self.pending.start += taken;
            if let Some(source) = self.front {
                let offset = self.framer.offset();
                match framed {
                    Framed::Packets(_) => {
                        let skipped = offset - taken as u64;
                        tracing::warn!(
                            "{}: {skipped} octets before the first packet",
                            self.location
                        );
                        self.front = None;
                    }
                    Framed::NeedMore if !self.ended && offset <= FRONT_MAX => {}
                    Framed::Skipped(_) if offset <= FRONT_MAX => {}
                    _ => {
                        return Err(self.out_of_sync(source));
                    }
                }
            }
            match framed {
                Framed::Packets(_) => {
                    self.last = at..at + taken;
                    return Ok(Arrived::Packets(self.last()));
                }
                Framed::Skipped(_) => {}
                Framed::Fault(_) if self.location.is_live() => self.faults += 1,
                Framed::Fault(source @ SyncError::Lost { offset: 0, .. }) => {
                    self.front = Some(source);
                }
                Framed::Fault(source) => return Err(self.out_of_sync(source)),
                Framed::NeedMore if self.ended => return Ok(Arrived::End),
                Framed::NeedMore => {
                    if !self.fill(wait)? {
                        return Ok(Arrived::Silence);
                    }
                }
            }
        }
    }

    fn out_of_sync(&self, source: SyncError) -> InputError {
        let source = match self.packing {
            Packing::Protected(_) => source.map_offset(|offset| {
                let size = PACKET_SIZE as u64;
                offset / size * PROTECTED_SIZE as u64 + offset % size
            }),
            _ => source,
        };
        InputError::Sync { location: self.location.clone(), source }
    }

    /// Finds out whether the packets have outer parity; `false` when more octets are needed and
    /// may come.
    fn decide_packing(&mut self, now: bool) -> bool {
        let octets = self.buffer.get_mut(self.pending.clone()).unwrap_or_default();
        if octets.len() < outer_parity::DECIDING && !now {
            return false;
        }
        self.packing = if outer_parity::has_outer_parity(octets) {
            let mut parity = OuterParity::default();
            self.pending.end = self.pending.start + parity.drop_from(octets);
            tracing::warn!(
                "{}: packets of 204 octets; the 16 of parity are dropped",
                self.location
            );
            Packing::Protected(parity)
        } else {
            Packing::Plain
        };
        true
    }

    /// Brings octets; `false` after a silence.
    fn fill(&mut self, wait: Duration) -> Result<bool, InputError> {
        self.buffer.copy_within(self.pending.clone(), 0);
        self.pending = 0..self.pending.len();
        self.last = 0..0;
        let room = self.buffer.get_mut(self.pending.end..).unwrap_or_default();
        let got = match &mut self.source {
            Source::File(file) => read_chunk(file, room.split_at_mut(CHUNK.min(room.len())).0),
            Source::Ahead(chunks) => match chunks.recv_timeout(wait) {
                Ok(chunk) => chunk.map(|chunk| {
                    let count = chunk.len().min(room.len());
                    let (room, chunk) = (room.get_mut(..count), chunk.get(..count));
                    if let (Some(room), Some(chunk)) = (room, chunk) {
                        room.copy_from_slice(chunk);
                    }
                    count
                }),
                Err(RecvTimeoutError::Timeout) => return Ok(false),
                Err(RecvTimeoutError::Disconnected) => Ok(0),
            },
        };
        let failed =
            |source| InputError::Io { location: self.location.clone(), action: "read", source };
        let count = got.map_err(failed)?;
        if count == 0 && self.location.is_live() {
            return Ok(false);
        }
        self.ended = count == 0;
        let kept = match &mut self.packing {
            Packing::Protected(parity) => {
                let new = self.buffer.get_mut(self.pending.end..self.pending.end + count);
                parity.drop_from(new.unwrap_or_default())
            }
            _ => count,
        };
        self.pending.end += kept;
        Ok(true)
    }
}

/// Reads a pipe from a thread of its own. The thread ends with the input, or with the process.
fn read_ahead(mut reader: impl Read + Send + 'static) -> Source {
    let (sender, chunks) = sync_channel(AHEAD);
    thread::spawn(move || {
        let mut buffer = vec![0; CHUNK];
        loop {
            let got = read_chunk(&mut reader, &mut buffer);
            let last = !matches!(got, Ok(1..));
            let chunk = got.map(|count| buffer.get(..count).unwrap_or_default().to_vec());
            if sender.send(chunk).is_err() || last {
                return;
            }
        }
    });
    Source::Ahead(chunks)
}

/// Reads a socket from a thread of its own, which ends soon after nobody takes datagrams.
fn read_datagrams(socket: UdpSocket, rtp: bool) -> Source {
    let (sender, datagrams) = sync_channel(DATAGRAMS_AHEAD);
    thread::spawn(move || {
        let mut buffer = vec![0; DATAGRAM_MAX];
        loop {
            let told = match socket.recv(&mut buffer) {
                Ok(length) => {
                    let octets = payload(buffer.get(..length).unwrap_or_default(), rtp);
                    octets.is_empty() || sender.send(Ok(octets)).is_ok()
                }
                Err(error) if is_silence(&error) => {
                    // Nothing is sent to ask whether anybody is there; when the channel is full, somebody is.
                    !matches!(sender.try_send(Ok(Vec::new())), Err(TrySendError::Disconnected(_)))
                }
                Err(error) => sender.send(Err(error)).is_ok(),
            };
            if !told {
                return;
            }
        }
    });
    Source::Ahead(datagrams)
}

fn is_silence(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

/// The packets of a datagram.
fn payload(datagram: &[u8], rtp: bool) -> Vec<u8> {
    let mut octets = if rtp { rtp_payload(datagram).to_vec() } else { datagram.to_vec() };
    if octets.len().is_multiple_of(PROTECTED_SIZE) && outer_parity::has_outer_parity(&octets) {
        let kept = OuterParity::default().drop_from(&mut octets);
        octets.truncate(kept);
    }
    octets
}

/// Reads what there is.
fn read_chunk(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// A socket that listens at an address, in its group when it is one.
fn listen(address: SocketAddr) -> io::Result<UdpSocket> {
    let group = is_multicast(address.ip());
    let local = if group {
        let any: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        SocketAddr::new(any, address.port())
    } else {
        address
    };
    let socket = UdpSocket::bind(local)?;
    match address.ip() {
        IpAddr::V4(ip) if group => socket.join_multicast_v4(&ip, &Ipv4Addr::UNSPECIFIED)?,
        IpAddr::V6(ip) if group => socket.join_multicast_v6(&ip, 0)?,
        _ => {}
    }
    socket.set_read_timeout(Some(SILENCE))?;
    Ok(socket)
}

/// The payload of an RTP datagram (RFC 3550 5.1); nothing when it is none.
fn rtp_payload(datagram: &[u8]) -> &[u8] {
    let payload = || {
        let flags = *datagram.first()?;
        if flags >> 6 != 2 {
            return None;
        }
        let mut start = 12 + 4 * usize::from(flags & 0x0F);
        if flags & 0x10 != 0 {
            let words = datagram.get(start + 2..start + 4)?;
            start += 4 + 4 * usize::from(u16::from_be_bytes(words.try_into().ok()?));
        }
        let padding = if flags & 0x20 != 0 { usize::from(*datagram.last()?) } else { 0 };
        datagram.get(start..datagram.len().checked_sub(padding)?)
    };
    payload().unwrap_or_default()
}

#[cfg(test)]
mod tests;
