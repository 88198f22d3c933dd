//! What the headend's sockets have in common.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;

/// Connects to `HOST:PORT` without Nagle's delay, within a time limit.
pub(crate) async fn connect(address: &str) -> io::Result<TcpStream> {
    let connecting = async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    match tokio::time::timeout(CONNECT_TIME, connecting).await {
        Ok(result) => result,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// The first address of `HOST:PORT`.
pub(crate) async fn resolve(address: &str) -> io::Result<SocketAddr> {
    let mut found = tokio::net::lookup_host(address).await?;
    found.next().ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Whether accepting may work again in a moment (a client that vanished, no free descriptor).
pub(crate) fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::ConnectionAborted | K::ConnectionReset | K::Interrupted | K::WouldBlock | K::OutOfMemory
    ) || matches!(error.raw_os_error(), Some(23 | 24)) // too many open files
}

/// Waits longer after each failure, up to a limit.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    /// The next pause.
    pub(crate) fn pause(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(LAST_PAUSE);
        now
    }

    /// It worked: the next failure waits little again.
    pub(crate) const fn reset(&mut self) {
        self.0 = FIRST_PAUSE;
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(5);
const CONNECT_TIME: Duration = Duration::from_secs(5);
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
