//! The EMM generator against our own MUX over loopback, and the EMMs as a box reads them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::{Duration, Instant};

use common::{World, world};
use portcullis_headend::emmg::{EmmgConfig, current_emms, run, run_in_process, snapshot};
use portcullis_headend::event::Events;
use portcullis_headend::keys::{CaKeys, epoch_at};
use portcullis_headend::layout::CaSystem;
use portcullis_headend::mux_server::{EmmDatagram, MuxLimits, MuxServer};
use portcullis_headend::store::Repository;
use portcullis_headend::unix_now;
use portcullis_keyladder::envelope::{
    GroupLadder, Header, Kind, UniqueLadder, open, unique_address,
};
use portcullis_keyladder::{LadderAlgorithm, LadderKey, Level2};
use portcullis_messages::{CaSection, GlobalEmm, GroupEmmBody, Layout, TableId, UniqueEmmBody};
use portcullis_types::{ChipId, EpochId, MemberIndex, ProductId, Seconds, UnixSeconds};
use tokio::sync::mpsc;

/// What a box makes of the EMMs of one CA system.
#[derive(Default)]
struct Read {
    time: Option<UnixSeconds>,
    unique: Option<UniqueEmmBody>,
    k2: Option<LadderKey<Level2>>,
    member: Option<MemberIndex>,
    groups: Vec<(GroupEmmBody, bool)>,
}

fn read(world: &World, ca: &CaSystem, chip: u64, sections: &[Vec<u8>]) -> Read {
    let mut read = Read::default();
    let layout = Layout::from_vendor(&ca.vendor).unwrap();
    let root = world.root(ca, chip);
    let address = unique_address(ChipId(chip), ca.description.vendor_sys_id);
    for section in sections {
        let section = CaSection::parse(section).unwrap();
        match section.table_id {
            TableId::GlobalEmm => {
                let signed = GlobalEmm::decode(section.payload).unwrap();
                let bytes = signed.unverified.signed_bytes();
                let _proof =
                    world.emm_signer.verifying_key().verify(&bytes, &signed.signature).unwrap();
                read.time = Some(signed.unverified.time);
            }
            TableId::UniqueEmm => {
                if Header::parse(section.payload).unwrap().key_ref != address {
                    continue;
                }
                let opened = open(&root, section.payload).unwrap();
                let ladder = UniqueLadder::decode(opened.ladder()).unwrap();
                read.k2 = Some(root.unwrap_k2(LadderAlgorithm::Aes, &ladder.ek2));
                read.member = Some(ladder.member_index);
                read.unique = Some(layout.decode_unique_emm(opened.client()).unwrap());
            }
            TableId::GroupEmm => {
                let Some(k2) = &read.k2 else { continue };
                let Ok(opened) = open(k2, section.payload) else { continue };
                let ladder = GroupLadder::decode(opened.ladder()).unwrap();
                let body = layout.decode_group_emm(opened.client()).unwrap();
                let mine = ladder.members.contains(read.member.unwrap());
                let keys = CaKeys::open(&world.data, ca, None).unwrap();
                let k1 = k2.unwrap_k1(LadderAlgorithm::Aes, &ladder.ek1);
                let expected = keys.k1(body.product, body.epoch);
                assert_eq!(k1.expose_secret(), expected.expose_secret());
                assert_eq!(opened.header().kind, Kind::GroupEmm);
                read.groups.push((body, mine));
            }
            other => panic!("{other:?} among EMMs"),
        }
    }
    read
}

fn products(read: &Read) -> Vec<(u32, u32)> {
    let mut of: Vec<_> = read
        .groups
        .iter()
        .filter(|(_, mine)| *mine)
        .map(|(b, _)| (b.product.0, b.epoch.0))
        .collect();
    of.sort_unstable();
    of
}

// spec-test: D-H2 D-H3 D-K3 D-05
#[test]
fn a_box_gets_its_keys_and_rights_and_nobody_elses() {
    let world = world();
    world.add_box("a", 0xA);
    world.add_box("b", 0xB);
    let now = unix_now();
    let mut store = world.store();
    let until = UnixSeconds(now.0 + 1_000_000);
    store.entitle("a", "all", now, until).unwrap();
    store.entitle("b", "two", now, until).unwrap();
    let EpochId(e) = epoch_at(now, Seconds(86_400));
    for (ca, datagram) in CaSystem::defaults().iter().zip(snapshot(&world.data, None).unwrap()) {
        assert_eq!(datagram.client_id.0, ca.description.super_cas_id.0);
        let a = read(&world, ca, 0xA, &datagram.sections);
        assert!(a.time.unwrap() >= now);
        let rights = a.unique.as_ref().unwrap();
        assert_eq!(rights.entitlements.iter().map(|r| r.product.0).collect::<Vec<_>>(), [1, 2, 3]);
        let mut all = vec![(1, e), (1, e + 1), (2, e), (2, e + 1), (3, e), (3, e + 1)];
        assert_eq!(products(&a), all);
        let b = read(&world, ca, 0xB, &datagram.sections);
        all.retain(|(product, _)| *product == 2);
        assert_eq!(products(&b), all);
        let ca_system = ca.description.ca_system_id;
        let own = current_emms(&world.data, None, ca_system, ChipId(0xB)).unwrap();
        let own = read(&world, ca, 0xB, &own);
        assert_eq!(products(&own), all);
        assert_eq!(own.unique.unwrap().entitlements.len(), 1);
        // The other box's unique EMM does not open under this one's root key.
        // attack-test: T-11
        for section in &datagram.sections {
            let section = CaSection::parse(section).unwrap();
            let other = unique_address(ChipId(0xA), ca.description.vendor_sys_id);
            if section.table_id == TableId::UniqueEmm
                && Header::parse(section.payload).unwrap().key_ref == other
            {
                assert!(open(&world.root(ca, 0xB), section.payload).is_err());
            }
        }
    }
    assert!(current_emms(&world.data, None, portcullis_types::CaSystemId(1), ChipId(0xB)).is_err());
    let ca_system = CaSystem::defaults()[0].description.ca_system_id;
    assert!(current_emms(&world.data, None, ca_system, ChipId(0xC)).is_err());
}

