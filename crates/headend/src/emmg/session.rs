//! Plays a carousel to a MUX over TCP, with the data over UDP when wanted.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use portcullis_simulcrypt::emmg::{Client, ClientConfig, ClientEvent, data_provision_udp};
use portcullis_simulcrypt::{FrameReader, MAX_MESSAGE};
use portcullis_types::{DataChannelId, DataStreamId, Milliseconds};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::carousel::Carousel;
use super::feed::Feed;
use super::play::{BATCH, TICK};
use super::{DATA_ID, EmmgConfig, Section, client_id};
use crate::clock::Steady;
use crate::event::Events;
use crate::layout::CaSystem;
use crate::net::{Backoff, connect, resolve};

/// Plays for ever, connecting again after each loss; ends when the feed has ended.
pub(super) async fn play_to_mux(config: EmmgConfig, ca: CaSystem, mut feed: Feed, events: Events) {
    let mut carousel = Carousel::default();
    let mut backoff = Backoff::new();
    let clock = Steady::start();
    let client = client_id(&ca);
    loop {
        let outcome = async {
            let mut session = Session::open(&config, &ca, clock).await?;
            let granted = session.bandwidth.unwrap_or(config.bandwidth_kbps);
            carousel.start(granted.min(config.bandwidth_kbps), clock.now());
            backoff.reset();
            events.emit(|| {
                json!({"event": "emmg", "state": "connected", "client_id": client.0,
                       "mux": config.mux, "bandwidth_kbps": granted})
            });
            session.play(&mut carousel, &mut feed, &events).await
        }
        .await;
        let error = match outcome {
            Ok(()) => return,
            Err(error) => error,
        };
        events.emit(|| {
            json!({"event": "emmg", "state": "disconnected", "client_id": client.0,
                   "mux": config.mux, "error": error.to_string()})
        });
        tracing::warn!("MUX {} ({}): {error}", config.mux, ca.vendor);
        let pause = tokio::time::sleep(backoff.pause());
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                update = feed.updates.recv() => match update {
                    Some(update) => carousel.update(update),
                    None => return,
                },
            }
        }
    }
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
enum SessionError {
    #[error("cannot connect: {0}")]
    Unreachable(std::io::Error),
    #[error("connection lost")]
    Lost,
    #[error("{0}")]
    Refused(String),
    #[error("no answer in time")]
    Silent,
    #[error("UDP {0}")]
    Udp(std::io::Error),
}

struct Session {
    client_config: ClientConfig,
    stream: TcpStream,
    udp: Option<UdpSocket>,
    clock: Steady,
    client: Client,
    reader: FrameReader,
    out: Vec<u8>,
    bandwidth: Option<u16>,
}

impl Session {
    async fn open(config: &EmmgConfig, ca: &CaSystem, clock: Steady) -> Result<Self, SessionError> {
        let stream = connect(&config.mux).await.map_err(SessionError::Unreachable)?;
        let udp = match &config.udp {
            Some(address) => Some(connect_udp(address).await.map_err(SessionError::Udp)?),
            None => None,
        };
        let client_config = ClientConfig {
            version: config.version,
            client_id: client_id(ca),
            channel_id: DataChannelId(1),
            stream_id: DataStreamId(1),
            data_id: DATA_ID,
            bandwidth: Some(config.bandwidth_kbps),
            message_time: Milliseconds(5_000),
            test_period: Some(Milliseconds(30_000)),
        };
        let client = Client::connected(client_config.clone(), clock.now());
        let mut session = Self {
            client_config,
            stream,
            udp,
            clock,
            client,
            reader: FrameReader::new(MAX_MESSAGE),
            out: Vec::new(),
            bandwidth: None,
        };
        loop {
            session.flush().await?;
            session.step().await?;
            while let Some(event) = session.client.poll_event() {
                if let ClientEvent::Ready { bandwidth } = event {
                    session.bandwidth = bandwidth;
                    return Ok(session);
                }
                session.judge(event, true)?;
            }
        }
    }

