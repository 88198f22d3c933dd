//! The SCS's side of one connection to an ECM generator: channel, streams, one outstanding
//! CW_provision per stream, tests in both directions, time-outs.
//!
//! ```text
//! connected -> channel_setup .. channel_status -> (per stream) stream_setup .. stream_status
//!           -> CW_provision .. ECM_response | stream_error | time-out -> next CW_provision
//! ```
//! After an unrecoverable error or a lost connection the caller makes a new `ClientChannel`.
// spec: S-12 S-14 S-15 S-23

mod terms;

use std::collections::{BTreeMap, VecDeque};

use portcullis_types::{CpNumber, Deciseconds, EcmId, EcmStreamId, Milliseconds};

pub use self::terms::{ClientConfig, ClientError, ClientEvent, Provision};
use crate::Time;
use crate::ecmg::{ChannelParameters, EcmgStatus, MESSAGES, message as m, parameter as p};
use crate::error::{CodecError, Fault};
use crate::message::{Message, Writer};

/// One connection to an ECM generator.
#[derive(Debug)]
pub struct ClientChannel {
    config: ClientConfig,
    state: State,
    streams: BTreeMap<EcmStreamId, Stream>,
    /// Test or set-up that waits for an answer.
    deadline: Option<Time>,
    quiet_since: Time,
    out: Vec<u8>,
    events: VecDeque<ClientEvent>,
}

#[derive(Debug)]
enum State {
    SettingUp,
    Open(ChannelParameters),
    Closed,
}

#[derive(Debug)]
struct Stream {
    ecm_id: EcmId,
    phase: Phase,
    deadline: Option<Time>,
    outstanding: Option<CpNumber>,
    /// Criteria that the generator has answered with an ECM; not sent again in transfer mode 0.
    criteria_known: Option<Vec<u8>>,
    criteria_sent: Option<Vec<u8>>,
    criteria_each_time: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    SettingUp,
    Open,
    Closing,
}

impl ClientChannel {
    /// TCP is connected: sends channel_setup.
    #[must_use]
    pub fn connected(config: ClientConfig, now: Time) -> Self {
        let deadline = Some(now.after(config.message_time));
        let mut client = Self {
            config,
            state: State::SettingUp,
            streams: BTreeMap::new(),
            deadline,
            quiet_since: now,
            out: Vec::new(),
            events: VecDeque::new(),
        };
        let super_cas_id = client.config.super_cas_id.0;
        client.write(m::CHANNEL_SETUP, |w| w.u32(p::SUPER_CAS_ID, super_cas_id));
        client
    }

    /// Sends stream_setup.
    ///
    /// # Errors
    /// [`ClientError::NoChannel`], [`ClientError::StreamRefused`].
    pub fn open_stream(
        &mut self,
        id: EcmStreamId,
        ecm_id: EcmId,
        nominal_cp_duration: Deciseconds,
        now: Time,
    ) -> Result<(), ClientError> {
        let State::Open(parameters) = &self.state else {
            return Err(ClientError::NoChannel);
        };
        let most = usize::from(parameters.max_streams);
        if self.streams.contains_key(&id) || (most != 0 && self.streams.len() >= most) {
            return Err(ClientError::StreamRefused(id));
        }
        let stream = Stream {
            ecm_id,
            phase: Phase::SettingUp,
            deadline: Some(now.after(self.config.message_time)),
            outstanding: None,
            criteria_known: None,
            criteria_sent: None,
            criteria_each_time: true,
        };
        self.streams.insert(id, stream);
        let version = self.config.version;
        self.write(m::STREAM_SETUP, |w| {
            let w = w.u16(p::ECM_STREAM_ID, id.0);
            let w = if version >= 2 { w.u16(p::ECM_ID, ecm_id.0) } else { w };
            w.u16(p::NOMINAL_CP_DURATION, nominal_cp_duration.0)
        });
        Ok(())
    }

