//! The thread of one request or connection.
//!
//! It looks at its order to end, and at what is to be sent, at least every [`TURN`]. All of its
//! time is bounded, however the octets of the other end trickle (T-19).

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::time::{Duration, Instant};

use portcullis_package::NetworkHost;
use portcullis_svm::abi::net;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::NetworkLimits;

/// How long one look at the connection lasts.
const TURN: Duration = Duration::from_millis(10);
/// Octets read at a time.
const CHUNK: usize = 16 << 10;
/// Octets of the head of an answer.
const HEAD: usize = 16 << 10;
/// Addresses of a host that are tried.
const ADDRESSES: usize = 4;

/// What one thread does.
pub(super) struct Work {
    pub(super) number: u32,
    pub(super) host: NetworkHost,
    pub(super) config: Arc<ClientConfig>,
    /// A request; a connection without one.
    pub(super) request: Option<Request>,
    pub(super) limits: NetworkLimits,
    pub(super) queue: Receiver<Vec<u8>>,
    pub(super) cancelled: Arc<AtomicBool>,
    pub(super) arrivals: SyncSender<(u32, Arrival)>,
    #[expect(dead_code, reason = "held, so that the thread is counted")]
    pub(super) alive: Arc<()>,
}

/// An HTTP request, its parts checked.
pub(super) struct Request {
    pub(super) verb: &'static str,
    pub(super) path: String,
    pub(super) body: Vec<u8>,
}

/// What a thread tells.
pub(super) enum Arrival {
    Answer { http_status: u16, body: Vec<u8> },
    Connected,
    Data(Vec<u8>),
    Closed,
    Failed(String),
}

impl Arrival {
    pub(super) const fn is_last(&self) -> bool {
        matches!(self, Self::Answer { .. } | Self::Closed | Self::Failed(_))
    }

    /// The body of the message to the client.
    pub(super) fn body(self) -> Vec<u8> {
        let (kind, rest) = match self {
            Self::Answer { http_status, body } => {
                (net::ANSWER, [&u32::from(http_status).to_le_bytes()[..], &body].concat())
            }
            Self::Connected => (net::CONNECTED, Vec::new()),
            Self::Data(octets) => (net::DATA, octets),
            Self::Closed => (net::CLOSED, Vec::new()),
            Self::Failed(why) => (net::FAILED, why.into_bytes()),
        };
        [&kind.to_le_bytes()[..], &rest].concat()
    }
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

impl Work {
    pub(super) fn run(self) {
        let last = match &self.request {
            Some(request) => self.ask(request),
            None => self.hold().map(|()| Arrival::Closed),
        };
        let last = last.unwrap_or_else(Arrival::Failed);
        // A client that is gone has nobody to tell.
        let _ = self.arrivals.send((self.number, last));
    }

    fn ask(&self, request: &Request) -> Result<Arrival, String> {
        let until = Instant::now() + self.limits.request;
        let mut stream = self.connect()?;
        self.write(&mut stream, &octets(&self.host, request), until)?;
        let mut received = Vec::new();
        loop {
            match self.read(&mut stream, until)? {
                Some(octets) if octets.is_empty() => continue,
                Some(octets) => received.extend_from_slice(&octets),
                None => return answer(&received, true, self.limits.answer)?.ok_or_else(cut_short),
            }
            if let Some(whole) = answer(&received, false, self.limits.answer)? {
                return Ok(whole);
            }
        }
    }

    fn hold(&self) -> Result<(), String> {
        let until = Instant::now() + self.limits.connection;
        let mut stream = self.connect()?;
        self.tell(Arrival::Connected)?;
        loop {
            loop {
                match self.queue.try_recv() {
                    Ok(octets) => self.write(&mut stream, &octets, until)?,
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return Ok(()),
                }
            }
            match self.read(&mut stream, until)? {
                None => return Ok(()),
                Some(octets) if octets.is_empty() => {}
                Some(octets) => self.tell(Arrival::Data(octets))?,
            }
        }
    }

    /// Waits while the client has not taken what came before: the other end then waits too.
    fn tell(&self, arrival: Arrival) -> Result<(), String> {
        self.arrivals.send((self.number, arrival)).map_err(|_| "the client is gone".to_owned())
    }

    /// A connection with the handshake behind it.
    fn connect(&self) -> Result<Stream, String> {
        let until = Instant::now() + self.limits.connect;
        let NetworkHost { name, port, .. } = &self.host;
        let addresses = (name.as_str(), *port).to_socket_addrs().map_err(|e| e.to_string())?;
        let mut failure = "the host has no address".to_owned();
        for address in addresses.take(ADDRESSES) {
            let left = self.left(until)?;
            match TcpStream::connect_timeout(&address, left) {
                Ok(tcp) => return self.handshake(tcp, until),
                Err(error) => failure = error.to_string(),
            }
        }
        Err(failure)
    }

