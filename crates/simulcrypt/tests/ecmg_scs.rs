//! Both ends of the ECMG-SCS interface driven against each other, and a raw peer that provokes
//! each error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use portcullis_simulcrypt::ecmg::{
    ChannelParameters, CwProvision, EachEcm, EcmgHost, EcmgStatus, MESSAGES, Refusal,
    ServerChannel, ServerLimits, message as m, parameter as p,
};
use portcullis_simulcrypt::scs::{
    ClientChannel, ClientConfig, ClientError, ClientEvent, Provision,
};
use portcullis_simulcrypt::{FrameReader, MAX_MESSAGE, Message, Time, Writer, peek_parameter};
use portcullis_types::{
    CpNumber, Deciseconds, EcmChannelId, EcmId, EcmStreamId, Milliseconds, SignedMilliseconds,
    SuperCasId,
};

const CAS: SuperCasId = SuperCasId(0x7A10_0001);

/// A generator whose "ECM" says what it was asked.
#[derive(Default)]
struct Host {
    channels: BTreeSet<(u32, u16)>,
    ecm_ids: BTreeSet<(u32, u16)>,
    asked: Vec<(u16, Vec<u16>, Vec<u8>)>,
    /// ECMs that are still to be made.
    waiting: Vec<Vec<u8>>,
    /// How many were made together.
    batches: Vec<usize>,
}

fn parameters() -> ChannelParameters {
    ChannelParameters {
        section_tspkt_flag: 0,
        delay_start: SignedMilliseconds(200),
        delay_stop: SignedMilliseconds(200),
        ac_delay_start: Some(SignedMilliseconds(200)),
        ac_delay_stop: Some(SignedMilliseconds(200)),
        transition_delay_start: Some(SignedMilliseconds(-500)),
        transition_delay_stop: None,
        ecm_rep_period: Milliseconds(100),
        max_streams: 3,
        min_cp_duration: Deciseconds(10),
        lead_cw: 1,
        cw_per_msg: 2,
        max_comp_time: Milliseconds(100),
    }
}

impl EcmgHost for Host {
    fn open_channel(
        &mut self,
        super_cas_id: SuperCasId,
        channel: EcmChannelId,
    ) -> Result<ChannelParameters, EcmgStatus> {
        if super_cas_id != CAS {
            return Err(EcmgStatus::UnknownSuperCasId);
        }
        if !self.channels.insert((super_cas_id.0, channel.0)) {
            return Err(EcmgStatus::ChannelInUse);
        }
        Ok(parameters())
    }

    fn close_channel(&mut self, super_cas_id: SuperCasId, channel: EcmChannelId) {
        assert!(self.channels.remove(&(super_cas_id.0, channel.0)));
    }

    fn open_stream(
        &mut self,
        super_cas_id: SuperCasId,
        ecm_id: Option<EcmId>,
    ) -> Result<(), EcmgStatus> {
        match ecm_id {
            Some(id) if !self.ecm_ids.insert((super_cas_id.0, id.0)) => Err(EcmgStatus::EcmIdInUse),
            _ => Ok(()),
        }
    }

    fn close_stream(&mut self, super_cas_id: SuperCasId, ecm_id: Option<EcmId>) {
        if let Some(id) = ecm_id {
            assert!(self.ecm_ids.remove(&(super_cas_id.0, id.0)));
        }
    }

    fn ask(&mut self, request: &CwProvision<'_>) -> Result<(), Refusal> {
        if request.access_criteria == b"bad" {
            return Err(Refusal::parameter(EcmgStatus::InvalidValue, p::ACCESS_CRITERIA));
        }
        let periods = request.control_words.as_slice().iter().map(|(n, _)| n.0).collect();
        self.asked.push((request.cp_number.0, periods, request.access_criteria.to_vec()));
        self.waiting.push(vec![0x80, 0x70, 0x01, request.cp_number.0 as u8]);
        Ok(())
    }

    fn make(&mut self, each: &mut EachEcm<'_>) {
        self.batches.push(self.waiting.len());
        self.waiting.drain(..).for_each(|datagram| each(Ok(&datagram)));
    }
}