fn config(world: &World, mux: &MuxServer, version: u8) -> EmmgConfig {
    EmmgConfig {
        data: world.data.clone(),
        mux: mux.local_addr().to_string(),
        udp: mux.udp_addr().map(|address| address.to_string()),
        bandwidth_kbps: 500,
        version,
        ca_system: None,
    }
}

/// Reads until the unique EMM of this box in this CA system satisfies a condition.
async fn wait(
    world: &World,
    ca: &CaSystem,
    received: &mut mpsc::Receiver<EmmDatagram>,
    done: impl Fn(&Read) -> bool,
) -> Duration {
    let start = Instant::now();
    let mut seen = Vec::new();
    while start.elapsed() < Duration::from_secs(10) {
        let next = tokio::time::timeout(Duration::from_secs(5), received.recv()).await;
        let datagram = next.expect("EMMs").expect("an open MUX");
        if datagram.client_id.0 == ca.description.super_cas_id.0 {
            seen.extend(datagram.sections);
            if done(&read(world, ca, 0xA, &seen)) {
                return start.elapsed();
            }
        }
    }
    panic!("it did not come");
}

// spec-test: S-22 S-48 S-49 S-50
#[tokio::test(flavor = "multi_thread")]
async fn a_sale_reaches_the_mux_at_once_in_every_version_and_over_udp() {
    for (version, udp) in [(1, false), (2, false), (3, false), (5, false), (2, true), (3, true)] {
        let world = world();
        world.add_box("a", 0xA);
        let udp = udp.then_some("127.0.0.1:0");
        let (mux, mut received) =
            MuxServer::bind("127.0.0.1:0", udp, MuxLimits::default()).await.unwrap();
        let config = config(&world, &mux, version);
        let task = tokio::spawn(async move { run(config, None, Events::none()).await });
        let [a, _] = CaSystem::defaults();
        let ca_system = a.description.ca_system_id;
        wait(&world, &a, &mut received, |r| r.unique.is_some()).await;
        let mut store = world.store();
        let now = unix_now();
        store.entitle("a", "one", now, UnixSeconds(now.0 + 5_000)).unwrap();
        let entitled = wait(&world, &a, &mut received, |r| {
            r.unique.as_ref().is_some_and(|u| u.entitlements.len() == 1)
                && products(r).iter().any(|(product, _)| *product == 1)
        })
        .await;
        assert!(entitled < Duration::from_secs(1), "version {version}: {entitled:?}");
        let counter = store.terminal("a").unwrap().emm_counter;
        store.unentitle("a", "one").unwrap();
        wait(&world, &a, &mut received, |r| {
            let u = r.unique.as_ref();
            u.is_some_and(|u| u.entitlements.is_empty() && u.counter == counter + 1)
                && r.groups.iter().any(|(b, mine)| b.product == ProductId(1) && !mine)
        })
        .await;
        // All that went out is marked, so a restart does not send it as news again.
        for _ in 0..100 {
            if store.pending_events(ca_system, 10).unwrap().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(store.pending_events(ca_system, 10).unwrap().is_empty());
        task.abort();
    }
}

// spec-test: D-H2
#[tokio::test(flavor = "multi_thread")]
async fn what_was_sold_without_a_mux_goes_out_when_one_comes() {
    let world = world();
    world.add_box("a", 0xA);
    let (mux, received) = MuxServer::bind("127.0.0.1:0", None, MuxLimits::default()).await.unwrap();
    let config = config(&world, &mux, 3);
    let address = mux.local_addr().to_string();
    drop((mux, received));
    let task = tokio::spawn(async move { run(config, None, Events::none()).await });
    let mut store = world.store();
    let now = unix_now();
    store.entitle("a", "one", now, UnixSeconds(now.0 + 5_000)).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let [a, _] = CaSystem::defaults();
    let ca_system = a.description.ca_system_id;
    assert_eq!(store.pending_events(ca_system, 10).unwrap().len(), 2);
    let (mux, mut received) = loop {
        match MuxServer::bind(&address, None, MuxLimits::default()).await {
            Ok(bound) => break bound,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    wait(&world, &a, &mut received, |r| {
        r.unique.as_ref().is_some_and(|u| u.entitlements.len() == 1)
    })
    .await;
    task.abort();
    drop(mux);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_carousel_plays_in_process_and_ends_with_its_receiver() {
    let world = world();
    world.add_box("a", 0xA);
    let (out, mut received) = mpsc::channel(16);
    let task = tokio::spawn(run_in_process(world.data.clone(), None, 500, out));
    let [a, b] = CaSystem::defaults();
    wait(&world, &a, &mut received, |r| r.unique.is_some()).await;
    wait(&world, &b, &mut received, |r| r.unique.is_some()).await;
    drop(received);
    tokio::time::timeout(Duration::from_secs(5), task).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn an_address_that_cannot_be_listened_on_is_named() {
    let error = MuxServer::bind("192.0.2.1:5", None, MuxLimits::default()).await.unwrap_err();
    assert!(error.to_string().contains("192.0.2.1:5"), "{error}");
}
