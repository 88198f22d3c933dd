//! A vendor, an operator and a root, made anew for each test; nothing of it is a real key.

use portcullis_crypto::Ed25519SigningKey;
use portcullis_package::{
    ContainerBuilder, ImageKey, PackInput, PackageKey, PackageType, SignatureType, UnsignedPackage,
    pack,
};
use portcullis_svm::Image;
use portcullis_trust::{
    ENTITY_ID_OID, ENTITY_ROLE_OID, EXTENDED_KEY_USAGE_ARC, Role, VENDOR_SYS_ID_OID,
};
use portcullis_types::{ScpClientId, SuperScpId, UnixSeconds};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ED25519, date_time_ymd,
};

/// 2026-07-01.
pub(crate) const NOW: UnixSeconds = UnixSeconds(1_782_864_000);

/// Octets of instructions in the test image; the rest is data.
pub(crate) const TEXT: u32 = 64;

pub(crate) const PLATFORM_OPERATION: u8 = 0x51;

pub(crate) struct Signer {
    pub(crate) key: Ed25519SigningKey,
    pair: KeyPair,
    params: CertificateParams,
    pub(crate) chain: Vec<Vec<u8>>,
}

pub(crate) struct World {
    pub(crate) anchor: Vec<u8>,
    pub(crate) series: Signer,
    pub(crate) platform_operation: Signer,
    pub(crate) emm_signer: Signer,
}

fn pair(seed: u8) -> (Ed25519SigningKey, KeyPair) {
    let mut der = vec![
        0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    der.extend([seed; 32]);
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der.into(), &PKCS_ED25519).unwrap();
    (Ed25519SigningKey::from_seed(&[seed; 32]), pair)
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2036, 1, 1);
    params
}

fn integer(oid: &[u64], octets: &[u8]) -> CustomExtension {
    let mut der = vec![0x02, octets.len() as u8];
    der.extend(octets);
    CustomExtension::from_oid_content(oid, der)
}

fn intermediate(
    by: &Signer,
    seed: u8,
    name: &str,
    role: Role,
    ids: Vec<CustomExtension>,
) -> Signer {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.custom_extensions = ids;
    params.custom_extensions.push(integer(&ENTITY_ROLE_OID, &[role.number()]));
    issue(by, seed, params)
}

fn leaf(by: &Signer, seed: u8, name: &str, role: Role, id: u8) -> Signer {
    let mut params = params(name);
    let mut oid = EXTENDED_KEY_USAGE_ARC.to_vec();
    oid.push(role.number().into());
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::Other(oid));
    params.custom_extensions.push(integer(&ENTITY_ID_OID, &[id]));
    issue(by, seed, params)
}

fn issue(by: &Signer, seed: u8, params: CertificateParams) -> Signer {
    let (key, pair) = pair(seed);
    let issuer = Issuer::from_params(&by.params, &by.pair);
    let mut chain = vec![params.signed_by(&pair, &issuer).unwrap().der().to_vec()];
    chain.extend(by.chain.iter().cloned());
    Signer { key, pair, params, chain }
}

/// A world with vendor `number` (its Super SCP ID is 0x00A000 + number).
pub(crate) fn world(number: u8) -> World {
    let (key, root_pair) = pair(1);
    let mut root_params = params("root");
    root_params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    root_params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let anchor = root_params.self_signed(&root_pair).unwrap().der().to_vec();
    let root = Signer { key, pair: root_pair, params: root_params, chain: Vec::new() };
    let ids = vec![
        integer(&VENDOR_SYS_ID_OID, &[0x0A, number]),
        integer(&ENTITY_ID_OID, &[0, 0xA0, number]),
    ];
    let vendor = intermediate(&root, 10 + number, "vendor", Role::CaVendor, ids);
    let operator = intermediate(&root, 3, "operator", Role::Operator, Vec::new());
    World {
        anchor,
        series: leaf(&vendor, 20 + number, "series", Role::ClientSeries, 1),
        platform_operation: leaf(&operator, 4, "po", Role::PlatformOperation, PLATFORM_OPERATION),
        emm_signer: leaf(&operator, 5, "emm", Role::EmmSigner, 0x52),
    }
}

pub(crate) fn policy(client: u32, vendor: u8) -> String {
    format!(
        r#"<scp-policy xmlns="urn:portcullis:policy:1" version="1" clientId="{client}" superScpId="0x{:08x}">
  <lifetime notBefore="2026-01-01T00:00:00Z" notAfter="2031-01-01T00:00:00Z" maxUptimeSeconds="0"/>
  <limits code="4096" text="{TEXT}" data="65536" stack="4096" heap="4096" fuelPerEvent="1000000" nvBytes="4096"/>
  <instructions allow="rv32i rv32m"/>
  <event name="Initialize"><syscall id="0x001"/><syscall id="0x002" maxPerEvent="1"/></event>
  <event name="ChangeKey"><syscall id="0x044" maxPerEvent="4"/></event>
  <network><host name="cas.example.org" port="443"/></network>
  <onViolation report="true"/>
</scp-policy>"#,
        0xA000 + u32::from(vendor)
    )
}

pub(crate) fn image() -> Image {
    // `addi x0, x0, 0` all the way, then data.
    let mut code = [0x13, 0, 0, 0].repeat(TEXT as usize / 4);
    code.extend(0..200u8);
    Image { text_bytes: TEXT, code, load_offset: 0, entry: 8 }
}

pub(crate) fn unsigned(
    client: u32,
    vendor: u8,
    version: u16,
    kind: PackageType,
) -> UnsignedPackage {
    pack(&PackInput {
        version,
        client_id: ScpClientId(client),
        super_scp_id: SuperScpId(0xA000 + u32::from(vendor)),
        policy: policy(client, vendor).as_bytes(),
        image: &image(),
        package_type: kind,
        signature_type: SignatureType::Ed25519,
    })
    .unwrap()
}

impl World {
    pub(crate) fn package(
        &self,
        client: u32,
        vendor: u8,
        version: u16,
        kind: PackageType,
    ) -> Vec<u8> {
        unsigned(client, vendor, version, kind).sign(&self.series.key).unwrap()
    }

    pub(crate) fn package_key(&self) -> PackageKey {
        PackageKey::Ed25519(self.series.key.verifying_key().to_bytes())
    }

    pub(crate) fn container(&self, package: &[u8]) -> Vec<u8> {
        self.container_with(package, None)
    }

    pub(crate) fn container_with(
        &self,
        package: &[u8],
        encryption: Option<(&ImageKey, [u8; 12])>,
    ) -> Vec<u8> {
        ContainerBuilder {
            package,
            platform_operation_id: PLATFORM_OPERATION.into(),
            client_chain: &self.series.chain,
            platform_operation_chain: &self.platform_operation.chain,
            emm_signer_chain: &self.emm_signer.chain,
            encryption,
        }
        .build()
        .unwrap()
        .countersign(&self.platform_operation.key)
    }
}