/// Two machines and the wire between them.
struct Pair {
    client: ClientChannel,
    server: ServerChannel,
    host: Host,
    now: Time,
}

impl Pair {
    fn new(version: u8) -> Self {
        let config = ClientConfig { version, ..ClientConfig::new(CAS, EcmChannelId(1)) };
        Self {
            client: ClientChannel::connected(config, Time(0)),
            server: ServerChannel::new(ServerLimits::default(), Time(0)),
            host: Host::default(),
            now: Time(0),
        }
    }

    /// Carries bytes both ways, one octet at a time, until nothing moves.
    fn settle(&mut self) -> Vec<ClientEvent> {
        let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
        let mut readers = (FrameReader::new(MAX_MESSAGE), FrameReader::new(MAX_MESSAGE));
        while self.client.poll_transmit(&mut to_server)
            | self.server.poll_transmit(&mut self.host, &mut to_client)
        {
            for octet in &to_server {
                readers.0.extend(&[*octet]);
                while let Some(frame) = readers.0.next_frame().unwrap() {
                    let frame = frame.to_vec();
                    self.server.handle(&frame, self.now, &mut self.host);
                }
            }
            for octet in &to_client {
                readers.1.extend(&[*octet]);
                while let Some(frame) = readers.1.next_frame().unwrap() {
                    let frame = frame.to_vec();
                    self.client.handle(&frame, self.now);
                }
            }
        }
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    fn stream(&mut self, id: u16) -> Vec<ClientEvent> {
        self.client.open_stream(EcmStreamId(id), EcmId(id), Deciseconds(100), self.now).unwrap();
        self.settle()
    }

    fn provision(&mut self, id: u16, n: u16, criteria: &[u8]) -> Vec<ClientEvent> {
        let words = [
            (CpNumber(n.wrapping_add(1)), &[1u8; 8][..]),
            (CpNumber(n), &[2; 8]),
            (CpNumber(n.wrapping_sub(1)), &[3; 8]),
        ];
        let provision = Provision {
            cp_number: CpNumber(n),
            cp_duration: None,
            control_words: &words,
            access_criteria: criteria,
        };
        self.client.provision(EcmStreamId(id), &provision, self.now).unwrap();
        self.settle()
    }
}

// spec-test: S-11 S-12 S-14 S-15 S-37
#[test]
fn channel_stream_provision_in_every_version() {
    for version in 1..=5 {
        let mut pair = Pair::new(version);
        assert_eq!(pair.settle(), [ClientEvent::ChannelOpen(parameters())]);
        assert_eq!(pair.stream(1), [ClientEvent::StreamOpen(EcmStreamId(1))]);
        for n in [0xFFFF, 0, 1] {
            let events = pair.provision(1, n, b"gold");
            let datagram = vec![0x80, 0x70, 0x01, n as u8];
            assert_eq!(
                events,
                [ClientEvent::Ecm { stream: EcmStreamId(1), cp_number: CpNumber(n), datagram }]
            );
        }
        // Order in the message is free, numbers wrap, a third word is not looked at; criteria
        // that are not sent again are remembered.
        let gold = b"gold".to_vec();
        assert_eq!(
            pair.host.asked,
            [
                (0xFFFF, vec![0xFFFF, 0], gold.clone()),
                (0, vec![0, 1], gold.clone()),
                (1, vec![1, 2], gold)
            ]
        );
        pair.client.close_stream(EcmStreamId(1), pair.now).unwrap();
        assert_eq!(pair.settle(), [ClientEvent::StreamClosed(EcmStreamId(1))]);
        pair.client.close();
        pair.settle();
        assert!(pair.host.channels.is_empty() && pair.host.ecm_ids.is_empty());
    }
}

// spec-test: S-20
#[test]
fn bad_criteria_leave_stream_and_old_criteria_in_place() {
    let mut pair = Pair::new(3);
    pair.settle();
    pair.stream(1);
    pair.provision(1, 4, b"gold");
    let events = pair.provision(1, 5, b"bad");
    assert_eq!(
        events,
        [ClientEvent::StreamRefused {
            stream: EcmStreamId(1),
            cp_number: Some(CpNumber(5)),
            status: EcmgStatus::InvalidValue
        }]
    );
    // A peer that sends no criteria still gets its old ones.
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, 3, m::CW_PROVISION)
        .u16(p::ECM_CHANNEL_ID, 1)
        .u16(p::ECM_STREAM_ID, 1)
        .u16(p::CP_NUMBER, 6)
        .bytes(p::CP_CW_COMBINATION, &[0, 6, 1, 1, 1, 1, 1, 1, 1, 1])
        .bytes(p::CP_CW_COMBINATION, &[0, 7, 1, 1, 1, 1, 1, 1, 1, 1])
        .finish()
        .unwrap();
    pair.server.handle(&bytes, pair.now, &mut pair.host);
    assert_eq!(pair.host.asked.last().unwrap().2, b"gold");
}

