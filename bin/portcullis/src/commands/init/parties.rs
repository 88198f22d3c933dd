//! The parties and what they hand each other: authority, SDMP, chip vendor, CA vendors, operator.

use std::path::{Path, PathBuf};

use portcullis_headend::layout::{CaSystem, DataDir};
use portcullis_vault::{Party, Passphrase, write_private, write_public};
use serde_json::Value;

use crate::cli::Failure;
use crate::commands::offline::{AUTHORITY, Offline, SDMP};

/// Entity id of the operator; its roles follow.
const OPERATOR_ENTITY: u32 = 0x0100;
/// Entity id of its platform operation, which stands in every container.
pub(super) const PLATFORM_OPERATION_ENTITY: u32 = 0x0101;
const EMM_SIGNER_ENTITY: u32 = 0x0102;
const CENTRE_ENTITY: u32 = 0x0103;
/// A client series belongs to its vendor; the number only tells several apart.
const FIRST_SERIES_ENTITY: u32 = 1;

/// Makes all parties in an empty data directory.
pub(super) fn create(
    data: &DataDir,
    offline: &Offline,
    systems: &[CaSystem],
) -> Result<(), Failure> {
    let passphrase = offline.passphrase()?;
    offline.run(AUTHORITY, ["init", "--dir", text(&data.authority())?])?;
    let sdmp = offline.run(SDMP, ["init", "--dir", text(&data.sdmp())?])?;
    create_chip_vendor(data, offline, field(&sdmp, "recipient")?)?;
    // The parties below share nothing but the authority, whose serial numbers have a lock.
    std::thread::scope(|scope| {
        let vendors = scope.spawn(|| {
            systems
                .iter()
                .try_for_each(|system| create_ca_vendor(data, offline, passphrase.as_ref(), system))
        });
        create_operator(data, offline, passphrase.as_ref())?;
        vendors.join().map_err(|_| Failure::new("init: a step ended unexpectedly"))?
    })
}

fn create_chip_vendor(data: &DataDir, offline: &Offline, sdmp: &str) -> Result<(), Failure> {
    let (dir, model_key) = (data.chip_vendor(), data.sdmp().join("model.key.age"));
    offline.run(
        SDMP,
        ["chip-vendor-init", "--dir", text(&dir)?, "--sdmp", sdmp, "--model-key-out"]
            .into_iter()
            .chain([text(&model_key)?]),
    )?;
    let bl_key1 = dir.join("bl_key1.pub");
    offline
        .run(SDMP, ["certify-bl-key1", "--dir", text(&data.sdmp())?, "--key", text(&bl_key1)?])?;
    portcullis_vault::create_private_dir(&dir.join("batches"))?;
    Ok(())
}

/// A CA vendor: Vendor_SysID and SDMP key from the SDMP, Seedv from the chip vendor, certificate
/// from the authority; its master key and its client series are its own.
fn create_ca_vendor(
    data: &DataDir,
    offline: &Offline,
    passphrase: Option<&Passphrase>,
    system: &CaSystem,
) -> Result<(), Failure> {
    let dir = data.ca(&system.vendor);
    let description = &system.description;
    let party = Party::create(&dir, passphrase)?;
    let recipient = party.recipient().to_string();
    let vendor_sys_id = description.vendor_sys_id.to_string();
    let sdmp_dir = data.sdmp();
    offline.run(
        SDMP,
        ["allocate-vendor", "--dir", text(&sdmp_dir)?, "--name", &system.vendor]
            .into_iter()
            .chain(["--recipient", &recipient, "--vendor-sys-id", &vendor_sys_id]),
    )?;
    let seedv = dir.join("seedv.age");
    offline.run(
        SDMP,
        ["deliver-seedv", "--dir", text(&data.chip_vendor())?, "--vendor-sys-id"]
            .into_iter()
            .chain([&*vendor_sys_id, "--recipient", &recipient, "--out", text(&seedv)?]),
    )?;
    let sdmp_key = read(&sdmp_dir.join("sdmp.pub"))?;
    write_public(&dir.join("sdmp.pub"), &sdmp_key)?;
    let mut master = portcullis_vault::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *master).map_err(|_| Failure::new("the system gives no randomness"))?;
    party.seal_file("master.key.age", &*master)?;
    portcullis_vault::create_private_dir(&dir.join("sckv"))?;
    let json = serde_json::to_vec_pretty(description)?;
    write_public(&data.ca_description(&system.vendor), &json)?;
    let issue = Issue { data, offline, dir: &dir };
    issue.certificate(
        "vendor",
        "ca-vendor",
        &description.name,
        &data.authority(),
        "root",
        &[
            ("--vendor-sys-id", vendor_sys_id),
            ("--entity-id", description.super_scp_id.to_string()),
        ],
    )?;
    let name = format!("{} client series 1", description.name);
    issue.certificate(
        "series",
        "client-series",
        &name,
        &dir,
        "vendor",
        &[("--entity-id", FIRST_SERIES_ENTITY.to_string())],
    )
}

