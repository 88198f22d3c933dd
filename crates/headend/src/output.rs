//! Transport streams that go out: files, standard output, UDP and RTP.
//!
//! A file appears under its name only when the work is done; until then it is a hidden file
//! beside it, which goes away when the work fails.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use portcullis_ts::{Packet, Pcr, RawPacket};

use crate::location::{Location, is_multicast};

/// Packets in one datagram: as many as fit an Ethernet frame.
const PACKETS_PER_DATAGRAM: usize = 7;
/// Hops of a datagram to a group.
const MULTICAST_TTL: u32 = 16;
/// RTP payload type MP2T (RFC 3551).
const RTP_MP2T: u8 = 33;

/// Why nothing goes out.
#[derive(Debug, thiserror::Error)]
#[error("{location}: cannot {action}")]
pub struct OutputError {
    location: Location,
    action: &'static str,
    source: io::Error,
}

/// An open output.
pub struct Output {
    location: Location,
    sink: Sink,
}

enum Sink {
    Standard(io::BufWriter<io::Stdout>),
    /// A device or pipe, which cannot be renamed.
    Special(File),
    File(Unfinished),
    Socket(Datagrams),
}

impl Output {
    /// Opens an output.
    ///
    /// # Errors
    /// [`OutputError`], one line that names it.
    pub fn open(location: &Location) -> Result<Self, OutputError> {
        let sink = match location {
            Location::Standard => Ok(Sink::Standard(io::BufWriter::new(io::stdout()))),
            Location::File(path) => match fs::metadata(path) {
                Ok(about) if !about.is_file() && !about.is_dir() => {
                    File::options().write(true).open(path).map(Sink::Special)
                }
                _ => Unfinished::create(path).map(Sink::File),
            },
            Location::Udp(address) => Datagrams::to(*address, None).map(Sink::Socket),
            Location::Rtp(address) => Datagrams::to(*address, Some(Rtp::new())).map(Sink::Socket),
        };
        let failed = |source| OutputError { location: location.clone(), action: "open", source };
        Ok(Self { location: location.clone(), sink: sink.map_err(failed)? })
    }

    /// Writes packets.
    ///
    /// # Errors
    /// [`OutputError`] when the operating system refuses.
    pub fn write(&mut self, packets: &[RawPacket]) -> Result<(), OutputError> {
        let octets = packets.as_flattened();
        match &mut self.sink {
            Sink::Standard(writer) => writer.write_all(octets),
            Sink::Special(file) => file.write_all(octets),
            Sink::File(file) => file.file.write_all(octets),
            Sink::Socket(datagrams) => datagrams.write(packets),
        }
        .map_err(|source| self.failed("write", source))
    }

    /// Sends what waits for more packets to fill a datagram.
    ///
    /// # Errors
    /// [`OutputError`] when the operating system refuses.
    pub fn flush(&mut self) -> Result<(), OutputError> {
        match &mut self.sink {
            Sink::Standard(writer) => writer.flush(),
            Sink::Socket(datagrams) => datagrams.flush(),
            Sink::Special(_) | Sink::File(_) => Ok(()),
        }
        .map_err(|source| self.failed("write", source))
    }

    /// The work is done: a file takes its name.
    ///
    /// # Errors
    /// [`OutputError`] when the operating system refuses.
    pub fn finish(mut self) -> Result<(), OutputError> {
        self.flush()?;
        let location = self.location;
        match self.sink {
            Sink::File(file) => {
                file.finish().map_err(|source| OutputError { location, action: "finish", source })
            }
            _ => Ok(()),
        }
    }

    fn failed(&self, action: &'static str, source: io::Error) -> OutputError {
        OutputError { location: self.location.clone(), action, source }
    }
}

/// A file that does not have its name yet, and goes away if it never gets it.
pub struct Unfinished {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
    finished: bool,
}

impl Unfinished {
    /// Makes the hidden file beside the place that it will take.
    ///
    /// # Errors
    /// The operating system's; also when there is a folder in that place.
    pub fn create(target: &Path) -> io::Result<Self> {
        if target.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        let temporary = target.with_file_name(format!(".{name}.{}.partial", std::process::id()));
        let file = File::create(&temporary)?;
        Ok(Self { file, temporary, target: target.to_owned(), finished: false })
    }

