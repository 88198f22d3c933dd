//! Both ends of the EMMG-MUX interface driven against each other, and each error provoked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use portcullis_simulcrypt::emmg::{
    Client, ClientConfig, ClientError, ClientEvent, EmmgStatus, MESSAGES, data_provision_udp,
    message as m, parameter as p,
};
use portcullis_simulcrypt::mux::{MuxHost, Server, ServerLimits, read_udp};
use portcullis_simulcrypt::{FrameReader, MAX_MESSAGE, Message, Time, Writer};
use portcullis_types::{DataChannelId, DataId, DataStreamId, EmmgClientId, Milliseconds};

const CLIENT: EmmgClientId = EmmgClientId(0x7A10_0001);
const SECTION: [u8; 5] = [0x82, 0x70, 2, 1, 2];

#[derive(Default)]
struct Host {
    channels: BTreeSet<(u32, u16)>,
    streams: BTreeMap<(u32, u16), u16>,
    sections: Vec<Vec<u8>>,
}

impl MuxHost for Host {
    fn open_channel(
        &mut self,
        client: EmmgClientId,
        channel: DataChannelId,
    ) -> Result<(), EmmgStatus> {
        match self.channels.insert((client.0, channel.0)) {
            true => Ok(()),
            false => Err(EmmgStatus::ClientInUse),
        }
    }

    fn close_channel(&mut self, client: EmmgClientId, channel: DataChannelId) {
        assert!(self.channels.remove(&(client.0, channel.0)));
    }

    fn open_stream(&mut self, client: EmmgClientId, data_id: DataId) -> Result<(), EmmgStatus> {
        match self.streams.insert((client.0, data_id.0), 100) {
            None => Ok(()),
            Some(_) => Err(EmmgStatus::DataIdInUse),
        }
    }

    fn close_stream(&mut self, client: EmmgClientId, data_id: DataId) {
        assert!(self.streams.remove(&(client.0, data_id.0)).is_some());
    }

    fn allocate(&mut self, client: EmmgClientId, data_id: DataId, asked: Option<u16>) -> u16 {
        let granted = self.streams.get_mut(&(client.0, data_id.0)).unwrap();
        *granted = asked.map_or(*granted, |asked| asked.min(300));
        *granted
    }

    fn sections(&mut self, _: EmmgClientId, _: DataId, sections: Vec<Vec<u8>>) {
        self.sections.extend(sections);
    }
}

fn config(version: u8, bandwidth: Option<u16>) -> ClientConfig {
    ClientConfig {
        version,
        client_id: CLIENT,
        channel_id: DataChannelId(1),
        stream_id: DataStreamId(2),
        data_id: DataId(3),
        bandwidth,
        message_time: Milliseconds(1_000),
        test_period: Some(Milliseconds(5_000)),
    }
}

struct Pair {
    client: Client,
    server: Server,
    host: Host,
    now: Time,
}

impl Pair {
    fn new(config: ClientConfig) -> Self {
        Self {
            client: Client::connected(config, Time(0)),
            server: Server::new(ServerLimits::default(), Time(0)),
            host: Host::default(),
            now: Time(0),
        }
    }

    fn settle(&mut self) -> Vec<ClientEvent> {
        let (mut out, mut back) = (Vec::new(), Vec::new());
        while self.client.poll_transmit(&mut out) | self.server.poll_transmit(&mut back) {
            let mut readers = (FrameReader::new(MAX_MESSAGE), FrameReader::new(MAX_MESSAGE));
            readers.0.extend(&out);
            readers.1.extend(&back);
            while let Some(frame) = readers.0.next_frame().unwrap() {
                let frame = frame.to_vec();
                self.server.handle(&frame, self.now, &mut self.host);
            }
            while let Some(frame) = readers.1.next_frame().unwrap() {
                let frame = frame.to_vec();
                self.client.handle(&frame, self.now);
            }
        }
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }
}

// spec-test: S-22 S-24 S-48 S-49
#[test]
fn set_up_negotiate_provide_and_close_in_every_version() {
    for version in 1..=5 {
        let mut pair = Pair::new(config(version, Some(1_000)));
        assert_eq!(pair.client.data_provision(&[&SECTION]), Err(ClientError::NotOpen));
        // The MUX may grant less than it is asked for.
        assert_eq!(pair.settle(), [ClientEvent::Ready { bandwidth: Some(300) }]);
        pair.client.data_provision(&[&SECTION, &SECTION]).unwrap();
        assert!(pair.settle().is_empty());
        assert_eq!(pair.host.sections, [SECTION, SECTION]);
        pair.client.request_bandwidth(50, pair.now).unwrap();
        assert_eq!(pair.settle(), [ClientEvent::Bandwidth(Some(50))]);
        pair.now = Time(5_000);
        pair.client.handle_timeout(pair.now);
        assert!(pair.settle().is_empty(), "a test is answered");
        pair.client.close(pair.now);
        assert_eq!(pair.settle(), [ClientEvent::StreamClosed]);
        assert!(pair.host.channels.is_empty() && pair.host.streams.is_empty());
    }
    let mut pair = Pair::new(config(3, None));
    assert_eq!(pair.settle(), [ClientEvent::Ready { bandwidth: None }]);
}

