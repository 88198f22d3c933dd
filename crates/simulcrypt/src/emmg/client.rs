//! The EMM generator's side of one connection to a MUX: one channel, one stream, its bandwidth.
//!
//! ```text
//! channel_setup .. channel_status -> stream_setup .. stream_status
//!   -> [stream_BW_request .. stream_BW_allocation] -> data_provision ... -> stream_close_request
//! ```
//! The MUX plays each datagram once; repeating them is the generator's own business.
// spec: S-22 S-24 S-49 S-50

use std::collections::VecDeque;

use portcullis_types::{DataChannelId, DataId, DataStreamId, EmmgClientId, Milliseconds};

use super::status::EmmgStatus;
use super::tables::{MESSAGES, message as m, parameter as p};
use crate::Time;
use crate::error::{CodecError, EncodeError, Fault};
use crate::message::{Message, Writer};

/// How a generator speaks to one MUX.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientConfig {
    /// protocol_version of everything sent.
    pub version: u8,
    /// Its upper 16 bits are the CA_system_id.
    pub client_id: EmmgClientId,
    /// Unique within the client_id.
    pub channel_id: DataChannelId,
    /// Unique within the channel.
    pub stream_id: DataStreamId,
    /// Names the EMM stream in the system; stays when another generator takes over.
    pub data_id: DataId,
    /// kbit/s to ask for; `None` asks for nothing.
    pub bandwidth: Option<u16>,
    /// How long a message may stay unanswered.
    pub message_time: Milliseconds,
    /// Silence after which the MUX is tested.
    pub test_period: Option<Milliseconds>,
}

/// What has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientEvent {
    /// stream_status came (and the allocation, when bandwidth was asked for): data may be sent.
    Ready {
        /// kbit/s granted; `None` when the MUX did not say.
        bandwidth: Option<u16>,
    },
    /// A later stream_BW_allocation.
    Bandwidth(Option<u16>),
    /// stream_close_response came.
    StreamClosed,
    /// stream_error came.
    StreamRefused(EmmgStatus),
    /// channel_error came.
    ChannelRefused(EmmgStatus),
    /// A message stayed unanswered: the connection is to be closed.
    PeerSilent,
    /// A message broke the grammar; it is dropped.
    BadMessage(CodecError),
}

/// Why the client cannot do what it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The stream is not open.
    #[error("the stream is not open")]
    NotOpen,
    /// The datagrams do not fit one message.
    #[error("the datagrams do not fit one message")]
    TooLong,
}

/// One connection to a MUX.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    state: State,
    deadline: Option<Time>,
    quiet_since: Time,
    out: Vec<u8>,
    events: VecDeque<ClientEvent>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    ChannelSetup,
    StreamSetup,
    Bandwidth,
    Open,
    Closing,
    Closed,
}

impl Client {
    /// TCP is connected: sends channel_setup.
    #[must_use]
    pub fn connected(config: ClientConfig, now: Time) -> Self {
        let mut client = Self {
            config,
            state: State::ChannelSetup,
            deadline: None,
            quiet_since: now,
            out: Vec::new(),
            events: VecDeque::new(),
        };
        client.ask(m::CHANNEL_SETUP, now, |w| w.u8(p::SECTION_TSPKT_FLAG, SECTIONS));
        client
    }

