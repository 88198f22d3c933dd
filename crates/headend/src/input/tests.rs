#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Write as _;

use portcullis_ts::packet::null_packet;

use super::*;

fn file(octets: &[u8]) -> (tempfile::NamedTempFile, Location) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(octets).unwrap();
    let location = Location::File(file.path().into());
    (file, location)
}

/// All packets of an input, or its fault.
fn drain(location: &Location) -> Result<usize, InputError> {
    let mut input = Input::open(location)?;
    let mut packets = 0;
    loop {
        match input.read()? {
            Arrived::Packets(found) => packets += found.len(),
            Arrived::Silence => {}
            Arrived::End => return Ok(packets),
        }
    }
}

#[test]
fn a_file_is_read_to_its_end() {
    let (_file, location) = file(&null_packet().repeat(12_000));
    assert_eq!(drain(&location).unwrap(), 12_000);
}

#[test]
fn faults_of_a_file_name_file_and_offset() {
    let whole = null_packet().repeat(10);
    let cases = [
        (whole[..1_000].to_vec(), "truncated: the packet at offset 940 has 60 of 188 octets"),
        ([&whole[..], b"garbage"].concat(), "sync lost at offset 1880: 0x67 where 0x47 is due"),
        (b"hello".to_vec(), "no transport stream: 0x68 at offset 0 where 0x47 is due"),
        (Vec::new(), "no transport stream: the input is empty"),
    ];
    for (octets, message) in cases {
        let (_file, location) = file(&octets);
        let error = drain(&location).unwrap_err().to_string();
        assert_eq!(error, format!("{location}: {message}"));
    }
    let error = drain(&Location::File("/nowhere/at/all".into())).unwrap_err().to_string();
    assert_eq!(error, "/nowhere/at/all: cannot open");
}

#[test]
fn a_capture_may_begin_anywhere_but_has_to_become_packets() {
    let packets = null_packet().repeat(12_000);
    for front in [1, 100, 187, 5_000] {
        let mut octets = vec![0x11; front];
        octets.extend_from_slice(&packets);
        let (_file, location) = file(&octets);
        assert_eq!(drain(&location).unwrap(), 12_000, "{front} octets in front");
    }
    let far = [&vec![0x11; 200_000][..], &packets].concat();
    for octets in [far, vec![0x11; 200_000], vec![0x11; 10]] {
        let (_file, location) = file(&octets);
        let error = drain(&location).unwrap_err().to_string();
        assert!(error.ends_with("no transport stream: 0x11 at offset 0 where 0x47 is due"));
    }
}

#[test]
fn packets_of_204_octets_lose_their_parity() {
    let protected: Vec<u8> =
        (0..12_000).flat_map(|_| null_packet().into_iter().chain([0x5A; 16])).collect();
    let (_file, location) = file(&protected);
    let mut input = Input::open(&location).unwrap();
    let mut packets = 0;
    while let Arrived::Packets(found) = input.read().unwrap() {
        assert!(found.iter().all(|packet| *packet == null_packet()));
        packets += found.len();
    }
    assert_eq!(packets, 12_000);
    let mut damaged = protected;
    damaged[7 * 204] = 0;
    let (_file, location) = file(&damaged);
    let error = drain(&location).unwrap_err().to_string();
    assert!(error.ends_with("sync lost at offset 1428: 0x00 where 0x47 is due"), "{error}");
}

#[test]
fn datagrams_arrive_with_and_without_rtp_and_survive_garbage() {
    let packets = null_packet().repeat(7);
    let rtp = [&[0x80, 33, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4][..], &packets].concat();
    for (scheme, datagram) in [("udp", packets.clone()), ("rtp", rtp)] {
        let probe = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let mut input = Input::open(&format!("{scheme}://{address}").parse().unwrap()).unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        for octets in [&datagram[..], b"\x80noise", &datagram, &datagram] {
            sender.send_to(octets, address).unwrap();
        }
        let mut packets = 0;
        while let Arrived::Packets(found) = input.read().unwrap() {
            packets += found.len();
        }
        assert_eq!(packets, 21, "{scheme}");
    }
}

#[test]
fn a_silent_pipe_does_not_hold_its_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let location = Location::File(path.clone());
    let writer = std::thread::spawn(move || File::options().write(true).open(path).unwrap());
    let mut input = Input::open(&location).unwrap();
    let mut writer = writer.join().unwrap();
    assert!(matches!(input.read().unwrap(), Arrived::Silence));
    writer.write_all(&null_packet().repeat(3)).unwrap();
    let mut packets = 0;
    while packets < 3 {
        if let Arrived::Packets(found) = input.read().unwrap() {
            packets += found.len();
        }
    }
    drop(writer);
    assert!(matches!(input.read().unwrap(), Arrived::End));
}