    /// Plays until the connection is lost (an error) or the feed has ended.
    async fn play(
        &mut self,
        carousel: &mut Carousel,
        feed: &mut Feed,
        events: &Events,
    ) -> Result<(), SessionError> {
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                update = feed.updates.recv() => match update {
                    Some(update) => carousel.update(update),
                    None => {
                        self.client.close(self.clock.now());
                        return self.flush().await;
                    }
                },
                _ = tick.tick() => {}
                stepped = self.step() => stepped?,
            }
            while let Some(event) = self.client.poll_event() {
                if let ClientEvent::Bandwidth(Some(kbps)) = event {
                    carousel.set_bandwidth(kbps);
                }
                self.judge(event, false)?;
            }
            let due = carousel.due(self.clock.now(), BATCH);
            self.provide(&due).await?;
            self.flush().await?;
            if let Some(through) = carousel.taken() {
                events.emit(|| {
                    json!({"event": "emm_sent", "client_id": self.client_config.client_id.0,
                           "through": through})
                });
                if feed.marks.send(through).is_err() {
                    return Ok(());
                }
            }
        }
    }

    /// One section to a message: several are allowed, but there are MUXes that take a second
    /// datagram parameter for a fault. All messages go out in one write.
    async fn provide(&mut self, due: &[Section]) -> Result<(), SessionError> {
        for section in due {
            if let Some(udp) = &self.udp {
                self.out.clear();
                // A section is far below the length limit.
                let _ = data_provision_udp(&self.client_config, &[section], &mut self.out);
                udp.send(&self.out).await.map_err(SessionError::Udp)?;
            } else {
                self.client
                    .data_provision(&[section])
                    .map_err(|error| SessionError::Refused(error.to_string()))?;
            }
        }
        self.out.clear();
        Ok(())
    }

    /// Waits for bytes or a time-out and gives them to the machine. Cancelling loses nothing.
    async fn step(&mut self) -> Result<(), SessionError> {
        let mut received = [0; READ_LEN];
        tokio::select! {
            count = self.stream.read(&mut received) => match count {
                Ok(0) | Err(_) => return Err(SessionError::Lost),
                Ok(count) => self.reader.extend(received.get(..count).unwrap_or(&[])),
            },
            () = self.clock.until(self.client.poll_timeout()) => {
                self.client.handle_timeout(self.clock.now());
            }
        }
        loop {
            match self.reader.next_frame() {
                Ok(Some(frame)) => self.client.handle(frame, self.clock.now()),
                Ok(None) => return Ok(()),
                Err(error) => return Err(SessionError::Refused(error.to_string())),
            }
        }
    }

    async fn flush(&mut self) -> Result<(), SessionError> {
        if self.client.poll_transmit(&mut self.out) {
            self.stream.write_all(&self.out).await.map_err(|_| SessionError::Lost)?;
        }
        Ok(())
    }

    /// Whether an event ends the session.
    fn judge(&self, event: ClientEvent, setting_up: bool) -> Result<(), SessionError> {
        match event {
            ClientEvent::StreamRefused(status) | ClientEvent::ChannelRefused(status) => {
                let unrecoverable = portcullis_simulcrypt::emmg::EmmgStatus::Unrecoverable;
                if setting_up || status == unrecoverable {
                    return Err(SessionError::Refused(status.to_string()));
                }
                tracing::warn!("MUX: {status}");
                Ok(())
            }
            ClientEvent::PeerSilent => Err(SessionError::Silent),
            ClientEvent::StreamClosed => Err(SessionError::Lost),
            ClientEvent::BadMessage(error) => {
                tracing::warn!("MUX: {error}");
                Ok(())
            }
            ClientEvent::Ready { .. } | ClientEvent::Bandwidth(_) => Ok(()),
        }
    }
}

async fn connect_udp(address: &str) -> std::io::Result<UdpSocket> {
    let to = resolve(address).await?;
    let from: SocketAddr = match to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(from).await?;
    socket.connect(to).await?;
    Ok(socket)
}

/// Octets read at once.
const READ_LEN: usize = 4096;
