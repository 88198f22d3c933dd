//! A data directory as `init` and `box add` make it, without running the off-line programs.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_crypto::Ed25519SigningKey;
use portcullis_headend::layout::{CaSystem, DataDir};
use portcullis_headend::store::{Operator, OperatorData, Repository};
use portcullis_keyladder::delivery::SckvDelivery;
use portcullis_keyladder::{Profile, RootKey, SckV, SeedV, root_key};
use portcullis_types::{ChipId, VendorSysId};
use portcullis_vault::{Party, create_private_dir, ed25519_seed_to_pem, write_public};

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) data: DataDir,
    pub(crate) sdmp: Ed25519SigningKey,
    pub(crate) emm_signer: Ed25519SigningKey,
}

pub(crate) fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::new(dir.path().join("data"));
    let sdmp = Ed25519SigningKey::from_seed(&[0x5D; 32]);
    let emm_signer = Ed25519SigningKey::from_seed(&[0xE5; 32]);
    for ca in CaSystem::defaults() {
        let party = Party::create(&data.ca(&ca.vendor), None).unwrap();
        let tag = ca.vendor.as_bytes()[7];
        party.seal_file("master.key.age", &[tag; 32]).unwrap();
        party.seal_file("seedv.age", &seed(&ca)).unwrap();
        create_private_dir(&data.ca(&ca.vendor).join("sckv")).unwrap();
        let key: String =
            sdmp.verifying_key().to_bytes().iter().map(|o| format!("{o:02x}")).collect();
        write_public(&data.ca(&ca.vendor).join("sdmp.pub"), key.as_bytes()).unwrap();
        let json = serde_json::to_vec(&ca.description).unwrap();
        write_public(&data.ca_description(&ca.vendor), &json).unwrap();
    }
    let operator = Party::create(&data.operator(), None).unwrap();
    operator.seal_file("emm-sign.key.age", &ed25519_seed_to_pem(&[0xE5; 32])).unwrap();
    let systems = CaSystem::defaults().iter().map(|ca| ca.description.ca_system_id).collect();
    drop(Operator::create(&data.operator_db(), &OperatorData::defaults(systems)).unwrap());
    World { dir, data, sdmp, emm_signer }
}

fn seed(ca: &CaSystem) -> [u8; 16] {
    [ca.vendor.as_bytes()[7] ^ 0x55; 16]
}

fn sckv(chip: ChipId, vendor: VendorSysId) -> SckV {
    let mut key = [0x11; 16];
    key[..8].copy_from_slice(&chip.0.to_be_bytes());
    key[14..].copy_from_slice(&vendor.0.to_be_bytes());
    SckV::new(key)
}

impl World {
    pub(crate) fn store(&self) -> Operator {
        Operator::open(&self.data.operator_db()).unwrap()
    }

    pub(crate) fn add_box(&self, name: &str, chip: u64) {
        let chip_id = ChipId(chip);
        for ca in CaSystem::defaults() {
            let vendor_sys_id = ca.description.vendor_sys_id;
            let delivery = SckvDelivery {
                chip_id,
                profile: Profile::P2,
                module_id: None,
                vendor_sys_id,
                sckv: sckv(chip_id, vendor_sys_id),
            };
            let party = Party::open(&self.data.ca(&ca.vendor), None).unwrap();
            let name = DataDir::sckv_name(chip_id);
            party.seal_file(&name, &delivery.encode(&self.sdmp)).unwrap();
        }
        let preferred = CaSystem::defaults()[0].description.ca_system_id;
        self.store().add_terminal(name, chip_id, preferred).unwrap();
    }

    /// What the chip itself would derive.
    pub(crate) fn root(&self, ca: &CaSystem, chip: u64) -> RootKey {
        let sckv = sckv(ChipId(chip), ca.description.vendor_sys_id);
        root_key(Profile::P2, &sckv, &SeedV::new(seed(ca)), None).unwrap()
    }
}
