//! Where a transport stream comes from or goes to, as the command lines spell it.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::str::FromStr;

/// A file, standard input or output, or a socket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Location {
    /// `-`
    Standard,
    /// A path.
    File(PathBuf),
    /// `udp://HOST:PORT`: whole packets in datagrams.
    Udp(SocketAddr),
    /// `rtp://HOST:PORT`: the same behind an RTP header.
    Rtp(SocketAddr),
}

impl Location {
    /// Whether the stream runs in real time: a socket.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Udp(_) | Self::Rtp(_))
    }
}

/// An address that is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{text}: {what}")]
pub struct BadLocation {
    text: String,
    what: String,
}

impl FromStr for Location {
    type Err = BadLocation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |what: &str| BadLocation { text: text.to_owned(), what: what.to_owned() };
        let socket = |rest: &str| -> Result<SocketAddr, BadLocation> {
            // `udp://@239.1.1.1:1234` and a trailing slash are common spellings.
            let address = rest.trim_start_matches('@').trim_end_matches('/');
            // `udp://:1234` listens on every address.
            let address = match address.strip_prefix(':') {
                Some(port) => format!("0.0.0.0:{port}"),
                None => address.to_owned(),
            };
            address
                .to_socket_addrs()
                .map_err(|error| bad(&format!("HOST:PORT expected ({error})")))?
                .next()
                .ok_or_else(|| bad("the host has no address"))
        };
        match text.split_once("://") {
            _ if text == "-" => Ok(Self::Standard),
            _ if text.is_empty() => Err(bad("an empty name")),
            Some(("udp", rest)) => socket(rest).map(Self::Udp),
            Some(("rtp", rest)) => socket(rest).map(Self::Rtp),
            Some(("file", rest)) => Ok(Self::File(rest.into())),
            Some((scheme, _)) if scheme.bytes().all(|c| c.is_ascii_alphanumeric()) => {
                Err(bad("only files, -, udp:// and rtp:// are known"))
            }
            _ => Ok(Self::File(text.into())),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("-"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Udp(address) => write!(f, "udp://{address}"),
            Self::Rtp(address) => write!(f, "rtp://{address}"),
        }
    }
}

/// Whether datagrams to this address reach a group.
pub(crate) const fn is_multicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_multicast(),
        IpAddr::V6(v6) => v6.is_multicast(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn command_line_spellings() {
        assert_eq!("-".parse(), Ok(Location::Standard));
        assert_eq!("a/b.ts".parse(), Ok(Location::File("a/b.ts".into())));
        let group = "239.1.1.1:1234".parse().unwrap();
        assert_eq!("udp://@239.1.1.1:1234".parse(), Ok(Location::Udp(group)));
        assert_eq!("rtp://239.1.1.1:1234/".parse(), Ok(Location::Rtp(group)));
        let any = "0.0.0.0:5000".parse().unwrap();
        assert_eq!("udp://:5000".parse(), Ok(Location::Udp(any)));
        for wrong in ["", "http://x/", "udp://nonsense"] {
            assert!(wrong.parse::<Location>().is_err(), "{wrong}");
        }
    }
}