    /// What is to be written.
    pub const fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// The file takes its name.
    ///
    /// # Errors
    /// The operating system's.
    pub fn finish(mut self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.target)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished {
            // Nothing is left to say when even this fails.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// A socket that packs packets into datagrams.
struct Datagrams {
    socket: UdpSocket,
    to: SocketAddr,
    rtp: Option<Rtp>,
    waiting: Vec<RawPacket>,
}

impl Datagrams {
    fn to(to: SocketAddr, rtp: Option<Rtp>) -> io::Result<Self> {
        let local: SocketAddr = match to {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(local)?;
        if is_multicast(to.ip()) && to.is_ipv4() {
            socket.set_multicast_ttl_v4(MULTICAST_TTL)?;
        }
        Ok(Self { socket, to, rtp, waiting: Vec::with_capacity(PACKETS_PER_DATAGRAM) })
    }

    fn write(&mut self, packets: &[RawPacket]) -> io::Result<()> {
        for packet in packets {
            self.waiting.push(*packet);
            if self.waiting.len() == PACKETS_PER_DATAGRAM {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut datagram = Vec::with_capacity(12 + PACKETS_PER_DATAGRAM * 188);
        if let Some(rtp) = &mut self.rtp {
            datagram.extend(rtp.header(&self.waiting));
        }
        datagram.extend_from_slice(self.waiting.as_flattened());
        self.waiting.clear();
        match self.socket.send_to(&datagram, self.to) {
            // Nobody listens, or not yet: a broadcast does not care.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            sent => sent.map(|_| ()),
        }
    }
}

/// State of an RTP sender (RFC 3550, RFC 2250): the time stamp follows the stream's own clock.
struct Rtp {
    sequence: u16,
    timestamp: u32,
    source: [u8; 4],
}

impl Rtp {
    fn new() -> Self {
        // An identifier that differs between senders on one machine is all that is needed here.
        Self { sequence: 0, timestamp: 0, source: std::process::id().to_be_bytes() }
    }

    fn header(&mut self, packets: &[RawPacket]) -> [u8; 12] {
        let clock = packets.iter().filter_map(|packet| Packet::new(packet).pcr()).next_back();
        if let Some(pcr) = clock {
            self.timestamp = (pcr.ticks() / (Pcr::HZ / 90_000)) as u32;
        }
        let mut header = [0; 12];
        let (head, source) = header.split_at_mut(8);
        head.copy_from_slice(
            &(0x8000_0000_0000_0000
                | u64::from(RTP_MP2T) << 48
                | u64::from(self.sequence) << 32
                | u64::from(self.timestamp))
            .to_be_bytes(),
        );
        source.copy_from_slice(&self.source);
        self.sequence = self.sequence.wrapping_add(1);
        header
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use portcullis_ts::packet::null_packet;

    use super::*;

    #[test]
    fn a_file_has_its_name_only_when_it_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.ts");
        let location = Location::File(path.clone());
        let mut output = Output::open(&location).unwrap();
        output.write(&[null_packet(); 3]).unwrap();
        assert!(!path.exists());
        drop(output);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

        let mut output = Output::open(&location).unwrap();
        output.write(&[null_packet(); 3]).unwrap();
        output.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap().len(), 3 * 188);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn datagrams_hold_seven_packets_and_rtp_counts_them() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let location = format!("rtp://{}", receiver.local_addr().unwrap()).parse().unwrap();
        let mut output = Output::open(&location).unwrap();
        output.write(&[null_packet(); 16]).unwrap();
        output.finish().unwrap();
        let mut datagram = [0; 2_000];
        for (sequence, packets) in [(0, 7), (1, 7), (2, 2)] {
            assert_eq!(receiver.recv(&mut datagram).unwrap(), 12 + packets * 188);
            assert_eq!(datagram[..4], [0x80, 33, 0, sequence]);
        }
    }
}
