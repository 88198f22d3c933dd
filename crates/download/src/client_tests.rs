#![allow(clippy::unwrap_used, clippy::panic)]

use portcullis_crypto::sha256;
use portcullis_types::{CaSystemId, ChipId, ScpClientId, SuperScpId};

use super::*;
use crate::wire::{HeldClient, PROTOCOL_VERSION};

const SYSTEM: CaSystemId = CaSystemId(0x7A10);

fn image() -> Vec<u8> {
    (0..1000u32).map(|i| (i * 7) as u8).collect()
}

fn start(held: Option<u32>) -> Download {
    let request = MetadataRequest {
        protocol: PROTOCOL_VERSION,
        request_id: "42".into(),
        ca_system_id: SYSTEM,
        chip_id: ChipId(7),
        host_api: 0x0001_0000,
        held: held.map(|version| HeldClient {
            super_scp_id: SuperScpId(0xA001),
            client_id: ScpClientId(1),
            version,
        }),
    };
    Download::new(request, Limits::default(), 0)
}

fn metadata() -> MetadataResponse {
    let cdcs = CdcsInformation {
        ca_system_id: SYSTEM,
        vendor: "vendor-a".into(),
        super_scp_id: SuperScpId(0xA001),
        client_id: ScpClientId(1),
        version: 5,
        size: 1000,
        sha256: sha256(&[&image()]),
    };
    MetadataResponse { request_id: "42".into(), cdcs, ticket: "aa".into(), image_key: None }
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

/// Plays the metadata exchange and returns where the image request starts.
fn exchange(download: &mut Download, response: &MetadataResponse, now: u64) -> u64 {
    let Some(Request::Metadata { path, body }) = download.poll_transmit() else {
        panic!("a metadata request is due")
    };
    assert_eq!(path, "/cdcs_pss/v1/client?ca_system_id=0x7a10");
    assert_eq!(parse::<MetadataRequest>(&body).unwrap().chip_id, ChipId(7));
    assert_eq!(download.poll_transmit(), None);
    download.handle_answer(200, &json(response), now);
    match download.poll_transmit() {
        Some(Request::Image { path, ticket, from }) => {
            assert!(path.starts_with(IMAGE_PATH) && path.len() == IMAGE_PATH.len() + 64);
            assert_eq!(ticket, response.ticket);
            from
        }
        other => panic!("an image request is due, not {other:?}"),
    }
}

fn failure(download: &mut Download) -> DownloadError {
    match download.poll_outcome() {
        Some(Outcome::Failed(error)) => error,
        _ => panic!("a failure is due"),
    }
}

fn downloaded(download: &mut Download) -> DownloadedImage {
    match download.poll_outcome() {
        Some(Outcome::Image(image)) => image,
        Some(Outcome::Failed(error)) => panic!("{error}"),
        _ => panic!("an image is due"),
    }
}

// spec-test: M-B13
#[test]
fn an_image_arrives_in_pieces_of_any_size() {
    for piece in [1, 7, 999, 1000] {
        let mut download = start(None);
        assert_eq!(exchange(&mut download, &metadata(), 0), 0);
        download.handle_image_start(0, Some(1000));
        for octets in image().chunks(piece) {
            assert!(download.poll_outcome().is_none());
            download.handle_octets(octets, 1);
        }
        let got = downloaded(&mut download);
        assert_eq!(got.bytes(), image());
        assert_eq!(got.cdcs().version, 5);
        assert_eq!(download.poll_timeout(), None);
    }
}

// spec-test: M-B13
#[test]
fn a_link_that_drops_at_every_octet_is_resumed_with_a_fresh_ticket() {
    for cut in 0..1000 {
        let mut download = start(None);
        exchange(&mut download, &metadata(), 0);
        download.handle_image_start(0, Some(1000));
        download.handle_octets(&image()[..cut], 1);
        download.handle_connection_lost(10);
        assert_eq!(download.poll_transmit(), None);
        assert_eq!(download.poll_timeout(), Some(1010));
        download.handle_timeout(1010);
        let mut again = metadata();
        again.ticket = "bb".into();
        assert_eq!(exchange(&mut download, &again, 1011), cut as u64);
        download.handle_image_start(cut as u64, Some(1000 - cut as u64));
        download.handle_octets(&image()[cut..], 1012);
        assert_eq!(downloaded(&mut download).bytes(), image());
    }
}

#[test]
fn a_server_without_ranges_or_with_another_image_starts_over() {
    let mut download = start(None);
    exchange(&mut download, &metadata(), 0);
    download.handle_image_start(0, None);
    download.handle_octets(&image()[..500], 1);
    download.handle_connection_lost(2);
    download.handle_timeout(1002);
    assert_eq!(exchange(&mut download, &metadata(), 1003), 500);
    download.handle_image_start(0, None);
    download.handle_octets(&image(), 1004);
    downloaded(&mut download);

    let mut download = start(None);
    exchange(&mut download, &metadata(), 0);
    download.handle_image_start(0, None);
    download.handle_octets(&image()[..500], 1);
    download.handle_connection_lost(2);
    download.handle_timeout(1002);
    let mut newer = metadata();
    newer.cdcs.version = 6;
    newer.cdcs.size = 3;
    newer.cdcs.sha256 = sha256(&[b"new"]);
    assert_eq!(exchange(&mut download, &newer, 1003), 0);
    download.handle_image_start(0, None);
    download.handle_octets(b"new", 1004);
    assert_eq!(downloaded(&mut download).cdcs().version, 6);
}

// attack-test: T-19
#[test]
fn a_larger_image_than_announced_or_allowed_is_refused() {
    let mut download = start(None);
    exchange(&mut download, &metadata(), 0);
    download.handle_image_start(0, Some(1001));
    assert_eq!(failure(&mut download), DownloadError::TooLarge { limit: 1000 });

    let mut download = start(None);
    exchange(&mut download, &metadata(), 0);
    download.handle_image_start(0, None);
    download.handle_octets(&[0; 1001], 1);
    assert_eq!(failure(&mut download), DownloadError::TooLarge { limit: 1000 });

    let mut download = start(None);
    let mut large = metadata();
    large.cdcs.size = 4 * 1024 * 1024 + 1;
    download.poll_transmit().unwrap();
    download.handle_answer(200, &json(&large), 0);
    assert_eq!(failure(&mut download), DownloadError::TooLarge { limit: 4 * 1024 * 1024 });

    let mut download = start(None);
    download.poll_transmit().unwrap();
    download.handle_answer(200, &vec![b' '; METADATA_CAP + 1], 0);
    assert!(matches!(failure(&mut download), DownloadError::TooLarge { .. }));
}

#[test]
fn a_changed_image_is_refused() {
    let mut download = start(None);
    exchange(&mut download, &metadata(), 0);
    download.handle_image_start(0, Some(1000));
    let mut wrong = image();
    wrong[500] ^= 1;
    download.handle_octets(&wrong, 1);
    assert_eq!(failure(&mut download), DownloadError::WrongHash);
}

// attack-test: T-19 T-20
#[test]
fn attempts_and_time_end() {
    let mut download = start(None);
    let mut now = 0;
    let mut waits = Vec::new();
    while let Some(at) = download.poll_timeout() {
        if download.poll_transmit().is_some() {
            download.handle_connection_lost(now);
        } else {
            waits.push(at - now);
            now = at;
            download.handle_timeout(now);
        }
    }
    assert_eq!(failure(&mut download), DownloadError::TooManyAttempts { attempts: 6 });
    assert_eq!(waits, [1000, 2000, 4000, 8000, 16_000]);

    // One octet a second: the deadline comes first.
    let mut download = start(None);
    exchange(&mut download, &metadata(), 0);
    download.handle_image_start(0, None);
    for second in 1..=120 {
        download.handle_octets(&[0], second * 1000);
    }
    assert_eq!(failure(&mut download), DownloadError::Deadline { seconds: 120 });
}

// attack-test: T-20
#[test]
fn an_answer_for_another_system_request_or_an_older_version_is_refused() {
    let answer = |held, change: fn(&mut MetadataResponse)| {
        let mut download = start(held);
        download.poll_transmit().unwrap();
        let mut response = metadata();
        change(&mut response);
        download.handle_answer(200, &json(&response), 0);
        failure(&mut download)
    };
    assert_eq!(
        answer(None, |r| r.cdcs.ca_system_id = CaSystemId(0x7B20)),
        DownloadError::WrongTarget
    );
    assert_eq!(
        answer(None, |r| r.request_id = "43".into()),
        DownloadError::Malformed { what: "request_id" }
    );
    assert_eq!(answer(Some(6), |_| ()), DownloadError::RollbackRefused { held: 6, offered: 5 });
}

#[test]
fn refusals_end_or_retry_by_their_code() {
    let refuse = |held, code| {
        let mut download = start(held);
        download.poll_transmit().unwrap();
        download.handle_answer(
            ErrorCode::status(code),
            &json(&ErrorBody::new(code, "1".into())),
            0,
        );
        download
    };
    for code in ErrorCode::ALL {
        let mut download = refuse(None, *code);
        let retried = code.is_transient() || *code == ErrorCode::TicketExpired;
        if retried {
            assert!(download.poll_outcome().is_none(), "{code}");
            assert_eq!(download.poll_timeout(), Some(1000));
        } else {
            assert_eq!(failure(&mut download), DownloadError::Refused { code: *code });
        }
    }
    let mut download = refuse(Some(5), ErrorCode::UpToDate);
    assert!(matches!(download.poll_outcome(), Some(Outcome::UpToDate)));

    let mut download = start(None);
    download.poll_transmit().unwrap();
    download.handle_answer(404, b"<html>", 0);
    assert_eq!(failure(&mut download), DownloadError::Malformed { what: "error body" });
}
