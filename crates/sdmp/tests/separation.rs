//! Who can compute what: each party's directory is opened with its own unlock key, and everything
//! that opens is tried as a key.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use portcullis_chipset::Otp;
use portcullis_crypto::{Ed25519VerifyingKey, Key128, aes128_decrypt_block};
use portcullis_keyladder::delivery::SckvDelivery;
use portcullis_keyladder::{MaskKey, Profile, Sck, SckV, SeedV, root_key, sckv, seedv};
use portcullis_sdmp::{
    ChipOrder, ChipOutputs, ChipVendor, Sdmp, SdmpError, Serialiser, read_public_key,
};
use portcullis_types::{ChipId, VendorSysId};
use portcullis_vault::{Party, UNLOCK_KEY};

const A: VendorSysId = VendorSysId(0x0A01);
const B: VendorSysId = VendorSysId(0x0B02);
const PROFILE: Profile = Profile::P2;

struct Parties {
    root: tempfile::TempDir,
    sdmp: Sdmp,
    sckv: Vec<(String, PathBuf)>,
}

impl Parties {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = |name: &str| root.path().join(name);
        let sdmp = Sdmp::create(&dir("sdmp"), None).unwrap();
        let model_key = dir("sdmp/model.key.age");
        let chip_vendor =
            ChipVendor::create(&dir("chip-vendor"), None, &sdmp.recipient(), &model_key).unwrap();
        let mut outputs = Vec::new();
        for (name, id) in [("a", A), ("b", B)] {
            let party = Party::create(&dir(name), None).unwrap();
            sdmp.allocate_vendor(name, &party.recipient(), Some(id)).unwrap();
            let out = dir(name).join("seedv.age");
            chip_vendor.deliver_seedv(PROFILE, id, &party.recipient(), &out).unwrap();
            outputs.push((name.to_owned(), dir(name).join("sckv")));
        }
        Self { root, sdmp, sckv: outputs }
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn make_chip(&self, chip_id: Option<ChipId>) -> Result<(ChipId, PathBuf), SdmpError> {
        let recipient = std::fs::read_to_string(self.dir("chip-vendor/serialiser.pub")).unwrap();
        let outputs = ChipOutputs {
            batches: &self.dir("chip-vendor/batches"),
            serialiser: &recipient.parse().unwrap(),
            sckv: &self.sckv,
        };
        let order = ChipOrder { profile: PROFILE, module_id: None, chip_id };
        self.sdmp.make_chip(order, &outputs).map(|chip| (chip.chip_id, chip.batch))
    }

    fn sdmp_key(&self) -> Ed25519VerifyingKey {
        read_public_key(&self.dir("sdmp/sdmp.pub")).unwrap()
    }
}

/// Every file below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Every 16 octets, raw or in hexadecimal, that a party finds in files it can read or open.
fn reachable(dir: &Path) -> Vec<[u8; 16]> {
    let party = Party::open(dir, None).unwrap();
    let mut keys = Vec::new();
    for path in files(dir) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == UNLOCK_KEY || name == "serialiser.key" {
            continue;
        }
        let plain = match party.open_path(&path) {
            Ok(plain) => plain.to_vec(),
            Err(_) => std::fs::read(&path).unwrap(),
        };
        keys.extend(plain.windows(16).map(|w| <[u8; 16]>::try_from(w).unwrap()));
        keys.extend(
            plain.windows(32).filter_map(|w| {
                portcullis_types::parse_hex_array(std::str::from_utf8(w).ok()?).ok()
            }),
        );
    }
    keys
}

/// K3 of a chip for a vendor, from what the vendor was given.
fn vendors_root_key(parties: &Parties, name: &str, chip: ChipId) -> [u8; 16] {
    let party = Party::open(&parties.dir(name), None).unwrap();
    let octets = party.open_file(&format!("sckv/{:016x}.age", chip.0)).unwrap();
    let delivery = SckvDelivery::decode(&octets, &parties.sdmp_key()).unwrap();
    assert_eq!(delivery.chip_id, chip);
    let seed: [u8; 16] = party.open_file("seedv.age").unwrap()[..].try_into().unwrap();
    let k3 = root_key(PROFILE, &delivery.sckv, &SeedV::new(seed), None).unwrap();
    *k3.expose_secret()
}

