//! Input: a file or pipe, UDP or RTP datagrams.
//!
//! A file that stops being packets is an error with its offset; a broadcast that does so is
//! passed over to the next packet. Datagrams wait in a bounded queue: when the terminal is late
//! the newest are lost and counted, memory does not grow.

use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use portcullis_ts::outer_parity::{self, OuterParity, PROTECTED_SIZE};
use portcullis_ts::sync::{BUFFER_MIN, Framed, Framer};
use portcullis_ts::{PACKET_SIZE, RawPacket};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::error::TerminalError;

/// Packets read from a file at a time.
const FILE_CHUNK: usize = 2048 * PACKET_SIZE;
/// Datagrams that wait.
const QUEUE: usize = 4096;
/// Octets of a datagram.
const DATAGRAM: usize = 65_536;
/// Datagrams taken up at a time.
const BATCH: usize = 128;
/// How long a broadcast or a pipe may be silent before the terminal looks what else there is to do.
pub(crate) const SILENCE: Duration = Duration::from_millis(200);
/// What the kernel is asked to hold.
const KERNEL_BUFFER: usize = 4 << 20;

/// What [`Input::read`] brought.
pub(crate) enum Arrived {
    Packets,
    /// A broadcast is silent.
    Nothing,
    End,
}

pub(crate) struct Input {
    name: String,
    source: Source,
    framer: Framer,
    buffer: Vec<u8>,
    ended: bool,
    faults: u64,
    /// Of a file whose packets have outer parity.
    parity: Option<OuterParity>,
}

enum Source {
    File(File),
    Datagrams { queue: Receiver<Vec<u8>>, lost: Arc<AtomicU64>, rtp: bool },
}

