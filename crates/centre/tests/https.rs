//! The centre over real TLS: who may ask what.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use portcullis_authority::{Issuer, Subject, create_plain_request, create_request};
use portcullis_centre::{Centre, Config, Limits, Role as CentreRole};
use portcullis_crypto::sha256;
use portcullis_download::wire::{HeldClient, MetadataRequest, MetadataResponse, PROTOCOL_VERSION};
use portcullis_download::{ErrorBody, ErrorCode};
use portcullis_headend::layout::{CaSystem, DataDir};
use portcullis_headend::store::{Operator, OperatorData, Repository};
use portcullis_trust::Role;
use portcullis_types::{CaSystemId, ChipId, ScpClientId, SuperScpId, UnixSeconds};
use portcullis_vault::Party;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

const CHIP: ChipId = ChipId(0x0123_4567_89AB_CDEF);
const OTHER_CHIP: ChipId = ChipId(7);

/// A data directory with an authority, an operator's centre, two devices and one client image.
struct World {
    folder: tempfile::TempDir,
    image: Vec<u8>,
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

fn now() -> UnixSeconds {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    UnixSeconds(since.as_secs())
}

fn subject(role: Role, name: &str, id: u32) -> Subject {
    Subject { role, name: name.to_owned(), entity_id: Some(id), vendor_sys_id: None, days: None }
}

/// ODCI head with a version; the centre looks at no more.
fn image(version: u32) -> Vec<u8> {
    let mut image = b"ODCI\x00\x01\x00\x02".to_vec();
    for field in [0xA001, 1, version] {
        image.extend_from_slice(&u32::to_be_bytes(field));
    }
    image.extend((0..5000u32).map(|i| (i + version) as u8));
    image
}

impl World {
    fn new(role: Option<CentreRole>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path());
        let authority = Party::create(&data.authority(), None).unwrap();
        let root = Issuer::create_root(&authority, "Test root", now()).unwrap();
        let party = Party::create(&data.operator(), None).unwrap();
        let request = create_request(&party, "operator", "Operator").unwrap();
        let pem = root.issue(&request, &subject(Role::Operator, "Operator", 1), now()).unwrap();
        std::fs::write(data.operator().join("operator.pem"), pem).unwrap();
        let operator = Issuer::open(&party, "operator").unwrap();
        let request = create_request(&party, "centre", "Centre").unwrap();
        let pem = operator.issue(&request, &subject(Role::Centre, "Centre", 2), now()).unwrap();
        std::fs::write(data.operator().join("centre.pem"), pem).unwrap();
        for (name, chip) in [("own", CHIP), ("other", OTHER_CHIP)] {
            let name_in_certificate = format!("box {name} chip {:016x}", chip.0);
            let key = folder.path().join(format!("{name}.key"));
            let request = create_plain_request(&key, &name_in_certificate).unwrap();
            let subject =
                Subject { entity_id: None, ..subject(Role::Device, &name_in_certificate, 0) };
            let pem = root.issue(&request, &subject, now()).unwrap();
            std::fs::write(folder.path().join(format!("{name}.pem")), pem).unwrap();
        }
        for system in CaSystem::defaults() {
            std::fs::create_dir_all(data.ca(&system.vendor)).unwrap();
            let path = data.ca_description(&system.vendor);
            std::fs::write(path, serde_json::to_vec(&system.description).unwrap()).unwrap();
        }
        std::fs::create_dir_all(data.centre()).unwrap();
        std::fs::write(data.centre().join("old.odci"), image(1)).unwrap();
        std::fs::write(data.centre().join("new.odci"), image(2)).unwrap();
        std::fs::write(data.centre().join("junk.odci"), b"junk").unwrap();
        let config =
            Config { data, passphrase: None, role, events: false, limits: Limits::default() };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let centre = runtime.block_on(Centre::bind(config, "127.0.0.1:0")).unwrap();
        let address = centre.local_addr().unwrap();
        runtime.spawn(centre.run());
        Self { folder, image: image(2), address, _runtime: runtime }
    }

