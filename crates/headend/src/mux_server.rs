//! The MUX's side towards EMM generators. (API first; the machine behind it follows.)

use std::net::SocketAddr;

use portcullis_types::{DataId, EmmgClientId};
use tokio::sync::mpsc;

/// EMM sections that an EMM generator provided; each is played out once, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EmmDatagram {
    /// Its upper 16 bits are the CA_system_id.
    pub client_id: EmmgClientId,
    /// With the client_id it names the EMM stream.
    pub data_id: DataId,
    /// Whole sections.
    pub sections: Vec<Vec<u8>>,
}

/// Limits of the MUX side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MuxLimits {
    /// TCP connections at once.
    pub connections: usize,
    /// Streams on one channel.
    pub streams_per_channel: usize,
    /// kbit/s for all EMM streams together.
    pub total_kbps: u16,
    /// kbit/s for a stream that asks for none.
    pub default_kbps: u16,
    /// Datagrams that wait for the multiplexer; a full queue stops reading from TCP.
    pub queue: usize,
}

impl Default for MuxLimits {
    fn default() -> Self {
        Self {
            connections: 16,
            streams_per_channel: 16,
            total_kbps: 3_000,
            default_kbps: 100,
            queue: 256,
        }
    }
}

/// A listening MUX; dropping it ends all its connections.
#[derive(Debug)]
pub struct MuxServer {
    local: SocketAddr,
    udp: Option<SocketAddr>,
}

impl MuxServer {
    /// Listens on `HOST:PORT` for TCP and, when `udp` is given, there for data_provision over
    /// UDP. Port 0 picks a free one.
    ///
    /// # Errors
    /// [`MuxError`], one clear line that names the address.
    pub async fn bind(
        address: &str,
        udp: Option<&str>,
        limits: MuxLimits,
    ) -> Result<(Self, mpsc::Receiver<EmmDatagram>), MuxError> {
        let _ = (udp, limits);
        Err(MuxError::Bind {
            address: address.to_owned(),
            source: std::io::ErrorKind::Unsupported.into(),
        })
    }

    /// Where it listens for TCP.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Where it listens for UDP.
    #[must_use]
    pub fn udp_addr(&self) -> Option<SocketAddr> {
        self.udp
    }
}

/// A MUX that cannot listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MuxError {
    /// The address is taken, not ours, or does not resolve.
    #[error("MUX {address}: cannot listen")]
    Bind {
        /// HOST:PORT.
        address: String,
        /// Why.
        source: std::io::Error,
    },
}
