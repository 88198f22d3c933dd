//! The vectors of `vectors/keyladder`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use portcullis_keyladder::calculator::{CalculatorError, Inputs, Outputs, calculate};
use portcullis_keyladder::envelope::{self, HeaderFields, open, seal};
use portcullis_keyladder::{
    AssociatedData, ControlWord, ControlWordClass, LadderAlgorithm, LadderKey, Level1, Level2,
    MaskKey, Profile, RootKey, Sck, WordWrapper, root_key, sckv, seedv,
};
use portcullis_types::{ChipId, ModuleId, VendorSysId, decode_hex, parse_hex_array};
use serde_json::Value;

fn file(name: &str) -> Value {
    let path = format!("{}/../../vectors/keyladder/{name}", env!("CARGO_MANIFEST_DIR"));
    let value: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(value["origin"].is_string(), "{name} names its origin");
    value
}

fn block(value: &Value) -> [u8; 16] {
    parse_hex_array(value.as_str().unwrap()).unwrap()
}

fn octets(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let mut out = vec![0; text.len() / 2];
    decode_hex(text, &mut out).unwrap();
    out
}

/// The shared inputs of both files, for one profile.
fn inputs(profile: Profile, ladder: LadderAlgorithm) -> Inputs {
    let shared = &file("root-keys.json")["inputs"];
    Inputs {
        profile,
        ladder,
        sck: block(&shared["sck"]),
        vendor_sys_id: u16::from_str_radix(shared["vid"].as_str().unwrap(), 16).unwrap(),
        module_id: profile
            .has_module_key()
            .then(|| u8::from_str_radix(shared["mid"].as_str().unwrap(), 16).unwrap()),
        mask_key: block(&shared["mask_key"]),
        ..Inputs::default()
    }
}

// spec-test: D-K3 D-K4
#[test]
fn root_keys_of_all_five_profiles() {
    let file = file("root-keys.json");
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), Profile::ALL.len());
    for case in cases {
        let profile: Profile = case["profile"].as_str().unwrap().parse().unwrap();
        let outputs = calculate(&inputs(profile, LadderAlgorithm::Aes)).unwrap();
        assert_eq!(outputs.sckv, block(&case["sckv"]), "SCKv of profile {profile}");
        assert_eq!(outputs.seedv, block(&case["seedv"]), "Seedv of profile {profile}");
        assert_eq!(outputs.k3, block(&case["k3"]), "K3 of profile {profile}");
        assert_eq!((outputs.k2, outputs.k1, outputs.cw), (None, None, None));
    }
}

// spec-test: D-K5 D-K6
#[test]
fn ladders_and_challenge_response() {
    let file = file("ladders.json");
    let shared = &file["inputs"];
    let (ek2, ek1) = (block(&shared["ek2"]), block(&shared["ek1"]));
    for case in file["cases"].as_array().unwrap() {
        let profile = case["profile"].as_str().unwrap().parse().unwrap();
        let ladder: LadderAlgorithm = case["ladder"].as_str().unwrap().parse().unwrap();
        let name = format!("{profile}/{ladder}");
        let outputs: Outputs = calculate(&Inputs {
            ek2: Some(ek2),
            ek1: Some(ek1),
            nonce: Some(block(&shared["nonce"])),
            ecw: Some(octets(&case["ecw16"])),
            ..inputs(profile, ladder)
        })
        .unwrap();
        assert_eq!(outputs.k2, Some(block(&case["k2"])), "K2 of {name}");
        assert_eq!(outputs.k1, Some(block(&case["k1"])), "K1 of {name}");
        assert_eq!(outputs.a, Some(block(&case["a"])), "A of {name}");
        assert_eq!(outputs.dnonce, Some(block(&case["dnonce"])), "dnonce of {name}");
        assert_eq!(outputs.cw, Some(octets(&shared["cw16"])), "CW16 of {name}");

        // The wrapping side gives back what was unwrapped.
        let k3 = RootKey::new(outputs.k3);
        let k2 = LadderKey::<Level2>::new(block(&case["k2"]));
        let k1 = LadderKey::<Level1>::new(block(&case["k1"]));
        assert_eq!(k3.wrap_k2(ladder, &k2), ek2, "EK2 of {name}");
        assert_eq!(k2.wrap_k1(ladder, &k1), ek1, "EK1 of {name}");
        let bound = k1.unbound();
        let cw16 = ControlWord::new(&octets(&shared["cw16"])).unwrap();
        assert_eq!(bound.wrap_cw(ladder, &cw16).to_vec(), octets(&case["ecw16"]), "ECW of {name}");
        if let Some(ecw8) = case.get("ecw8") {
            let cw8 = ControlWord::new(&octets(&shared["cw8"])).unwrap();
            let ecw = bound.wrap_cw(ladder, &cw8);
            assert!(ecw.starts_with(&octets(ecw8)), "ECW8 of {name}");
            let unwrapped = bound.unwrap_cw(ladder, &ecw, ControlWordClass::Eight).unwrap();
            assert_eq!(unwrapped.expose_secret(), cw8.expose_secret());
        }
    }
}

#[test]
fn an_eight_octet_ecw_is_for_the_tdes_ladder() {
    let file = file("ladders.json");
    let shared = &file["inputs"];
    let with = |ladder, ecw: Vec<u8>| {
        calculate(&Inputs {
            ek2: Some(block(&shared["ek2"])),
            ek1: Some(block(&shared["ek1"])),
            ecw: Some(ecw),
            ..inputs(Profile::P1, ladder)
        })
    };
    let ecw8 = octets(&file["cases"][1]["ecw8"]);
    assert_eq!(with(LadderAlgorithm::Tdes, ecw8.clone()).unwrap().cw, Some(octets(&shared["cw8"])));
    assert_eq!(with(LadderAlgorithm::Aes, ecw8), Err(CalculatorError::EcwLength(8)));
}