#[test]
fn one_outstanding_provision_per_stream_and_its_time_out() {
    let mut pair = Pair::new(3);
    pair.settle();
    pair.stream(1);
    pair.stream(2);
    let words = [(CpNumber(1), &[1u8; 16][..]), (CpNumber(2), &[2; 16])];
    let provision = Provision {
        cp_number: CpNumber(1),
        cp_duration: Some(Deciseconds(50)),
        control_words: &words,
        access_criteria: b"gold",
    };
    pair.client.provision(EcmStreamId(1), &provision, pair.now).unwrap();
    assert_eq!(
        pair.client.provision(EcmStreamId(1), &provision, pair.now),
        Err(ClientError::Outstanding(EcmStreamId(1)))
    );
    pair.client.provision(EcmStreamId(2), &provision, pair.now).unwrap();
    // The generator is slow: the machine gives up after max_comp_time and the network time.
    let mut lost = Vec::new();
    pair.client.poll_transmit(&mut lost);
    assert_eq!(pair.client.poll_timeout(), Some(Time(1_100)));
    pair.client.handle_timeout(Time(1_099));
    assert_eq!(pair.client.poll_event(), None);
    pair.client.handle_timeout(Time(1_100));
    let timeout =
        |id| Some(ClientEvent::EcmTimeout { stream: EcmStreamId(id), cp_number: CpNumber(1) });
    assert_eq!(pair.client.poll_event(), timeout(1));
    assert_eq!(pair.client.poll_event(), timeout(2));
    // The late answer is dropped, the next request goes through.
    let mut reader = FrameReader::new(MAX_MESSAGE);
    reader.extend(&lost);
    while let Some(frame) = reader.next_frame().unwrap() {
        let frame = frame.to_vec();
        pair.server.handle(&frame, pair.now, &mut pair.host);
    }
    assert!(pair.settle().is_empty());
    assert_eq!(pair.provision(1, 2, b"gold").len(), 1);
}

// spec-test: S-38
#[test]
fn requests_that_come_together_are_made_together_and_answered_in_their_order() {
    let mut pair = Pair::new(3);
    pair.settle();
    (1..=3).for_each(|stream| drop(pair.stream(stream)));
    pair.host.batches.clear();
    let words = [(CpNumber(1), &[1u8; 16][..]), (CpNumber(2), &[2; 16])];
    let mut sent = Vec::new();
    for (stream, access_criteria) in [(3, &b"gold"[..]), (1, b"bad"), (2, b"gold")] {
        let cp_duration = Some(Deciseconds(50));
        let provision = Provision {
            cp_number: CpNumber(1),
            cp_duration,
            control_words: &words,
            access_criteria,
        };
        pair.client.provision(EcmStreamId(stream), &provision, pair.now).unwrap();
        let mut octets = Vec::new();
        pair.client.poll_transmit(&mut octets);
        sent.push(octets);
    }
    // The refusal goes out behind the answer to what was asked before it.
    sent.iter().for_each(|frame| pair.server.handle(frame, pair.now, &mut pair.host));
    let streams = |events: Vec<ClientEvent>| -> Vec<u16> {
        let stream = |event: &ClientEvent| match event {
            ClientEvent::Ecm { stream, .. } | ClientEvent::StreamRefused { stream, .. } => stream.0,
            other => panic!("{other:?}"),
        };
        events.iter().map(stream).collect()
    };
    assert_eq!(streams(pair.settle()), [3, 1, 2]);
    assert_eq!(pair.host.batches, [1, 1]);
    pair.host.batches.clear();
    for stream in [2, 3, 1] {
        pair.now = Time(pair.now.0 + 1);
        let cp_duration = Some(Deciseconds(50));
        let access_criteria = b"gold";
        let words = [(CpNumber(2), &[1u8; 16][..]), (CpNumber(3), &[2; 16])];
        let provision = Provision {
            cp_number: CpNumber(2),
            cp_duration,
            control_words: &words,
            access_criteria,
        };
        pair.client.provision(EcmStreamId(stream), &provision, pair.now).unwrap();
    }
    assert_eq!(streams(pair.settle()), [2, 3, 1]);
    assert_eq!(pair.host.batches, [3], "all three at once");
}

