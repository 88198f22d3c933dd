//! The network against real servers on loopback.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use portcullis_crypto::sha256;
use portcullis_svm::abi::net;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// A root, and a certificate for `localhost` under it.
struct Party {
    anchor: Vec<u8>,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

fn party() -> Party {
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let anchor = root.self_signed(&root_key).unwrap().der().to_vec();
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::generate().unwrap();
    let of_server = CertificateParams::new(vec!["localhost".into()]).unwrap();
    let certificate = of_server.signed_by(&key, &issuer).unwrap().der().to_vec();
    Party { anchor, certificate, key: key.serialize_der() }
}

type Server = StreamOwned<ServerConnection, std::net::TcpStream>;

impl Party {
    /// Serves connections one after the other.
    fn serve(&self, serve: impl Fn(Server) + Send + 'static) -> u16 {
        let chain = vec![self.certificate.clone().into()];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.clone()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for tcp in listener.incoming() {
                let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
                serve(StreamOwned::new(tls, tcp.unwrap()));
            }
        });
        port
    }
}

fn host(port: u16, certificate: Option<[u8; 32]>) -> NetworkHost {
    NetworkHost { name: "localhost".into(), port, certificate }
}

fn network(host: NetworkHost, anchor: &[u8]) -> Network {
    let limits = NetworkLimits { connect: Duration::from_secs(5), ..NetworkLimits::default() };
    Network::new(&[host], anchor, limits).unwrap().unwrap()
}

/// The next message: kind and what follows it. It takes a while; nobody waits inside a call.
fn next(network: &mut Network) -> (u32, u32, Vec<u8>) {
    let begin = Instant::now();
    loop {
        if let Some(message) = network.poll() {
            let (kind, rest) = message.body.split_first_chunk::<4>().unwrap();
            return (message.number, u32::from_le_bytes(*kind), rest.to_vec());
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "nothing came");
        thread::sleep(Duration::from_millis(2));
    }
}

fn read_head(stream: &mut Server) -> String {
    let mut octets = Vec::new();
    while !octets.windows(4).any(|four| four == b"\r\n\r\n") {
        let mut one = [0];
        if stream.read(&mut one).unwrap_or(0) == 0 {
            break;
        }
        octets.extend(one);
    }
    String::from_utf8(octets).unwrap()
}

/// Answers with what it was asked, after a while.
fn answering(mut stream: Server) {
    let head = read_head(&mut stream);
    let length = head.split_once("content-length: ").map(|(_, rest)| rest);
    let length = length.and_then(|rest| rest.lines().next()?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    if head.is_empty() || stream.read_exact(&mut body).is_err() {
        return;
    }
    thread::sleep(Duration::from_millis(100));
    let first = head.lines().next().unwrap_or_default();
    let answer = format!("{first}|{}", String::from_utf8_lossy(&body));
    let head = format!("HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n", answer.len());
    let _ = stream.write_all(&[head.as_bytes(), answer.as_bytes()].concat());
    let _ = stream.flush();
}

#[test]
fn a_request_starts_at_once_and_its_answer_comes_as_a_message() {
    let party = party();
    let port = party.serve(answering);
    let pin = sha256(&[&party.certificate]);
    for host in [host(port, None), host(port, Some(pin))] {
        let mut network = network(host, &party.anchor);
        let url = format!("https://LOCALHOST:{port}/rights?box=1");
        let begin = Instant::now();
        let reply = network.http(method::POST, url.as_bytes(), b"a question".to_vec(), 0).unwrap();
        assert_eq!((reply.result, reply.status), (1, 0));
        assert!(begin.elapsed() < Duration::from_millis(90), "the call waited");
        assert!(network.poll().is_none() && network.is_busy());
        let (number, kind, body) = next(&mut network);
        assert_eq!((number, kind, &body[..4]), (1, net::ANSWER, &201_u32.to_le_bytes()[..]));
        assert_eq!(String::from_utf8_lossy(&body[4..]), "POST /rights?box=1 HTTP/1.0|a question");
        assert!(!network.is_busy());
        let reply = network.http(method::GET, url.as_bytes(), Vec::new(), 0).unwrap();
        assert_eq!(reply.result, 2);
        assert_eq!(next(&mut network).2[4..], *b"GET /rights?box=1 HTTP/1.0|");
    }
}

#[test]
fn a_connection_carries_octets_both_ways_until_it_is_closed() {
    let party = party();
    let port = party.serve(|mut stream| {
        let mut buffer = [0; 64];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            if &buffer[..length] == b"bye" {
                stream.conn.send_close_notify();
                let _ = stream.flush();
                return;
            }
            stream.write_all(&buffer[..length].to_ascii_uppercase()).unwrap();
        }
    });
    let mut network = network(host(port, None), &party.anchor);
    let connect = |network: &mut Network| {
        let (host, config) = network.host("localhost", port.into()).unwrap();
        network.start(host, config, None, 0).result
    };
    let number = connect(&mut network);
    assert_eq!(next(&mut network), (number, net::CONNECTED, Vec::new()));
    assert_eq!(network.send(number, b"hello".to_vec()), Reply::ok(5));
    assert_eq!(next(&mut network), (number, net::DATA, b"HELLO".to_vec()));
    assert_eq!(network.send(number, b"bye".to_vec()), Reply::ok(3));
    assert_eq!(next(&mut network), (number, net::CLOSED, Vec::new()));
    assert_eq!(network.send(number, b"more".to_vec()).status, status::NOT_FOUND);
    // Closed by the client: no last word, and the thread ends.
    let number = connect(&mut network);
    assert_eq!(next(&mut network).1, net::CONNECTED);
    assert_eq!(network.close(number), Reply::ok(0));
    assert_eq!(network.close(number).status, status::NOT_FOUND);
    let begin = Instant::now();
    while Arc::strong_count(&network.threads) > 1 {
        assert!(network.poll().is_none());
        assert!(begin.elapsed() < Duration::from_secs(20), "its thread goes on");
        thread::sleep(Duration::from_millis(2));
    }
}

