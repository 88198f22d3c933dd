//! Output: a file, a pipe, or UDP datagrams.
//!
//! A file appears under its name only when the work is complete; until then it is a hidden file
//! beside it, and goes away when the work fails.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::net::{ToSocketAddrs, UdpSocket};
use std::path::{Path, PathBuf};

use portcullis_ts::RawPacket;

use crate::error::TerminalError;

/// Packets in a datagram: as many as fit an Ethernet frame.
const PACKETS_PER_DATAGRAM: usize = 7;

pub(crate) struct Output {
    name: String,
    sink: Sink,
}

/// What an output is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// A player takes it at once.
    Show,
    /// It is kept.
    Store,
    /// It goes on to others.
    Retransmit,
}

enum Sink {
    File { temporary: PathBuf, path: PathBuf, writer: Option<BufWriter<File>> },
    Pipe(Box<dyn Write + Send>),
    Socket(UdpSocket),
}

impl Output {
    pub(crate) fn open(name: &str) -> Result<Self, TerminalError> {
        let sink = Sink::open(name)
            .map_err(|source| TerminalError::Output { name: name.into(), source })?;
        Ok(Self { name: name.into(), sink })
    }

    /// What becomes of what is written.
    pub(crate) const fn purpose(&self) -> Purpose {
        match self.sink {
            Sink::File { .. } => Purpose::Store,
            Sink::Pipe(_) => Purpose::Show,
            Sink::Socket(_) => Purpose::Retransmit,
        }
    }

    pub(crate) fn write(&mut self, packets: &[RawPacket]) -> Result<(), TerminalError> {
        let done = match &mut self.sink {
            Sink::File { writer: Some(writer), .. } => writer.write_all(packets.as_flattened()),
            Sink::File { writer: None, .. } => Err(io::Error::other("already complete")),
            Sink::Pipe(pipe) => pipe.write_all(packets.as_flattened()).and_then(|()| pipe.flush()),
            Sink::Socket(socket) => send(socket, packets),
        };
        done.map_err(|source| TerminalError::Output { name: self.name.clone(), source })
    }

    /// The work is complete: a file gets its name.
    pub(crate) fn finish(mut self) -> Result<(), TerminalError> {
        let done = match &mut self.sink {
            Sink::File { temporary, path, writer } => complete(temporary, path, writer.take()),
            Sink::Pipe(pipe) => pipe.flush(),
            Sink::Socket(_) => Ok(()),
        };
        done.map_err(|source| TerminalError::Output { name: self.name.clone(), source })
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Sink::File { temporary, writer: Some(_), .. } = &self.sink {
            // Nothing more can be done about a file that does not go away.
            let _ = fs::remove_file(temporary);
        }
    }
}

impl Sink {
    fn open(name: &str) -> io::Result<Self> {
        if name == "-" {
            return Ok(Self::Pipe(Box::new(io::stdout())));
        }
        if let Some(address) = name.strip_prefix("udp://") {
            let mut addresses = address.trim_end_matches('/').to_socket_addrs()?;
            let address = addresses.next().ok_or_else(|| io::Error::other("no address"))?;
            let here = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            let socket = UdpSocket::bind(here)?;
            socket.connect(address)?;
            return Ok(Self::Socket(socket));
        }
        let path = Path::new(name);
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if path.exists() && !path.is_file() {
            return Ok(Self::Pipe(Box::new(fs::OpenOptions::new().write(true).open(path)?)));
        }
        let file_name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(file_name);
        hidden.push(format!(".{}.part", std::process::id()));
        let temporary = path.with_file_name(hidden);
        let file = File::create(&temporary)?;
        let writer = Some(BufWriter::with_capacity(1 << 20, file));
        Ok(Self::File { temporary, path: path.to_owned(), writer })
    }
}

fn complete(temporary: &Path, path: &Path, writer: Option<BufWriter<File>>) -> io::Result<()> {
    let Some(writer) = writer else { return Ok(()) };
    let done = writer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(temporary, path));
    if done.is_err() {
        let _ = fs::remove_file(temporary);
    }
    done
}

fn send(socket: &UdpSocket, packets: &[RawPacket]) -> io::Result<()> {
    for datagram in packets.chunks(PACKETS_PER_DATAGRAM) {
        match socket.send(datagram.as_flattened()) {
            Ok(_) => {}
            // Nobody listens (yet): what a broadcast does not mind.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use portcullis_ts::packet::null_packet;

    #[test]
    fn a_file_appears_only_when_it_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.ts");
        let names = || fs::read_dir(dir.path()).unwrap().count();

        let mut output = Output::open(path.to_str().unwrap()).unwrap();
        output.write(&[null_packet()]).unwrap();
        assert!(!path.exists());
        drop(output);
        assert_eq!(names(), 0);

        let mut output = Output::open(path.to_str().unwrap()).unwrap();
        output.write(&[null_packet(), null_packet()]).unwrap();
        output.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap().len(), 376);
        assert_eq!(names(), 1);
        assert!(Output::open(dir.path().to_str().unwrap()).is_err());
        assert!(Output::open("/nowhere/at/all.ts").is_err());
    }
}
