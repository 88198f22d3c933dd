//! A small headend, chips in threads, and boot images for the tests.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::thread::JoinHandle;

use portcullis_chipset::fabric::{Otp, OtpContents, encrypt_sck};
use portcullis_chipset::{ChipHandle, SoftwareChip};
use portcullis_crypto::{Ed25519SigningKey, Key128};
use portcullis_keyladder::envelope::{
    GroupLadder, HeaderFields, MemberBitmap, UniqueLadder, seal, unique_address,
};
use portcullis_keyladder::{
    AssociatedData, ControlWord, ControlWordClass, LadderAlgorithm, LadderKey, Level1, Level2,
    MaskKey, Profile, RootKey, Sck, root_key, sckv, seedv,
};
use portcullis_scramble::Cipher;
use portcullis_types::{
    ChipId, GroupId, MemberIndex, Parity, ProductId, ScramblingMode, VendorSysId,
};

pub(crate) const VENDOR: VendorSysId = VendorSysId(0x0A01);
pub(crate) const GROUP: GroupId = GroupId(7);
pub(crate) const PRODUCT: ProductId = ProductId(1);
pub(crate) const EPOCH: u32 = 20_000;
pub(crate) const RIGHTS: &[u8] = &[1, 8, 0, 0, 0, 0, 0, 0, 0, 1];
pub(crate) const PID: u16 = 0x0100;

const MASK_KEY: [u8; 16] = [0x4D; 16];
const MODEL_KEY: [u8; 16] = [0x6D; 16];

/// BL_KEY0 of all test chips.
pub(crate) fn bl_key0() -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&[0xB0; 32])
}

/// One box: its OTP directory and what the SDMP knows of its chip.
pub(crate) struct TestBox {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) chip_id: ChipId,
    pub(crate) member: MemberIndex,
    sck: [u8; 16],
}

impl TestBox {
    pub(crate) fn burn(number: u8) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let test_box = Self {
            dir,
            chip_id: ChipId(0x1000_0000_0000_0000 | u64::from(number)),
            member: MemberIndex(number),
            sck: [number; 16],
        };
        test_box.burn_into(&test_box.otp_dir()).unwrap();
        test_box
    }

    pub(crate) fn burn_into(&self, otp_dir: &Path) -> Result<(), portcullis_chipset::OtpError> {
        let model_key = Key128::new(MODEL_KEY);
        Otp::burn(
            otp_dir,
            &OtpContents {
                chip_id: self.chip_id,
                profile: Profile::P2,
                module_id: None,
                esck: encrypt_sck(&model_key, &Sck::new(self.sck)),
                bl_key0: bl_key0().verifying_key().to_bytes(),
                model_key: &model_key,
                mask_key: &MaskKey::new(MASK_KEY),
            },
        )
    }

    pub(crate) fn otp_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("otp")
    }

    pub(crate) fn chip(&self) -> SoftwareChip {
        SoftwareChip::new(&self.otp_dir(), random()).unwrap()
    }

    /// The chip in a thread of its own, and the terminal's handle.
    pub(crate) fn power_on(&self) -> (ChipHandle, JoinHandle<()>) {
        let mut chip = self.chip();
        let (ours, theirs) = portcullis_chipset::pair().unwrap();
        let server =
            std::thread::spawn(move || portcullis_chipset::serve(&mut chip, &ours).unwrap());
        (ChipHandle::connect(theirs).unwrap(), server)
    }

    /// K3 as the CA vendor computes it from its share of the secrets.
    pub(crate) fn k3(&self) -> RootKey {
        let sckv = sckv(Profile::P2, &Sck::new(self.sck), VENDOR);
        let seedv = seedv(Profile::P2, &MaskKey::new(MASK_KEY), VENDOR);
        root_key(Profile::P2, &sckv, &seedv, None).unwrap()
    }

    /// A unique EMM that puts this box into the group.
    pub(crate) fn unique_emm(&self, counter: u32) -> Vec<u8> {
        let k3 = self.k3();
        let ek2 = k3.wrap_k2(LadderAlgorithm::Aes, &k2());
        let ladder = UniqueLadder { group_id: GROUP, member_index: self.member, ek2 };
        let key_ref = unique_address(self.chip_id, VENDOR);
        let fields = HeaderFields { salt: 1, key_ref, sequence: counter };
        seal(&k3, fields, &ladder.encode(), b"entitlements").unwrap()
    }
}

pub(crate) fn k2() -> LadderKey<Level2> {
    LadderKey::new([0x22; 16])
}

pub(crate) fn k1() -> LadderKey<Level1> {
    LadderKey::new([0x11; 16])
}

/// A group EMM for these members.
pub(crate) fn group_emm(epoch: u32, members: &[MemberIndex]) -> Vec<u8> {
    let mut bitmap = MemberBitmap::default();
    members.iter().for_each(|member| bitmap.insert(*member));
    let ek1 = k2().wrap_k1(LadderAlgorithm::Aes, &k1());
    let ladder = GroupLadder { product_id: PRODUCT, members: bitmap, ek1 };
    let fields = HeaderFields { salt: 2, key_ref: GROUP.0, sequence: epoch };
    seal(&k2(), fields, &ladder.encode(), b"").unwrap()
}

pub(crate) fn ecm(cp_number: u16) -> Vec<u8> {
    let fields = HeaderFields { salt: cp_number, key_ref: PRODUCT.0, sequence: EPOCH };
    seal(&k1(), fields, &[], b"ecm body").unwrap()
}

/// Control word of a crypto-period.
pub(crate) fn cw(cp_number: u16, mode: ScramblingMode) -> Vec<u8> {
    (0..mode.control_word_len()).map(|i| i as u8 ^ (cp_number as u8).wrapping_mul(37)).collect()
}

pub(crate) fn ecw(cp_number: u16, mode: ScramblingMode) -> [u8; 16] {
    let class = ControlWordClass::of(mode);
    let bound = k1().bind(&AssociatedData::new(RIGHTS, class).unwrap());
    bound.wrap_cw(LadderAlgorithm::Aes, &ControlWord::new(&cw(cp_number, mode)).unwrap())
}

pub(crate) const fn parity(cp_number: u16) -> Parity {
    if cp_number.is_multiple_of(2) { Parity::Even } else { Parity::Odd }
}

/// A packet of the service, scrambled under the key of its crypto-period.
pub(crate) fn scrambled(cp_number: u16, mode: ScramblingMode) -> [u8; 188] {
    let mut packet = clear();
    let cipher = Cipher::new(mode, &cw(cp_number, mode)).unwrap();
    cipher.scramble_packet(&mut packet, parity(cp_number));
    packet
}

pub(crate) fn clear() -> [u8; 188] {
    let mut packet = [0xC1; 188];
    packet[..4].copy_from_slice(&[0x47, (PID >> 8) as u8, PID as u8, 0x10]);
    packet
}

/// Randomness that is none.
pub(crate) fn random() -> portcullis_chipset::RandomSource {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    Box::new(move |buffer| {
        for octet in buffer {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *octet = (state >> 32) as u8;
        }
    })
}