// spec-test: S-49
#[test]
fn more_than_the_bandwidth_is_refused_and_dropped() {
    let mut pair = Pair::new(config(3, Some(8)));
    pair.settle();
    let mut section = vec![0x82, 0x7F, 0xFD];
    section.resize(4096, 0);
    let mut refused = 0;
    for _ in 0..20 {
        pair.client.data_provision(&[&section]).unwrap();
        for event in pair.settle() {
            assert_eq!(event, ClientEvent::StreamRefused(EmmgStatus::ExceededBandwidth));
            refused += 1;
        }
    }
    assert_eq!(pair.host.sections.len() + refused, 20);
    assert!(refused >= 3);
    // Credit comes back with time.
    pair.now = Time(10_000);
    pair.client.data_provision(&[&section]).unwrap();
    assert!(pair.settle().is_empty());
}

#[test]
fn what_is_no_section_does_not_get_through() {
    let mut pair = Pair::new(config(3, None));
    pair.settle();
    let bad: [&[u8]; 5] =
        [b"", &[0x82, 0x70], &[0x82, 0x70, 1], &[0x82, 0x70, 0, 9], &[0x47, 0, 0]];
    for bad in bad {
        pair.client.data_provision(&[&SECTION, bad, &SECTION]).unwrap();
        let refused = ClientEvent::StreamRefused(EmmgStatus::InvalidValue);
        assert_eq!(pair.settle(), [refused]);
    }
    assert_eq!(pair.host.sections.len(), 10);
    assert!(pair.host.sections.iter().all(|section| section == &SECTION));
}

// spec-test: S-50
#[test]
fn udp_names_the_stream_by_client_and_data_id() {
    let mut bytes = Vec::new();
    data_provision_udp(&config(3, None), &[&SECTION], &mut bytes).unwrap();
    let read = read_udp(&bytes, 4096).unwrap();
    assert_eq!((read.client, read.data_id), (CLIENT, DataId(3)));
    assert_eq!(read.sections, [SECTION]);
    for end in 0..bytes.len() {
        assert!(read_udp(&bytes[..end], 4096).is_err());
    }
    // A peer that sends channel and stream id all the same is understood.
    bytes.clear();
    Writer::new(&mut bytes, 2, m::DATA_PROVISION)
        .u32(p::CLIENT_ID, CLIENT.0)
        .u16(p::DATA_CHANNEL_ID, 7)
        .u16(p::DATA_STREAM_ID, 7)
        .u16(p::DATA_ID, 3)
        .bytes(p::DATAGRAM, &SECTION)
        .finish()
        .unwrap();
    assert_eq!(read_udp(&bytes, 4096).unwrap().sections.len(), 1);
    bytes[0] = 1;
    assert!(read_udp(&bytes, 4096).is_err());
    assert!(read_udp(&[3, 0, 0x11, 0, 0], 4096).is_err());
}

#[test]
fn a_silent_mux_is_reported() {
    let mut client = Client::connected(config(3, None), Time(0));
    client.handle_timeout(Time(999));
    assert_eq!(client.poll_event(), None);
    client.handle_timeout(Time(1_000));
    assert_eq!(client.poll_event(), Some(ClientEvent::PeerSilent));
}

struct Raw {
    server: Server,
    host: Host,
}

