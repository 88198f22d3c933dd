//! The codec: grammar of both interfaces, versions, every truncation, random bytes, and the same
//! bytes through an independent codec.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use broadcast_common::traits::Serialize;
use dvb_simulcrypt::{
    Interface, MessageType, Parameter as TheirParameter, ParameterType, SimulcryptMessage,
};
use portcullis_simulcrypt::ecmg::{EcmgStatus, MESSAGES as ECMG, message as m, parameter as p};
use portcullis_simulcrypt::emmg::{
    EmmgStatus, MESSAGES as EMMG, UDP_MESSAGES, message as em, parameter as ep,
};
use portcullis_simulcrypt::{Fault, MAX_MESSAGE, Message, MessageRule, Values, Writer};
use proptest::prelude::*;

/// A message that the rule allows: every parameter of the version, as short and seldom as it may.
fn least(rule: &MessageRule, version: u8, optional: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, version, rule.kind);
    for parameter in rule.parameters.iter().filter(|p| p.versions.contains(&version)) {
        let count = (*parameter.count.start()).max(usize::from(optional));
        for _ in 0..count {
            writer = writer.bytes(parameter.kind, &vec![0; *parameter.len.start()]);
        }
    }
    writer.finish().unwrap();
    out
}

fn tables() -> [(&'static [MessageRule], bool); 3] {
    [(&ECMG, false), (&EMMG, false), (&UDP_MESSAGES, true)]
}

// spec-test: S-23 S-24
#[test]
fn every_message_of_every_version_parses_and_no_truncation_does() {
    for (table, _) in tables() {
        for rule in table {
            assert!(rule.parameters.len() <= 20, "{}", rule.name);
            for version in 1..=5 {
                for optional in [false, true] {
                    let bytes = least(rule, version, optional);
                    let message = Message::parse(table, &bytes).unwrap();
                    assert_eq!((message.kind(), message.version()), (rule.kind, version));
                    for end in 0..bytes.len() {
                        let error = Message::parse(table, &bytes[..end]).unwrap_err();
                        assert_eq!((error.fault, error.offset), (Fault::Truncated, end));
                        // Cut with a length that agrees: a parameter overruns or is missing.
                        if end >= 5 {
                            let mut cut = bytes[..end].to_vec();
                            cut[3..5].copy_from_slice(&((end - 5) as u16).to_be_bytes());
                            let result = Message::parse(table, &cut);
                            assert!(optional || result.is_err(), "{} {end}", rule.name);
                        }
                    }
                }
            }
        }
    }
}

// spec-test: S-34 S-47
#[test]
fn each_rule_is_kept() {
    for (table, _) in tables() {
        for rule in table {
            for version in 1..=5 {
                let whole = least(rule, version, true);
                for parameter in rule.parameters {
                    let offset = whole.len();
                    let with = |value: &[u8], times: usize| {
                        let mut out = whole.clone();
                        for _ in 0..times {
                            out.extend_from_slice(&parameter.kind.to_be_bytes());
                            out.extend_from_slice(&(value.len() as u16).to_be_bytes());
                            out.extend_from_slice(value);
                        }
                        let len = out.len() - 5;
                        out[3..5].copy_from_slice(&(len as u16).to_be_bytes());
                        out
                    };
                    let value = vec![0; *parameter.len.start()];
                    let in_version = rule
                        .parameters
                        .iter()
                        .any(|p| p.kind == parameter.kind && p.versions.contains(&version));
                    if !in_version {
                        let error = Message::parse(table, &with(&value, 1)).unwrap_err();
                        assert_eq!(error.fault, Fault::Forbidden(parameter.kind));
                        assert_eq!(error.offset, offset);
                        assert_eq!(error.ecmg_status(), EcmgStatus::InvalidMessage);
                        continue;
                    }
                    if *parameter.count.end() == 1 && parameter.versions.contains(&version) {
                        let error = Message::parse(table, &with(&value, 1)).unwrap_err();
                        assert_eq!(error.fault, Fault::Repeated(parameter.kind));
                        assert_eq!(error.information(), parameter.kind);
                        assert_eq!(error.ecmg_status().code(), 0x0010);
                        assert_eq!(error.emmg_status().code(), 0x000C);
                    }
                }
            }
        }
    }
}

#[test]
fn lengths_values_and_absences_have_their_own_codes() {
    let mut out = Vec::new();
    Writer::new(&mut out, 3, m::CHANNEL_SETUP).u16(p::ECM_CHANNEL_ID, 1).finish().unwrap();
    let error = Message::parse(&ECMG, &out).unwrap_err();
    assert_eq!((error.ecmg_status().code(), error.information()), (0x0010, 0x0001));
    out.clear();
    Writer::new(&mut out, 3, m::CHANNEL_SETUP)
        .u16(p::ECM_CHANNEL_ID, 1)
        .u16(p::SUPER_CAS_ID, 1)
        .finish()
        .unwrap();
    let error = Message::parse(&ECMG, &out).unwrap_err();
    assert_eq!((error.ecmg_status().code(), error.information()), (0x000F, 11));
    out.clear();
    Writer::new(&mut out, 3, em::CHANNEL_SETUP)
        .u32(ep::CLIENT_ID, 1)
        .u16(ep::DATA_CHANNEL_ID, 1)
        .u8(ep::SECTION_TSPKT_FLAG, 2)
        .finish()
        .unwrap();
    let error = Message::parse(&EMMG, &out).unwrap_err();
    assert_eq!((error.emmg_status(), error.information()), (EmmgStatus::InvalidValue, 19));
    // spec-test: S-31 S-45
    out[0] = 5;
    assert_eq!(Message::parse(&EMMG, &out).unwrap().u8(ep::SECTION_TSPKT_FLAG), Some(2));
    out[0] = 6;
    assert_eq!(Message::parse(&EMMG, &out).unwrap_err().emmg_status().code(), 0x0002);
    out[0] = 3;
    out[1] = 0x77;
    assert_eq!(Message::parse(&EMMG, &out).unwrap_err().fault, Fault::UnknownMessage(0x7711));
}

#[test]
fn unknown_parameters_are_dropped_and_order_is_free() {
    let mut out = Vec::new();
    Writer::new(&mut out, 2, m::STREAM_SETUP)
        .u16(p::NOMINAL_CP_DURATION, 100)
        .bytes(0x9000, b"user defined")
        .u16(p::ECM_ID, 7)
        .u16(p::ECM_STREAM_ID, 2)
        .bytes(0x6FFF, b"")
        .u16(p::ECM_CHANNEL_ID, 1)
        .finish()
        .unwrap();
    let message = Message::parse(&ECMG, &out).unwrap();
    assert_eq!(message.u16(p::ECM_ID), Some(7));
    assert_eq!(message.all(p::NOMINAL_CP_DURATION).next().unwrap().offset, 5);
}

// In version 1 a control word has 8 octets and there is no ECM_id.
#[test]
fn version_1_is_narrower() {
    let provision = |version, word: &[u8]| {
        let mut out = Vec::new();
        Writer::new(&mut out, version, m::CW_PROVISION)
            .u16(p::ECM_CHANNEL_ID, 1)
            .u16(p::ECM_STREAM_ID, 1)
            .u16(p::CP_NUMBER, 1)
            .parts(p::CP_CW_COMBINATION, &[&[0, 1], word])
            .finish()
            .unwrap();
        Message::parse(&ECMG, &out).map(|_| ()).map_err(|e| e.fault)
    };
    assert_eq!(provision(1, &[0; 8]), Ok(()));
    assert_eq!(provision(1, &[0; 16]), Err(Fault::Length(p::CP_CW_COMBINATION)));
    assert_eq!(provision(2, &[0; 16]), Ok(()));
}

#[test]
fn a_message_has_an_end() {
    let mut out = vec![0xAA];
    let value = vec![0; 0xFFFF - 4];
    Writer::new(&mut out, 3, 1).bytes(1, &value).finish().unwrap();
    assert_eq!(out.len(), 1 + MAX_MESSAGE);
    out.truncate(1);
    assert!(Writer::new(&mut out, 3, 1).bytes(1, &value).bytes(2, b"").finish().is_err());
    assert!(Writer::new(&mut out, 3, 1).bytes(1, &[0; 0x10000]).finish().is_err());
    assert_eq!(out, [0xAA]);
}

#[test]
fn control_words_do_not_show_in_debug_output() {
    let mut out = Vec::new();
    Writer::new(&mut out, 3, m::CW_PROVISION)
        .u16(p::ECM_CHANNEL_ID, 1)
        .u16(p::ECM_STREAM_ID, 1)
        .u16(p::CP_NUMBER, 1)
        .bytes(p::CP_CW_COMBINATION, &[0, 1, 222, 222, 222, 222, 222, 222, 222, 222])
        .finish()
        .unwrap();
    let text = format!("{:?}", Message::parse(&ECMG, &out).unwrap());
    assert!(text.contains("CW_provision") && !text.contains("222"), "{text}");
}

#[test]
fn codes_and_statuses_are_inverse() {
    for code in 0..=0xFFFFu16 {
        assert_eq!(EcmgStatus::from_code(code).code(), code);
        assert_eq!(EmmgStatus::from_code(code).code(), code);
    }
    assert_eq!(EcmgStatus::ChannelInUse.code(), 0x0013);
    assert_eq!(EmmgStatus::DataIdInUse.code(), 0x0013);
}

/// The same message through the independent codec.
fn theirs(interface: Interface, version: u8, kind: u16, parameters: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let parameters = parameters
        .iter()
        .map(|(kind, value)| TheirParameter::new(ParameterType::from_u16(interface, *kind), value))
        .collect();
    let message =
        SimulcryptMessage::new(version, MessageType::from_u16(interface, kind), parameters);
    let mut out = vec![0; message.serialized_len()];
    let written = message.serialize_into(&mut out).unwrap();
    out.truncate(written);
    out
}

fn one_of(table: &'static [MessageRule]) -> impl Strategy<Value = (usize, u8, Vec<Vec<u8>>)> {
    let values = proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 20);
    (0..table.len(), 2u8..=5, values)
}

