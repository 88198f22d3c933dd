#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::testing::{AFTERMATHS, Power, TestChip, TestDisk};

const CLIENT: ClientName =
    ClientName { super_scp_id: SuperScpId(0xA001), client_id: ScpClientId(1) };

fn open(disk: &TestDisk, chip: &mut TestChip) -> Result<SealedStore<TestDisk>, StoreError> {
    SealedStore::open(disk.clone(), Path::new("store"), CLIENT, StoreLimits::default(), chip)
}

fn put(store: &mut SealedStore<TestDisk>, value: &[u8], chip: &mut TestChip) {
    store.set(b"entitlement", value).unwrap();
    store.set(b"counter", value).unwrap();
    store.commit(chip).unwrap();
}

fn path() -> PathBuf {
    Path::new("store").join("0000a001-00000001.nv")
}

#[test]
fn what_was_committed_is_there_after_a_restart() {
    let (power, mut chip) = (Power::new(), TestChip::new(1));
    let disk = TestDisk::new(&power);
    let mut store = open(&disk, &mut chip).unwrap();
    put(&mut store, b"one", &mut chip);
    store.set(b"entitlement", b"never committed").unwrap();
    store.discard();
    assert_eq!(store.get(b"entitlement"), Some(&b"one"[..]));
    let store = open(&disk, &mut chip).unwrap();
    assert_eq!(store.get(b"entitlement"), Some(&b"one"[..]));
    assert_eq!(store.get(b"other"), None);
}

// spec-test: D-X12
#[test]
fn a_power_cut_at_any_operation_leaves_the_old_or_the_new_state() {
    let mut cuts = 0;
    for operation in 0.. {
        let power = Power::new();
        let mut chip = TestChip::powered_by(1, &power);
        let disk = TestDisk::new(&power);
        let mut store = open(&disk, &mut chip).unwrap();
        put(&mut store, b"old", &mut chip);
        power.cut_after(operation);
        store.set(b"entitlement", b"new").unwrap();
        store.set(b"counter", b"new").unwrap();
        let acknowledged = store.commit(&mut chip).is_ok();
        for how in AFTERMATHS {
            let power = Power::new();
            let mut chip = chip.after_cut(&power);
            let disk = disk.after_cut(&power, how);
            let store = open(&disk, &mut chip)
                .unwrap_or_else(|error| panic!("cut at {operation}, {how:?}: {error}"));
            let found = store.get(b"entitlement").unwrap();
            assert_eq!(store.get(b"counter").unwrap(), found, "a mixture at {operation}");
            assert!(found == b"new" || found == b"old" && !acknowledged);
            // And it goes on from there.
            let mut store = store;
            put(&mut store, b"next", &mut chip);
            open(&disk, &mut chip).unwrap();
            cuts += 1;
        }
        if acknowledged && !power.is_off() {
            break;
        }
    }
    assert!(cuts >= 6 * 6, "every operation of a commit was cut: {cuts}");
}

// spec-test: D-X7
// attack-test: T-38
#[test]
fn an_older_state_put_back_is_refused() {
    let (power, mut chip) = (Power::new(), TestChip::new(1));
    let disk = TestDisk::new(&power);
    let mut snapshots = vec![disk.snapshot()];
    let mut store = open(&disk, &mut chip).unwrap();
    for round in 0..4u8 {
        put(&mut store, &[round + 1], &mut chip);
        snapshots.push(disk.snapshot());
    }
    let present = snapshots.pop().unwrap();
    assert!(open(&present, &mut chip).is_ok());
    for (file, old) in snapshots.iter().enumerate() {
        match open(old, &mut chip).err() {
            Some(StoreError::RolledBack { chip: 4, file: found, .. }) => {
                assert_eq!(found, file as u64);
            }
            other => panic!("snapshot {file}: {other:?}"),
        }
    }
}

// spec-test: D-X7
// attack-test: T-38
#[test]
fn a_blob_of_another_chip_or_client_or_with_a_flipped_octet_is_refused() {
    let (power, mut chip) = (Power::new(), TestChip::new(1));
    let disk = TestDisk::new(&power);
    let mut store = open(&disk, &mut chip).unwrap();
    put(&mut store, b"value", &mut chip);

    let mut stranger = TestChip::new(2);
    assert!(matches!(open(&disk, &mut stranger), Err(StoreError::Foreign { .. })));

    let other = ClientName { client_id: ScpClientId(2), ..CLIENT };
    let to = Path::new("store").join(format!("{}.nv", other.file_name()));
    let swapped = disk.snapshot();
    swapped.rename(&path(), &to).unwrap();
    let opened =
        SealedStore::open(swapped, Path::new("store"), other, StoreLimits::default(), &mut chip);
    assert!(matches!(opened, Err(StoreError::Foreign { .. })));

    let length = disk.read(&path(), 4096).unwrap().unwrap().len();
    for at in 0..length {
        let bad = disk.snapshot();
        bad.edit(&path(), |bytes| bytes[at] ^= 1);
        assert!(matches!(open(&bad, &mut chip), Err(StoreError::Foreign { .. })), "octet {at}");
        let short = disk.snapshot();
        short.edit(&path(), |bytes| bytes.truncate(at));
        assert!(matches!(open(&short, &mut chip), Err(StoreError::Foreign { .. })), "cut {at}");
    }
}

