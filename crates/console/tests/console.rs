//! The console over HTTP: what it shows follows what comes out of a box, and only pages of this
//! server give orders.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis_console::state::{Phase, Product};
use portcullis_console::{Console, Control, ControlFuture, ControlRefused, Limits, serve};
use portcullis_types::ScramblingMode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Default)]
struct Orders(Mutex<Vec<String>>);

impl Orders {
    fn note(&self, order: String) -> ControlFuture<'_> {
        self.0.lock().unwrap().push(order);
        Box::pin(async { Ok(()) })
    }
}

impl Control for Orders {
    fn add_box(&self, name: String, vendor: String) -> ControlFuture<'_> {
        self.note(format!("add {name} {vendor}"))
    }
    fn entitle(&self, name: String, product: String) -> ControlFuture<'_> {
        self.note(format!("entitle {name} {product}"))
    }
    fn unentitle(&self, name: String, _: String) -> ControlFuture<'_> {
        Box::pin(async move { Err(ControlRefused::Unknown(format!("there is no box {name}"))) })
    }
    fn power(&self, name: String, on: bool) -> ControlFuture<'_> {
        self.note(format!("power {name} {on}"))
    }
}

fn console() -> Console {
    let console =
        Console::new(Limits { picture_gap: Duration::from_millis(120), ..Limits::default() });
    console.set_channel("Gate One", 1, ScramblingMode::Cissa);
    let product = Product { name: "one".to_owned(), services: vec![1] };
    console.set_offer(vec![product], Vec::new());
    let _ = console.add_box("living-room", "vendor-a", None).unwrap();
    console
}

async fn server(console: &Console) -> (SocketAddr, Arc<Orders>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let orders = Arc::new(Orders::default());
    tokio::spawn(serve(listener, console.clone(), orders.clone()));
    (address, orders)
}

/// One request; the status and the body.
async fn ask(address: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    (status, body)
}

fn get(address: SocketAddr, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")
}