/// Whatever K3 a set of octets leads to, when each of them is tried as each kind of key.
fn tries(keys: &[[u8; 16]], vendor: VendorSysId, wanted: &[u8; 16]) -> bool {
    let hit = |sckv: &SckV, seed: &SeedV| {
        root_key(PROFILE, sckv, seed, None).unwrap().expose_secret() == wanted
    };
    // Distinct octets only: files repeat themselves.
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    let seeds: Vec<SeedV> = keys
        .iter()
        .flat_map(|key| [SeedV::new(*key), seedv(PROFILE, &MaskKey::new(*key), vendor)])
        .collect();
    keys.iter().any(|key| {
        let candidates = [SckV::new(*key), sckv(PROFILE, &Sck::new(*key), vendor)];
        key == wanted || candidates.iter().any(|sckv| seeds.iter().any(|seed| hit(sckv, seed)))
    })
}

// spec-test: D-K8 D-K2 D-K3
// attack-test: T-03 T-07
#[test]
fn no_party_alone_reaches_a_root_key_but_a_vendor_its_own() {
    let parties = Parties::new();
    let (chip, _) = parties.make_chip(None).unwrap();
    let (for_a, for_b) =
        (vendors_root_key(&parties, "a", chip), vendors_root_key(&parties, "b", chip));
    assert_ne!(for_a, for_b);
    let sdmp = reachable(&parties.dir("sdmp"));
    let chip_vendor = reachable(&parties.dir("chip-vendor"));
    let (a, b) = (reachable(&parties.dir("a")), reachable(&parties.dir("b")));
    // The search finds what there is to be found.
    assert!(tries(&a, A, &for_a) && tries(&b, B, &for_b));
    let both: Vec<_> = sdmp_secrets(&parties).into_iter().chain(mask_key(&parties)).collect();
    assert!(tries(&both, A, &for_a), "SDMP and chip vendor together could");
    // And nothing else.
    for (who, keys) in [("SDMP", &sdmp), ("chip vendor", &chip_vendor)] {
        assert!(!tries(keys, A, &for_a), "{who} computes K3 of vendor a");
        assert!(!tries(keys, B, &for_b), "{who} computes K3 of vendor b");
    }
    assert!(!tries(&a, B, &for_b), "vendor a computes K3 of vendor b");
    assert!(!tries(&b, A, &for_a), "vendor b computes K3 of vendor a");
}

fn sdmp_secrets(parties: &Parties) -> Vec<[u8; 16]> {
    let party = Party::open(&parties.dir("sdmp"), None).unwrap();
    let record = files(&parties.dir("sdmp/chips")).remove(0);
    let text = String::from_utf8(party.open_path(&record).unwrap().to_vec()).unwrap();
    let at = text.find("\"sck\":\"").unwrap() + 7;
    vec![portcullis_types::parse_hex_array(&text[at..at + 32]).unwrap()]
}

fn mask_key(parties: &Parties) -> Vec<[u8; 16]> {
    let party = Party::open(&parties.dir("chip-vendor"), None).unwrap();
    vec![party.open_file("mask.key.age").unwrap()[..].try_into().unwrap()]
}

// spec-test: D-K8
// attack-test: T-07 T-08
#[test]
fn the_chip_vendors_office_opens_neither_batch_nor_model_key() {
    let parties = Parties::new();
    let (_, batch) = parties.make_chip(None).unwrap();
    let office = Party::open(&parties.dir("chip-vendor"), None).unwrap();
    assert!(office.open_path(&batch).is_err());
    assert!(office.open_file("model.key.age").is_err());
    // Nor does anybody's key open a file of another party.
    for (name, dir) in [("sdmp", "a"), ("a", "b"), ("b", "sdmp"), ("chip-vendor", "sdmp")] {
        let party = Party::open(&parties.dir(name), None).unwrap();
        for path in files(&parties.dir(dir)) {
            if path.extension().is_some_and(|extension| extension == "age") {
                assert!(party.open_path(&path).is_err(), "{name} opens {}", path.display());
            }
        }
    }
}

