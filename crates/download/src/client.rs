//! The downloading end, as a machine: requests come out, answers go in.
//!
//! ```text
//! Asking --metadata--> Fetching --all octets, right hash--> Done
//!   ^                     |
//!   +--- wait (backoff) <-+ connection lost: fresh ticket, then the rest by range
//! ```
//!
//! The driver sends what [`Download::poll_transmit`] gives, feeds the answer in, and calls
//! [`Download::handle_timeout`] at [`Download::poll_timeout`]. Time is milliseconds of any
//! monotonic clock.

use portcullis_crypto::sha256;
use portcullis_types::Milliseconds;

use crate::error::{DownloadError, ErrorCode};
use crate::wire::{
    CLIENT_PATH, CdcsInformation, ErrorBody, IMAGE_PATH, ImageKeyGrant, METADATA_CAP,
    MetadataRequest, MetadataResponse, parse,
};

/// Limits of one download.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Octets of an image (default 4 MiB).
    pub image: u64,
    /// Connections in all, the first included (default 6).
    pub attempts: u32,
    /// Longest wait between two attempts in ms (default 60 s; waits double from 1 s).
    pub backoff_ms: u64,
    /// Time for the whole in ms (default 120 s).
    pub total_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { image: 4 * 1024 * 1024, attempts: 6, backoff_ms: 60_000, total_ms: 120_000 }
    }
}

/// A request to send on a fresh or kept connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// `POST path` with a JSON body.
    Metadata {
        /// Path and query.
        path: String,
        /// The body.
        body: Vec<u8>,
    },
    /// `GET path` with the ticket, from an octet on.
    Image {
        /// The path.
        path: String,
        /// The ticket header.
        ticket: String,
        /// First octet wanted; above 0 it becomes a Range header.
        from: u64,
    },
}

/// How far the download is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// What is being fetched, once known.
    pub cdcs: Option<CdcsInformation>,
    /// Octets here.
    pub received: u64,
}

/// A complete image with the hash its metadata announced. Made by [`Download`] only; whether
/// the announcement was honest is for the container's signatures to say.
pub struct DownloadedImage {
    cdcs: CdcsInformation,
    bytes: Vec<u8>,
    image_key: Option<ImageKeyGrant>,
}

impl DownloadedImage {
    /// The image.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key that came with its metadata, when it is encrypted.
    #[must_use]
    pub const fn image_key(&self) -> Option<&ImageKeyGrant> {
        self.image_key.as_ref()
    }

    /// What the centre said of it.
    #[must_use]
    pub const fn cdcs(&self) -> &CdcsInformation {
        &self.cdcs
    }
}

/// How a download ends.
pub enum Outcome {
    /// With an image.
    Image(DownloadedImage),
    /// The client held is the current one.
    UpToDate,
    /// Not at all.
    Failed(DownloadError),
}

/// One download.
pub struct Download {
    limits: Limits,
    request: MetadataRequest,
    state: State,
    started_ms: u64,
    attempts: u32,
    cdcs: Option<CdcsInformation>,
    image_key: Option<ImageKeyGrant>,
    received: Vec<u8>,
}

enum State {
    /// The metadata request waits to be sent, or was sent.
    Asking {
        sent: bool,
    },
    /// The image request waits to be sent, or was sent, or its octets come in.
    Fetching {
        ticket: String,
        phase: Phase,
    },
    /// Waiting to ask again.
    Waiting {
        until_ms: u64,
    },
    Ended(Option<Outcome>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Unsent,
    Sent,
    Receiving,
}

impl Download {
    /// Starts a download.
    #[must_use]
    pub const fn new(request: MetadataRequest, limits: Limits, now_ms: u64) -> Self {
        Self {
            limits,
            request,
            state: State::Asking { sent: false },
            started_ms: now_ms,
            attempts: 1,
            cdcs: None,
            image_key: None,
            received: Vec::new(),
        }
    }

    /// The next request, if one is due.
    pub fn poll_transmit(&mut self) -> Option<Request> {
        match &mut self.state {
            State::Asking { sent } if !*sent => {
                *sent = true;
                let id = self.request.ca_system_id;
                Some(Request::Metadata {
                    path: format!("{CLIENT_PATH}?ca_system_id={id}"),
                    body: serde_json::to_vec(&self.request).unwrap_or_default(),
                })
            }
            State::Fetching { ticket, phase } if *phase == Phase::Unsent => {
                *phase = Phase::Sent;
                let hash = self.cdcs.as_ref().map(|cdcs| hex::encode(cdcs.sha256));
                Some(Request::Image {
                    path: format!("{IMAGE_PATH}{}", hash.unwrap_or_default()),
                    ticket: ticket.clone(),
                    from: self.received.len() as u64,
                })
            }
            _ => None,
        }
    }

    /// The whole answer to a metadata request, or an error answer to any request.
    pub fn handle_answer(&mut self, status: u16, body: &[u8], now_ms: u64) {
        if !(200..300).contains(&status) {
            return self.handle_refusal(body, now_ms);
        }
        if !matches!(self.state, State::Asking { sent: true }) {
            return self.fail(DownloadError::Malformed { what: "an answer nobody asked for" });
        }
        match parse::<MetadataResponse>(body) {
            Some(response) => self.accept_metadata(response),
            None if body.len() > METADATA_CAP => {
                self.fail(DownloadError::TooLarge { limit: METADATA_CAP as u64 });
            }
            None => self.fail(DownloadError::Malformed { what: "metadata" }),
        }
    }

