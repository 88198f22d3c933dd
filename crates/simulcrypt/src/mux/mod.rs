//! The MUX's side of one EMM generator's connection, and of its UDP datagrams.
//!
//! Datagrams are checked to be sections before anyone else sees them: a malformed one is
//! answered and dropped, and never reaches the transport stream.
// spec: S-24 S-49 S-50

mod bucket;
mod host;
mod sections;

use std::collections::BTreeMap;

use portcullis_types::{DataChannelId, DataId, DataStreamId, EmmgClientId};

use self::bucket::Bucket;
pub use self::host::{MuxHost, ServerLimits};
use self::sections::split_sections;
pub use self::sections::{UdpProvision, read_udp};
use crate::Time;
use crate::emmg::{EmmgStatus, MESSAGES, message as m, parameter as p};
use crate::error::{CodecError, Fault};
use crate::message::{Message, Writer, peek_parameter};

/// One connection of an EMM generator.
#[derive(Debug)]
pub struct Server {
    limits: ServerLimits,
    channel: Option<Channel>,
    out: Vec<u8>,
    bad_in_a_row: u32,
    deadline: Option<Time>,
    version: u8,
    closed: bool,
}

#[derive(Debug)]
struct Channel {
    client: EmmgClientId,
    id: DataChannelId,
    streams: BTreeMap<DataStreamId, Stream>,
}

#[derive(Debug)]
struct Stream {
    data_id: DataId,
    /// Absent in the peer's version 1.
    has_data_id: bool,
    data_type: u8,
    bucket: Bucket,
}

/// Why a message is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Refusal {
    status: EmmgStatus,
    information: u16,
}

impl Server {
    /// A new connection.
    #[must_use]
    pub fn new(limits: ServerLimits, now: Time) -> Self {
        Self {
            limits,
            channel: None,
            out: Vec::new(),
            bad_in_a_row: 0,
            deadline: Some(now.after(limits.setup_time)),
            version: DEFAULT_VERSION,
            closed: false,
        }
    }

    /// Takes one whole message. Answers appear in [`Self::poll_transmit`].
    pub fn handle(&mut self, frame: &[u8], now: Time, host: &mut dyn MuxHost) {
        if self.closed {
            return;
        }
        let outcome = match Message::parse(&MESSAGES, frame) {
            Ok(message) => {
                self.version = message.version();
                self.dispatch(&message, now, host)
            }
            Err(CodecError { fault: Fault::UnknownMessage(_), .. }) => Ok(()),
            Err(error) => {
                Err(Refusal { status: error.emmg_status(), information: error.information() })
            }
        };
        match outcome {
            Ok(()) => self.bad_in_a_row = 0,
            Err(refusal) => self.refuse(frame, refusal),
        }
    }