impl Input {
    pub(crate) fn open(name: &str) -> Result<Self, TerminalError> {
        let source = if let Some(address) = name.strip_prefix("udp://") {
            datagrams(name, address, false)?
        } else if let Some(address) = name.strip_prefix("rtp://") {
            datagrams(name, address, true)?
        } else {
            let file = File::open(name).map_err(|error| failed(name, error))?;
            if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
                return Err(failed(name, "is a directory"));
            }
            Source::File(file)
        };
        Ok(Self {
            name: name.into(),
            source,
            framer: Framer::new(),
            buffer: Vec::new(),
            ended: false,
            faults: 0,
            parity: None,
        })
    }

    pub(crate) const fn is_live(&self) -> bool {
        matches!(self.source, Source::Datagrams { .. })
    }

    /// Datagrams lost because the terminal was late, and octets passed over.
    pub(crate) fn losses(&self) -> u64 {
        match &self.source {
            Source::File(_) => 0,
            Source::Datagrams { lost, .. } => lost.load(Ordering::Relaxed) + self.faults,
        }
    }

    /// Appends packets to `out`. For a broadcast it waits at most so long.
    pub(crate) fn read(
        &mut self,
        out: &mut Vec<RawPacket>,
        wait: Duration,
    ) -> Result<Arrived, TerminalError> {
        // Each turn takes octets from the buffer, fills it, or returns.
        loop {
            let before = out.len();
            self.take_packets(out)?;
            if out.len() > before {
                return Ok(Arrived::Packets);
            }
            if self.ended {
                return Ok(Arrived::End);
            }
            if !self.fill(wait)? {
                return Ok(Arrived::Nothing);
            }
        }
    }

    fn take_packets(&mut self, out: &mut Vec<RawPacket>) -> Result<(), TerminalError> {
        let live = self.is_live();
        let mut start = 0;
        loop {
            let pending = self.buffer.get_mut(start..).unwrap_or_default();
            // Below the framer's minimum the answer is "need more", and that is all right.
            let (framed, taken) = self.framer.next(pending, self.ended);
            start += taken;
            match framed {
                Framed::Packets(packets) => out.extend_from_slice(packets),
                Framed::Skipped(octets) => self.faults += octets as u64,
                Framed::Fault(_) if live => self.faults += 1,
                Framed::Fault(fault) => return Err(failed(&self.name, fault)),
                Framed::NeedMore => break,
            }
        }
        self.buffer.drain(..start.min(self.buffer.len()));
        Ok(())
    }

    /// `false` when a broadcast is silent.
    fn fill(&mut self, wait: Duration) -> Result<bool, TerminalError> {
        match &mut self.source {
            Source::File(file) => {
                if !has_something(file, wait) {
                    return Ok(false);
                }
                let length = self.buffer.len();
                self.buffer.resize(length + FILE_CHUNK.max(BUFFER_MIN), 0);
                let room = self.buffer.get_mut(length..).unwrap_or_default();
                let read = loop {
                    match file.read(room) {
                        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                        other => break other,
                    }
                };
                let read = read.map_err(|error| failed(&self.name, error))?;
                self.buffer.truncate(length + read);
                self.ended = read == 0;
                let new = self.buffer.get_mut(length..).unwrap_or_default();
                let is_first = self.framer.offset() == 0 && length == 0;
                if is_first && outer_parity::has_outer_parity(new) {
                    tracing::warn!("{}: packets of 204 octets; their parity is dropped", self.name);
                    self.parity = Some(OuterParity::default());
                }
                if let Some(parity) = &mut self.parity {
                    let kept = parity.drop_from(new);
                    self.buffer.truncate(length + kept);
                }
                Ok(true)
            }
            Source::Datagrams { queue, rtp, .. } => {
                let first = match queue.recv_timeout(wait) {
                    Ok(datagram) => datagram,
                    Err(RecvTimeoutError::Timeout) => return Ok(false),
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(failed(&self.name, "the socket failed"));
                    }
                };
                for datagram in std::iter::once(first).chain(queue.try_iter().take(BATCH)) {
                    let length = self.buffer.len();
                    self.buffer.extend_from_slice(payload(&datagram, *rtp));
                    let new = self.buffer.get_mut(length..).unwrap_or_default();
                    let whole = new.len().is_multiple_of(PROTECTED_SIZE);
                    if whole && outer_parity::has_outer_parity(new) {
                        let kept = OuterParity::default().drop_from(new);
                        self.buffer.truncate(length + kept);
                    }
                }
                Ok(true)
            }
        }
    }
}

/// Waits for a pipe, but not for ever: the terminal has other things to look after.
fn has_something(file: &File, wait: Duration) -> bool {
    let wait = Timespec::try_from(wait.min(SILENCE)).ok();
    let mut fds = [PollFd::new(file, PollFlags::IN)];
    // What cannot be waited for is read at once: that says what is wrong with it.
    !matches!(poll(&mut fds, wait.as_ref()), Ok(0) | Err(Errno::INTR))
}

fn datagrams(name: &str, address: &str, rtp: bool) -> Result<Source, TerminalError> {
    let socket = listen(address).map_err(|error| failed(name, error))?;
    let (sender, queue) = sync_channel(QUEUE);
    let lost = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&lost);
    // The thread ends with the queue: at the latest when the next datagram finds nobody there.
    thread::spawn(move || {
        let mut buffer = vec![0; DATAGRAM];
        while let Ok(length) = socket.recv(&mut buffer) {
            let datagram = buffer.get(..length).unwrap_or_default().to_vec();
            match sender.try_send(datagram) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    });
    Ok(Source::Datagrams { queue, lost, rtp })
}