    /// Sends datagrams over TCP.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn data_provision(&mut self, datagrams: &[&[u8]]) -> Result<(), ClientError> {
        if self.state != State::Open {
            return Err(ClientError::NotOpen);
        }
        let mut writer = Writer::new(&mut self.out, self.config.version, m::DATA_PROVISION)
            .u32(p::CLIENT_ID, self.config.client_id.0)
            .u16(p::DATA_CHANNEL_ID, self.config.channel_id.0)
            .u16(p::DATA_STREAM_ID, self.config.stream_id.0);
        if self.config.version >= 2 {
            writer = writer.u16(p::DATA_ID, self.config.data_id.0);
        }
        for datagram in datagrams {
            writer = writer.bytes(p::DATAGRAM, datagram);
        }
        writer.finish().map_err(|EncodeError| ClientError::TooLong)
    }

    /// Asks for another bandwidth.
    ///
    /// # Errors
    /// [`ClientError::NotOpen`].
    pub fn request_bandwidth(&mut self, kbps: u16, now: Time) -> Result<(), ClientError> {
        if self.state != State::Open {
            return Err(ClientError::NotOpen);
        }
        let stream = self.config.stream_id.0;
        self.ask(m::STREAM_BW_REQUEST, now, |w| {
            w.u16(p::DATA_STREAM_ID, stream).u16(p::BANDWIDTH, kbps)
        });
        Ok(())
    }

    /// Ends the stream; after the answer, the channel.
    pub fn close(&mut self, now: Time) {
        if self.state == State::Open {
            self.state = State::Closing;
            let stream = self.config.stream_id.0;
            self.ask(m::STREAM_CLOSE_REQUEST, now, |w| w.u16(p::DATA_STREAM_ID, stream));
        }
    }

    /// Takes one whole message.
    pub fn handle(&mut self, frame: &[u8], now: Time) {
        self.quiet_since = now;
        match Message::parse(&MESSAGES, frame) {
            Ok(message) => self.dispatch(&message, now),
            Err(CodecError { fault: Fault::UnknownMessage(_), .. }) => {}
            Err(error) => self.event(ClientEvent::BadMessage(error)),
        }
    }

    /// Called when [`Self::poll_timeout`]'s time has come.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.deadline = None;
            self.state = State::Closed;
            self.event(ClientEvent::PeerSilent);
        } else if self.test_due().is_some_and(|due| now >= due) {
            self.quiet_since = now;
            self.ask(m::CHANNEL_TEST, now, |w| w);
        }
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.deadline.into_iter().chain(self.test_due()).min()
    }

    /// Moves the bytes to be sent into `buffer` (emptied first); false when there are none.
    pub fn poll_transmit(&mut self, buffer: &mut Vec<u8>) -> bool {
        buffer.clear();
        std::mem::swap(&mut self.out, buffer);
        !buffer.is_empty()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    fn dispatch(&mut self, message: &Message<'_>, now: Time) {
        let stream = self.config.stream_id.0;
        match (message.kind(), self.state) {
            (m::CHANNEL_TEST, state) if state != State::ChannelSetup => {
                self.write(m::CHANNEL_STATUS, |w| w.u8(p::SECTION_TSPKT_FLAG, SECTIONS));
            }
            (m::STREAM_TEST, _) => self.answer_stream_test(message),
            (m::CHANNEL_STATUS, State::ChannelSetup) => {
                self.state = State::StreamSetup;
                let (version, data_id) = (self.config.version, self.config.data_id.0);
                self.ask(m::STREAM_SETUP, now, |w| {
                    let w = w.u16(p::DATA_STREAM_ID, stream);
                    let w = if version >= 2 { w.u16(p::DATA_ID, data_id) } else { w };
                    w.u8(p::DATA_TYPE, EMM)
                });
            }
            (m::CHANNEL_STATUS, _) => self.deadline = None,
            (m::STREAM_STATUS, State::StreamSetup) => match self.config.bandwidth {
                Some(kbps) => {
                    self.state = State::Bandwidth;
                    self.ask(m::STREAM_BW_REQUEST, now, |w| {
                        w.u16(p::DATA_STREAM_ID, stream).u16(p::BANDWIDTH, kbps)
                    });
                }
                None => self.ready(None),
            },
            (m::STREAM_BW_ALLOCATION, State::Bandwidth) => self.ready(message.u16(p::BANDWIDTH)),
            (m::STREAM_BW_ALLOCATION, State::Open) => {
                self.deadline = None;
                self.event(ClientEvent::Bandwidth(message.u16(p::BANDWIDTH)));
            }
            (m::STREAM_CLOSE_RESPONSE, State::Closing) => {
                self.state = State::Closed;
                self.deadline = None;
                self.write(m::CHANNEL_CLOSE, |w| w);
                self.event(ClientEvent::StreamClosed);
            }
            (m::STREAM_ERROR, state) => {
                let status = status(message);
                self.deadline = None;
                if state != State::Open || status == EmmgStatus::Unrecoverable {
                    self.state = State::Closed;
                }
                self.event(ClientEvent::StreamRefused(status));
            }
            (m::CHANNEL_ERROR, state) => {
                let status = status(message);
                self.deadline = None;
                if state != State::Open || status == EmmgStatus::Unrecoverable {
                    self.state = State::Closed;
                }
                self.event(ClientEvent::ChannelRefused(status));
            }
            _ => {}
        }
    }

    fn ready(&mut self, bandwidth: Option<u16>) {
        self.state = State::Open;
        self.deadline = None;
        self.event(ClientEvent::Ready { bandwidth });
    }

    fn answer_stream_test(&mut self, message: &Message<'_>) {
        let stream = message.u16(p::DATA_STREAM_ID).unwrap_or(0);
        let known = matches!(self.state, State::Open | State::Bandwidth)
            && stream == self.config.stream_id.0;
        let (version, data_id) = (self.config.version, self.config.data_id.0);
        if known {
            self.write(m::STREAM_STATUS, |w| {
                let w = w.u16(p::DATA_STREAM_ID, stream);
                let w = if version >= 2 { w.u16(p::DATA_ID, data_id) } else { w };
                w.u8(p::DATA_TYPE, EMM)
            });
        } else {
            self.write(m::STREAM_ERROR, |w| {
                w.u16(p::DATA_STREAM_ID, stream)
                    .u16(p::ERROR_STATUS, EmmgStatus::UnknownStream.code())
                    .u16(p::ERROR_INFORMATION, p::DATA_STREAM_ID)
            });
        }
    }

    fn test_due(&self) -> Option<Time> {
        match (self.state, self.deadline, self.config.test_period) {
            (State::Open, None, Some(period)) => Some(self.quiet_since.after(period)),
            _ => None,
        }
    }

    fn ask(&mut self, kind: u16, now: Time, fill: impl FnOnce(Writer<'_>) -> Writer<'_>) {
        self.deadline = Some(now.after(self.config.message_time));
        self.write(kind, fill);
    }

    fn write(&mut self, kind: u16, fill: impl FnOnce(Writer<'_>) -> Writer<'_>) {
        let writer = Writer::new(&mut self.out, self.config.version, kind)
            .u32(p::CLIENT_ID, self.config.client_id.0)
            .u16(p::DATA_CHANNEL_ID, self.config.channel_id.0);
        // These messages have fixed, small parameters.
        let _ = fill(writer).finish();
    }

    fn event(&mut self, event: ClientEvent) {
        if self.events.len() < MAX_EVENTS {
            self.events.push_back(event);
        }
    }
}

/// A data_provision for UDP: without channel and stream id, as the standard asks.
///
/// # Errors
/// [`EncodeError`] when the datagrams do not fit; [`ClientError::NotOpen`] is never given.
pub fn data_provision_udp(
    config: &ClientConfig,
    datagrams: &[&[u8]],
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let mut writer = Writer::new(out, config.version, m::DATA_PROVISION)
        .u32(p::CLIENT_ID, config.client_id.0)
        .u16(p::DATA_ID, config.data_id.0);
    for datagram in datagrams {
        writer = writer.bytes(p::DATAGRAM, datagram);
    }
    writer.finish()
}

fn status(message: &Message<'_>) -> EmmgStatus {
    message.u16(p::ERROR_STATUS).map_or(EmmgStatus::Unknown, EmmgStatus::from_code)
}

/// section_TSpkt_flag: datagrams are sections.
const SECTIONS: u8 = 0;

/// data_type: EMM.
const EMM: u8 = 0;

/// Events that wait at most.
const MAX_EVENTS: usize = 256;