/// Fills a rule with random values of allowed lengths.
fn fill(rule: &MessageRule, version: u8, values: &[Vec<u8>]) -> Vec<(u16, Vec<u8>)> {
    let mut parameters = Vec::new();
    for (rule, random) in rule.parameters.iter().zip(values) {
        if !rule.versions.contains(&version) {
            continue;
        }
        let mut value = random.clone();
        let len = value.len().clamp(*rule.len.start(), *rule.len.end());
        value.resize(len, 0x5A);
        if let (Values::UpTo(last), [octet]) = (rule.values, value.as_mut_slice()) {
            *octet %= last + 1;
        }
        parameters.push((rule.kind, value));
    }
    parameters
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn both_codecs_write_and_read_the_same_bytes(
        (ecmg, v, values) in one_of(&ECMG), (emmg, w, others) in one_of(&EMMG)
    ) {
        for (table, interface, index, version, values) in [
            (&ECMG[..], Interface::EcmgScs, ecmg, v, values),
            (&EMMG[..], Interface::EmmgPdgMux, emmg, w, others),
        ] {
            let rule = &table[index];
            let parameters = fill(rule, version, &values);
            let mut ours = Vec::new();
            let mut writer = Writer::new(&mut ours, version, rule.kind);
            for (kind, value) in &parameters {
                writer = writer.bytes(*kind, value);
            }
            writer.finish().unwrap();
            prop_assert_eq!(&theirs(interface, version, rule.kind, &parameters), &ours);
            let table: &'static [MessageRule] = if interface == Interface::EcmgScs { &ECMG } else { &EMMG };
            let message = Message::parse(table, &ours).unwrap();
            let read = SimulcryptMessage::parse_on(interface, &ours).unwrap();
            prop_assert_eq!(read.message_type.to_u16(), message.kind());
            for parameter in &read.parameters {
                let kind = parameter.ptype.to_u16();
                prop_assert!(message.all(kind).any(|p| p.value == parameter.value));
            }
        }
    }

    // attack-test: T-14
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for (table, _) in tables() {
            let _ = Message::parse(table, &bytes);
        }
    }

    #[test]
    fn changed_octets_never_panic(
        index in 0usize..13, version in 1u8..=5, at in any::<usize>(), octet: u8
    ) {
        let mut bytes = least(&ECMG[index], version, true);
        let at = at % bytes.len();
        bytes[at] = octet;
        let _ = Message::parse(&ECMG, &bytes);
    }
}