fn create_operator(
    data: &DataDir,
    offline: &Offline,
    passphrase: Option<&Passphrase>,
) -> Result<(), Failure> {
    let dir = data.operator();
    Party::create(&dir, passphrase)?;
    portcullis_vault::create_private_dir(&data.centre())?;
    let issue = Issue { data, offline, dir: &dir };
    let entity = |id: u32| [("--entity-id", id.to_string())];
    issue.certificate(
        "operator",
        "operator",
        "Operator",
        &data.authority(),
        "root",
        &entity(OPERATOR_ENTITY),
    )?;
    let own = [
        ("po", "platform-operation", "Platform operation", PLATFORM_OPERATION_ENTITY),
        ("emm-sign", "emm-signer", "EMM signer", EMM_SIGNER_ENTITY),
        ("centre", "centre", "Download centre", CENTRE_ENTITY),
    ];
    own.into_iter().try_for_each(|(name, role, subject, id)| {
        issue.certificate(name, role, subject, &dir, "operator", &entity(id))
    })
}

/// Certificates for the keys of one party.
struct Issue<'a> {
    data: &'a DataDir,
    offline: &'a Offline,
    dir: &'a Path,
}

impl Issue<'_> {
    /// Makes `NAME.key.age` in the party's directory and gets `NAME.pem` from the issuer.
    fn certificate(
        &self,
        name: &str,
        role: &str,
        subject: &str,
        issuer_dir: &Path,
        issuer: &str,
        options: &[(&str, String)],
    ) -> Result<(), Failure> {
        let party = self.dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let request = requests(self.data).join(format!("{party}-{name}.csr"));
        let out = self.dir.join(format!("{name}.pem"));
        self.offline.run(
            AUTHORITY,
            ["request", "--dir", text(self.dir)?, "--name", name, "--subject", subject]
                .into_iter()
                .chain(["--out", text(&request)?]),
        )?;
        let mut arguments =
            vec!["issue", "--dir", text(issuer_dir)?, "--issuer", issuer, "--role", role];
        arguments.extend(["--subject", subject, "--csr", text(&request)?, "--out", text(&out)?]);
        for (option, value) in options {
            arguments.extend([*option, value]);
        }
        self.offline.run(AUTHORITY, arguments)?;
        Ok(())
    }
}

fn requests(data: &DataDir) -> PathBuf {
    data.root().join("requests")
}

/// Requests are of no use once the certificates are there.
pub(super) fn remove_requests(data: &DataDir) -> Result<(), Failure> {
    let dir = requests(data);
    std::fs::remove_dir_all(&dir).map_err(|e| Failure::new(format!("{}: {e}", dir.display())))
}

/// A path as the command lines of the off-line programs take it.
pub(in crate::commands) fn text(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| Failure::new(format!("{}: not UTF-8", path.display())))
}

/// A text field of a program's answer.
pub(in crate::commands) fn field<'a>(answer: &'a Value, name: &str) -> Result<&'a str, Failure> {
    let field = answer.get(name).and_then(Value::as_str);
    field.ok_or_else(|| Failure::new(format!("off-line program: no {name} in its answer")))
}

pub(in crate::commands) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}

/// Writes a private file that is no secret of a vault (used for image files of a box).
pub(in crate::commands) fn write(path: &Path, octets: &[u8]) -> Result<(), Failure> {
    Ok(write_private(path, octets)?)
}