    /// Sends CW_provision.
    ///
    /// # Errors
    /// [`ClientError`], among them [`ClientError::Outstanding`]: one at a time per stream.
    // spec: S-14
    pub fn provision(
        &mut self,
        id: EcmStreamId,
        provision: &Provision<'_>,
        now: Time,
    ) -> Result<(), ClientError> {
        let State::Open(parameters) = &self.state else {
            return Err(ClientError::NoChannel);
        };
        let wait = parameters.max_comp_time.0.saturating_add(self.config.network_time.0);
        let stream = self
            .streams
            .get_mut(&id)
            .filter(|stream| stream.phase == Phase::Open)
            .ok_or(ClientError::NoStream(id))?;
        if stream.outstanding.is_some() {
            return Err(ClientError::Outstanding(id));
        }
        let known = stream.criteria_known.as_deref() == Some(provision.access_criteria);
        let send_criteria = stream.criteria_each_time || !known;
        let mut writer = Writer::new(&mut self.out, self.config.version, m::CW_PROVISION)
            .u16(p::ECM_CHANNEL_ID, self.config.channel_id.0)
            .u16(p::ECM_STREAM_ID, id.0)
            .u16(p::CP_NUMBER, provision.cp_number.0);
        for (number, word) in provision.control_words {
            writer = writer.parts(p::CP_CW_COMBINATION, &[&number.0.to_be_bytes(), word]);
        }
        if let Some(duration) = provision.cp_duration {
            writer = writer.u16(p::CP_DURATION, duration.0);
        }
        if send_criteria {
            writer = writer.bytes(p::ACCESS_CRITERIA, provision.access_criteria);
        }
        writer.finish().map_err(|_| ClientError::TooLong)?;
        stream.outstanding = Some(provision.cp_number);
        stream.criteria_sent = Some(provision.access_criteria.to_vec());
        stream.deadline = Some(now.after(Milliseconds(wait)));
        Ok(())
    }

    /// Sends stream_close_request.
    ///
    /// # Errors
    /// [`ClientError::NoStream`].
    pub fn close_stream(&mut self, id: EcmStreamId, now: Time) -> Result<(), ClientError> {
        let deadline = Some(now.after(self.config.message_time));
        let stream = self.streams.get_mut(&id).ok_or(ClientError::NoStream(id))?;
        stream.phase = Phase::Closing;
        stream.deadline = deadline;
        self.write(m::STREAM_CLOSE_REQUEST, |w| w.u16(p::ECM_STREAM_ID, id.0));
        Ok(())
    }

    /// Sends channel_close, which ends all streams and has no answer.
    pub fn close(&mut self) {
        if !matches!(self.state, State::Closed) {
            self.write(m::CHANNEL_CLOSE, |w| w);
            self.state = State::Closed;
            self.streams.clear();
            self.deadline = None;
        }
    }

    /// Takes one whole message.
    pub fn handle(&mut self, frame: &[u8], now: Time) {
        self.quiet_since = now;
        match Message::parse(&MESSAGES, frame) {
            Ok(message) => self.dispatch(&message),
            Err(CodecError { fault: Fault::UnknownMessage(_), .. }) => {}
            Err(error) => self.event(ClientEvent::BadMessage(error)),
        }
    }

    /// Called when [`Self::poll_timeout`]'s time has come.
    pub fn handle_timeout(&mut self, now: Time) {
        let mut silent = self.deadline.is_some_and(|deadline| now >= deadline);
        let mut late = Vec::new();
        for (id, stream) in &mut self.streams {
            if stream.deadline.is_some_and(|deadline| now >= deadline) {
                stream.deadline = None;
                match stream.outstanding.take() {
                    Some(cp_number) if stream.phase == Phase::Open => {
                        late.push(ClientEvent::EcmTimeout { stream: *id, cp_number });
                    }
                    _ => silent = true,
                }
            }
        }
        late.into_iter().for_each(|event| self.event(event));
        if silent {
            self.state = State::Closed;
            self.deadline = None;
            self.streams.clear();
            self.event(ClientEvent::PeerSilent);
        } else if self.test_due().is_some_and(|due| now >= due) {
            self.quiet_since = now;
            self.deadline = Some(now.after(self.config.message_time));
            self.write(m::CHANNEL_TEST, |w| w);
        }
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let streams = self.streams.values().filter_map(|stream| stream.deadline);
        streams.chain(self.deadline).chain(self.test_due()).min()
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

    fn dispatch(&mut self, message: &Message<'_>) {
        if message.u16(p::ECM_CHANNEL_ID) != Some(self.config.channel_id.0) {
            // An error about a message that could not be read carries channel 0.
            if message.kind() == m::CHANNEL_ERROR && matches!(self.state, State::SettingUp) {
                self.channel_error(message);
            }
            return;
        }
        let stream = message.u16(p::ECM_STREAM_ID).map(EcmStreamId);
        match (message.kind(), stream) {
            (m::CHANNEL_STATUS, _) => self.channel_status(message),
            (m::CHANNEL_TEST, _) => self.answer_channel_test(),
            (m::CHANNEL_ERROR, _) => self.channel_error(message),
            (m::STREAM_STATUS, Some(id)) => self.stream_status(message, id),
            (m::STREAM_TEST, Some(id)) => self.answer_stream_test(id),
            (m::STREAM_CLOSE_RESPONSE, Some(id)) => self.stream_closed(id),
            (m::STREAM_ERROR, Some(id)) => self.stream_error(message, id),
            (m::ECM_RESPONSE, Some(id)) => self.ecm_response(message, id),
            // What only an SCS may send is not for us.
            _ => {}
        }
    }

    fn channel_status(&mut self, message: &Message<'_>) {
        self.deadline = None;
        if let (State::SettingUp, Some(parameters)) =
            (&self.state, ChannelParameters::read(message))
        {
            self.state = State::Open(parameters.clone());
            self.event(ClientEvent::ChannelOpen(parameters));
        }
    }

    fn stream_status(&mut self, message: &Message<'_>, id: EcmStreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.phase == Phase::SettingUp {
            stream.phase = Phase::Open;
            stream.deadline = None;
            stream.criteria_each_time =
                message.u8(p::ACCESS_CRITERIA_TRANSFER_MODE).is_none_or(|mode| mode != 0);
            self.event(ClientEvent::StreamOpen(id));
        }
    }

