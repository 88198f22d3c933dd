//! As much HTTP/1.1 as the centre needs: one request per connection, answers with a length.
//!
//! The other end is authenticated before the first octet, and still every head line, header and
//! body has its limit.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Octets of the head of an answer.
const HEAD_CAP: usize = 16 * 1024;
/// Octets of a metadata answer.
pub(super) const METADATA_CAP: u64 = portcullis_download::wire::METADATA_CAP as u64;
/// How long to wait for a connection, and for the next octet.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time for connection, handshake and head together: octets may come one by one, but not forever.
const HEAD_TIME: Duration = Duration::from_secs(20);
/// Time for a body.
const BODY_TIME: Duration = Duration::from_secs(600);

/// One request.
pub(super) struct Call {
    pub(super) path: String,
    /// `POST` with this JSON, or `GET`.
    pub(super) body: Option<Vec<u8>>,
    pub(super) headers: Vec<(&'static str, String)>,
    /// Most octets of the answer's body.
    pub(super) cap: u64,
}

/// The head of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) length: Option<u64>,
    /// First octet of the range; 0 without one.
    pub(super) range_start: u64,
}

/// A part of an answer.
pub(super) enum Answer<'a> {
    Head(Head),
    Octets(&'a [u8]),
}

/// A connection that ends at a given time, however its octets trickle.
// defends: T-19 F-10
struct Bounded {
    tcp: TcpStream,
    until: Instant,
}

impl Bounded {
    fn left(&self) -> std::io::Result<Duration> {
        match self.until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(std::io::Error::new(ErrorKind::TimedOut, "it takes too long")),
            left => Ok(left.min(PATIENCE)),
        }
    }
}

impl Read for Bounded {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.tcp.set_read_timeout(Some(self.left()?))?;
        self.tcp.read(out)
    }
}

impl Write for Bounded {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.tcp.set_write_timeout(Some(self.left()?))?;
        self.tcp.write(octets)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.tcp.flush()
    }
}

/// Makes one call. `part` hears head and octets as they come and says whether to go on.
pub(super) fn call(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
    call: &Call,
    part: &mut dyn FnMut(Answer<'_>) -> bool,
) -> Result<Head, String> {
    let text = |error: std::io::Error| error.to_string();
    let tcp = TcpStream::connect_timeout(&address, PATIENCE).map_err(text)?;
    let _ = tcp.set_nodelay(true);
    let name = ServerName::IpAddress(address.ip().into());
    let tls = ClientConnection::new(Arc::clone(config), name).map_err(|e| e.to_string())?;
    let mut stream = StreamOwned::new(tls, Bounded { tcp, until: Instant::now() + HEAD_TIME });
    stream.write_all(&request(address, call)).map_err(text)?;
    stream.flush().map_err(text)?;

    let (head, rest) = read_head(&mut stream)?;
    stream.sock.until = Instant::now() + BODY_TIME;
    let cap = call.cap.min(head.length.unwrap_or(call.cap));
    if head.length.is_some_and(|length| length > call.cap) {
        return Err("the answer is too long".into());
    }
    if !part(Answer::Head(head)) {
        return Ok(head);
    }
    let mut received = 0;
    let mut deliver = |octets: &[u8]| {
        let room = usize::try_from(cap - received).unwrap_or(usize::MAX);
        let octets = octets.get(..octets.len().min(room)).unwrap_or_default();
        received += octets.len() as u64;
        (octets.is_empty() || part(Answer::Octets(octets)), received)
    };
    let (mut go_on, mut received) = deliver(&rest);
    let mut buffer = vec![0; 16 * 1024];
    while go_on && received < cap {
        let length = match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(text(error)),
        };
        (go_on, received) = deliver(buffer.get(..length).unwrap_or_default());
    }
    if go_on && head.length.is_some_and(|length| received < length) {
        return Err("the answer was cut short".into());
    }
    Ok(head)
}

fn request(address: SocketAddr, call: &Call) -> Vec<u8> {
    let method = if call.body.is_some() { "POST" } else { "GET" };
    let mut text =
        format!("{method} {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n", call.path);
    for (name, value) in &call.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = &call.body {
        text.push_str("content-type: application/json\r\n");
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    let mut octets = text.into_bytes();
    octets.extend_from_slice(call.body.as_deref().unwrap_or_default());
    octets
}

/// The head, and what came of the body with it.
fn read_head(stream: &mut impl Read) -> Result<(Head, Vec<u8>), String> {
    let mut octets = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = find(&octets, b"\r\n\r\n") {
            let rest = octets.split_off(end + 4);
            return Ok((parse_head(&octets)?, rest));
        }
        if octets.len() > HEAD_CAP {
            return Err("the head of the answer is too long".into());
        }
        match stream.read(&mut buffer).map_err(|error| error.to_string())? {
            0 => return Err("the connection ended before an answer".into()),
            length => octets.extend_from_slice(buffer.get(..length).unwrap_or_default()),
        }
    }
}

fn parse_head(octets: &[u8]) -> Result<Head, String> {
    let text = std::str::from_utf8(octets).map_err(|_| "the head is no text")?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        .and_then(|line| line.get(..3))
        .and_then(|status| status.parse().ok())
        .ok_or("no HTTP/1.1 answer")?;
    let mut head = Head { status, length: None, range_start: 0 };
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                head.length = Some(value.parse().map_err(|_| "bad content-length")?);
            }
            "content-range" => {
                head.range_start = value
                    .strip_prefix("bytes ")
                    .and_then(|range| range.split_once('-'))
                    .and_then(|(start, _)| start.parse().ok())
                    .ok_or("bad content-range")?;
            }
            // Nothing of ours is sent in chunks, and a proxy has no business here.
            "transfer-encoding" => return Err("unexpected transfer-encoding".into()),
            _ => {}
        }
    }
    Ok(head)
}

fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    octets.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn heads_parse_and_odd_ones_are_refused() {
        let head = |text: &str| parse_head(text.as_bytes());
        assert_eq!(
            head(
                "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\
                  content-range: bytes 10-14/15\r\n\r\n"
            ),
            Ok(Head { status: 206, length: Some(5), range_start: 10 })
        );
        assert!(head("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(head("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n").is_err());
        assert!(head("HTTP/2 200\r\n\r\n").is_err());
        assert!(head("\r\n\r\n").is_err());
    }

    #[test]
    fn an_endless_head_is_cut() {
        struct Endless;
        impl Read for Endless {
            fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
                out.fill(b'a');
                Ok(out.len())
            }
        }
        assert!(read_head(&mut Endless).unwrap_err().contains("too long"));
        let mut split: &[u8] = b"HTTP/1.1 200 OK\r\n\r\nbody";
        assert_eq!(read_head(&mut split).unwrap().1, b"body");
    }

    // attack-test: T-19 F-10
    #[test]
    fn octets_that_trickle_for_ever_end_at_the_given_time() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        std::thread::spawn(move || {
            while peer.write_all(b"a").is_ok() {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let begin = Instant::now();
        let mut bounded = Bounded { tcp, until: begin + Duration::from_millis(200) };
        let error = loop {
            if let Err(error) = bounded.read(&mut [0; 16]) {
                break error;
            }
            assert!(begin.elapsed() < Duration::from_secs(5), "it goes on");
        };
        assert!(matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock), "{error}");
    }
}