    /// Called when [`Self::poll_timeout`]'s time has come.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.closed = true;
        }
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Time> {
        self.deadline
    }

    /// Moves the bytes to be sent into `buffer` (emptied first); false when there are none.
    pub fn poll_transmit(&mut self, buffer: &mut Vec<u8>) -> bool {
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
        self.refuse(&[], Refusal { status: EmmgStatus::MessageTooLong, information: 3 });
        self.closed = true;
    }

    /// The connection is gone: channel and streams are free at once.
    pub fn disconnected(&mut self, host: &mut dyn MuxHost) {
        self.close_channel(host);
        self.closed = true;
    }

    fn dispatch(
        &mut self,
        message: &Message<'_>,
        now: Time,
        host: &mut dyn MuxHost,
    ) -> Result<(), Refusal> {
        match message.kind() {
            m::CHANNEL_SETUP => self.channel_setup(message, host),
            m::CHANNEL_STATUS | m::CHANNEL_ERROR | m::STREAM_STATUS | m::STREAM_ERROR => Ok(()),
            m::CHANNEL_TEST => {
                self.channel(message)?;
                self.write(message, m::CHANNEL_STATUS, |w| w.u8(p::SECTION_TSPKT_FLAG, 0));
                Ok(())
            }
            m::CHANNEL_CLOSE => {
                self.channel(message)?;
                self.close_channel(host);
                self.deadline = Some(now.after(self.limits.setup_time));
                Ok(())
            }
            m::STREAM_SETUP => self.stream_setup(message, now, host),
            m::STREAM_TEST => {
                let (_, id, _) = self.stream(message)?;
                self.send_stream_status(message, id);
                Ok(())
            }
            m::STREAM_CLOSE_REQUEST => {
                let (channel, id, data_id) = self.stream(message)?;
                channel.streams.remove(&id);
                let client = channel.client;
                host.close_stream(client, data_id);
                self.write(message, m::STREAM_CLOSE_RESPONSE, |w| w.u16(p::DATA_STREAM_ID, id.0));
                Ok(())
            }
            m::STREAM_BW_REQUEST => self.bandwidth(message, now, host),
            m::DATA_PROVISION => self.data_provision(message, now, host),
            // stream_close_response and stream_BW_allocation are the MUX's own.
            _ => Err(Refusal { status: EmmgStatus::InvalidMessage, information: 1 }),
        }
    }

    fn channel_setup(
        &mut self,
        message: &Message<'_>,
        host: &mut dyn MuxHost,
    ) -> Result<(), Refusal> {
        let client = client(message)?;
        let id = DataChannelId(number(message, p::DATA_CHANNEL_ID)?);
        if self.channel.is_some() {
            return Err(refusal(EmmgStatus::ChannelInUse, p::DATA_CHANNEL_ID));
        }
        if message.u8(p::SECTION_TSPKT_FLAG) != Some(0) {
            // Sections only: packets would need their PID and continuity rewritten.
            return Err(refusal(EmmgStatus::InvalidValue, p::SECTION_TSPKT_FLAG));
        }
        host.open_channel(client, id).map_err(|status| refusal(status, p::CLIENT_ID))?;
        self.channel = Some(Channel { client, id, streams: BTreeMap::new() });
        self.deadline = None;
        self.write(message, m::CHANNEL_STATUS, |w| w.u8(p::SECTION_TSPKT_FLAG, 0));
        Ok(())
    }

    fn stream_setup(
        &mut self,
        message: &Message<'_>,
        now: Time,
        host: &mut dyn MuxHost,
    ) -> Result<(), Refusal> {
        let ServerLimits { streams: most, burst, .. } = self.limits;
        let channel = self.channel(message)?;
        let id = DataStreamId(number(message, p::DATA_STREAM_ID)?);
        // In version 1 the stream id has to do for a data_id.
        let given = message.u16(p::DATA_ID);
        let data_id = DataId(given.unwrap_or(id.0));
        if channel.streams.contains_key(&id) {
            return Err(refusal(EmmgStatus::StreamInUse, p::DATA_STREAM_ID));
        }
        if channel.streams.len() >= most {
            return Err(refusal(EmmgStatus::TooManyStreamsOnChannel, p::DATA_STREAM_ID));
        }
        let client = channel.client;
        host.open_stream(client, data_id).map_err(|status| refusal(status, p::DATA_ID))?;
        let kbps = host.allocate(client, data_id, None);
        let stream = Stream {
            data_id,
            has_data_id: given.is_some(),
            data_type: message.u8(p::DATA_TYPE).unwrap_or(0),
            bucket: Bucket::granted(kbps, burst, now),
        };
        channel.streams.insert(id, stream);
        self.send_stream_status(message, id);
        Ok(())
    }

    fn bandwidth(
        &mut self,
        message: &Message<'_>,
        now: Time,
        host: &mut dyn MuxHost,
    ) -> Result<(), Refusal> {
        let burst = self.limits.burst;
        let (channel, id, data_id) = self.stream(message)?;
        let kbps = host.allocate(channel.client, data_id, message.u16(p::BANDWIDTH));
        if let Some(stream) = channel.streams.get_mut(&id) {
            stream.bucket = Bucket::granted(kbps, burst, now);
        }
        self.write(message, m::STREAM_BW_ALLOCATION, |w| {
            w.u16(p::DATA_STREAM_ID, id.0).u16(p::BANDWIDTH, kbps)
        });
        Ok(())
    }

    fn data_provision(
        &mut self,
        message: &Message<'_>,
        now: Time,
        host: &mut dyn MuxHost,
    ) -> Result<(), Refusal> {
        let (limit, burst) = (self.limits.section, self.limits.burst);
        let (channel, id, data_id) = self.stream(message)?;
        let client = channel.client;
        if message.u16(p::DATA_ID).is_some_and(|given| given != data_id.0) {
            return Err(refusal(EmmgStatus::UnknownDataId, p::DATA_ID));
        }
        let bits = message.all(p::DATAGRAM).map(|d| d.value.len() as u64 * 8).sum();
        let unknown = refusal(EmmgStatus::UnknownStream, p::DATA_STREAM_ID);
        let stream = channel.streams.get_mut(&id).ok_or(unknown)?;
        if !stream.bucket.take(bits, now, burst) {
            return Err(refusal(EmmgStatus::ExceededBandwidth, p::DATAGRAM));
        }
        let (sections, fault) = split_sections(message, limit);
        if !sections.is_empty() {
            host.sections(client, data_id, sections);
        }
        match fault {
            None => Ok(()),
            Some(information) => Err(Refusal { status: EmmgStatus::InvalidValue, information }),
        }
    }

    /// The open channel, when the message names it.
    fn channel(&mut self, message: &Message<'_>) -> Result<&mut Channel, Refusal> {
        let client = client(message)?;
        let id = number(message, p::DATA_CHANNEL_ID)?;
        match &mut self.channel {
            Some(channel) if channel.client != client => {
                Err(refusal(EmmgStatus::UnknownClient, p::CLIENT_ID))
            }
            Some(channel) if channel.id.0 == id => Ok(channel),
            _ => Err(refusal(EmmgStatus::UnknownChannel, p::DATA_CHANNEL_ID)),
        }
    }

    fn stream(
        &mut self,
        message: &Message<'_>,
    ) -> Result<(&mut Channel, DataStreamId, DataId), Refusal> {
        let channel = self.channel(message)?;
        let id = DataStreamId(number(message, p::DATA_STREAM_ID)?);
        let unknown = refusal(EmmgStatus::UnknownStream, p::DATA_STREAM_ID);
        let data_id = channel.streams.get(&id).ok_or(unknown)?.data_id;
        Ok((channel, id, data_id))
    }

    fn close_channel(&mut self, host: &mut dyn MuxHost) {
        if let Some(channel) = self.channel.take() {
            for stream in channel.streams.into_values() {
                host.close_stream(channel.client, stream.data_id);
            }
            host.close_channel(channel.client, channel.id);
        }
    }

    fn send_stream_status(&mut self, message: &Message<'_>, id: DataStreamId) {
        let Some(stream) = self.channel.as_ref().and_then(|c| c.streams.get(&id)) else { return };
        let (data_id, has_data_id, data_type) =
            (stream.data_id, stream.has_data_id, stream.data_type);
        self.write(message, m::STREAM_STATUS, |w| {
            let w = w.u16(p::DATA_STREAM_ID, id.0);
            let w = if has_data_id { w.u16(p::DATA_ID, data_id.0) } else { w };
            w.u8(p::DATA_TYPE, data_type)
        });
    }

    fn write(
        &mut self,
        request: &Message<'_>,
        kind: u16,
        fill: impl FnOnce(Writer<'_>) -> Writer<'_>,
    ) {
        let client = request.u32(p::CLIENT_ID).unwrap_or(0);
        let channel = request.u16(p::DATA_CHANNEL_ID).unwrap_or(0);
        let writer = Writer::new(&mut self.out, self.version, kind)
            .u32(p::CLIENT_ID, client)
            .u16(p::DATA_CHANNEL_ID, channel);
        // These messages have fixed, small parameters.
        let _ = fill(writer).finish();
    }

    fn refuse(&mut self, frame: &[u8], refusal: Refusal) {
        self.bad_in_a_row += 1;
        if self.bad_in_a_row >= self.limits.bad_messages {
            self.closed = true;
        }
        let client = peek_parameter(frame, p::CLIENT_ID).map_or(0, u32::from_be_bytes);
        let channel = peek_parameter(frame, p::DATA_CHANNEL_ID).map_or(0, u16::from_be_bytes);
        let stream = peek_parameter(frame, p::DATA_STREAM_ID).map(u16::from_be_bytes);
        let kind = if stream.is_some() { m::STREAM_ERROR } else { m::CHANNEL_ERROR };
        let writer = Writer::new(&mut self.out, self.version, kind)
            .u32(p::CLIENT_ID, client)
            .u16(p::DATA_CHANNEL_ID, channel);
        let writer = match stream {
            Some(stream) => writer.u16(p::DATA_STREAM_ID, stream),
            None => writer,
        };
        let _ = writer
            .u16(p::ERROR_STATUS, refusal.status.code())
            .u16(p::ERROR_INFORMATION, refusal.information)
            .finish();
    }
}

fn client(message: &Message<'_>) -> Result<EmmgClientId, Refusal> {
    let client = message.u32(p::CLIENT_ID).map(EmmgClientId);
    client.ok_or(refusal(EmmgStatus::MissingParameter, p::CLIENT_ID))
}

fn number(message: &Message<'_>, parameter: u16) -> Result<u16, Refusal> {
    message.u16(parameter).ok_or_else(|| refusal(EmmgStatus::MissingParameter, parameter))
}

const fn refusal(status: EmmgStatus, parameter: u16) -> Refusal {
    Refusal { status, information: parameter }
}

/// Before the peer has spoken.
const DEFAULT_VERSION: u8 = 3;
