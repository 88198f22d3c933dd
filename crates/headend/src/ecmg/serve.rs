//! Sockets of the ECM generator: one task per SCS connection around a sans-IO channel.

use std::sync::Arc;

use portcullis_simulcrypt::ecmg::{ServerChannel, ServerLimits};
use portcullis_simulcrypt::{FrameReader, MAX_MESSAGE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::host::{Host, Shared};
use super::{EcmgError, EcmgSystems};
use crate::clock::Steady;
use crate::event::Events;

/// Limits of an ECM generator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EcmgLimits {
    /// TCP connections at once; more are closed on arrival.
    pub connections: usize,
    /// Channels at once.
    pub channels: usize,
    /// Streams of one channel.
    pub streams_per_channel: u16,
    /// Streams of all channels.
    pub streams: usize,
    /// Limits of each connection.
    pub connection: ServerLimits,
}

impl Default for EcmgLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            channels: 256,
            streams_per_channel: 100,
            streams: 10_000,
            connection: ServerLimits::default(),
        }
    }
}

/// Serves SCS connections for ever, with the default limits and no events.
///
/// # Errors
/// [`EcmgError::Accept`] when the listener fails for good.
pub async fn serve(listener: TcpListener, systems: EcmgSystems) -> Result<(), EcmgError> {
    serve_with(listener, systems, EcmgLimits::default(), Events::none()).await
}

/// Serves SCS connections for ever. Dropping the future ends all connections.
///
/// # Errors
/// [`EcmgError::Accept`] when the listener fails for good.
pub async fn serve_with(
    listener: TcpListener,
    systems: EcmgSystems,
    limits: EcmgLimits,
    events: Events,
) -> Result<(), EcmgError> {
    let places = Arc::new(Semaphore::new(limits.connections));
    let shared = Arc::new(Shared::new(systems, limits, events));
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) if crate::net::is_passing(&error) => {
                tracing::warn!("ECM generator: {error}");
                tokio::time::sleep(crate::net::ACCEPT_PAUSE).await;
                continue;
            }
            Err(error) => return Err(EcmgError::Accept(error)),
        };
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!("ECM generator: {peer} turned away, too many connections");
            continue;
        };
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let _place = place;
            if let Err(error) = connection(stream, shared).await {
                tracing::info!("ECM generator: connection of {peer}: {error}");
            }
        });
    }
}

/// Frees the ids of a connection however its task ends.
struct Connection {
    channel: ServerChannel,
    host: Host,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.channel.disconnected(&mut self.host);
    }
}

async fn connection(mut stream: TcpStream, shared: Arc<Shared>) -> std::io::Result<()> {
    // Requests and answers are small and wait for each other.
    stream.set_nodelay(true)?;
    let clock = Steady::start();
    let channel = ServerChannel::new(shared.limits.connection, clock.now());
    let mut this = Connection { channel, host: Host::new(shared) };
    let mut reader = FrameReader::new(MAX_MESSAGE);
    let mut received = vec![0; READ_LEN];
    let mut out = Vec::new();
    while !this.channel.is_closed() {
        tokio::select! {
            count = stream.read(&mut received) => match count? {
                0 => break,
                count => reader.extend(received.get(..count).unwrap_or(&[])),
            },
            () = clock.until(this.channel.poll_timeout()) => {
                this.channel.handle_timeout(clock.now());
            }
        }
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => this.channel.handle(frame, clock.now(), &mut this.host),
                Ok(None) => break,
                Err(_) => {
                    this.channel.frame_too_long();
                    break;
                }
            }
        }
        if this.channel.poll_transmit(&mut this.host, &mut out) {
            stream.write_all(&out).await?;
        }
    }
    Ok(())
}

/// Octets read at once.
const READ_LEN: usize = 16 * 1024;
