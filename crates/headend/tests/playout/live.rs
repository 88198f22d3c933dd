//! On air: UDP out, in real time.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use portcullis_headend::event::Events;
use portcullis_headend::playout::run;
use portcullis_ts::{Packet, Pcr, RawPacket};
use portcullis_types::{Pid, ScramblingMode};

use crate::config;
use crate::generator::{self, Behaviour};
use crate::receiver::{Receiver, of};
use crate::stream::{VIDEO, file, made};

/// Plays a looped file for a while; returns what came and what was reported.
async fn on_air(
    behaviour: Behaviour,
    length: usize,
    time: Duration,
) -> (Vec<RawPacket>, Vec<serde_json::Value>) {
    let address = generator::start(behaviour).await;
    let input = file(&made(length));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let output = format!("udp://{}", socket.local_addr().unwrap()).parse().unwrap();
    let mut config = config(input.path(), output, &address);
    config.repeat = true;
    let (sender, reports) = std::sync::mpsc::channel();
    let events = Events::to(move |event| drop(sender.send(event.clone())));
    let stop = Arc::new(AtomicBool::new(false));
    let playing = tokio::spawn(run(config, events, Arc::clone(&stop)));
    let received = tokio::task::spawn_blocking(move || {
        let begun = Instant::now();
        let mut packets = Vec::new();
        let mut datagram = [0; 2_000];
        while begun.elapsed() < time {
            if let Ok(length) = socket.recv(&mut datagram) {
                assert_eq!(length % 188, 0);
                packets.extend(datagram[..length].as_chunks().0);
            }
        }
        packets
    });
    let packets = received.await.unwrap();
    stop.store(true, Ordering::Relaxed);
    playing.await.unwrap().unwrap();
    (packets, reports.try_iter().collect())
}

fn named<'a>(events: &'a [serde_json::Value], name: &str) -> Vec<&'a serde_json::Value> {
    events.iter().filter(|event| event["event"] == name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_looped_file_runs_on_without_a_seam_and_in_real_time() {
    for length in [1_000, 5_000] {
        check_loop(length).await;
    }
}

async fn check_loop(length: usize) {
    let (packets, events) =
        on_air(Behaviour::default(), length, Duration::from_millis(3_600)).await;
    // 1000 packets a second come in, and a few more go out.
    assert!((3_200..4_500).contains(&packets.len()), "{} packets", packets.len());
    let opened = Receiver::new(1, ScramblingMode::Cissa).open(&packets);
    let video = of(&opened, &[Pid::new(VIDEO).unwrap()]);
    let first = packets.iter().position(|p| !Packet::new(p).tsc().is_clear()).unwrap();
    assert!((400..700).contains(&first), "scrambling begins after {first} packets");
    for pair in video.windows(2) {
        assert_eq!(Packet::new(&pair[1]).cc(), (Packet::new(&pair[0]).cc() + 1) & 15);
    }
    let clocks: Vec<_> = video.iter().filter_map(|packet| Packet::new(packet).pcr()).collect();
    for pair in clocks.windows(2) {
        assert_eq!(pair[1].since(pair[0]), 50 * Pcr::HZ / 1_000);
    }
    let made = of(&made(length), &[Pid::new(VIDEO).unwrap()]);
    for (n, packet) in video.iter().enumerate() {
        assert!(packet[12..] == made[n % made.len()][12..], "packet {n}");
    }
    assert!(named(&events, "crypto_period").len() >= 3);
    assert!(named(&events, "ecm_late").is_empty(), "a read of many periods waits for no ECM");
    assert!(named(&events, "headend").len() >= 2);
    let ecm = named(&events, "ecm")[0];
    assert_eq!(ecm["super_cas_id"], "0x7a100001");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_generator_stretches_the_crypto_period() {
    let length = 1_000;
    let behaviour = Behaviour { delay: Duration::from_millis(2_500), ..Behaviour::default() };
    let (packets, events) = on_air(behaviour, length, Duration::from_millis(5_000)).await;
    assert!(!named(&events, "ecm_late").is_empty() || !named(&events, "ecm_failed").is_empty());
    // Whatever happened, no packet was on air without its key.
    let opened = Receiver::new(1, ScramblingMode::Cissa).open(&packets);
    let video = of(&opened, &[Pid::new(VIDEO).unwrap()]);
    let made = of(&made(length), &[Pid::new(VIDEO).unwrap()]);
    assert!(video.len() > 3_000);
    for (n, packet) in video.iter().enumerate() {
        assert!(packet[12..] == made[n % made.len()][12..], "packet {n}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_ecm_takes_no_service_off_the_air() {
    let behaviour = Behaviour { bad: Some(2), ..Behaviour::default() };
    let (packets, events) = on_air(behaviour, 1_000, Duration::from_millis(3_600)).await;
    let opened = Receiver::new(1, ScramblingMode::Cissa).open(&packets);
    assert!(of(&opened, &[Pid::new(VIDEO).unwrap()]).len() > 2_000);
    assert!(named(&events, "crypto_period").len() >= 3, "the ECM was asked for again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_for_the_first_ecm_can_be_ended() {
    let behaviour = Behaviour { silent: true, ..Behaviour::default() };
    let playing = on_air(behaviour, 1_000, Duration::from_millis(700));
    let (packets, _) = tokio::time::timeout(Duration::from_secs(5), playing).await.unwrap();
    assert!(packets.is_empty(), "nothing of the service goes out before its ECM");
}