    /// Sends a request as a device (or as nobody) and gives status and body.
    fn send(&self, device: Option<&str>, request: &[u8]) -> Result<(u16, Vec<u8>), String> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        let root = std::fs::read(self.folder.path().join("authority/root.pem")).unwrap();
        roots.add(CertificateDer::from_pem_slice(&root).unwrap()).unwrap();
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let config = match device {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let read = |kind| {
                    std::fs::read(self.folder.path().join(format!("{name}.{kind}"))).unwrap()
                };
                let chain = portcullis_trust::certificates_from_pem(&read("pem")).unwrap();
                let chain = chain.into_iter().map(CertificateDer::from).collect();
                let key = PrivateKeyDer::from_pem_slice(&read("key")).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        let name = ServerName::IpAddress(self.address.ip().into());
        let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let tcp = TcpStream::connect(self.address).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, tcp);
        stream.write_all(request).map_err(|e| e.to_string())?;
        let mut answer = Vec::new();
        if let Err(error) = stream.read_to_end(&mut answer)
            && answer.is_empty()
        {
            return Err(error.to_string());
        }
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").ok_or("no head")?;
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Ok((status, answer[end + 4..].to_vec()))
    }

    fn get(&self, device: Option<&str>, path: &str, headers: &str) -> (u16, Vec<u8>) {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: centre\r\nconnection: close\r\n{headers}\r\n");
        self.send(device, request.as_bytes()).unwrap()
    }

    fn ask(&self, device: Option<&str>, chip_id: ChipId, held: Option<u32>) -> (u16, Vec<u8>) {
        let body = serde_json::to_vec(&MetadataRequest {
            protocol: PROTOCOL_VERSION,
            request_id: "1".into(),
            ca_system_id: CaSystemId(0x7A10),
            chip_id,
            host_api: 0x0001_0000,
            held: held.map(|version| HeldClient {
                super_scp_id: SuperScpId(0xA001),
                client_id: ScpClientId(1),
                version,
            }),
        })
        .unwrap();
        let mut request = format!(
            "POST /cdcs_pss/v1/client?ca_system_id=0x7a10 HTTP/1.1\r\nhost: centre\r\n\
             connection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(&body);
        self.send(device, &request).unwrap()
    }
}

/// The same for what a box tells of stopped clients.
fn tell(world: &World, device: Option<&str>, body: &str) -> (u16, Vec<u8>) {
    let request = format!(
        "POST /report/v1/violations HTTP/1.1\r\nhost: centre\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    world.send(device, request.as_bytes()).unwrap()
}

// spec-test: X-12
#[test]
fn records_are_those_of_the_box_that_shows_its_certificate() {
    let world = World::new(None);
    let path = DataDir::new(world.folder.path()).operator_db();
    let mut store =
        Operator::create(&path, &OperatorData::defaults(vec![CaSystemId(0x7A10)])).unwrap();
    let own = store.add_terminal("own", CHIP, CaSystemId(0x7A10)).unwrap();
    let record = r#"{"number":0,"time":1800000000,"what":"violation"}"#;
    let body = format!("[{record}]");
    assert_eq!(code(tell(&world, None, &body)), ErrorCode::AuthFailed);
    // A device that this operator does not know, and what is no report.
    assert_eq!(code(tell(&world, Some("other"), &body)), ErrorCode::NotAuthorized);
    for bad in ["", "{}", "[{}]", r#"[{"number":-1,"time":0}]"#, "[1]"] {
        assert_eq!(code(tell(&world, Some("own"), bad)), ErrorCode::Malformed, "{bad}");
    }
    let many = format!("[{}]", vec![record; 65].join(","));
    assert_eq!(code(tell(&world, Some("own"), &many)), ErrorCode::Malformed);
    assert_eq!(store.violations(&own).unwrap(), []);
    assert_eq!(tell(&world, Some("own"), &body).0, 200);
    let kept = store.violations(&own).unwrap();
    assert_eq!((kept.len(), kept[0].record.as_str()), (1, record));
}

fn code((status, body): (u16, Vec<u8>)) -> ErrorCode {
    let body: ErrorBody = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, body.name.as_str()), (body.code.status(), body.code.name()));
    assert!(!body.request_id.is_empty());
    body.code
}