    fn stream_closed(&mut self, id: EcmStreamId) {
        if self.streams.remove(&id).is_some() {
            self.event(ClientEvent::StreamClosed(id));
        }
    }

    /// Matches by channel, stream and CP_number, never by order; a late answer is dropped.
    fn ecm_response(&mut self, message: &Message<'_>, id: EcmStreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let Some(cp_number) = message.u16(p::CP_NUMBER).map(CpNumber) else { return };
        if stream.outstanding != Some(cp_number) {
            return;
        }
        stream.outstanding = None;
        stream.deadline = None;
        stream.criteria_known = stream.criteria_sent.take();
        let datagram = message.get(p::ECM_DATAGRAM).unwrap_or(&[]).to_vec();
        self.event(ClientEvent::Ecm { stream: id, cp_number, datagram });
    }

    fn stream_error(&mut self, message: &Message<'_>, id: EcmStreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let status = status(message);
        let cp_number = stream.outstanding.take();
        stream.deadline = None;
        stream.criteria_sent = None;
        stream.criteria_known = None;
        if stream.phase != Phase::Open || status == EcmgStatus::Unrecoverable {
            self.streams.remove(&id);
        }
        self.event(ClientEvent::StreamRefused { stream: id, cp_number, status });
    }

    fn channel_error(&mut self, message: &Message<'_>) {
        let status = status(message);
        if matches!(self.state, State::SettingUp) || status == EcmgStatus::Unrecoverable {
            self.state = State::Closed;
            self.streams.clear();
        }
        self.deadline = None;
        self.event(ClientEvent::ChannelRefused(status));
    }

    fn answer_channel_test(&mut self) {
        if let State::Open(parameters) = &self.state {
            let parameters = parameters.clone();
            self.write(m::CHANNEL_STATUS, |w| parameters.write(w));
        }
    }

    fn answer_stream_test(&mut self, id: EcmStreamId) {
        let version = self.config.version;
        match self.streams.get(&id) {
            Some(stream) => {
                let (ecm_id, mode) = (stream.ecm_id, stream.criteria_each_time);
                self.write(m::STREAM_STATUS, |w| {
                    let w = w.u16(p::ECM_STREAM_ID, id.0);
                    let w = if version >= 2 { w.u16(p::ECM_ID, ecm_id.0) } else { w };
                    w.u8(p::ACCESS_CRITERIA_TRANSFER_MODE, mode.into())
                });
            }
            None => self.write(m::STREAM_ERROR, |w| {
                w.u16(p::ECM_STREAM_ID, id.0)
                    .u16(p::ERROR_STATUS, EcmgStatus::UnknownStream.code())
                    .u16(p::ERROR_INFORMATION, p::ECM_STREAM_ID)
            }),
        }
    }

    fn test_due(&self) -> Option<Time> {
        match (&self.state, self.deadline, self.config.test_period) {
            (State::Open(_), None, Some(period)) => Some(self.quiet_since.after(period)),
            _ => None,
        }
    }

    fn event(&mut self, event: ClientEvent) {
        // The caller takes the events after each call; a flood from the peer is cut here.
        if self.events.len() < MAX_EVENTS {
            self.events.push_back(event);
        }
    }

    fn write(&mut self, kind: u16, fill: impl FnOnce(Writer<'_>) -> Writer<'_>) {
        let writer = Writer::new(&mut self.out, self.config.version, kind)
            .u16(p::ECM_CHANNEL_ID, self.config.channel_id.0);
        // These messages have fixed, small parameters.
        let _ = fill(writer).finish();
    }
}

fn status(message: &Message<'_>) -> EcmgStatus {
    message.u16(p::ERROR_STATUS).map_or(EcmgStatus::Unknown, EcmgStatus::from_code)
}

/// Events that wait at most.
const MAX_EVENTS: usize = 1024;
