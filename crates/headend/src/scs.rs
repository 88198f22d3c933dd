//! The SCS's link to one ECM generator: a task owns the socket, the caller asks for ECMs.
//!
//! The task connects again by itself after a loss, with growing pauses, and sets channel and
//! stream up as before; what was outstanding fails at once so that the caller can decide.
// spec: S-11 S-37

use std::sync::{Arc, Mutex, PoisonError};

use portcullis_simulcrypt::ecmg::{ChannelParameters, EcmgStatus};
use portcullis_simulcrypt::scs::{ClientChannel, ClientConfig, ClientEvent, Provision};
use portcullis_simulcrypt::{FrameReader, MAX_MESSAGE};
use portcullis_types::{CpNumber, Deciseconds, EcmChannelId, EcmId, EcmStreamId, SuperCasId};
use portcullis_vault::Zeroizing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::clock::Steady;
use crate::net::{Backoff, connect};

/// Which ECM stream of which ECM generator, and what guards it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EcmgConfig {
    /// Which CA system.
    pub super_cas_id: SuperCasId,
    /// Unique over all SCS connections of that ECM generator.
    pub ecm_channel_id: EcmChannelId,
    /// Unique inside the channel.
    pub ecm_stream_id: EcmStreamId,
    /// Names the ECM stream in the whole system.
    pub ecm_id: EcmId,
    /// CA-system private; for our own systems `AccessCriteria::encode`.
    pub access_criteria: Vec<u8>,
    /// Nominal crypto-period.
    pub nominal_cp: Deciseconds,
}

/// A link to one ECM generator that reconnects by itself. Dropping it closes the connection.
#[derive(Debug)]
pub struct ScsLink {
    address: Arc<str>,
    status: Arc<Mutex<ChannelParameters>>,
    requests: mpsc::Sender<Request>,
    task: JoinHandle<()>,
}

impl ScsLink {
    /// Connects to `HOST:PORT` and sets up channel and stream.
    ///
    /// # Errors
    /// [`ScsError`], one clear line that names the address.
    pub async fn connect(address: &str, config: EcmgConfig) -> Result<Self, ScsError> {
        let address: Arc<str> = address.into();
        let (session, parameters) = Session::open(&address, &config).await?;
        let status = Arc::new(Mutex::new(parameters));
        let (requests, incoming) = mpsc::channel(1);
        let driver =
            Driver { address: Arc::clone(&address), config, status: Arc::clone(&status), incoming };
        let task = tokio::spawn(driver.run(session));
        Ok(Self { address, status, requests, task })
    }