fn order(address: SocketAddr, path: &str, body: &str, header: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{header}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn phase(console: &Console) -> (Phase, Option<String>) {
    console.settle();
    let state = console.snapshot();
    let shown = state.boxes.first().unwrap();
    (shown.phase, shown.reason.clone())
}

#[tokio::test]
async fn health_follows_the_pictures_and_not_the_words() {
    let console = console();
    let (address, _) = server(&console).await;
    let (status, body) = ask(address, &get(address, "/healthz")).await;
    assert_eq!(status, 503);
    assert!(body.contains("Powered off"), "{body}");

    console.box_started("living-room", Some(7));
    let running = json!({ "event": "client", "state": "running", "vendor": "vendor-a" });
    console.box_event("living-room", &running);
    let entitled = json!({ "event": "entitlement", "state": "entitled", "product": 1 });
    console.box_event("living-room", &entitled);
    console.air(portcullis_assets::SAMPLE_TS.get(..188 * 7).unwrap());
    let (status, _) = ask(address, &get(address, "/healthz")).await;
    assert_eq!(status, 503, "no picture came out yet, whatever the client says");

    console.box_output("living-room", portcullis_assets::SAMPLE_TS.get(..188 * 400).unwrap());
    let (status, body) = ask(address, &get(address, "/healthz")).await;
    assert_eq!(status, 200, "{body}");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(phase(&console).0, Phase::Waiting);
}

// spec-test: D-06
#[tokio::test]
async fn each_way_to_a_black_screen_has_its_reason() {
    let console = console();
    assert_eq!(phase(&console).0, Phase::Off);
    console.box_started("living-room", Some(7));
    assert_eq!(phase(&console).0, Phase::Booting);
    let link = json!({ "event": "boot_link", "name": "bootloader", "good": true, "version": 1 });
    console.box_event("living-room", &link);
    let client = json!({ "event": "client", "state": "downloading", "percent": 62 });
    console.box_event("living-room", &client);
    assert_eq!(phase(&console), (Phase::Client, Some("Getting its client, 62 %.".to_owned())));
    console.box_event("living-room", &json!({ "event": "client", "state": "running" }));
    let refused = json!({ "event": "entitlement", "state": "not_entitled", "product": 1 });
    console.box_event("living-room", &refused);
    assert_eq!(phase(&console), (Phase::NotEntitled, Some("Not entitled to Gate One.".to_owned())));
    console.set_sold("living-room", vec!["one".to_owned()]);
    assert_eq!(phase(&console).0, Phase::Waiting);
    console.box_event("living-room", &json!({ "event": "chip_gone" }));
    console.box_failed("living-room", "terminal ended with code 1");
    assert_eq!(phase(&console).0, Phase::ChipGone);
    assert!(!console.snapshot().boxes.first().unwrap().powered);
    console.box_started("living-room", Some(8));
    assert_eq!(phase(&console).0, Phase::Booting);
}

// attack-test: T-43
#[tokio::test]
async fn only_our_own_page_gives_orders() {
    let console = console();
    let (address, orders) = server(&console).await;
    let path = "/api/boxes/living-room/entitle";
    let body = r#"{"product":"one"}"#;
    let foreign = ask(address, &order(address, path, body, "")).await;
    assert_eq!(foreign.0, 403, "{}", foreign.1);
    let rebound = get("203.0.113.9:80".parse().unwrap(), "/api/state");
    assert_eq!(ask(address, &rebound).await.0, 421);
    assert!(orders.0.lock().unwrap().is_empty());

    let ours = "x-portcullis: 1\r\n";
    assert_eq!(ask(address, &order(address, path, body, ours)).await.0, 200);
    let path = "/api/boxes/attic/unentitle";
    let (status, said) = ask(address, &order(address, path, body, ours)).await;
    assert_eq!((status, said.contains("there is no box attic")), (404, true), "{said}");
    let path = "/api/boxes/living-room/power";
    assert_eq!(ask(address, &order(address, path, r#"{"on":"yes"}"#, ours)).await.0, 422);
    let long = format!(r#"{{"name":"{}","vendor":"a"}}"#, "x".repeat(5000));
    assert_eq!(ask(address, &order(address, "/api/boxes", &long, ours)).await.0, 413);
    assert_eq!(*orders.0.lock().unwrap(), ["entitle living-room one"]);
}

#[tokio::test]
async fn snapshots_are_pushed_when_something_changes() {
    let console = console();
    let (address, _) = server(&console).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /api/events HTTP/1.1\r\nhost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut seen = String::new();
    let mut buffer = [0; 16_384];
    while !seen.contains("living-room") {
        let got = stream.read(&mut buffer).await.unwrap();
        seen.push_str(&String::from_utf8_lossy(buffer.get(..got).unwrap()));
    }
    console.set_process("headend", Some(4711), 0);
    while !seen.contains("4711") {
        let got = stream.read(&mut buffer).await.unwrap();
        seen.push_str(&String::from_utf8_lossy(buffer.get(..got).unwrap()));
    }
}

/// Opens a page's live state and reads its first octets; the status.
async fn open_events(address: SocketAddr) -> (u16, TcpStream) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(get(address, "/api/events").as_bytes()).await.unwrap();
    let mut head = [0; 12];
    let _ = stream.read_exact(&mut head).await.unwrap();
    (std::str::from_utf8(&head[9..]).unwrap().parse().unwrap(), stream)
}

#[tokio::test]
async fn readers_have_a_limit_and_leave_their_place() {
    let console = Console::new(Limits { readers: 2, ..Limits::default() });
    let (address, _) = server(&console).await;
    let first = open_events(address).await;
    let second = open_events(address).await;
    assert_eq!((first.0, second.0), (200, 200));
    assert_eq!(open_events(address).await.0, 503);
    drop(first);
    // The server learns that a reader has gone when it writes to it.
    for _ in 0..50 {
        console.set_channel("Gate One", 1, ScramblingMode::Cissa);
        tokio::time::sleep(Duration::from_millis(100)).await;
        if open_events(address).await.0 == 200 {
            return;
        }
    }
    panic!("the place of a reader that left is never free again");
}