// attack-test: T-30
#[test]
fn only_hosts_of_the_policy_are_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut network = network(host(443, None), &party().anchor);
    for url in [
        format!("https://localhost:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        "https://localhost.evil.example/".into(),
        "https://localhost:443.evil.example/".into(),
        "https://evil.example:443/https://localhost/".into(),
    ] {
        let refused = network.http(method::GET, url.as_bytes(), Vec::new(), 0);
        let malformed = matches!(&refused, Ok(reply) if reply.status == status::MALFORMED);
        assert!(malformed || matches!(refused, Err(HostFault::NotListed(_))), "{url} {refused:?}");
    }
    assert!(network.host("localhost", u32::from(port)).is_err());
    assert!(network.host("", 443).is_err());
    for url in [
        "http://localhost/",
        "https://localhost/ HTTP/1.1\r\nx: y",
        "https://localhost/\r\nx: y",
        "https://evil@localhost/",
        "https://localhost?x",
        "https://localhost:99999/",
        "https://localhost/#x",
        "",
    ] {
        let reply = network.http(method::GET, url.as_bytes(), Vec::new(), 0).unwrap();
        assert_eq!(reply.status, status::MALFORMED, "{url}");
    }
    assert!(!network.is_busy());
    assert!(listener.accept().is_err(), "somebody was there");
}

// attack-test: T-30
#[test]
fn a_server_that_is_not_the_one_meant_is_refused() {
    let (good, other) = (party(), party());
    let port = other.serve(answering);
    let pin = sha256(&[&good.certificate]);
    // Another root; another pin; the right root for another name.
    let by_address = NetworkHost { name: "127.0.0.1".into(), port, certificate: None };
    for (host, anchor) in [
        (host(port, None), &good.anchor),
        (host(port, Some(pin)), &other.anchor),
        (by_address, &other.anchor),
    ] {
        let mut network = network(host.clone(), anchor);
        let url = format!("https://{}:{port}/", host.name);
        network.http(method::GET, url.as_bytes(), Vec::new(), 0).unwrap();
        let (_, kind, why) = next(&mut network);
        let why = String::from_utf8_lossy(&why).into_owned();
        assert_eq!(kind, net::FAILED, "{why}");
        assert!(why.contains("certificate"), "{why}");
    }
}

// attack-test: T-31 T-19
#[test]
fn number_time_and_size_have_limits() {
    let party = party();
    // Never an end: an octet now and then.
    let port = party.serve(|mut stream| {
        thread::spawn(move || {
            read_head(&mut stream);
            while stream.write_all(b"a").and_then(|()| stream.flush()).is_ok() {
                thread::sleep(Duration::from_millis(5));
            }
        });
    });
    let limits = NetworkLimits { request: Duration::from_millis(600), ..NetworkLimits::default() };
    let mut network = Network::new(&[host(port, None)], &party.anchor, limits).unwrap().unwrap();
    let url = format!("https://localhost:{port}/");
    let ask = |network: &mut Network, now| {
        network.http(method::GET, url.as_bytes(), Vec::new(), now).unwrap().status
    };
    for _ in 0..limits.at_once {
        assert_eq!(ask(&mut network, 0), status::OK);
    }
    assert_eq!(ask(&mut network, 0), status::QUOTA, "four at once");
    for _ in 0..limits.at_once {
        let (_, kind, why) = next(&mut network);
        assert_eq!((kind, &why[..]), (net::FAILED, &b"it takes too long"[..]));
    }
    let wait = || thread::sleep(Duration::from_millis(2));
    while Arc::strong_count(&network.threads) > 1 {
        wait();
    }
    network.started = vec![0; limits.per_minute];
    assert_eq!(ask(&mut network, 59_999), status::QUOTA, "so many in a minute");
    assert_eq!(ask(&mut network, 60_000), status::OK);
    let long = format!("{url}{}", "x".repeat(2000));
    let reply = network.http(method::GET, long.as_bytes(), Vec::new(), 0).unwrap();
    assert_eq!(reply.status, status::QUOTA);
    let reply = network.http(method::POST, url.as_bytes(), vec![0; limits.send + 1], 0).unwrap();
    assert_eq!(reply.status, status::QUOTA);
}