impl Raw {
    fn send(
        &mut self,
        kind: u16,
        client: u32,
        fill: impl FnOnce(Writer<'_>) -> Writer<'_>,
    ) -> (u16, Option<u16>) {
        let mut bytes = Vec::new();
        let writer = Writer::new(&mut bytes, 3, kind).u32(p::CLIENT_ID, client);
        fill(writer).finish().unwrap();
        self.server.handle(&bytes, Time(0), &mut self.host);
        let mut answer = Vec::new();
        if !self.server.poll_transmit(&mut answer) {
            return (0, None);
        }
        let message = Message::parse(&MESSAGES, &answer).unwrap();
        (message.kind(), message.u16(p::ERROR_STATUS))
    }
}

fn stream(w: Writer<'_>, channel: u16, stream: u16, data_id: u16) -> Writer<'_> {
    w.u16(p::DATA_CHANNEL_ID, channel)
        .u16(p::DATA_STREAM_ID, stream)
        .u16(p::DATA_ID, data_id)
        .u8(p::DATA_TYPE, 0)
}

fn setup(w: Writer<'_>, channel: u16, flag: u8) -> Writer<'_> {
    w.u16(p::DATA_CHANNEL_ID, channel).u8(p::SECTION_TSPKT_FLAG, flag)
}

fn data(w: Writer<'_>, channel: u16, stream: u16, data_id: u16) -> Writer<'_> {
    w.u16(p::DATA_CHANNEL_ID, channel)
        .u16(p::DATA_STREAM_ID, stream)
        .u16(p::DATA_ID, data_id)
        .bytes(p::DATAGRAM, &SECTION)
}

// spec-test: S-47
#[test]
fn each_error_is_provoked() {
    let limits = ServerLimits { bad_messages: 1_000, streams: 2, ..ServerLimits::default() };
    let mut raw = Raw { server: Server::new(limits, Time(0)), host: Host::default() };
    let id = CLIENT.0;
    let channel = |status| (m::CHANNEL_ERROR, Some(status));
    let refused = |status| (m::STREAM_ERROR, Some(status));
    assert_eq!(raw.send(m::CHANNEL_TEST, id, |w| w.u16(p::DATA_CHANNEL_ID, 1)), channel(0x0006));
    assert_eq!(raw.send(m::CHANNEL_TEST, id, |w| w), channel(0x000C));
    assert_eq!(raw.send(m::CHANNEL_TEST, id, |w| w.u8(p::DATA_CHANNEL_ID, 1)), channel(0x000B));
    assert_eq!(raw.send(m::CHANNEL_SETUP, id, |w| setup(w, 1, 1)), channel(0x000D));
    raw.host.channels.insert((id, 1));
    assert_eq!(raw.send(m::CHANNEL_SETUP, id, |w| setup(w, 1, 0)), channel(0x0014));
    raw.host.channels.clear();
    assert_eq!(raw.send(m::CHANNEL_SETUP, id, |w| setup(w, 1, 0)), (m::CHANNEL_STATUS, None));
    assert_eq!(raw.send(m::CHANNEL_SETUP, id, |w| setup(w, 2, 0)), channel(0x0011));
    assert_eq!(raw.send(m::STREAM_SETUP, 9, |w| stream(w, 1, 1, 1)), refused(0x000E));
    assert_eq!(raw.send(m::STREAM_SETUP, id, |w| stream(w, 1, 1, 1)), (m::STREAM_STATUS, None));
    assert_eq!(raw.send(m::STREAM_SETUP, id, |w| stream(w, 1, 1, 2)), refused(0x0012));
    assert_eq!(raw.send(m::STREAM_SETUP, id, |w| stream(w, 1, 2, 1)), refused(0x0013));
    raw.host.streams.remove(&(id, 1));
    raw.host.streams.insert((id, 1), 100);
    assert_eq!(raw.send(m::STREAM_SETUP, id, |w| stream(w, 1, 2, 2)), (m::STREAM_STATUS, None));
    assert_eq!(raw.send(m::STREAM_SETUP, id, |w| stream(w, 1, 3, 3)), refused(0x0008));
    assert_eq!(raw.send(m::DATA_PROVISION, id, |w| data(w, 1, 9, 1)), refused(0x0005));
    assert_eq!(raw.send(m::DATA_PROVISION, id, |w| data(w, 9, 1, 1)), refused(0x0006));
    assert_eq!(raw.send(m::DATA_PROVISION, id, |w| data(w, 1, 1, 9)), refused(0x0010));
    assert_eq!(raw.send(m::DATA_PROVISION, id, |w| data(w, 1, 1, 1)), (0, None));
    // A message of the future is ignored.
    assert_eq!(raw.send(0x7777, id, |w| setup(w, 1, 0)), (0, None));
    // A bandwidth request without a figure asks for the present allocation.
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, 3, m::STREAM_BW_REQUEST)
        .u32(p::CLIENT_ID, id)
        .u16(p::DATA_CHANNEL_ID, 1)
        .u16(p::DATA_STREAM_ID, 1)
        .finish()
        .unwrap();
    raw.server.handle(&bytes, Time(0), &mut raw.host);
    let mut answer = Vec::new();
    raw.server.poll_transmit(&mut answer);
    assert_eq!(Message::parse(&MESSAGES, &answer).unwrap().u16(p::BANDWIDTH), Some(100));
    raw.server.disconnected(&mut raw.host);
    assert!(raw.host.channels.is_empty() && raw.host.streams.is_empty());
}