fn listen(address: &str) -> std::io::Result<UdpSocket> {
    let address = address.trim_start_matches('@').trim_end_matches('/');
    let address = match address.strip_prefix(':') {
        Some(port) => format!("0.0.0.0:{port}"),
        None => address.to_owned(),
    };
    let mut addresses = address.to_socket_addrs()?;
    let address: SocketAddr =
        addresses.next().ok_or_else(|| std::io::Error::other("the host has no address"))?;
    let socket = match address {
        SocketAddr::V4(group) if group.ip().is_multicast() => {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, group.port()))?;
            socket.join_multicast_v4(group.ip(), &Ipv4Addr::UNSPECIFIED)?;
            socket
        }
        address => UdpSocket::bind(address)?,
    };
    // A smaller buffer than asked for works too, with less patience.
    let _ = rustix::net::sockopt::set_socket_recv_buffer_size(&socket, KERNEL_BUFFER);
    Ok(socket)
}

/// The packets of a datagram: behind the RTP header (RFC 3550 5.1) if there is one.
fn payload(datagram: &[u8], rtp: bool) -> &[u8] {
    if !rtp {
        return datagram;
    }
    let [first, ..] = datagram else { return &[] };
    let mut at = 12 + 4 * usize::from(first & 0x0F);
    if first & 0x10 != 0 {
        let words = datagram.get(at + 2..at + 4).and_then(|length| length.try_into().ok());
        at += 4 + 4 * usize::from(words.map_or(0, u16::from_be_bytes));
    }
    datagram.get(at..).unwrap_or_default()
}

fn failed(name: &str, what: impl ToString) -> TerminalError {
    TerminalError::Input { name: name.into(), what: what.to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use portcullis_ts::packet::null_packet;

    fn read_all(bytes: &[u8]) -> Result<usize, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.ts");
        std::fs::write(&path, bytes).unwrap();
        let mut input = Input::open(path.to_str().unwrap()).map_err(|e| e.to_string())?;
        let mut packets = Vec::new();
        loop {
            match input.read(&mut packets, SILENCE) {
                Ok(Arrived::End) => return Ok(packets.len()),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    #[test]
    fn a_file_is_packets_to_its_end_or_an_error_with_an_offset() {
        let good = null_packet().repeat(5000);
        assert_eq!(read_all(&good), Ok(5000));
        let error = read_all(&good[..good.len() - 1]).unwrap_err();
        assert!(error.contains("939812"), "{error}");
        let error = read_all(&[&good[..376], b"garbage"].concat()).unwrap_err();
        assert!(error.contains("376"), "{error}");
        let protected: Vec<u8> =
            (0..5000).flat_map(|_| null_packet().into_iter().chain([7; 16])).collect();
        assert_eq!(read_all(&protected), Ok(5000));
        assert!(read_all(b"").is_err());
        assert!(read_all(&[0x55; 10_000]).is_err());
    }

    #[test]
    fn datagrams_arrive_with_and_without_an_rtp_header() {
        for rtp in [false, true] {
            let probe = UdpSocket::bind("127.0.0.1:0").unwrap();
            let address = probe.local_addr().unwrap();
            drop(probe);
            let scheme = if rtp { "rtp" } else { "udp" };
            let mut input = Input::open(&format!("{scheme}://{address}")).unwrap();
            assert!(input.is_live());
            let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
            let mut datagram = if rtp { vec![0x80; 12] } else { Vec::new() };
            datagram.extend_from_slice(&null_packet().repeat(7));
            let mut packets = Vec::new();
            for _ in 0..200 {
                sender.send_to(&datagram, address).unwrap();
                if let Arrived::Packets = input.read(&mut packets, SILENCE).unwrap() {
                    break;
                }
            }
            assert!(packets.len() >= 7);
            assert!(packets.iter().all(|packet| *packet == null_packet()));
        }
    }

    #[test]
    fn an_rtp_header_with_everything_in_it_is_passed_over() {
        let mut datagram = vec![0x92];
        datagram.resize(12 + 8, 0);
        datagram.extend_from_slice(&[0, 0, 0, 1, 9, 9, 9, 9]);
        datagram.extend_from_slice(b"packets");
        assert_eq!(payload(&datagram, true), b"packets");
        for cut in 0..datagram.len() - 7 {
            assert_eq!(payload(&datagram[..cut], true), b"", "cut at {cut}");
        }
    }
}