    /// The head of an image answer: whether it starts at the octet asked for, and its length if
    /// the server says it.
    pub fn handle_image_start(&mut self, from: u64, length: Option<u64>) {
        let State::Fetching { phase, .. } = &mut self.state else { return };
        if *phase != Phase::Sent {
            return;
        }
        *phase = Phase::Receiving;
        if from == 0 {
            // A server without ranges starts over; so do we.
            self.received.clear();
        } else if from != self.received.len() as u64 {
            return self.fail(DownloadError::Malformed { what: "image range" });
        }
        let size = self.cdcs.as_ref().map_or(0, |cdcs| cdcs.size);
        if length.is_some_and(|length| length > size.saturating_sub(from)) {
            self.fail(DownloadError::TooLarge { limit: size });
        }
    }

    /// Octets of the image.
    // defends: T-19
    pub fn handle_octets(&mut self, octets: &[u8], now_ms: u64) {
        if !matches!(self.state, State::Fetching { phase: Phase::Receiving, .. }) {
            return;
        }
        let size = self.cdcs.as_ref().map_or(0, |cdcs| cdcs.size);
        if (self.received.len() + octets.len()) as u64 > size {
            return self.fail(DownloadError::TooLarge { limit: size });
        }
        self.received.extend_from_slice(octets);
        if self.received.len() as u64 == size {
            return self.finish();
        }
        self.handle_timeout(now_ms);
    }

    /// The connection ended: too early, if the download has not ended.
    pub fn handle_connection_lost(&mut self, now_ms: u64) {
        if !matches!(self.state, State::Ended(_) | State::Waiting { .. }) {
            self.retry(now_ms);
        }
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        if matches!(self.state, State::Ended(_)) {
            return;
        }
        if now_ms.saturating_sub(self.started_ms) >= self.limits.total_ms {
            let seconds = self.limits.total_ms / 1000;
            return self.fail(DownloadError::Deadline { seconds });
        }
        if let State::Waiting { until_ms } = self.state
            && now_ms >= until_ms
        {
            self.state = State::Asking { sent: false };
        }
    }

    /// When to call [`Self::handle_timeout`]; `None` when it has ended.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let end = self.started_ms.saturating_add(self.limits.total_ms);
        match self.state {
            State::Ended(_) => None,
            State::Waiting { until_ms } => Some(until_ms.min(end)),
            _ => Some(end),
        }
    }

    /// The outcome, once.
    pub fn poll_outcome(&mut self) -> Option<Outcome> {
        match &mut self.state {
            State::Ended(outcome) => outcome.take(),
            _ => None,
        }
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress { cdcs: self.cdcs.clone(), received: self.received.len() as u64 }
    }

    /// Longest silence of the server in ms that the driver should bear.
    #[must_use]
    pub const fn silence_limit(&self) -> Milliseconds {
        Milliseconds(10_000)
    }

    // spec: M-B07
    fn accept_metadata(&mut self, response: MetadataResponse) {
        let MetadataResponse { request_id, cdcs, ticket, image_key } = response;
        if request_id != self.request.request_id {
            return self.fail(DownloadError::Malformed { what: "request_id" });
        }
        if cdcs.ca_system_id != self.request.ca_system_id {
            return self.fail(DownloadError::WrongTarget);
        }
        if cdcs.size > self.limits.image {
            return self.fail(DownloadError::TooLarge { limit: self.limits.image });
        }
        if let Some(held) = self.request.held
            && (held.super_scp_id, held.client_id) == (cdcs.super_scp_id, cdcs.client_id)
            && cdcs.version < held.version
        {
            let (held, offered) = (held.version, cdcs.version);
            return self.fail(DownloadError::RollbackRefused { held, offered });
        }
        if self.cdcs.as_ref() != Some(&cdcs) {
            // Another image was published in the meantime: what is here belongs to the old one.
            self.received.clear();
            self.cdcs = Some(cdcs);
        }
        self.image_key = image_key;
        self.state = State::Fetching { ticket, phase: Phase::Unsent };
    }

    fn handle_refusal(&mut self, body: &[u8], now_ms: u64) {
        let Some(body) = parse::<ErrorBody>(body) else {
            return self.fail(DownloadError::Malformed { what: "error body" });
        };
        match body.code {
            ErrorCode::UpToDate if self.request.held.is_some() => {
                self.state = State::Ended(Some(Outcome::UpToDate));
            }
            // A ticket that ran out while we waited: ask for another.
            code if code.is_transient() || code == ErrorCode::TicketExpired => self.retry(now_ms),
            code => self.fail(DownloadError::Refused { code }),
        }
    }

    fn finish(&mut self) {
        let Some(cdcs) = self.cdcs.take() else { return };
        if sha256(&[&self.received]) != cdcs.sha256 {
            return self.fail(DownloadError::WrongHash);
        }
        let bytes = std::mem::take(&mut self.received);
        let image_key = self.image_key.take();
        let image = DownloadedImage { cdcs, bytes, image_key };
        self.state = State::Ended(Some(Outcome::Image(image)));
    }

    fn retry(&mut self, now_ms: u64) {
        if self.attempts >= self.limits.attempts {
            return self.fail(DownloadError::TooManyAttempts { attempts: self.attempts });
        }
        let wait = 1000u64.saturating_mul(1 << (self.attempts - 1).min(16));
        self.attempts += 1;
        self.state = State::Waiting { until_ms: now_ms + wait.min(self.limits.backoff_ms) };
    }

    fn fail(&mut self, error: DownloadError) {
        self.received = Vec::new();
        self.state = State::Ended(Some(Outcome::Failed(error)));
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