#[test]
fn tests_are_answered_in_both_directions() {
    let limits = ServerLimits { test_period: Some(Milliseconds(1_000)), ..ServerLimits::default() };
    let mut pair = Pair::new(3);
    pair.server = ServerChannel::new(limits, Time(0));
    pair.settle();
    pair.stream(1);
    assert_eq!(pair.server.poll_timeout(), Some(Time(1_000)));
    pair.now = Time(1_000);
    pair.server.handle_timeout(pair.now);
    assert!(pair.settle().is_empty());
    assert!(!pair.server.is_closed());
    // The other way round: the SCS tests after its period of silence.
    pair.now = Time(61_000);
    assert_eq!(pair.client.poll_timeout(), Some(Time(61_000)));
    pair.client.handle_timeout(pair.now);
    assert!(pair.settle().is_empty());
    // Nobody answers: the generator closes, the SCS reports.
    pair.now = Time(62_000);
    pair.server.handle_timeout(pair.now);
    pair.server.handle_timeout(Time(72_000));
    assert!(pair.server.is_closed());
    let mut lost = Vec::new();
    pair.client.handle_timeout(Time(200_000));
    pair.client.poll_transmit(&mut lost);
    pair.client.handle_timeout(Time(205_000));
    assert_eq!(pair.client.poll_event(), Some(ClientEvent::PeerSilent));
}

#[test]
fn a_connection_without_a_channel_is_closed() {
    let mut server = ServerChannel::new(ServerLimits::default(), Time(0));
    server.handle_timeout(Time(29_999));
    assert!(!server.is_closed());
    server.handle_timeout(Time(30_000));
    assert!(server.is_closed());
}

/// A peer that writes what it likes.
struct Raw {
    server: ServerChannel,
    host: Host,
}

