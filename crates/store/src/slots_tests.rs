#![allow(clippy::unwrap_used, clippy::panic)]

use portcullis_types::{ScpClientId, SuperScpId};

use super::*;
use crate::testing::{AFTERMATHS, Power, TestDisk};

const CLIENT: ClientName =
    ClientName { super_scp_id: SuperScpId(0xA001), client_id: ScpClientId(1) };

fn open(disk: &TestDisk) -> Slots<TestDisk> {
    Slots::open(disk.clone(), Path::new("slots"), CLIENT, SlotLimits::default()).unwrap()
}

/// What a terminal would start: the first candidate whose image is there.
fn best(slots: &Slots<TestDisk>) -> Option<Vec<u8>> {
    slots.candidates().into_iter().find_map(|slot| slots.read(slot).unwrap())
}

#[test]
fn a_new_image_is_pending_until_it_ran_and_leaves_the_old_one_alone() {
    let disk = TestDisk::new(&Power::new());
    let mut slots = open(&disk);
    assert_eq!(best(&slots), None);
    let first = slots.install(b"version 1").unwrap();
    slots.begin_try(first).unwrap();
    slots.mark_good(first).unwrap();
    let second = slots.install(b"version 2").unwrap();
    assert_eq!(second, first.other());
    assert_eq!(slots.candidates(), [second, first]);
    assert_eq!(slots.state(second), SlotState::Pending { tries: 3 });

    let mut slots = open(&disk);
    assert_eq!(best(&slots).unwrap(), b"version 2");
    slots.mark_good(second).unwrap();
    // The third goes over the first, since the second is good and preferred.
    assert_eq!(slots.install(b"version 3").unwrap(), first);
}

#[test]
fn an_image_that_never_proves_itself_gives_way_to_the_old_one() {
    let disk = TestDisk::new(&Power::new());
    let mut slots = open(&disk);
    let old = slots.install(b"old").unwrap();
    slots.mark_good(old).unwrap();
    let new = slots.install(b"crashes").unwrap();
    for _ in 0..3 {
        // Each start is a fresh boot.
        let mut slots = open(&disk);
        assert_eq!(best(&slots).unwrap(), b"crashes");
        slots.begin_try(new).unwrap();
    }
    let mut slots = open(&disk);
    assert_eq!(best(&slots).unwrap(), b"old");
    assert!(matches!(slots.begin_try(new), Err(StoreError::NothingToTry(_))));
    // The next install takes the failed slot, not the good one.
    assert_eq!(slots.install(b"repaired").unwrap(), new);
}

#[test]
fn a_refused_image_frees_its_slot() {
    let disk = TestDisk::new(&Power::new());
    let mut slots = open(&disk);
    let old = slots.install(b"old").unwrap();
    slots.mark_good(old).unwrap();
    let new = slots.install(b"refused").unwrap();
    slots.mark_bad(new).unwrap();
    assert_eq!(slots.candidates(), [old]);
    assert_eq!(best(&open(&disk)).unwrap(), b"old");
}

// spec-test: D-07
#[test]
fn a_power_cut_at_any_operation_of_an_install_leaves_one_image_to_start() {
    let mut cuts = 0;
    for operation in 0.. {
        let power = Power::new();
        let disk = TestDisk::new(&power);
        let mut slots = open(&disk);
        let first = slots.install(b"version 1").unwrap();
        slots.mark_good(first).unwrap();
        let second = slots.install(b"version 2").unwrap();
        slots.mark_good(second).unwrap();
        power.cut_after(operation);
        let installed = slots.install(b"version 3").is_ok();
        for how in AFTERMATHS {
            let disk = disk.after_cut(&Power::new(), how);
            let mut slots = open(&disk);
            let image = best(&slots).unwrap_or_else(|| panic!("cut {operation}, {how:?}: nothing"));
            assert!(image == b"version 3" || image == b"version 2" && !installed);
            // A second install after the cut works too.
            let slot = slots.install(b"version 4").unwrap();
            slots.mark_good(slot).unwrap();
            assert_eq!(best(&open(&disk)).unwrap(), b"version 4");
            cuts += 1;
        }
        if installed && !power.is_off() {
            break;
        }
    }
    assert!(cuts >= 9 * 6, "every operation of an install was cut: {cuts}");
}

#[test]
fn a_swapped_image_or_a_damaged_state_never_starts_unseen() {
    let disk = TestDisk::new(&Power::new());
    let mut slots = open(&disk);
    let slot = slots.install(b"image").unwrap();
    slots.mark_good(slot).unwrap();

    let swapped = disk.snapshot();
    let image = swapped.paths().into_iter().find(|path| path.ends_with("a.odci")).unwrap();
    swapped.edit(&image, |bytes| bytes.push(0));
    assert_eq!(best(&open(&swapped)), None);

    // Without a readable state the image gets one try; launch verifies it in any case.
    let rotten = disk.snapshot();
    let state = rotten.paths().into_iter().find(|path| path.ends_with("state")).unwrap();
    rotten.edit(&state, |bytes| bytes[7] ^= 1);
    let slots = open(&rotten);
    assert_eq!(slots.state(slot), SlotState::Pending { tries: 1 });
    assert_eq!(best(&slots).unwrap(), b"image");
}

#[test]
fn an_image_larger_than_a_slot_is_refused() {
    let disk = TestDisk::new(&Power::new());
    let limits = SlotLimits { image: 4, tries: 1 };
    let mut slots = Slots::open(disk, Path::new("slots"), CLIENT, limits).unwrap();
    assert!(matches!(
        slots.install(b"12345"),
        Err(StoreError::ImageTooLarge { size: 5, limit: 4 })
    ));
}
