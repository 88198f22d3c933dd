//! The MUX's side towards EMM generators: listens, checks, and hands whole sections on.
//!
//! Each datagram is handed on once, in order. When the multiplexer is slower than the generators
//! the queue fills, reading stops and TCP pushes back; over UDP what does not fit is lost.
// spec: S-24 S-49 S-50

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_simulcrypt::emmg::EmmgStatus;
use portcullis_simulcrypt::mux::{MuxHost, Server, ServerLimits, read_udp};
use portcullis_simulcrypt::{FrameReader, MAX_MESSAGE};
use portcullis_types::{DataChannelId, DataId, EmmgClientId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};

use crate::clock::Steady;

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
    tasks: Vec<JoinHandle<()>>,
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
        let fail = |address: &str| {
            let address = address.to_owned();
            |source| MuxError::Bind { address, source }
        };
        let listener = TcpListener::bind(address).await.map_err(fail(address))?;
        let local = listener.local_addr().map_err(fail(address))?;
        let (queue, received) = mpsc::channel(limits.queue.max(1));
        let shared = Arc::new(Shared { limits, queue, in_use: Mutex::default() });
        let mut tasks = Vec::new();
        let mut udp_addr = None;
        if let Some(udp) = udp {
            let socket = UdpSocket::bind(udp).await.map_err(fail(udp))?;
            udp_addr = Some(socket.local_addr().map_err(fail(udp))?);
            tasks.push(tokio::spawn(take_udp(socket, Arc::clone(&shared))));
        }
        tasks.push(tokio::spawn(accept(listener, shared)));
        Ok((Self { local, udp: udp_addr, tasks }, received))
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

impl Drop for MuxServer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
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

/// What all connections share.
struct Shared {
    limits: MuxLimits,
    queue: mpsc::Sender<EmmDatagram>,
    in_use: Mutex<InUse>,
}

#[derive(Default)]
struct InUse {
    channels: HashSet<(EmmgClientId, DataChannelId)>,
    /// kbit/s granted to each open stream.
    streams: HashMap<(EmmgClientId, DataId), u16>,
}

impl Shared {
    fn in_use(&self) -> MutexGuard<'_, InUse> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's view; sections wait here until the queue takes them.
struct Host {
    shared: Arc<Shared>,
    taken: Vec<EmmDatagram>,
}

impl MuxHost for Host {
    fn open_channel(
        &mut self,
        client: EmmgClientId,
        channel: DataChannelId,
    ) -> Result<(), EmmgStatus> {
        match self.shared.in_use().channels.insert((client, channel)) {
            true => Ok(()),
            false => Err(EmmgStatus::ChannelInUse),
        }
    }

    fn close_channel(&mut self, client: EmmgClientId, channel: DataChannelId) {
        self.shared.in_use().channels.remove(&(client, channel));
    }

    fn open_stream(&mut self, client: EmmgClientId, data_id: DataId) -> Result<(), EmmgStatus> {
        let mut in_use = self.shared.in_use();
        if in_use.streams.contains_key(&(client, data_id)) {
            return Err(EmmgStatus::DataIdInUse);
        }
        let free = free_kbps(&in_use, self.shared.limits.total_kbps);
        let granted = self.shared.limits.default_kbps.min(free);
        in_use.streams.insert((client, data_id), granted);
        Ok(())
    }

    fn close_stream(&mut self, client: EmmgClientId, data_id: DataId) {
        self.shared.in_use().streams.remove(&(client, data_id));
    }

    fn allocate(&mut self, client: EmmgClientId, data_id: DataId, asked: Option<u16>) -> u16 {
        let mut in_use = self.shared.in_use();
        let free = free_kbps(&in_use, self.shared.limits.total_kbps);
        match (in_use.streams.get_mut(&(client, data_id)), asked) {
            (Some(granted), Some(asked)) => {
                *granted = asked.min(granted.saturating_add(free));
                *granted
            }
            (Some(granted), None) => *granted,
            (None, _) => 0,
        }
    }

    fn sections(&mut self, client: EmmgClientId, data_id: DataId, sections: Vec<Vec<u8>>) {
        self.taken.push(EmmDatagram { client_id: client, data_id, sections });
    }
}

fn free_kbps(in_use: &InUse, total: u16) -> u16 {
    in_use.streams.values().fold(total, |free, granted| free.saturating_sub(*granted))
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(shared.limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("MUX: {error}");
                tokio::time::sleep(crate::net::ACCEPT_PAUSE).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!("MUX: {peer} turned away, too many connections");
            continue;
        };
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let _place = place;
            if let Err(error) = connection(stream, shared).await {
                tracing::info!("MUX: connection of {peer}: {error}");
            }
        });
    }
}

/// Frees the ids of a connection however its task ends.
struct Connection {
    server: Server,
    host: Host,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.server.disconnected(&mut self.host);
    }
}

async fn connection(mut stream: TcpStream, shared: Arc<Shared>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let clock = Steady::start();
    let limits =
        ServerLimits { streams: shared.limits.streams_per_channel, ..ServerLimits::default() };
    let queue = shared.queue.clone();
    let server = Server::new(limits, clock.now());
    let mut this = Connection { server, host: Host { shared, taken: Vec::new() } };
    let mut reader = FrameReader::new(MAX_MESSAGE);
    let mut received = vec![0; READ_LEN];
    let mut out = Vec::new();
    while !this.server.is_closed() {
        tokio::select! {
            count = stream.read(&mut received) => match count? {
                0 => break,
                count => reader.extend(received.get(..count).unwrap_or(&[])),
            },
            () = clock.until(this.server.poll_timeout()) => {
                this.server.handle_timeout(clock.now());
            }
        }
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => this.server.handle(frame, clock.now(), &mut this.host),
                Ok(None) => break,
                Err(_) => {
                    this.server.frame_too_long();
                    break;
                }
            }
        }
        if this.server.poll_transmit(&mut out) {
            stream.write_all(&out).await?;
        }
        for datagram in std::mem::take(&mut this.host.taken) {
            if queue.send(datagram).await.is_err() {
                return Ok(()); // the multiplexer has ended
            }
        }
    }
    Ok(())
}

/// Takes data_provision over UDP for streams that are open over TCP; the rest is dropped.
async fn take_udp(socket: UdpSocket, shared: Arc<Shared>) {
    let max_section = ServerLimits::default().section;
    let mut received = vec![0; MAX_MESSAGE];
    loop {
        let Ok((count, peer)) = socket.recv_from(&mut received).await else {
            // An ICMP answer to something else; the socket itself is fine.
            tokio::time::sleep(crate::net::ACCEPT_PAUSE).await;
            continue;
        };
        match read_udp(received.get(..count).unwrap_or(&[]), max_section) {
            Ok(provision) => {
                let key = (provision.client, provision.data_id);
                if provision.sections.is_empty() || !shared.in_use().streams.contains_key(&key) {
                    tracing::debug!("MUX: UDP datagram of {peer} for no open stream");
                    continue;
                }
                let (client_id, data_id) = key;
                let datagram = EmmDatagram { client_id, data_id, sections: provision.sections };
                if shared.queue.try_send(datagram).is_err() {
                    tracing::warn!("MUX: UDP datagram of {peer} lost, the queue is full");
                }
            }
            Err(error) => tracing::debug!("MUX: UDP datagram of {peer}: {error}"),
        }
    }
}

/// Octets read at once.
const READ_LEN: usize = 16 * 1024;