    fn handshake(&self, tcp: TcpStream, until: Instant) -> Result<Stream, String> {
        let text = |error: std::io::Error| error.to_string();
        tcp.set_nodelay(true).map_err(text)?;
        tcp.set_read_timeout(Some(TURN)).map_err(text)?;
        tcp.set_write_timeout(Some(TURN)).map_err(text)?;
        let name = ServerName::try_from(self.host.name.clone()).map_err(|e| e.to_string())?;
        let tls = ClientConnection::new(Arc::clone(&self.config), name);
        let mut stream = StreamOwned::new(tls.map_err(|e| e.to_string())?, tcp);
        while stream.conn.is_handshaking() {
            self.left(until)?;
            match stream.conn.complete_io(&mut stream.sock) {
                Ok(_) => {}
                Err(error) if waits(&error) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(stream)
    }

    /// What is there within a turn; `None` at the end.
    fn read(&self, stream: &mut Stream, until: Instant) -> Result<Option<Vec<u8>>, String> {
        self.left(until)?;
        let mut octets = vec![0; CHUNK];
        match stream.read(&mut octets) {
            Ok(0) => Ok(None),
            Ok(length) => {
                octets.truncate(length);
                Ok(Some(octets))
            }
            Err(error) if waits(&error) => Ok(Some(Vec::new())),
            Err(error) => Err(error.to_string()),
        }
    }

    fn write(&self, stream: &mut Stream, octets: &[u8], until: Instant) -> Result<(), String> {
        stream.conn.writer().write_all(octets).map_err(|error| error.to_string())?;
        while stream.conn.wants_write() {
            self.left(until)?;
            match stream.conn.write_tls(&mut stream.sock) {
                Ok(_) => {}
                Err(error) if waits(&error) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }

    /// Time that is left; an error when there is none, or when the client does not want more.
    fn left(&self, until: Instant) -> Result<Duration, String> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err("closed by the client".into());
        }
        match until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err("it takes too long".into()),
            left => Ok(left),
        }
    }
}

fn waits(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

fn cut_short() -> String {
    "the answer was cut short".into()
}

/// HTTP/1.0: the answer ends with the connection and is never in chunks.
fn octets(host: &NetworkHost, request: &Request) -> Vec<u8> {
    let Request { verb, path, body } = request;
    let NetworkHost { name, port, .. } = host;
    let mut head =
        format!("{verb} {path} HTTP/1.0\r\nhost: {name}:{port}\r\nconnection: close\r\n");
    if *verb == "POST" {
        head += &format!(
            "content-type: application/octet-stream\r\ncontent-length: {}\r\n",
            body.len()
        );
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

/// The answer when it is all here: by its length, or because the connection has ended.
fn answer(received: &[u8], ended: bool, most: usize) -> Result<Option<Arrival>, String> {
    let end = received.windows(4).position(|four| four == b"\r\n\r\n");
    let Some((head, body)) = end.and_then(|end| received.split_at_checked(end + 4)) else {
        return if received.len() > HEAD { Err("the head is too long".into()) } else { Ok(None) };
    };
    let head = str::from_utf8(head).map_err(|_| "the head is no text")?;
    let mut lines = head.split("\r\n");
    let http_status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1."))
        .and_then(|line| line.get(2..5))
        .and_then(|status| status.parse().ok())
        .ok_or("no HTTP/1 answer")?;
    let mut length = None;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse::<usize>().map_err(|_| "bad content-length")?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err("unexpected transfer-encoding".into());
        }
    }
    if body.len() > most || length.is_some_and(|length| length > most) {
        return Err("the answer is too long".into());
    }
    Ok(match length {
        Some(length) => {
            body.get(..length).map(|body| Arrival::Answer { http_status, body: body.to_vec() })
        }
        None => ended.then(|| Arrival::Answer { http_status, body: body.to_vec() }),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn told(text: &str, ended: bool) -> Result<Option<(u16, Vec<u8>)>, String> {
        Ok(answer(text.as_bytes(), ended, 16)?.map(|arrival| match arrival {
            Arrival::Answer { http_status, body } => (http_status, body),
            _ => (0, Vec::new()),
        }))
    }

    // attack-test: T-19
    #[test]
    fn answers_are_whole_or_refused() {
        let ok = |body: &[u8]| Ok(Some((200, body.to_vec())));
        assert_eq!(told("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", false), ok(b"ab"));
        assert_eq!(told("HTTP/1.0 200 OK\r\n\r\nab", false), Ok(None));
        assert_eq!(told("HTTP/1.0 200 OK\r\n\r\nab", true), ok(b"ab"));
        assert_eq!(told("HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nab", true), Ok(None));
        for bad in [
            "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n12345678901234567",
        ] {
            assert!(told(bad, true).is_err(), "{bad}");
        }
        assert!(told(&"a".repeat(HEAD + 1), false).is_err());
    }
}
