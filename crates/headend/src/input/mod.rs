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
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use portcullis_ts::RawPacket;
use portcullis_ts::sync::{Framed, Framer, SyncError};

use crate::location::{Location, is_multicast};

pub use looped::{LoopStamps, Looped};

/// Octets read from a file at a time: enough lanes for every scrambling kernel.
const CHUNK: usize = 5_577 * 188;
/// Octets in the longest datagram.
const DATAGRAM_MAX: usize = 65_536;
/// Octets that may stand in front of a file's first packet: a capture begins anywhere.
const FRONT_MAX: u64 = 64 * 1024;
/// Chunks that a thread reads ahead from a pipe.
const AHEAD: usize = 2;
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
    buffer: Vec<u8>,
    /// Where the octets that the framer has not taken begin.
    start: usize,
    /// Where the packets of the last answer are.
    last: Range<usize>,
    ended: bool,
    faults: u64,
    /// A file that did not begin with a packet: the fault, until packets are found after all.
    front: Option<SyncError>,
}

enum Source {
    File(File),
    /// What a thread reads: a pipe may be silent, and its reader must be able to end.
    Pipe(Receiver<io::Result<Vec<u8>>>),
    Socket {
        socket: UdpSocket,
        rtp: bool,
        datagram: Box<[u8]>,
    },
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
            Location::Udp(address) | Location::Rtp(address) => Source::Socket {
                socket: listen(*address).map_err(failed("listen"))?,
                rtp: matches!(location, Location::Rtp(_)),
                datagram: vec![0; DATAGRAM_MAX].into(),
            },
        };
        Ok(Self {
            location: location.clone(),
            source,
            framer: Framer::new(),
            buffer: Vec::new(),
            start: 0,
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

    /// Waits for packets.
    ///
    /// # Errors
    /// [`InputError`] when reading fails or, in a file, when the octets are no packets.
    pub fn read(&mut self) -> Result<Arrived<'_>, InputError> {
        // The loop ends: each turn takes octets from the buffer, fills it, or returns.
        loop {
            let pending = self.buffer.get_mut(self.start..).unwrap_or_default();
            let (framed, taken) = self.framer.next(pending, self.ended);
            let at = self.start;
            self.start += taken;
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
                        return Err(InputError::Sync { location: self.location.clone(), source });
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
                Framed::Fault(source) => {
                    return Err(InputError::Sync { location: self.location.clone(), source });
                }
                Framed::NeedMore if self.ended => return Ok(Arrived::End),
                Framed::NeedMore => {
                    if !self.fill()? {
                        return Ok(Arrived::Silence);
                    }
                }
            }
        }
    }

    /// Brings octets; `false` after a silence.
    fn fill(&mut self) -> Result<bool, InputError> {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.last = 0..0;
        let got = match &mut self.source {
            Source::File(file) => read_chunk(file, &mut self.buffer),
            Source::Pipe(chunks) => match chunks.recv_timeout(SILENCE) {
                Ok(chunk) => chunk.map(|chunk| {
                    self.buffer.extend_from_slice(&chunk);
                    chunk.len()
                }),
                Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::TimedOut.into()),
                Err(RecvTimeoutError::Disconnected) => Ok(0),
            },
            Source::Socket { socket, rtp, datagram } => {
                let got = socket.recv(datagram);
                if let Ok(length) = got {
                    let octets = datagram.get(..length).unwrap_or_default();
                    let octets = if *rtp { rtp_payload(octets) } else { octets };
                    self.buffer.extend_from_slice(octets);
                }
                got
            }
        };
        match got {
            Ok(count) => {
                self.ended = count == 0 && !self.location.is_live();
                Ok(true)
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::TimedOut
                        | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(false)
            }
            Err(source) => {
                Err(InputError::Io { location: self.location.clone(), action: "read", source })
            }
        }
    }
}

/// Reads from a thread of its own. The thread ends with the input, or with the process.
fn read_ahead(mut reader: impl Read + Send + 'static) -> Source {
    let (sender, chunks) = sync_channel(AHEAD);
    thread::spawn(move || {
        loop {
            let mut chunk = Vec::new();
            let got = read_chunk(&mut reader, &mut chunk);
            let last = !matches!(got, Ok(1..));
            if sender.send(got.map(|_| chunk)).is_err() || last {
                return;
            }
        }
    });
    Source::Pipe(chunks)
}

/// Appends at most [`CHUNK`] octets.
fn read_chunk(reader: &mut dyn Read, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let filled = buffer.len();
    buffer.resize(filled + CHUNK, 0);
    let target = buffer.get_mut(filled..).unwrap_or_default();
    let got = loop {
        match reader.read(target) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other,
        }
    };
    buffer.truncate(filled + got.as_ref().map_or(0, |count| *count));
    got
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
