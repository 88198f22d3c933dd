//! File to file.

use std::process::Command;
use std::time::Duration;

use portcullis_headend::location::Location;
use portcullis_types::{Pid, ScramblingMode, ServiceId};

use crate::generator::{self, Behaviour};
use crate::receiver::{Receiver, without_clocks};
use crate::stream::{VIDEO, file, made, read};
use crate::{config, play};

// spec-test: S-14 S-15 S-18
#[tokio::test]
async fn a_file_opens_from_its_first_packet_to_its_last() {
    for (flag, mode) in [(0, ScramblingMode::Cissa), (1, ScramblingMode::Csa2)] {
        let address = generator::start(Behaviour { flag, ..Behaviour::default() }).await;
        let packets = made(3_500);
        let input = file(&packets);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.ts");
        let mut config = config(input.path(), Location::File(path.clone()), &address);
        config.mode = mode;
        let summary = play(config).await.unwrap();
        assert_eq!(summary.crypto_periods, 4);
        assert_eq!(summary.duration_ms / 100, 34);
        let out = read(&path);
        assert_eq!(summary.packets as usize, out.len());
        let mut receiver = Receiver::new(1, mode);
        let video = [Pid::new(VIDEO).unwrap()];
        assert!(without_clocks(&receiver.open(&out), &video) == without_clocks(&packets, &video));
        assert!(receiver.ecms > 30);
    }
}

#[tokio::test]
async fn a_broken_connection_costs_a_file_nothing() {
    let behaviour = Behaviour {
        breaks_after: Some(2),
        delay: Duration::from_millis(50),
        ..Behaviour::default()
    };
    let address = generator::start(behaviour).await;
    let packets = made(5_000);
    let input = file(&packets);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.ts");
    play(config(input.path(), Location::File(path.clone()), &address)).await.unwrap();
    let mut receiver = Receiver::new(1, ScramblingMode::Cissa);
    let video = [Pid::new(VIDEO).unwrap()];
    assert!(
        without_clocks(&receiver.open(&read(&path)), &video) == without_clocks(&packets, &video)
    );
}

#[tokio::test]
async fn what_fails_leaves_one_line_and_no_file() {
    let address = generator::start(Behaviour::default()).await;
    let packets = made(500);
    let good = file(&packets);
    let mut octets = packets.as_flattened().to_vec();
    octets.truncate(octets.len() - 100);
    let truncated = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(truncated.path(), &octets).unwrap();
    let garbage = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(garbage.path(), b"this is no transport stream").unwrap();

    let folder = tempfile::tempdir().unwrap();
    let output = || Location::File(folder.path().join("out.ts"));
    let mut unknown = config(good.path(), output(), &address);
    unknown.service = ServiceId(9);
    let cases = [
        (config(good.path(), output(), "127.0.0.1:1"), "ECM generator 127.0.0.1:1: cannot connect"),
        (unknown, "service 9 is not in the stream (services there: 1)"),
        (
            config(truncated.path(), output(), &address),
            "truncated: the packet at offset 93812 has 88 of 188 octets",
        ),
        (
            config(garbage.path(), output(), &address),
            "no transport stream: 0x74 at offset 0 where 0x47 is due",
        ),
    ];
    for (config, message) in cases {
        let error = play(config).await.unwrap_err().to_string();
        assert!(error.ends_with(message), "{error}");
        assert!(!error.contains('\n'));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

/// A real encoder's stream: H.264 and AAC.
#[tokio::test]
async fn ffmpegs_stream_opens_octet_by_octet() {
    let folder = tempfile::tempdir().unwrap();
    let clear = folder.path().join("clear.ts");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"])
        .args(["-f", "lavfi", "-i", "sine=frequency=440", "-t", "4"])
        .args(["-c:v", "mpeg2video", "-b:v", "800k", "-c:a", "mp2", "-f", "mpegts"])
        .arg(&clear)
        .output()
        .is_ok_and(|output| output.status.success());
    if !made {
        eprintln!("SKIPPED: ffmpeg is needed to make a stream");
        return;
    }
    let address = generator::start(Behaviour::default()).await;
    for (mode, repeat_mux) in [(ScramblingMode::Cissa, false), (ScramblingMode::Idsa, true)] {
        let mut input = clear.clone();
        if repeat_mux {
            // The same with null packets up to a constant bitrate.
            input = folder.path().join("constant.ts");
            let status = Command::new("ffmpeg")
                .args(["-v", "error", "-y", "-i"])
                .arg(&clear)
                .args(["-c", "copy", "-muxrate", "3000000", "-f", "mpegts"])
                .arg(&input)
                .status()
                .unwrap();
            assert!(status.success());
        }
        let path = folder.path().join("scrambled.ts");
        let mut config = config(&input, Location::File(path.clone()), &address);
        config.mode = mode;
        let summary = play(config).await.unwrap();
        assert_eq!(summary.nulls_replaced > 0, repeat_mux);
        let mut receiver = Receiver::new(1, mode);
        let opened = receiver.open(&read(&path));
        let pids: Vec<_> = receiver.pmt.unwrap().streams.iter().map(|stream| stream.pid).collect();
        assert_eq!(pids.len(), 2);
        assert!(without_clocks(&opened, &pids) == without_clocks(&read(&input), &pids));
    }
}
