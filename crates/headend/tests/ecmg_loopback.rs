//! The ECM generator over TCP: the link of our own SCS, raw messages, and another house's SCS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{World, world};
use portcullis_headend::ecmg::{EcmgLimits, EcmgSystems, serve_with};
use portcullis_headend::event::Events;
use portcullis_headend::keys::{CaKeys, epoch_at};
use portcullis_headend::layout::CaSystem;
use portcullis_headend::scs::{EcmgConfig, ScsError, ScsLink};
use portcullis_headend::unix_now;
use portcullis_keyladder::envelope::open;
use portcullis_keyladder::{AssociatedData, ControlWordClass, LadderAlgorithm};
use portcullis_messages::{AccessCriteria, CaSection, Layout, TableId, UsageRights};
use portcullis_types::{
    CpNumber, Deciseconds, EcmChannelId, EcmId, EcmStreamId, ProductId, Seconds, SuperCasId,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn ecmg(world: &World) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let systems = EcmgSystems::open(&world.data, None).unwrap();
    tokio::spawn(serve_with(listener, systems, EcmgLimits::default(), Events::none()));
    address
}

fn criteria(product: u32) -> Vec<u8> {
    AccessCriteria { product: ProductId(product), usage_rights: UsageRights::default() }.encode()
}

fn config(ca: &CaSystem, channel: u16, product: u32) -> EcmgConfig {
    EcmgConfig {
        super_cas_id: ca.description.super_cas_id,
        ecm_channel_id: EcmChannelId(channel),
        ecm_stream_id: EcmStreamId(1),
        ecm_id: EcmId(channel),
        access_criteria: criteria(product),
        nominal_cp: Deciseconds(100),
    }
}

/// Opens an ECM as a box with the product's K1 would, and returns the control words.
fn open_ecm(
    world: &World,
    ca: &CaSystem,
    ecm: &[u8],
    product: u32,
    class: ControlWordClass,
) -> (Vec<u8>, Vec<u8>) {
    let section = CaSection::parse(ecm).unwrap();
    assert!(section.table_id.is_ecm());
    let keys = CaKeys::open(&world.data, ca, None).unwrap();
    let epoch = epoch_at(unix_now(), Seconds(86_400));
    let k1 = keys.k1(ProductId(product), epoch);
    let opened = open(&k1, section.payload).unwrap();
    assert_eq!((opened.header().key_ref, opened.header().sequence), (product, epoch.0));
    let layout = Layout::from_vendor(&ca.vendor).unwrap();
    let body = layout.decode_ecm(opened.client()).unwrap();
    assert_eq!(body.product, ProductId(product));
    let bound = k1.bind(&AssociatedData::new(&body.usage_rights, class).unwrap());
    let word = |ecw| {
        let word = bound.unwrap_cw(LadderAlgorithm::Aes, ecw, class).unwrap();
        word.expose_secret().to_vec()
    };
    (word(&body.ecw_even), word(&body.ecw_odd))
}

// spec-test: D-H1 S-20 S-38 S-51
#[tokio::test]
async fn both_vendors_and_both_classes_give_the_control_words_back() {
    let world = world();
    let address = ecmg(&world).await;
    for (channel, ca) in (1u16..).zip(CaSystem::defaults()) {
        for (product, class) in [(1, ControlWordClass::Eight), (3, ControlWordClass::Sixteen)] {
            let config = config(&ca, channel * 10 + product as u16, product);
            let mut link = ScsLink::connect(&address, config).await.unwrap();
            let status = link.status();
            assert_eq!((status.lead_cw, status.cw_per_msg, status.delay_start.0), (1, 2, 200));
            let len = usize::from(class.octet());
            let word = |n: u16| vec![n as u8 ^ 0xA5; len];
            for n in [0xFFFEu16, 0xFFFF, 0, 1] {
                let next = n.wrapping_add(1);
                let words = [(CpNumber(next), word(next)), (CpNumber(n), word(n))];
                let ecm = link.provision(CpNumber(n), &words).await.unwrap();
                let table_id = TableId::ecm(CpNumber(n).parity());
                assert_eq!(CaSection::parse(&ecm).unwrap().table_id, table_id);
                let (even, odd) = open_ecm(&world, &ca, &ecm, product, class);
                let (n_even, n_odd) = if n % 2 == 0 { (n, next) } else { (next, n) };
                assert_eq!((even, odd), (word(n_even), word(n_odd)));
            }
        }
    }
}