type Fill = fn(Writer<'_>) -> Writer<'_>;

impl Raw {
    fn new() -> Self {
        let limits = ServerLimits { bad_messages: 1_000, ..ServerLimits::default() };
        Self { server: ServerChannel::new(limits, Time(0)), host: Host::default() }
    }

    fn open() -> Self {
        let mut raw = Self::new();
        let setup: Fill = |w| w.u16(p::ECM_CHANNEL_ID, 1).u32(p::SUPER_CAS_ID, CAS.0);
        assert_eq!(raw.send(3, m::CHANNEL_SETUP, setup), (m::CHANNEL_STATUS, None));
        let stream: Fill = |w| {
            w.u16(p::ECM_CHANNEL_ID, 1)
                .u16(p::ECM_STREAM_ID, 1)
                .u16(p::ECM_ID, 1)
                .u16(p::NOMINAL_CP_DURATION, 100)
        };
        assert_eq!(raw.send(3, m::STREAM_SETUP, stream), (m::STREAM_STATUS, None));
        raw
    }

    /// The type of the one answer, and its error_status.
    fn send(
        &mut self,
        version: u8,
        kind: u16,
        fill: impl FnOnce(Writer<'_>) -> Writer<'_>,
    ) -> (u16, Option<u16>) {
        let mut bytes = Vec::new();
        fill(Writer::new(&mut bytes, version, kind)).finish().unwrap();
        self.send_bytes(&bytes)
    }

    fn send_bytes(&mut self, bytes: &[u8]) -> (u16, Option<u16>) {
        self.server.handle(bytes, Time(0), &mut self.host);
        let mut answer = Vec::new();
        if !self.server.poll_transmit(&mut self.host, &mut answer) {
            return (0, None);
        }
        let message = Message::parse(&MESSAGES, &answer).unwrap();
        if let Some(information) = message.get(p::ERROR_INFORMATION) {
            assert_eq!(information.len(), 2);
        }
        (message.kind(), message.u16(p::ERROR_STATUS))
    }
}

fn ids(w: Writer<'_>, channel: u16, stream: u16) -> Writer<'_> {
    w.u16(p::ECM_CHANNEL_ID, channel).u16(p::ECM_STREAM_ID, stream)
}

fn stream(w: Writer<'_>, channel: u16, stream: u16, ecm_id: u16, cp: u16) -> Writer<'_> {
    ids(w, channel, stream).u16(p::ECM_ID, ecm_id).u16(p::NOMINAL_CP_DURATION, cp)
}

fn response(w: Writer<'_>) -> Writer<'_> {
    ids(w, 1, 1).u16(p::CP_NUMBER, 1).bytes(p::ECM_DATAGRAM, b"x")
}

fn error(w: Writer<'_>) -> Writer<'_> {
    ids(w, 1, 1).u16(p::ERROR_STATUS, 0x7000)
}

fn provision<'o>(w: Writer<'o>, words: &[u16], extra: Option<(u16, &[u8])>) -> Writer<'o> {
    let mut w = ids(w, 1, 1).u16(p::CP_NUMBER, 8);
    for n in words {
        w = w.parts(p::CP_CW_COMBINATION, &[&n.to_be_bytes(), &[7; 8]]);
    }
    match extra {
        Some((kind, value)) => w.bytes(kind, value),
        None => w,
    }
}

// spec-test: S-34
#[test]
fn each_error_is_provoked() {
    let mut raw = Raw::new();
    let refused = |status| (m::CHANNEL_ERROR, Some(status));
    // 0x0005, 0x0006 before any channel, 0x0002, 0x000F, 0x0010, 0x0001.
    assert_eq!(
        raw.send(3, m::CHANNEL_SETUP, |w| w.u16(p::ECM_CHANNEL_ID, 1).u32(p::SUPER_CAS_ID, 9)),
        refused(0x0005)
    );
    assert_eq!(raw.send(3, m::CHANNEL_TEST, |w| w.u16(p::ECM_CHANNEL_ID, 1)), refused(0x0006));
    assert_eq!(raw.send(9, m::CHANNEL_TEST, |w| w.u16(p::ECM_CHANNEL_ID, 1)), refused(0x0002));
    assert_eq!(raw.send(3, m::CHANNEL_TEST, |w| w.u8(p::ECM_CHANNEL_ID, 1)), refused(0x000F));
    assert_eq!(raw.send(3, m::CHANNEL_TEST, |w| w), refused(0x0010));
    assert_eq!(raw.send_bytes(&[3, 0, 2, 0, 3, 0, 0x0E, 9]), refused(0x0001));
    // An unknown message is ignored.
    assert_eq!(raw.send(3, 0x0777, |w| w), (0, None));
    let mut raw = Raw::open();
    // One channel per connection.
    let setup = |id| {
        move |w: &mut Vec<u8>| {
            Writer::new(w, 3, m::CHANNEL_SETUP)
                .u16(p::ECM_CHANNEL_ID, id)
                .u32(p::SUPER_CAS_ID, CAS.0)
                .finish()
                .unwrap();
        }
    };
    for (id, status) in [(1, 0x0013), (2, 0x0006)] {
        let mut bytes = Vec::new();
        setup(id)(&mut bytes);
        assert_eq!(raw.send_bytes(&bytes), refused(status));
    }
    let refused = |status| (m::STREAM_ERROR, Some(status));
    assert_eq!(raw.send(3, m::STREAM_SETUP, |w| stream(w, 1, 1, 2, 100)), refused(0x0014));
    assert_eq!(raw.send(3, m::STREAM_SETUP, |w| stream(w, 1, 2, 1, 100)), refused(0x0015));
    assert_eq!(raw.send(3, m::STREAM_SETUP, |w| stream(w, 9, 2, 2, 100)), refused(0x0006));
    assert_eq!(raw.send(3, m::STREAM_SETUP, |w| stream(w, 1, 2, 2, 9)), refused(0x0011));
    assert_eq!(raw.send(1, m::STREAM_SETUP, |w| stream(w, 1, 2, 2, 100)), refused(0x0001));
    for id in [2, 3] {
        let made = raw.send(3, m::STREAM_SETUP, |w| stream(w, 1, id, id, 100));
        assert_eq!(made, (m::STREAM_STATUS, None));
    }
    assert_eq!(raw.send(3, m::STREAM_SETUP, |w| stream(w, 1, 4, 4, 100)), refused(0x0009));
    assert_eq!(raw.send(3, m::STREAM_TEST, |w| ids(w, 1, 9)), refused(0x0007));
    assert_eq!(raw.send(3, m::STREAM_TEST, |w| ids(w, 1, 1)), (m::STREAM_STATUS, None));
    assert_eq!(raw.send(3, m::STREAM_CLOSE_REQUEST, |w| ids(w, 1, 9)), refused(0x0007));
    // A message that only the generator sends.
    assert_eq!(raw.send(3, m::ECM_RESPONSE, response), refused(0x0001));
    let criteria = Some((p::ACCESS_CRITERIA, &b"gold"[..]));
    let kind = m::CW_PROVISION;
    // No criteria yet; too few words; words of other periods; words said to be encrypted.
    assert_eq!(raw.send(3, kind, |w| provision(w, &[8, 9], None)), refused(0x0010));
    assert_eq!(raw.send(3, kind, |w| provision(w, &[8], criteria)), refused(0x000B));
    assert_eq!(raw.send(3, kind, |w| provision(w, &[7, 8], criteria)), refused(0x000B));
    let encrypted = Some((p::CW_ENCRYPTION, &b"x"[..]));
    assert_eq!(raw.send(3, kind, |w| provision(w, &[8, 9], encrypted)), refused(0x0011));
    let bad = Some((p::ACCESS_CRITERIA, &b"bad"[..]));
    assert_eq!(raw.send(3, kind, |w| provision(w, &[8, 9], bad)), refused(0x0011));
    // spec-test: S-21
    let made = raw.send(3, kind, |w| provision(w, &[5, 9, 7, 8, 6], criteria));
    assert_eq!(made, (m::ECM_RESPONSE, None));
    // Statuses and errors that answer nothing are taken silently, terse ones too.
    assert_eq!(raw.send(3, m::CHANNEL_STATUS, |w| w.u16(p::ECM_CHANNEL_ID, 1)), (0, None));
    assert_eq!(raw.send(3, m::STREAM_ERROR, error), (0, None));
    // After channel_close the same connection may set up a channel again.
    assert_eq!(raw.send(3, m::CHANNEL_CLOSE, |w| w.u16(p::ECM_CHANNEL_ID, 1)), (0, None));
    assert!(raw.host.channels.is_empty() && raw.host.ecm_ids.is_empty());
    let mut bytes = Vec::new();
    setup(2)(&mut bytes);
    assert_eq!(raw.send_bytes(&bytes), (m::CHANNEL_STATUS, None));
    raw.server.disconnected(&mut raw.host);
    assert!(raw.host.channels.is_empty());
}

#[test]
fn too_long_and_too_many_bad_messages_end_the_connection() {
    let mut host = Host::default();
    let mut server = ServerChannel::new(ServerLimits::default(), Time(0));
    for _ in 0..16 {
        assert!(!server.is_closed());
        server.handle(&[3, 0, 2, 0, 0], Time(0), &mut host);
    }
    assert!(server.is_closed());
    let mut server = ServerChannel::new(ServerLimits::default(), Time(0));
    server.frame_too_long();
    let mut answer = Vec::new();
    server.poll_transmit(&mut Host::default(), &mut answer);
    let status = peek_parameter(&answer, p::ERROR_STATUS).map(u16::from_be_bytes);
    assert_eq!(status, Some(0x0004));
    assert!(server.is_closed());
}
