//! The ECM generator's side of one connection: one channel, its streams, their tests and errors.
//!
//! ```text
//! not open --channel_setup/channel_status--> open --channel_close or TCP loss--> not open
//! ```
//! Invariants: one answer to each request; CP_number comes back as it came; ids are free again
//! the moment the channel closes or the connection is dropped ([`ServerChannel::disconnected`]).

use std::collections::BTreeMap;

use portcullis_types::{Deciseconds, EcmChannelId, EcmId, EcmStreamId, Milliseconds, SuperCasId};

use super::parameters::ChannelParameters;
use super::server_stream::{CwProvision, Refusal, Stream};
use super::status::EcmgStatus;
use super::tables::{MESSAGES, message as m, parameter as p};
use crate::Time;
use crate::error::{CodecError, Fault};
use crate::message::{Message, Writer, peek_parameter};

/// What a channel asks of the generator that all connections share.
pub trait EcmgHost {
    /// Takes an ECM_channel_id and tells the parameters of the CA system.
    ///
    /// # Errors
    /// [`EcmgStatus`], for example of an unknown Super_CAS_id or an id in use.
    fn open_channel(
        &mut self,
        super_cas_id: SuperCasId,
        channel: EcmChannelId,
    ) -> Result<ChannelParameters, EcmgStatus>;

    /// Frees an ECM_channel_id.
    fn close_channel(&mut self, super_cas_id: SuperCasId, channel: EcmChannelId);

    /// Takes an ECM_id (none in protocol version 1) and a place for a stream.
    ///
    /// # Errors
    /// [`EcmgStatus`].
    fn open_stream(
        &mut self,
        super_cas_id: SuperCasId,
        ecm_id: Option<EcmId>,
    ) -> Result<(), EcmgStatus>;

    /// Frees what `open_stream` took.
    fn close_stream(&mut self, super_cas_id: SuperCasId, ecm_id: Option<EcmId>);

    /// Takes a request for an ECM; [`EcmgHost::make`] makes it.
    ///
    /// # Errors
    /// [`Refusal`], which becomes a stream_error.
    fn ask(&mut self, request: &CwProvision<'_>) -> Result<(), Refusal>;

    /// Makes the ECMs that were asked for since the last call, all at once, and tells the datagram
    /// of each in the order in which they were asked for.
    fn make(&mut self, each: &mut EachEcm<'_>);
}

/// Takes ECM_datagrams one after the other, or why there is none.
pub type EachEcm<'a> = dyn FnMut(Result<&[u8], Refusal>) + 'a;

/// Limits of one connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServerLimits {
    /// Bad messages in a row before the connection is closed.
    pub bad_messages: u32,
    /// How long a connection may stay without a channel.
    pub setup_time: Milliseconds,
    /// Silence after which the SCS is tested; `None` leaves testing to the SCS.
    pub test_period: Option<Milliseconds>,
    /// How long a tested SCS may stay silent.
    pub test_time: Milliseconds,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            bad_messages: 16,
            setup_time: Milliseconds(30_000),
            test_period: None,
            test_time: Milliseconds(10_000),
        }
    }
}

/// One connection of an SCS.
#[derive(Debug)]
pub struct ServerChannel {
    limits: ServerLimits,
    channel: Option<Channel>,
    out: Vec<u8>,
    /// Requests for ECMs that are made together, once all is read that is there to be read.
    asked: Vec<Asked>,
    bad_in_a_row: u32,
    deadline: Option<Time>,
    test_sent: bool,
    version: u8,
    closed: bool,
}

/// What the answer to a request for an ECM repeats.
#[derive(Clone, Copy, Debug)]
struct Asked {
    channel: EcmChannelId,
    stream: EcmStreamId,
    cp_number: u16,
    version: u8,
}

#[derive(Debug)]
struct Channel {
    id: EcmChannelId,
    super_cas_id: SuperCasId,
    parameters: ChannelParameters,
    streams: BTreeMap<EcmStreamId, Stream>,
}

/// Where an error goes: to the stream when the message named one, else to the channel.
type Answer = Result<(), Refusal>;

impl ServerChannel {
    /// A new connection.
    #[must_use]
    pub fn new(limits: ServerLimits, now: Time) -> Self {
        Self {
            limits,
            channel: None,
            out: Vec::new(),
            asked: Vec::new(),
            bad_in_a_row: 0,
            deadline: Some(now.after(limits.setup_time)),
            test_sent: false,
            version: DEFAULT_VERSION,
            closed: false,
        }
    }