// spec-test: M-B01 M-B02 M-B04 M-B05 M-B08 M-B09 M-B13
// attack-test: T-44
#[test]
fn a_device_gets_the_newest_client_with_its_ticket_and_nobody_else_does() {
    let world = World::new(None);
    assert_eq!(world.get(None, "/healthz", "").0, 200);
    assert_eq!(code(world.ask(None, CHIP, None)), ErrorCode::AuthFailed);
    assert_eq!(code(world.ask(Some("other"), CHIP, None)), ErrorCode::AuthFailed);
    assert_eq!(code(world.ask(Some("own"), CHIP, Some(2))), ErrorCode::UpToDate);
    assert_eq!(code(world.ask(Some("own"), CHIP, Some(3))), ErrorCode::RollbackRefused);

    let (status, body) = world.ask(Some("own"), CHIP, Some(1));
    assert_eq!(status, 200);
    let answer: MetadataResponse = serde_json::from_slice(&body).unwrap();
    assert_eq!((answer.cdcs.version, answer.cdcs.sha256), (2, sha256(&[&world.image])));
    let hash: String = answer.cdcs.sha256.iter().map(|octet| format!("{octet:02x}")).collect();
    let path = format!("/cdcs_mss/v1/image/{hash}");
    let ticket = format!("x-portcullis-ticket: {}\r\n", answer.ticket);
    assert_eq!(code(world.get(Some("own"), &path, "")), ErrorCode::AuthFailed);
    assert_eq!(code(world.get(None, &path, &ticket)), ErrorCode::AuthFailed);
    assert_eq!(code(world.get(Some("other"), &path, &ticket)), ErrorCode::TicketMismatch);
    assert_eq!(world.get(Some("own"), &path, &ticket), (200, world.image.clone()));
    assert_eq!(code(world.get(Some("own"), &path, &ticket)), ErrorCode::TicketReused);

    let (_, body) = world.ask(Some("own"), CHIP, None);
    let answer: MetadataResponse = serde_json::from_slice(&body).unwrap();
    let headers = format!("x-portcullis-ticket: {}\r\nrange: bytes=5000-\r\n", answer.ticket);
    assert_eq!(world.get(Some("own"), &path, &headers), (206, world.image[5000..].to_vec()));
}

#[test]
fn emms_are_for_the_box_that_asks() {
    let world = World::new(None);
    let path = format!("/emm/v1/0x7a10/{CHIP}");
    assert_eq!(code(world.get(None, &path, "")), ErrorCode::AuthFailed);
    assert_eq!(code(world.get(Some("other"), &path, "")), ErrorCode::NotAuthorized);
    assert_eq!(code(world.get(Some("own"), "/emm/v1/x/y", "")), ErrorCode::Malformed);
}

#[test]
fn a_role_alone_answers_its_own_paths_only() {
    let world = World::new(Some(CentreRole::CdcsMss));
    assert_eq!(world.ask(Some("own"), CHIP, None).0, 404);
    assert_eq!(world.get(Some("own"), "/emm/v1/0x7a10/0x07", "").0, 404);
    let path = format!("/cdcs_mss/v1/image/{}", "00".repeat(32));
    assert_eq!(code(world.get(Some("own"), &path, "")), ErrorCode::AuthFailed);
    assert_eq!(code(world.get(Some("own"), "/cdcs_mss/v1/image/zz", "")), ErrorCode::Malformed);
}

// spec-test: M-B03
#[test]
fn a_certificate_of_another_authority_is_no_device() {
    let (world, stranger) = (World::new(None), World::new(None));
    for kind in ["pem", "key"] {
        let name = format!("own.{kind}");
        std::fs::copy(stranger.folder.path().join(&name), world.folder.path().join(&name)).unwrap();
    }
    let request = b"GET /healthz HTTP/1.1\r\nhost: centre\r\nconnection: close\r\n\r\n";
    assert!(world.send(Some("own"), request).is_err());
}

// attack-test: T-19
#[test]
fn a_body_beyond_the_cap_is_not_read() {
    let world = World::new(None);
    let mut request = b"POST /cdcs_pss/v1/client?ca_system_id=0x7a10 HTTP/1.1\r\nhost: centre\r\n\
                        connection: close\r\ncontent-length: 1000000\r\n\r\n"
        .to_vec();
    request.resize(request.len() + 100_000, b' ');
    // Refused while it is still coming, or answered 413: never taken.
    if let Ok((status, _)) = world.send(Some("own"), &request) {
        assert_eq!(status, 413);
    }
}