#[test]
fn the_quota_holds_and_an_empty_value_deletes() {
    let (power, mut chip) = (Power::new(), TestChip::new(1));
    let limits = StoreLimits { quota: 16, key_len: 4, keys: 2 };
    let mut store =
        SealedStore::open(TestDisk::new(&power), Path::new("s"), CLIENT, limits, &mut chip)
            .unwrap();
    assert!(matches!(store.set(b"a", &[7; 16]), Err(StoreError::Quota { needed: 17, quota: 16 })));
    store.set(b"a", &[7; 15]).unwrap();
    store.set(b"a", &[8; 15]).unwrap();
    assert!(store.set(b"b", b"1").is_err());
    store.set(b"a", b"").unwrap();
    store.set(b"b", b"1").unwrap();
    store.set(b"c", b"1").unwrap();
    assert!(matches!(store.set(b"d", b"1"), Err(StoreError::Key(_))));
    assert!(matches!(store.set(b"", b"1"), Err(StoreError::Key(_))));
    assert!(matches!(store.set(b"12345", b"1"), Err(StoreError::Key(_))));
    store.commit(&mut chip).unwrap();
    assert_eq!(store.get(b"a"), None);
}

#[test]
fn a_failed_commit_poisons_until_the_store_is_opened_again() {
    let power = Power::new();
    let mut chip = TestChip::powered_by(1, &power);
    let disk = TestDisk::new(&power);
    let mut store = open(&disk, &mut chip).unwrap();
    put(&mut store, b"old", &mut chip);
    power.cut_after(1);
    store.set(b"entitlement", b"new").unwrap();
    assert!(matches!(store.commit(&mut chip), Err(StoreError::Io { .. })));
    power.cut_after(usize::MAX);
    store.set(b"entitlement", b"newer").unwrap();
    assert!(matches!(store.commit(&mut chip), Err(StoreError::Poisoned { .. })));
    assert_eq!(open(&disk, &mut chip).unwrap().get(b"entitlement"), Some(&b"old"[..]));
}

// spec-test: D-X7 D-X12
// attack-test: T-38 F-07
#[test]
fn a_refused_state_gives_way_to_an_empty_one_and_floors_hold() {
    let (power, mut chip) = (Power::new(), TestChip::new(1));
    let disk = TestDisk::new(&power);
    let begin = |disk: &TestDisk, chip: &mut TestChip| {
        let dir = Path::new("store");
        SealedStore::open_or_begin_anew(disk.clone(), dir, CLIENT, StoreLimits::default(), chip)
    };
    let (mut store, refused) = begin(&disk, &mut chip).unwrap();
    assert!(refused.is_none());
    put(&mut store, b"first", &mut chip);
    let old = disk.snapshot();
    store.raise_floor(1, 7).unwrap();
    put(&mut store, b"second", &mut chip);

    type Edit<'a> = dyn Fn(&TestDisk) + 'a;
    let rolled_back: &Edit<'_> = &|disk| {
        let bytes = old.read(&path(), 4096).unwrap().unwrap();
        disk.edit(&path(), |now| *now = bytes.clone());
    };
    let flipped: &Edit<'_> = &|disk| disk.edit(&path(), |bytes| bytes[20] ^= 1);
    let endless: &Edit<'_> = &|disk| disk.edit(&path(), |bytes| bytes.resize(1 << 20, 0));
    let empty: &Edit<'_> = &|disk| disk.edit(&path(), Vec::clear);
    for damage in [rolled_back, flipped, endless, empty] {
        damage(&disk);
        let (store, refused) = begin(&disk, &mut chip).unwrap();
        assert!(matches!(
            refused,
            Some(StoreError::RolledBack { .. } | StoreError::Foreign { .. })
        ));
        assert_eq!(store.get(b"entitlement"), None);
        assert_eq!(store.floor(1), 7);
        // The empty state is the present one: what was refused stays refused.
        let (mut store, refused) = begin(&disk, &mut chip).unwrap();
        assert!(refused.is_none());
        assert!(matches!(store.raise_floor(1, 6), Err(StoreError::Key(_))));
        put(&mut store, b"again", &mut chip);
    }
    // A chip that went back is another matter.
    let mut reset = TestChip::new(1);
    assert!(matches!(begin(&disk, &mut reset), Err(StoreError::Ahead { .. })));
}

#[test]
fn a_discarded_floor_is_not_raised() {
    let (power, mut chip) = (Power::new(), TestChip::new(1));
    let disk = TestDisk::new(&power);
    let mut store = open(&disk, &mut chip).unwrap();
    store.raise_floor(0, 9).unwrap();
    store.discard();
    assert_eq!(store.floor(0), 0);
    store.raise_floor(0, 5).unwrap();
    store.commit(&mut chip).unwrap();
    assert_eq!(open(&disk, &mut chip).unwrap().floor(0), 5);
    assert!(store.raise_floor(FLOORS, 1).is_err());
}