    /// The channel_status values that the ECM generator gave at the last set-up.
    #[must_use]
    pub fn status(&self) -> ChannelParameters {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a CW_provision and waits for its ECM_datagram. One at a time per link.
    ///
    /// # Errors
    /// [`ScsError`]; after a lost connection the link reconnects and the caller may try again.
    pub async fn provision(
        &mut self,
        cp_number: CpNumber,
        control_words: &[(CpNumber, Vec<u8>)],
    ) -> Result<Vec<u8>, ScsError> {
        let control_words = control_words
            .iter()
            .map(|(number, word)| (*number, Zeroizing::new(word.clone())))
            .collect();
        let gone = || ScsError::Disconnected { address: self.address.to_string() };
        let (answer, answered) = oneshot::channel();
        let request = Request { cp_number, control_words, answer };
        self.requests.send(request).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

impl Drop for ScsLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why there is no ECM.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScsError {
    /// Nobody listens there, or the name does not resolve.
    #[error("ECM generator {address}: cannot connect")]
    Unreachable {
        /// HOST:PORT.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The connection was lost; the link is reconnecting.
    #[error("ECM generator {address}: connection lost")]
    Disconnected {
        /// HOST:PORT.
        address: String,
    },
    /// The ECM generator refused channel, stream or message.
    #[error("ECM generator {address}: error_status 0x{status:04x} ({meaning})")]
    Refused {
        /// HOST:PORT.
        address: String,
        /// error_status.
        status: u16,
        /// What the status means.
        meaning: &'static str,
    },
    /// No answer within max_comp_time and the network allowance.
    #[error("ECM generator {address}: no answer in time")]
    Timeout {
        /// HOST:PORT.
        address: String,
    },
    /// The peer's bytes are not SimulCrypt, or break its rules.
    #[error("ECM generator {address}: {what}")]
    Protocol {
        /// HOST:PORT.
        address: String,
        /// What is wrong.
        what: String,
    },
}

/// One CW_provision on its way through the task.
#[derive(Debug)]
struct Request {
    cp_number: CpNumber,
    control_words: Vec<(CpNumber, Zeroizing<Vec<u8>>)>,
    answer: oneshot::Sender<Result<Vec<u8>, ScsError>>,
}

/// The task behind a link.
struct Driver {
    address: Arc<str>,
    config: EcmgConfig,
    status: Arc<Mutex<ChannelParameters>>,
    incoming: mpsc::Receiver<Request>,
}

impl Driver {
    async fn run(mut self, mut session: Session) {
        let mut backoff = Backoff::new();
        loop {
            match self.serve(&mut session).await {
                Ended::Dropped => return,
                Ended::Lost(error) => tracing::warn!("{error}; reconnecting"),
            }
            session = loop {
                match self.reconnect().await {
                    None => return,
                    Some(Ok((session, parameters))) => {
                        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = parameters;
                        backoff.reset();
                        break session;
                    }
                    Some(Err(error)) => {
                        tracing::warn!("{error}");
                        if !self.refuse_for(backoff.pause()).await {
                            return;
                        }
                    }
                }
            };
        }
    }

    /// Answers requests until the connection or the link is gone.
    async fn serve(&mut self, session: &mut Session) -> Ended {
        let mut waiting: Option<Request> = None;
        loop {
            let outcome = tokio::select! {
                // A link has one request at a time; the next waits in the channel.
                request = self.incoming.recv(), if waiting.is_none() => {
                    let Some(request) = request else {
                        session.client.close();
                        let _ = session.flush().await;
                        return Ended::Dropped;
                    };
                    let outcome = session.provision(&self.config, &request);
                    waiting = Some(request);
                    outcome
                }
                outcome = session.step() => outcome,
            };
            let outcome = match outcome {
                Ok(()) => session.flush().await,
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                if let Some(request) = waiting {
                    let _ = request.answer.send(Err(session.lost()));
                }
                return Ended::Lost(error);
            }
            while let Some(event) = session.client.poll_event() {
                match session.outcome(event) {
                    Step::Nothing => {}
                    Step::Answer(result) => {
                        if let Some(request) = waiting.take() {
                            // The caller may have given up; then nobody wants the ECM.
                            let _ = request.answer.send(result);
                        }
                    }
                    Step::Lost(error) => {
                        if let Some(request) = waiting {
                            let _ = request.answer.send(Err(session.lost()));
                        }
                        return Ended::Lost(error);
                    }
                }
            }
        }
    }

    /// Connects again while refusing requests; `None` when the link was dropped.
    async fn reconnect(&mut self) -> Option<Result<(Session, ChannelParameters), ScsError>> {
        let opening = Session::open(&self.address, &self.config);
        tokio::pin!(opening);
        loop {
            tokio::select! {
                opened = &mut opening => return Some(opened),
                request = self.incoming.recv() => self.refuse(request?),
            }
        }
    }

    /// Refuses requests for a while; false when the link was dropped.
    async fn refuse_for(&mut self, pause: std::time::Duration) -> bool {
        let pause = tokio::time::sleep(pause);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return true,
                request = self.incoming.recv() => match request {
                    Some(request) => self.refuse(request),
                    None => return false,
                },
            }
        }
    }

    fn refuse(&self, request: Request) {
        let address = self.address.to_string();
        let _ = request.answer.send(Err(ScsError::Disconnected { address }));
    }
}

enum Ended {
    Dropped,
    Lost(ScsError),
}

enum Step {
    Nothing,
    Answer(Result<Vec<u8>, ScsError>),
    Lost(ScsError),
}

/// One TCP connection with an open channel and stream.
struct Session {
    address: Arc<str>,
    stream: TcpStream,
    clock: Steady,
    client: ClientChannel,
    reader: FrameReader,
    out: Vec<u8>,
    /// What was wrong with the last message that could not be used.
    bad: Option<String>,
}

impl Session {
    async fn open(
        address: &Arc<str>,
        config: &EcmgConfig,
    ) -> Result<(Self, ChannelParameters), ScsError> {
        let stream = connect(address)
            .await
            .map_err(|source| ScsError::Unreachable { address: address.to_string(), source })?;
        let clock = Steady::start();
        let client_config = ClientConfig::new(config.super_cas_id, config.ecm_channel_id);
        let mut session = Self {
            address: Arc::clone(address),
            stream,
            clock,
            client: ClientChannel::connected(client_config, clock.now()),
            reader: FrameReader::new(MAX_MESSAGE),
            out: Vec::new(),
            bad: None,
        };
        let mut parameters = None;
        loop {
            session.flush().await?;
            session.step().await?;
            while let Some(event) = session.client.poll_event() {
                match event {
                    ClientEvent::ChannelOpen(found) => {
                        parameters = Some(found);
                        let (stream, ecm) = (config.ecm_stream_id, config.ecm_id);
                        let now = clock.now();
                        session
                            .client
                            .open_stream(stream, ecm, config.nominal_cp, now)
                            .map_err(|error| session.protocol(error.to_string()))?;
                    }
                    ClientEvent::StreamOpen(_) => {
                        if let Some(parameters) = parameters {
                            return Ok((session, parameters));
                        }
                    }
                    ClientEvent::StreamRefused { status, .. } => {
                        return Err(session.refused(status));
                    }
                    other => {
                        if let Step::Lost(error) = session.outcome(other) {
                            return Err(error);
                        }
                    }
                }
            }
        }
    }

    fn provision(&mut self, config: &EcmgConfig, request: &Request) -> Result<(), ScsError> {
        let words: Vec<_> =
            request.control_words.iter().map(|(number, word)| (*number, word.as_slice())).collect();
        let provision = Provision {
            cp_number: request.cp_number,
            cp_duration: None,
            control_words: &words,
            access_criteria: &config.access_criteria,
        };
        self.client
            .provision(config.ecm_stream_id, &provision, self.clock.now())
            .map_err(|error| self.protocol(error.to_string()))
    }

    /// Waits for bytes or a time-out and gives them to the machine. Cancelling loses nothing.
    async fn step(&mut self) -> Result<(), ScsError> {
        let mut received = [0; READ_LEN];
        tokio::select! {
            count = self.stream.read(&mut received) => match count {
                Ok(0) | Err(_) => return Err(self.lost()),
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
                Err(error) => return Err(self.protocol(error.to_string())),
            }
        }
    }

    async fn flush(&mut self) -> Result<(), ScsError> {
        if self.client.poll_transmit(&mut self.out) {
            let written = self.stream.write_all(&self.out).await;
            // They held control words in clear.
            portcullis_crypto::Zeroize::zeroize(&mut self.out);
            written.map_err(|_| self.lost())?;
        }
        Ok(())
    }

    /// What an event means for the request that waits.
    fn outcome(&mut self, event: ClientEvent) -> Step {
        match event {
            ClientEvent::Ecm { datagram, .. } => Step::Answer(Ok(datagram)),
            ClientEvent::StreamRefused { status: EcmgStatus::Unrecoverable, .. } => {
                Step::Lost(self.refused(EcmgStatus::Unrecoverable))
            }
            ClientEvent::StreamRefused { status, .. } => Step::Answer(Err(self.refused(status))),
            ClientEvent::EcmTimeout { .. } => Step::Answer(Err(self.no_answer())),
            ClientEvent::ChannelRefused(status) => Step::Lost(self.refused(status)),
            ClientEvent::PeerSilent => Step::Lost(self.no_answer()),
            ClientEvent::StreamClosed(_) => Step::Lost(self.lost()),
            ClientEvent::BadMessage(error) => {
                tracing::warn!("ECM generator {}: {error}", self.address);
                self.bad = Some(error.to_string());
                Step::Nothing
            }
            ClientEvent::ChannelOpen(_) | ClientEvent::StreamOpen(_) => Step::Nothing,
        }
    }

    /// Nothing that answers came in time; an answer that could not be used says why.
    fn no_answer(&mut self) -> ScsError {
        match self.bad.take() {
            Some(what) => self.protocol(what),
            None => ScsError::Timeout { address: self.address.to_string() },
        }
    }

    fn lost(&self) -> ScsError {
        ScsError::Disconnected { address: self.address.to_string() }
    }

    fn refused(&self, status: EcmgStatus) -> ScsError {
        ScsError::Refused {
            address: self.address.to_string(),
            status: status.code(),
            meaning: status.meaning(),
        }
    }

    fn protocol(&self, what: String) -> ScsError {
        ScsError::Protocol { address: self.address.to_string(), what }
    }
}

/// Octets read at once.
const READ_LEN: usize = 4096;