// spec-test: D-K8 D-K3 D-S3 D-S4 D-08
#[test]
fn a_burnt_chip_has_the_sck_of_the_sdmp() {
    let parties = Parties::new();
    let (chip, batch) = parties.make_chip(None).unwrap();
    let fab = ChipVendor::open(&parties.dir("chip-vendor"), None).unwrap();
    let module = Serialiser::open(&parties.dir("chip-vendor"), parties.sdmp_key()).unwrap();
    let otp = parties.dir("otp");
    assert_eq!(module.burn(&batch, &fab, &otp).unwrap(), chip);
    assert!(matches!(module.burn(&batch, &fab, &otp), Err(SdmpError::Otp(_))), "burnt once");
    let burnt = Otp::load(&otp).unwrap();
    assert_eq!(burnt.chip_id(), chip);
    assert_eq!(*burnt.bl_key0(), read_public_key(&parties.dir("sdmp/bl_key0.pub")).unwrap());
    // ESCK opens with the model key to the SCK of the SDMP's record.
    let line = Party::open_named(&parties.dir("chip-vendor"), "serialiser.key", None).unwrap();
    let model: [u8; 16] = line.open_file("model.key.age").unwrap()[..].try_into().unwrap();
    let record = line.open_path(&batch).unwrap();
    let esck: [u8; 16] = record[16..32].try_into().unwrap();
    let sck = aes128_decrypt_block(&Key128::new(model), esck);
    assert_eq!(vec![sck], sdmp_secrets(&parties));
    assert!(!std::fs::read(otp.join("chip.otp")).unwrap().windows(16).any(|w| w == sck));
}

// spec-test: D-K8
// attack-test: T-08
#[test]
fn a_batch_of_another_sdmp_is_not_burnt() {
    let (ours, other) = (Parties::new(), Parties::new());
    let (_, batch) = ours.make_chip(None).unwrap();
    let fab = ChipVendor::open(&ours.dir("chip-vendor"), None).unwrap();
    let module = Serialiser::open(&ours.dir("chip-vendor"), other.sdmp_key()).unwrap();
    let refused = module.burn(&batch, &fab, &ours.dir("otp")).unwrap_err();
    assert!(matches!(refused, SdmpError::Delivery { .. }));
    assert!(!ours.dir("otp").exists());
}

// spec-test: D-K8
#[test]
fn chips_and_vendor_numbers_are_given_once() {
    let parties = Parties::new();
    let (chip, _) = parties.make_chip(Some(ChipId(0x11))).unwrap();
    assert_eq!(chip, ChipId(0x11));
    let again = parties.make_chip(Some(ChipId(0x11)));
    assert!(matches!(again, Err(SdmpError::DuplicateChip(ChipId(0x11)))));
    let (second, _) = parties.make_chip(None).unwrap();
    assert_ne!(second, chip);
    let recipient = parties.sdmp.recipient();
    let taken = parties.sdmp.allocate_vendor("c", &recipient, Some(A));
    assert!(matches!(taken, Err(SdmpError::VendorTaken(A))));
    let named = parties.sdmp.allocate_vendor("a", &recipient, None);
    assert!(matches!(named, Err(SdmpError::VendorNameTaken(_))));
    assert_eq!(parties.sdmp.allocate_vendor("c", &recipient, None).unwrap(), VendorSysId(1));
    // With a third vendor, a chip needs a third SCKv file: none is forgotten.
    assert!(matches!(parties.make_chip(None), Err(SdmpError::VendorOutput(_))));
}
