//! Who may ask: pages of this very server only.
//!
//! A page of another site can make a browser send requests here. It cannot send the header
//! `x-portcullis` without a preflight that nobody answers, and a name that was rebound to this
//! address is not one of ours in `Host`.
// defends: T-43

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};

/// The header that every order must carry, with value `1`.
pub(crate) const ORDER_HEADER: &str = "x-portcullis";

/// Knows the names this server goes by.
#[derive(Debug, Clone, Copy)]
pub struct HostGuard {
    listen: SocketAddr,
}

impl HostGuard {
    /// For a server that listens here.
    #[must_use]
    pub const fn new(listen: SocketAddr) -> Self {
        Self { listen }
    }

    /// The request names this server by its address or as localhost.
    pub(crate) fn host_is_ours(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
        host.is_some_and(|host| self.names_us(host))
    }

    /// The request was made by our page's script, or by a program that is no browser: not by
    /// another site.
    pub(crate) fn is_order(&self, headers: &HeaderMap) -> bool {
        let origin_is_ours = headers.get(header::ORIGIN).is_none_or(|origin| {
            let host = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
            host.is_some_and(|host| self.names_us(host))
        });
        origin_is_ours && headers.get(ORDER_HEADER).is_some_and(|value| value == "1")
    }

    fn names_us(&self, host: &str) -> bool {
        if host.parse::<SocketAddr>().is_ok_and(|address| self.is_ours(address)) {
            return true;
        }
        let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
        if port.parse() != Ok(self.listen.port()) {
            return false;
        }
        name.eq_ignore_ascii_case("localhost")
            || name
                .parse::<IpAddr>()
                .is_ok_and(|ip| self.is_ours(SocketAddr::new(ip, self.listen.port())))
    }

    fn is_ours(&self, address: SocketAddr) -> bool {
        // A literal address cannot be rebound; on all interfaces any of them is ours.
        address.port() == self.listen.port()
            && (address.ip() == self.listen.ip()
                || address.ip().is_loopback()
                || self.listen.ip().is_unspecified())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn asked(guard: HostGuard, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        guard.host_is_ours(&headers)
    }

    // attack-test: T-43
    #[test]
    fn a_rebound_name_is_not_ours() {
        let guard = HostGuard::new("127.0.0.1:8090".parse().unwrap());
        assert!(asked(guard, "127.0.0.1:8090"));
        assert!(asked(guard, "localhost:8090"));
        assert!(asked(guard, "[::1]:8090"));
        for host in ["evil.example:8090", "127.0.0.1", "localhost:80", "10.0.0.1:8090", "", ":"] {
            assert!(!asked(guard, host), "{host}");
        }
        assert!(!guard.host_is_ours(&HeaderMap::new()));
        let open = HostGuard::new("0.0.0.0:8090".parse().unwrap());
        assert!(asked(open, "10.0.0.1:8090"));
        assert!(!asked(open, "evil.example:8090"));
    }

    // attack-test: T-43
    #[test]
    fn an_order_from_another_site_is_none() {
        let guard = HostGuard::new("127.0.0.1:8090".parse().unwrap());
        let ordered = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(ORDER_HEADER, "1".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            guard.is_order(&headers)
        };
        assert!(ordered(None));
        assert!(ordered(Some("http://localhost:8090")));
        for origin in ["http://evil.example:8090", "http://localhost:80", "null", "file://", ""] {
            assert!(!ordered(Some(origin)), "{origin}");
        }
        assert!(!guard.is_order(&HeaderMap::new()));
    }
}