// spec-test: S-20
// attack-test: T-13
#[tokio::test]
async fn bad_criteria_cost_one_error_and_nothing_else() {
    let world = world();
    let address = ecmg(&world).await;
    let [a, _] = CaSystem::defaults();
    let words = [(CpNumber(4), vec![1; 8]), (CpNumber(5), vec![2; 8])];
    for bad in [criteria(99), vec![1, 2, 3], Vec::new(), [&criteria(1)[..], &[0]].concat()] {
        let config = EcmgConfig { access_criteria: bad, ..config(&a, 1, 1) };
        let mut link = ScsLink::connect(&address, config).await.unwrap();
        for _ in 0..2 {
            let error = link.provision(CpNumber(4), &words).await.unwrap_err();
            assert!(matches!(error, ScsError::Refused { status: 0x0011, .. }), "{error}");
        }
        drop(link);
        // Its ids are free as soon as its connection is gone.
        retry(&address, self::config(&a, 1, 1)).await;
    }
    let mut link = retry(&address, config(&a, 1, 1)).await;
    let few = [(CpNumber(4), vec![1; 8])];
    let error = link.provision(CpNumber(4), &few).await.unwrap_err();
    assert!(matches!(error, ScsError::Refused { status: 0x000B, .. }), "{error}");
    let mixed = [(CpNumber(4), vec![1; 8]), (CpNumber(5), vec![2; 16])];
    let error = link.provision(CpNumber(4), &mixed).await.unwrap_err();
    assert!(matches!(error, ScsError::Refused { status: 0x0011, .. }), "{error}");
    link.provision(CpNumber(4), &words).await.unwrap();
}

async fn retry(address: &str, config: EcmgConfig) -> ScsLink {
    for _ in 0..100 {
        if let Ok(link) = ScsLink::connect(address, config.clone()).await {
            return link;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("ids were not freed");
}

#[tokio::test]
async fn refusals_name_the_address_and_the_status() {
    let world = world();
    let address = ecmg(&world).await;
    let [a, b] = CaSystem::defaults();
    let unknown = EcmgConfig { super_cas_id: SuperCasId(0x0BAD_0001), ..config(&a, 1, 1) };
    let refused = |result: Result<ScsLink, ScsError>| match result.unwrap_err() {
        ScsError::Refused { status, address: named, .. } if named == address => status,
        other => panic!("{other}"),
    };
    assert_eq!(refused(ScsLink::connect(&address, unknown).await), 0x0005);
    let _link = ScsLink::connect(&address, config(&a, 1, 1)).await.unwrap();
    assert_eq!(refused(ScsLink::connect(&address, config(&a, 1, 1)).await), 0x0013);
    let same_ecm_id = EcmgConfig { ecm_id: EcmId(1), ..config(&a, 2, 1) };
    // spec-test: S-27
    assert_eq!(refused(ScsLink::connect(&address, same_ecm_id).await), 0x0015);
    let _other_system = ScsLink::connect(&address, config(&b, 1, 1)).await.unwrap();
    let short = EcmgConfig { nominal_cp: Deciseconds(9), ..config(&a, 3, 1) };
    assert_eq!(refused(ScsLink::connect(&address, short).await), 0x0011);
    let nobody = ScsLink::connect("127.0.0.1:1", config(&a, 1, 1)).await.unwrap_err();
    assert!(nobody.to_string().contains("127.0.0.1:1"), "{nobody}");
}

#[tokio::test]
async fn a_link_survives_a_generator_that_comes_back() {
    let world = world();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let systems = EcmgSystems::open(&world.data, None).unwrap();
    let first = tokio::spawn(portcullis_headend::ecmg::serve(listener, systems));
    let [a, _] = CaSystem::defaults();
    let mut link = ScsLink::connect(&address, config(&a, 1, 1)).await.unwrap();
    let words = [(CpNumber(4), vec![1; 8]), (CpNumber(5), vec![2; 8])];
    link.provision(CpNumber(4), &words).await.unwrap();
    first.abort();
    let _ = first.await;
    let error = link.provision(CpNumber(4), &words).await.unwrap_err();
    assert!(matches!(error, ScsError::Disconnected { .. }), "{error}");
    let listener = TcpListener::bind(&address).await.unwrap();
    let systems = EcmgSystems::open(&world.data, None).unwrap();
    tokio::spawn(portcullis_headend::ecmg::serve(listener, systems));
    for _ in 0..200 {
        if link.provision(CpNumber(4), &words).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the link did not come back");
}

// attack-test: T-14
#[tokio::test]
async fn bytes_that_are_not_simulcrypt_end_one_connection_only() {
    let world = world();
    let address = ecmg(&world).await;
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let mut got = Vec::new();
    for i in 0..64u8 {
        if stream.write_all(&[9, 0xFF, i, 0, 4, 1, 2, 0xFF, 0xFF]).await.is_err() {
            break;
        }
    }
    let _ = stream.read_to_end(&mut got).await;
    assert!(got.len() >= 5);
    let [a, _] = CaSystem::defaults();
    ScsLink::connect(&address, config(&a, 1, 1)).await.unwrap();
}