#[test]
fn the_calculator_refuses_what_does_not_fit_together() {
    let missing = Inputs { ek1: Some([0; 16]), ..Inputs::default() };
    assert!(matches!(calculate(&missing), Err(CalculatorError::Missing { needs: "ek2", .. })));
    let module = Inputs { module_id: Some(1), ..Inputs::default() };
    assert!(matches!(calculate(&module), Err(CalculatorError::Module(_))));
    let no_module = Inputs { profile: Profile::P2a, ..Inputs::default() };
    assert!(matches!(calculate(&no_module), Err(CalculatorError::Module(_))));
}

// spec-test: D-K2
// attack-test: T-03
#[test]
fn each_bit_of_sck_and_vendor_changes_the_root_key() {
    let k3 = |profile: Profile, sck: [u8; 16], vendor: u16| {
        let vendor = VendorSysId(vendor);
        let module = profile.has_module_key().then_some(ModuleId(1));
        let sckv = sckv(profile, &Sck::new(sck), vendor);
        let seedv = seedv(profile, &MaskKey::new([0x5A; 16]), vendor);
        *root_key(profile, &sckv, &seedv, module).unwrap().expose_secret()
    };
    for profile in Profile::ALL {
        let reference = k3(profile, [0x11; 16], 0x0A01);
        for bit in 0..16 {
            assert_ne!(k3(profile, [0x11; 16], 0x0A01 ^ 1 << bit), reference);
        }
        for bit in 0..128usize {
            let mut sck = [0x11; 16];
            sck[bit / 8] ^= 1 << (bit % 8);
            // Bit 0 of each octet is DES parity.
            let parity = bit % 8 == 0 && matches!(profile, Profile::P1 | Profile::P1a);
            assert_eq!(k3(profile, sck, 0x0A01) == reference, parity, "{profile} bit {bit}");
        }
    }
}

// attack-test: T-05
#[test]
fn usage_rights_and_class_are_bound_into_the_key() {
    let file = file("usage-rights-binding.json");
    for case in file["cases"].as_array().unwrap() {
        let class = match case["class"].as_u64().unwrap() {
            8 => ControlWordClass::Eight,
            _ => ControlWordClass::Sixteen,
        };
        let k1 = LadderKey::<Level1>::new(block(&case["k1"]));
        let rights = octets(&case["usage_rights"]);
        let bound = k1.bind(&AssociatedData::new(&rights, class).unwrap());
        assert_eq!(bound.expose_secret(), &block(&case["bound"]));
        let cw = ControlWord::new(&octets(&case["cw"])).unwrap();
        let ecw = block(&case["ecw"]);
        assert_eq!(bound.wrap_cw(LadderAlgorithm::Aes, &cw), ecw);
        assert_eq!(WordWrapper::new(&bound).wrap_cws([&cw, &cw]), [ecw, ecw]);
        let unwrapped = bound.unwrap_cw(LadderAlgorithm::Aes, &ecw, class).unwrap();
        assert_eq!(unwrapped.expose_secret(), cw.expose_secret());

        let other_class = match class {
            ControlWordClass::Eight => ControlWordClass::Sixteen,
            ControlWordClass::Sixteen => ControlWordClass::Eight,
        };
        let mut other_rights = rights.clone();
        other_rights.push(1);
        for ad in [
            AssociatedData::new(&rights, other_class).unwrap(),
            AssociatedData::new(&other_rights, class).unwrap(),
        ] {
            assert_ne!(k1.bind(&ad).expose_secret(), bound.expose_secret());
        }
    }
    assert!(AssociatedData::new(&[0; 257], ControlWordClass::Eight).is_err());
}

#[test]
fn sealed_messages() {
    let file = file("envelopes.json");
    let address = &file["address"];
    let number = |value: &Value| u64::from_str_radix(value.as_str().unwrap(), 16).unwrap();
    assert_eq!(
        u64::from(envelope::unique_address(
            ChipId(number(&address["chip_id"])),
            VendorSysId(number(&address["vendor_sys_id"]) as u16)
        )),
        address["key_ref"].as_u64().unwrap()
    );
    for case in file["cases"].as_array().unwrap() {
        let fields = HeaderFields {
            salt: case["salt"].as_u64().unwrap() as u16,
            key_ref: case["key_ref"].as_u64().unwrap() as u32,
            sequence: case["sequence"].as_u64().unwrap() as u32,
        };
        let key = block(&case["level_key"]);
        let (ladder, client) = (octets(&case["ladder"]), octets(&case["client"]));
        let expected = octets(&case["message"]);
        let (sealed, opened) = match case["kind"].as_str().unwrap() {
            "unique-emm" => {
                let key = RootKey::new(key);
                (seal(&key, fields, &ladder, &client), open(&key, &expected))
            }
            "group-emm" => {
                let key = LadderKey::<Level2>::new(key);
                (seal(&key, fields, &ladder, &client), open(&key, &expected))
            }
            _ => {
                let key = LadderKey::<Level1>::new(key);
                (seal(&key, fields, &ladder, &client), open(&key, &expected))
            }
        };
        assert_eq!(sealed.unwrap(), expected);
        let opened = opened.unwrap();
        assert_eq!((opened.ladder(), opened.client()), (&*ladder, &*client));
        assert_eq!(opened.header().key_ref, fields.key_ref);
    }
}
