//! ECMs on air in time, and control words only with them.

use portcullis_ts::Packet;

use super::super::testing::*;
use super::super::*;
use super::receiver::*;

// spec-test: S-17
#[test]
fn ecms_are_repeated_within_100_ms_of_stream_time() {
    for nulls in [true, false] {
        let input = Made { nulls, shared_pmt_pid: false, seconds: 6 }.packets();
        let (out, ..) = run(config(), &input);
        let receiver = check_identity(ScramblingMode::Cissa, &input, &out);
        assert!(receiver.ecm_times.len() >= 60);
        for pair in receiver.ecm_times.windows(2) {
            assert!(pair[1].0.0 - pair[0].0.0 <= 100 * StreamTime::PER_MS, "{pair:?}");
        }
    }
}

// spec-test: S-16
#[test]
fn ecms_change_at_delay_start_after_their_crypto_period_began() {
    for delay in [200, 0, -300] {
        let input = Made { nulls: false, shared_pmt_pid: false, seconds: 5 }.packets();
        let mut config = config();
        config.first_cp = CpNumber(0);
        config.ecm[0].delay_start_ms = delay;
        config.ecm[0].delay_stop_ms = delay;
        let (out, ..) = run(config, &input);
        let mut receiver = Receiver::new(ScramblingMode::Cissa);
        let mut switches = Vec::new();
        let mut parity = None;
        for (raw, time) in out.packets.iter().zip(&out.times) {
            receiver.push(raw, *time);
            let now = Packet::new(raw).tsc().parity();
            if now.is_some() && now != parity {
                switches.push(time.0 / StreamTime::PER_MS);
                parity = now;
            }
        }
        assert_eq!(switches.len(), 5);
        for (n, at) in switches.iter().enumerate() {
            assert!(at.abs_diff(n as u64 * 1_000) <= 3, "period {n} at {at} ms");
            let first = receiver.ecm_times.iter().find(|(_, number)| usize::from(*number) == n);
            let first = first.unwrap().0.0 / StreamTime::PER_MS;
            let planned = if n == 0 { 0 } else { (n as i64 * 1_000 + i64::from(delay)) as u64 };
            assert!(first.abs_diff(planned) <= 3, "ECM {n} at {first} ms, planned {planned}");
        }
    }
}

// spec-test: S-07 S-08 E-R23
#[test]
fn two_generators_get_the_same_control_words_and_play_on_pids_of_their_own() {
    let input = Made { nulls: true, shared_pmt_pid: false, seconds: 3 }.packets();
    let mut config = config();
    config.ecm.push(EcmStreamConfig { in_packets: false, ..ecm_config(0x7B20_0001) });
    let (out, ..) = run(config, &input);
    let receiver = check_identity(ScramblingMode::Cissa, &input, &out);
    let descriptors = receiver.pmt.unwrap().ca_descriptors();
    assert_eq!(descriptors.len(), 2);
    let ecms = |pid: Pid| {
        let mut reader = Reader::default();
        let mut sections: Vec<_> =
            of(&out.packets, pid.get()).iter().flat_map(|p| reader.push(Packet::new(p))).collect();
        sections.dedup();
        sections
    };
    assert_ne!(descriptors[0].pid, descriptors[1].pid);
    assert_eq!(ecms(descriptors[0].pid), ecms(descriptors[1].pid));
}

#[test]
fn a_file_waits_for_a_late_ecm_and_a_broadcast_keeps_its_control_word() {
    let input = Made { nulls: true, shared_pmt_pid: false, seconds: 5 }.packets();
    let late = |provision: &CwProvision| provision.cp_number != CpNumber(2);
    let base = PipelineConfig { first_cp: CpNumber(0), ..config() };
    let (out, ..) = try_run(base.clone(), &input, late).unwrap();
    check_identity(ScramblingMode::Cissa, &input, &out);

    let live = PipelineConfig { pace: Pace::Live, ..base };
    let (out, events, _) = try_run(live, &input, late).unwrap();
    check_identity(ScramblingMode::Cissa, &input, &out);
    let begun = events.iter().filter(|e| matches!(e, Event::CryptoPeriod { .. })).count();
    assert_eq!(begun, 2);
    assert!(events.contains(&Event::EcmLate {
        super_cas_id: SuperCasId(0x7A10_0001),
        cp_number: CpNumber(2)
    }));
}

#[test]
fn a_bad_ecm_is_the_generators_fault() {
    let mut pipeline = Pipeline::new(config(), random());
    let long = [&[0x80, 0x70, 254][..], &[0; 254]].concat();
    for bad in [&[0x80, 0x70][..], &[0x80, 0x70, 5, 1, 2], &[0x80; 5_000], &long] {
        let error = pipeline.handle_ecm(0, CpNumber(0xFFFE), bad).unwrap_err();
        assert!(matches!(error, PipelineError::BadEcm { .. }));
    }
}

// spec-test: S-16 S-17
#[test]
fn a_service_of_little_bitrate_has_its_ecms_in_time() {
    let made = Made { nulls: false, shared_pmt_pid: false, seconds: 6 }.packets();
    let input: Vec<_> =
        (0..made.len()).filter(|i| i % 120 == 0 || i % 1_000 < 6).map(|i| made[i]).collect();
    let (out, ..) = run(config(), &input);
    let mut receiver = Receiver::new(ScramblingMode::Cissa);
    for (raw, time) in out.packets.iter().zip(&out.times) {
        receiver.push(raw, *time);
    }
    assert!(out.times.is_sorted());
    assert!(receiver.ecm_times.len() >= 55);
    for pair in receiver.ecm_times.windows(2) {
        let gap = pair[1].0.0 - pair[0].0.0;
        assert!(gap <= 100 * StreamTime::PER_MS, "{} ms", gap / StreamTime::PER_MS);
        if pair[0].1 != pair[1].1 {
            let into_period = pair[1].0.0 / StreamTime::PER_MS % 1_000;
            assert!((200..=201).contains(&into_period), "new ECM {into_period} ms into a period");
        }
    }
}
