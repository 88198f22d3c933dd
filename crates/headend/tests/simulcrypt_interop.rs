//! Another house's scrambler side against our ECM and EMM generators.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::world;
use portcullis_headend::ecmg::{EcmgSystems, serve};
use portcullis_headend::emmg::{EmmgConfig, run};
use portcullis_headend::event::Events;
use portcullis_headend::keys::{CaKeys, epoch_at};
use portcullis_headend::layout::CaSystem;
use portcullis_headend::unix_now;
use portcullis_keyladder::envelope::open;
use portcullis_keyladder::{AssociatedData, ControlWordClass, LadderAlgorithm};
use portcullis_messages::{AccessCriteria, CaSection, Layout, UsageRights};
use portcullis_types::{ProductId, Seconds};
use simulcrypt::{
    CasConfig, EcmgConfig, EmmgConfig as TheirEmmgConfig, Event, ServiceCas, ServiceConfig,
    Simulcrypt,
};
use tokio::net::TcpListener;

// spec-test: D-H1 D-H2 S-20 S-22 S-23 S-24
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_scrambler_gets_ecms_that_hold_its_words_and_our_emms() {
    let world = world();
    world.add_box("a", 0xA);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ecmg = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, EcmgSystems::open(&world.data, None).unwrap()));
    // A port of their own for the MUX side: theirs does not tell which one it took.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let emm_port = free.local_addr().unwrap().port();
    drop(free);

    let [a, _] = CaSystem::defaults();
    let theirs = Simulcrypt::new();
    let lease = theirs
        .acquire_cas(CasConfig {
            id: "a".into(),
            name: "A".into(),
            super_cas_id: a.description.super_cas_id.0,
            first_stream_id: 1,
            ecmg: EcmgConfig::new(1, ecmg),
            emmg: Some(TheirEmmgConfig::new(emm_port)),
        })
        .unwrap();
    let criteria =
        AccessCriteria { product: ProductId(1), usage_rights: UsageRights::default() }.encode();
    let mut service = theirs
        .open_service(&ServiceConfig {
            name: "service".into(),
            crypto_period: Duration::from_secs(2),
            cas: vec![ServiceCas { cas: lease.cas(), ecm_pid: 100, access_criteria: criteria }],
        })
        .unwrap();
    let config = EmmgConfig {
        data: world.data.clone(),
        mux: format!("127.0.0.1:{emm_port}"),
        udp: None,
        bandwidth_kbps: 200,
        version: 3,
        ca_system: Some(a.description.ca_system_id),
    };
    tokio::spawn(async move { run(config, None, Events::none()).await });

    let (mut words, mut ecms, mut emms) = (Vec::new(), Vec::new(), 0);
    let collect = async {
        while let Some(event) = service.recv().await {
            match event {
                Event::Cw { cp_number, cw, .. } => words.push((cp_number, cw)),
                Event::Ecm { cp_number: Some(number), data, .. } => {
                    ecms.push((number, data.to_vec()));
                    ecms.dedup();
                }
                Event::Emm { data, .. } => {
                    let section = CaSection::parse(&data).unwrap();
                    assert!(!section.table_id.is_ecm());
                    emms += 1;
                }
                _ => {}
            }
            if ecms.len() >= 2 && words.len() >= 2 && emms >= 3 {
                return;
            }
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), collect).await.is_ok();
    let (w, e) = (words.len(), ecms.len());
    assert!(
        in_time,
        "{w} words, {e} ECMs, {emms} EMMs; {:?} {:?}",
        theirs.status(),
        theirs.emmg_status()
    );

    let keys = CaKeys::open(&world.data, &a, None).unwrap();
    let k1 = keys.k1(ProductId(1), epoch_at(unix_now(), Seconds(86_400)));
    let mut checked = 0;
    for (number, ecm) in &ecms {
        let opened = open(&k1, CaSection::parse(ecm).unwrap().payload).unwrap();
        let body = Layout::VendorA.decode_ecm(opened.client()).unwrap();
        assert_eq!(body.cp_number.0, *number);
        let class = ControlWordClass::Eight;
        let bound = k1.bind(&AssociatedData::new(&body.usage_rights, class).unwrap());
        for (period, word) in &words {
            let ecw = match period {
                p if p != number && *p != number.wrapping_add(1) => continue,
                p if p % 2 == 0 => &body.ecw_even,
                _ => &body.ecw_odd,
            };
            let found = bound.unwrap_cw(LadderAlgorithm::Aes, ecw, class).unwrap();
            assert_eq!(found.expose_secret(), word);
            checked += 1;
        }
    }
    assert!(checked >= 2);
}
