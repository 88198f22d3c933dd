#![allow(clippy::unwrap_used)]

use portcullis_ts::{Packet, Pcr};
use portcullis_types::{CpNumber, Parity, ScramblingMode, ServiceId};

use super::*;
use crate::pipeline::testing::{Made, config, fake_ecm, random};
use crate::pipeline::{Pace, Pipeline, PipelineConfig, Progress};

const DEADLINE: Duration = Duration::from_millis(10);

/// A service on air: its packets come in real time.
struct Service {
    pipeline: Pipeline,
    input: std::vec::IntoIter<RawPacket>,
    out: Outgoing,
}

impl Service {
    fn new(mode: ScramblingMode, first_cp: u16) -> Self {
        let base = config();
        let config = PipelineConfig {
            service: ServiceId(1),
            mode,
            first_cp: CpNumber(first_cp),
            pace: Pace::Live,
            ..base
        };
        let made = Made { nulls: true, shared_pmt_pid: false, seconds: 6 };
        let input = made.packets().into_iter();
        Self { pipeline: Pipeline::new(config, random()), input, out: Outgoing::default() }
    }

    /// The next packet of the input came; `false` at its end.
    fn step(&mut self) -> bool {
        let Some(packet) = self.input.next() else { return false };
        self.pipeline.push(&[packet]).unwrap();
        while let Some(provision) = self.pipeline.poll_provision() {
            let ecm = fake_ecm(&provision);
            self.pipeline.handle_ecm(provision.stream, provision.cp_number, &ecm).unwrap();
        }
        while self.pipeline.advance(&mut self.out).unwrap() != Progress::NeedInput {}
        true
    }
}

// Two services of 1.5 Mbit/s, each with a pipeline, control words and mode of its own. Their keys
// are never of one parity at a time, so that a batch with both parities is a batch of both.
#[test]
fn services_of_little_bitrate_share_batches_within_the_deadline() {
    let modes = [ScramblingMode::Csa2, ScramblingMode::Cissa];
    let mut services = [Service::new(modes[0], 0), Service::new(modes[1], 1)];
    let mut air = Air::new(DEADLINE, false);
    let (mut sent, mut mixed) = (Vec::new(), 0);
    'on_air: for ms in 0u32.. {
        // The second service's clock references come 5 ms behind the first one's.
        let now = Duration::from_millis(ms.into());
        for (index, service) in services.iter_mut().enumerate() {
            if ms >= 5 * index as u32 && !service.step() {
                break 'on_air;
            }
            air.take(&service.out, now);
            service.out.clear();
        }
        let due = air.due(now);
        sent.extend_from_slice(due);
        let has = |parity| due.iter().any(|raw| Packet::new(raw).tsc().parity() == Some(parity));
        mixed += u64::from(has(Parity::Even) && has(Parity::Odd));
    }
    let stats = air.stats();
    assert!(stats.batches > 100, "{stats:?}");
    // One service alone has 40 packets between two clock references.
    assert!(stats.packets / stats.batches > 60, "{stats:?}");
    assert!(mixed > stats.batches / 2, "{mixed} of {stats:?}");
    let slack = Duration::from_millis(1);
    assert!(stats.p99 <= DEADLINE + slack && stats.max <= DEADLINE + slack, "{stats:?}");
    let clear = |packet: &RawPacket| {
        let view = Packet::new(packet);
        matches!(view.pid().get(), 0x101 | 0x102)
            && view.payload_offset().is_some()
            && view.tsc().is_clear()
    };
    let first = sent.iter().position(|packet| Packet::new(packet).tsc().parity().is_some());
    let both = first.unwrap() + 200;
    assert!(!sent[both..].iter().any(clear), "nothing of a service is in clear once it began");
}

#[test]
fn a_paced_way_sends_in_time_and_without_jitter_from_batches() {
    let mut service = Service::new(ScramblingMode::Cissa, 0);
    let mut air = Air::new(DEADLINE, true);
    let mut arrivals = Vec::new();
    for ms in 0..5_900u64 {
        let now = Duration::from_millis(ms);
        service.step();
        air.take(&service.out, now);
        service.out.clear();
        for packet in air.due(now) {
            if let Some(pcr) = Packet::new(packet).pcr() {
                arrivals.push((ms, pcr.ticks() / (Pcr::HZ / 1_000)));
            }
        }
        assert!(air.has_room(false, now), "{} packets wait", air.queue.len());
    }
    assert!(arrivals.len() > 100);
    let (first, clock) = arrivals[0];
    for (ms, ticks) in &arrivals[1..] {
        let late = (ms - first) as i64 - (ticks - clock) as i64;
        assert!(late.abs() <= 2, "clock reference {ticks} ms comes {late} ms late");
    }
}

// attack-test: F-10
#[test]
fn a_way_that_is_not_emptied_takes_no_more() {
    let mut service = Service::new(ScramblingMode::Cissa, 0);
    let mut air = Air::new(DEADLINE, true);
    // The clock stands still: what is at hand is worked on only a little ahead.
    while air.has_room(true, Duration::ZERO) && service.step() {
        air.take(&service.out, Duration::ZERO);
        service.out.clear();
    }
    let waiting = air.queue.len() + air.scheduler.len();
    assert!((60..700).contains(&waiting), "{waiting} packets wait");

    let mut air = Air::new(DEADLINE, false);
    let mut rounds = 0;
    while air.has_room(false, Duration::ZERO) {
        let mut service = Service::new(ScramblingMode::Cissa, 0);
        while service.step() {
            air.take(&service.out, Duration::ZERO);
            service.out.clear();
        }
        rounds += 1;
    }
    assert!(rounds < 20 && air.queue.len() < QUEUE_MAX + 6_200, "{}", air.queue.len());
}