    /// Takes one whole message. Answers appear in [`Self::poll_transmit`].
    pub fn handle(&mut self, frame: &[u8], now: Time, host: &mut dyn EcmgHost) {
        if self.closed {
            return;
        }
        self.heard(now);
        let outcome = match Message::parse(&MESSAGES, frame) {
            Ok(message) => {
                if message.kind() != m::CW_PROVISION {
                    self.make_asked(host);
                }
                self.version = message.version();
                self.dispatch(&message, now, host)
            }
            // The standard wants messages of the future ignored.
            Err(CodecError { fault: Fault::UnknownMessage(_), .. }) => Ok(()),
            // A peer that answers our test tersely is alive, which is all a test asks.
            Err(_) if is_status(frame) => Ok(()),
            Err(error) => {
                Err(Refusal { status: error.ecmg_status(), information: error.information() })
            }
        };
        match outcome {
            Ok(()) => self.bad_in_a_row = 0,
            Err(refusal) => {
                self.make_asked(host);
                self.refuse(frame, refusal);
            }
        }
    }

    /// Called when [`Self::poll_timeout`]'s time has come.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        match &self.channel {
            Some(channel) if !self.test_sent => {
                let id = channel.id;
                self.test_sent = true;
                self.deadline = Some(now.after(self.limits.test_time));
                self.write(m::CHANNEL_TEST, |w| w.u16(p::ECM_CHANNEL_ID, id.0));
            }
            _ => self.closed = true,
        }
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Time> {
        self.deadline
    }

    /// Moves the bytes to be sent into `buffer` (emptied first); false when there are none. The ECMs
    /// that were asked for are made now, so that requests which came together are made together.
    pub fn poll_transmit(&mut self, host: &mut dyn EcmgHost, buffer: &mut Vec<u8>) -> bool {
        self.make_asked(host);
        buffer.clear();
        std::mem::swap(&mut self.out, buffer);
        !buffer.is_empty()
    }

    /// Whether the connection has to be closed once all bytes are sent.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// The peer announced a message over the receiver's limit: says so; the connection ends.
    pub fn frame_too_long(&mut self) {
        let refusal = Refusal { status: EcmgStatus::MessageTooLong, information: 3 };
        self.refuse(&[], refusal);
        self.closed = true;
    }

    /// The connection is gone: every id is free at once, or the reconnect would be refused.
    pub fn disconnected(&mut self, host: &mut dyn EcmgHost) {
        self.close_channel(host);
        self.closed = true;
    }

    fn dispatch(&mut self, message: &Message<'_>, now: Time, host: &mut dyn EcmgHost) -> Answer {
        match message.kind() {
            m::CHANNEL_SETUP => self.channel_setup(message, now, host),
            // A status or an error that answers nothing is taken silently; so is one that does.
            m::CHANNEL_STATUS | m::CHANNEL_ERROR | m::STREAM_STATUS | m::STREAM_ERROR => Ok(()),
            m::CHANNEL_TEST => {
                self.channel(message)?;
                self.send_channel_status();
                Ok(())
            }
            m::CHANNEL_CLOSE => {
                self.channel(message)?;
                self.close_channel(host);
                self.deadline = Some(now.after(self.limits.setup_time));
                Ok(())
            }
            m::STREAM_SETUP => self.stream_setup(message, host),
            m::STREAM_TEST => {
                let (channel, id) = self.stream(message)?;
                let ecm_id = channel.streams.get(&id).and_then(|stream| stream.ecm_id);
                let channel = channel.id;
                self.send_stream_status(channel, id, ecm_id);
                Ok(())
            }
            m::STREAM_CLOSE_REQUEST => self.stream_close(message, host),
            m::CW_PROVISION => self.cw_provision(message, host),
            // stream_close_response and ECM_response are the generator's own.
            _ => Err(Refusal { status: EcmgStatus::InvalidMessage, information: 1 }),
        }
    }

    fn channel_setup(
        &mut self,
        message: &Message<'_>,
        now: Time,
        host: &mut dyn EcmgHost,
    ) -> Answer {
        let id = EcmChannelId(number(message, p::ECM_CHANNEL_ID)?);
        let super_cas_id = SuperCasId(
            message
                .u32(p::SUPER_CAS_ID)
                .ok_or(Refusal::parameter(EcmgStatus::MissingParameter, p::SUPER_CAS_ID))?,
        );
        if let Some(open) = &self.channel {
            // One channel per connection.
            // spec: S-11
            let status =
                if open.id == id { EcmgStatus::ChannelInUse } else { EcmgStatus::UnknownChannel };
            return Err(Refusal::parameter(status, p::ECM_CHANNEL_ID));
        }
        let parameters = host.open_channel(super_cas_id, id).map_err(|status| {
            let parameter = match status {
                EcmgStatus::UnknownSuperCasId => p::SUPER_CAS_ID,
                _ => p::ECM_CHANNEL_ID,
            };
            Refusal::parameter(status, parameter)
        })?;
        self.channel = Some(Channel { id, super_cas_id, parameters, streams: BTreeMap::new() });
        self.deadline = self.limits.test_period.map(|period| now.after(period));
        self.send_channel_status();
        Ok(())
    }

    fn stream_setup(&mut self, message: &Message<'_>, host: &mut dyn EcmgHost) -> Answer {
        let channel = self.channel(message)?;
        let id = EcmStreamId(number(message, p::ECM_STREAM_ID)?);
        let nominal = Deciseconds(number(message, p::NOMINAL_CP_DURATION)?);
        let ecm_id = message.u16(p::ECM_ID).map(EcmId);
        if channel.streams.contains_key(&id) {
            return Err(Refusal::parameter(EcmgStatus::StreamInUse, p::ECM_STREAM_ID));
        }
        let most = usize::from(channel.parameters.max_streams);
        if most != 0 && channel.streams.len() >= most {
            return Err(Refusal::parameter(EcmgStatus::TooManyStreamsOnChannel, p::ECM_STREAM_ID));
        }
        if nominal < channel.parameters.min_cp_duration {
            return Err(Refusal::parameter(EcmgStatus::InvalidValue, p::NOMINAL_CP_DURATION));
        }
        host.open_stream(channel.super_cas_id, ecm_id)
            .map_err(|status| Refusal::parameter(status, p::ECM_ID))?;
        channel.streams.insert(id, Stream::new(ecm_id, nominal));
        let channel = channel.id;
        self.send_stream_status(channel, id, ecm_id);
        Ok(())
    }

    fn stream_close(&mut self, message: &Message<'_>, host: &mut dyn EcmgHost) -> Answer {
        let (channel, id) = self.stream(message)?;
        let super_cas_id = channel.super_cas_id;
        let channel_id = channel.id;
        if let Some(stream) = channel.streams.remove(&id) {
            host.close_stream(super_cas_id, stream.ecm_id);
        }
        self.write(m::STREAM_CLOSE_RESPONSE, |w| {
            w.u16(p::ECM_CHANNEL_ID, channel_id.0).u16(p::ECM_STREAM_ID, id.0)
        });
        Ok(())
    }

    fn cw_provision(&mut self, message: &Message<'_>, host: &mut dyn EcmgHost) -> Answer {
        let (channel, id) = self.stream(message)?;
        let channel_id = channel.id;
        let served = (channel.super_cas_id, &channel.parameters);
        let unknown = Refusal::parameter(EcmgStatus::UnknownStream, p::ECM_STREAM_ID);
        let stream = channel.streams.get_mut(&id).ok_or(unknown)?;
        let cp_number = number(message, p::CP_NUMBER)?;
        stream.provision(message, served, id, |request| host.ask(request))?;
        let version = self.version;
        self.asked.push(Asked { channel: channel_id, stream: id, cp_number, version });
        if self.asked.len() >= ASKED_MAX {
            self.make_asked(host);
        }
        Ok(())
    }

    /// Answers the requests for ECMs.
    fn make_asked(&mut self, host: &mut dyn EcmgHost) {
        if self.asked.is_empty() {
            return;
        }
        let mut asked = std::mem::take(&mut self.asked);
        let mut answers = asked.drain(..);
        host.make(&mut |made| {
            let Some(Asked { channel, stream, cp_number, version }) = answers.next() else {
                return;
            };
            let kind = if made.is_ok() { m::ECM_RESPONSE } else { m::STREAM_ERROR };
            let writer = Writer::new(&mut self.out, version, kind)
                .u16(p::ECM_CHANNEL_ID, channel.0)
                .u16(p::ECM_STREAM_ID, stream.0);
            let writer = match made {
                Ok(datagram) => {
                    writer.u16(p::CP_NUMBER, cp_number).bytes(p::ECM_DATAGRAM, datagram)
                }
                Err(refusal) => writer
                    .u16(p::ERROR_STATUS, refusal.status.code())
                    .u16(p::ERROR_INFORMATION, refusal.information),
            };
            // Only an ECM of 64 KiB could fail here; then nothing is sent and the SCS times out.
            let _ = writer.finish();
        });
        drop(answers);
        self.asked = asked;
    }

    /// The open channel, when the message names it.
    fn channel(&mut self, message: &Message<'_>) -> Result<&mut Channel, Refusal> {
        let id = number(message, p::ECM_CHANNEL_ID)?;
        self.channel
            .as_mut()
            .filter(|channel| channel.id.0 == id)
            .ok_or(Refusal::parameter(EcmgStatus::UnknownChannel, p::ECM_CHANNEL_ID))
    }

    /// The open channel and the open stream that the message names.
    fn stream(&mut self, message: &Message<'_>) -> Result<(&mut Channel, EcmStreamId), Refusal> {
        let channel = self.channel(message)?;
        let id = EcmStreamId(number(message, p::ECM_STREAM_ID)?);
        if channel.streams.contains_key(&id) {
            Ok((channel, id))
        } else {
            Err(Refusal::parameter(EcmgStatus::UnknownStream, p::ECM_STREAM_ID))
        }
    }

    fn close_channel(&mut self, host: &mut dyn EcmgHost) {
        if let Some(channel) = self.channel.take() {
            for stream in channel.streams.into_values() {
                host.close_stream(channel.super_cas_id, stream.ecm_id);
            }
            host.close_channel(channel.super_cas_id, channel.id);
        }
    }

    fn send_channel_status(&mut self) {
        if let Some(channel) = &self.channel {
            let writer = Writer::new(&mut self.out, self.version, m::CHANNEL_STATUS)
                .u16(p::ECM_CHANNEL_ID, channel.id.0);
            // A status is far below the length limit.
            let _ = channel.parameters.write(writer).finish();
        }
    }

    fn send_stream_status(
        &mut self,
        channel: EcmChannelId,
        id: EcmStreamId,
        ecm_id: Option<EcmId>,
    ) {
        self.write(m::STREAM_STATUS, |w| {
            let w = w.u16(p::ECM_CHANNEL_ID, channel.0).u16(p::ECM_STREAM_ID, id.0);
            let w = match ecm_id {
                Some(ecm_id) => w.u16(p::ECM_ID, ecm_id.0),
                None => w,
            };
            // Criteria are remembered, so the SCS need send them only when they change.
            w.u8(p::ACCESS_CRITERIA_TRANSFER_MODE, 0)
        });
    }

    fn refuse(&mut self, frame: &[u8], refusal: Refusal) {
        self.bad_in_a_row += 1;
        if self.bad_in_a_row >= self.limits.bad_messages {
            self.closed = true;
        }
        let channel = peek_parameter(frame, p::ECM_CHANNEL_ID).map_or(0, u16::from_be_bytes);
        let stream = peek_parameter(frame, p::ECM_STREAM_ID).map(u16::from_be_bytes);
        let kind = if stream.is_some() { m::STREAM_ERROR } else { m::CHANNEL_ERROR };
        self.write(kind, |w| {
            let w = w.u16(p::ECM_CHANNEL_ID, channel);
            let w = match stream {
                Some(stream) => w.u16(p::ECM_STREAM_ID, stream),
                None => w,
            };
            w.u16(p::ERROR_STATUS, refusal.status.code())
                .u16(p::ERROR_INFORMATION, refusal.information)
        });
    }

    fn heard(&mut self, now: Time) {
        if self.channel.is_some() {
            self.test_sent = false;
            self.deadline = self.limits.test_period.map(|period| now.after(period));
        }
    }

    fn write(&mut self, kind: u16, fill: impl FnOnce(Writer<'_>) -> Writer<'_>) {
        // Only an ECM of 64 KiB could fail here; then nothing is sent and the SCS times out.
        let _ = fill(Writer::new(&mut self.out, self.version, kind)).finish();
    }
}

fn number(message: &Message<'_>, parameter: u16) -> Result<u16, Refusal> {
    message
        .u16(parameter)
        .ok_or_else(|| Refusal::parameter(EcmgStatus::MissingParameter, parameter))
}

fn is_status(frame: &[u8]) -> bool {
    let kind = frame.get(1..3);
    kind == Some(&m::CHANNEL_STATUS.to_be_bytes()) || kind == Some(&m::STREAM_STATUS.to_be_bytes())
}

/// Requests for ECMs that wait for each other at most.
const ASKED_MAX: usize = 128;
/// Before the peer has spoken.
const DEFAULT_VERSION: u8 = 3;
