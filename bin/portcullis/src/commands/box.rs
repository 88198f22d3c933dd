//! `portcullis box`: make, list and revoke virtual set-top boxes.

use std::path::{Path, PathBuf};

use portcullis_chipset::boot::{
    BOOTLOADER_FILE, BlKey1Certificate, BootImage, ImageVersion, PLATFORM_FILE,
    PlatformKeyCertificate,
};
use portcullis_chipset::{DEVICE_KEY_LABEL, Otp, fabric};
use portcullis_crypto::Zeroizing;
use portcullis_headend::layout::{CaSystem, DataDir};
use portcullis_headend::store::{Operator, Repository};
use portcullis_terminal::ViolationRecord;
use portcullis_types::{ChipId, parse_hex_array, parse_u32};
use portcullis_vault::Party;
use serde_json::{Value, json};

use super::init::{chain, field, read, signing_key, text, write};
use super::offline::{AUTHORITY, Offline, SDMP, Scratch, print};
use crate::cli::{Failure, Outcome};

/// Longest name of a box.
const MAX_NAME: usize = 32;
/// Version of the images of a new box; later ones come as updates.
const FIRST_VERSION: ImageVersion = ImageVersion { version: 1, floor: 1 };

/// Arguments of `portcullis box`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: BoxCommand,
}

#[derive(clap::Subcommand)]
enum BoxCommand {
    /// Make a box: chip, bootloader, platform, device certificate.
    Add {
        /// Letters, digits, - and _; at most 32.
        name: String,
        /// CA vendor whose client the box gets first.
        #[arg(long, default_value = "vendor-a")]
        vendor: String,
        /// File with the passphrase of the unlock keys.
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
        #[command(flatten)]
        common: Common,
    },
    /// List all boxes.
    List {
        #[command(flatten)]
        common: Common,
    },
    /// What stopped the clients of a box, the oldest first: time, client, event, call, place.
    Violations {
        /// The box. It must not be playing, unless `--told`.
        name: String,
        /// What the box has told the centre, in place of what stands in its own log.
        #[arg(long)]
        told: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Cancel all products of a box and take it out of its groups.
    Revoke {
        /// The box.
        name: String,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(clap::Args)]
struct Common {
    /// The data directory.
    #[arg(long, value_name = "DIR", default_value = "portcullis-data")]
    data: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Outcome {
    match args.command {
        BoxCommand::Add { name, vendor, passphrase_file, common } => {
            let data = DataDir::new(&common.data);
            let object = add(&data, &name, &vendor, passphrase_file.as_deref())?;
            let chip = object.get("chip_id").and_then(Value::as_str).unwrap_or_default();
            print(common.json, &object, &format!("box {name}: chip {chip}, client of {vendor}"));
        }
        BoxCommand::List { common } => list(&DataDir::new(&common.data), common.json)?,
        BoxCommand::Violations { name, told, common } => {
            violations(&DataDir::new(&common.data), &name, told, common.json)?;
        }
        BoxCommand::Revoke { name, common } => {
            let mut store = Operator::open(&DataDir::new(&common.data).operator_db())?;
            let terminal = store.terminal(&name)?;
            let products = store.products()?;
            for right in store.entitlements(&terminal)? {
                if let Some(product) = products.iter().find(|p| p.id == right.product) {
                    store.unentitle(&name, &product.name)?;
                }
            }
            store.revoke_terminal(&name)?;
            print(
                common.json,
                &json!({"name": name, "revoked": true}),
                &format!("{name}: revoked"),
            );
        }
    }
    Ok(())
}

/// Makes a box. The database row comes last: before it the box does not exist.
pub(crate) fn add(
    data: &DataDir,
    name: &str,
    vendor: &str,
    passphrase_file: Option<&Path>,
) -> Result<Value, Failure> {
    check_name(name)?;
    let mut store = Operator::open(&data.operator_db())?;
    let systems = data.ca_systems()?;
    let system = systems.iter().find(|system| system.vendor == vendor).ok_or_else(|| {
        let known: Vec<_> = systems.iter().map(|s| s.vendor.as_str()).collect();
        Failure::new(format!("vendor {vendor}: unknown (known: {})", known.join(", ")))
    })?;
    let target = data.terminal(name);
    if store.terminals()?.iter().any(|t| t.name == name) {
        return Err(Failure::new(format!("box {name}: exists")));
    }
    if target.symlink_metadata().is_ok() {
        return finish(&mut store, &target, name, system);
    }
    let offline = Offline::new(passphrase_file)?;
    let scratch = Scratch::beside(&target)?;
    let flash = scratch.path().join("flash");
    for dir in ["slots", "store"] {
        portcullis_vault::create_private_dir(&flash.join(dir))?;
    }
    // The terminal takes the client of this CA system when a service has several.
    let preferred = format!("{}\n", system.description.ca_system_id);
    write(&flash.join("preferred-ca-system"), preferred.as_bytes())?;
    // Chip and images do not depend on each other.
    let chip_id = std::thread::scope(|scope| {
        let images = scope.spawn(|| write_images(data, &offline, &flash));
        let chip_id = make_chip(data, &offline, &systems, &scratch.path().join("otp"))?;
        device_certificate(data, &offline, scratch.path(), name, chip_id)?;
        images.join().map_err(|_| Failure::new("box add: a step ended unexpectedly"))??;
        Ok::<_, Failure>(chip_id)
    })?;
    scratch.keep(&target)?;
    let ca_system_id = system.description.ca_system_id;
    if let Err(error) = store.add_terminal(name, chip_id, ca_system_id) {
        let _ = std::fs::remove_dir_all(&target);
        return Err(error.into());
    }
    Ok(description(name, chip_id, system))
}

/// A box whose making was cut off before its row was written: it is whole, only unknown.
// defends: F-03
fn finish(
    store: &mut Operator,
    target: &Path,
    name: &str,
    system: &CaSystem,
) -> Result<Value, Failure> {
    let ca_system_id = system.description.ca_system_id;
    let preferred = std::fs::read_to_string(target.join("flash/preferred-ca-system"));
    let chip = Otp::load(&target.join("otp"));
    let chip_id = match (&preferred, &chip) {
        (Ok(preferred), Ok(chip)) if parse_u32(preferred.trim()) == Ok(ca_system_id.0.into()) => {
            chip.chip_id()
        }
        _ => {
            return Err(Failure::new(format!(
                "box {name}: {} is there but no box of the operator's with a client of {}: \
                 remove the directory or take another name",
                target.display(),
                system.vendor
            )));
        }
    };
    store.add_terminal(name, chip_id, ca_system_id)?;
    Ok(description(name, chip_id, system))
}

fn description(name: &str, chip_id: ChipId, system: &CaSystem) -> Value {
    json!({
        "name": name,
        "chip_id": format!("{:016x}", chip_id.0),
        "vendor": system.vendor,
        "ca_system_id": system.description.ca_system_id.0,
    })
}

fn check_name(name: &str) -> Result<(), Failure> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    // A leading minus would look like an option in other programs' hands.
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(legal) || name.starts_with('-')
    {
        return Err(Failure::new(format!(
            "box name: 1 to {MAX_NAME} letters, digits, - or _ needed"
        )));
    }
    Ok(())
}

/// SDMP makes the chip's secrets, the serialiser module burns them.
fn make_chip(
    data: &DataDir,
    offline: &Offline,
    systems: &[CaSystem],
    otp: &Path,
) -> Result<ChipId, Failure> {
    let (sdmp, chip_vendor) = (data.sdmp(), data.chip_vendor());
    let (batches, serialiser) = (chip_vendor.join("batches"), chip_vendor.join("serialiser.pub"));
    let mut arguments: Vec<String> = ["make-chip", "--dir", text(&sdmp)?, "--batches"]
        .into_iter()
        .chain([text(&batches)?, "--serialiser", text(&serialiser)?])
        .map(str::to_owned)
        .collect();
    for system in systems {
        let dir = data.ca(&system.vendor).join("sckv");
        arguments.extend(["--sckv".to_owned(), format!("{}={}", system.vendor, text(&dir)?)]);
    }
    let made = offline.run(SDMP, arguments)?;
    let sdmp_key = sdmp.join("sdmp.pub");
    let burnt = offline.run(
        SDMP,
        ["serialise", "--dir", text(&chip_vendor)?, "--sdmp-key", text(&sdmp_key)?, "--batch"]
            .into_iter()
            .chain([field(&made, "batch")?, "--otp", text(otp)?]),
    )?;
    parse_hex_array(field(&burnt, "chip_id")?)
        .map(|octets| ChipId(u64::from_be_bytes(octets)))
        .map_err(|e| Failure::new(format!("chip_id: {e}")))
}

/// The two images of the boot chain: the bootloader beside this executable, and this executable
/// itself as platform, with the authority's root as its trust anchor.
fn write_images(data: &DataDir, offline: &Offline, flash: &Path) -> Result<(), Failure> {
    let dir = data.chip_vendor();
    let party = Party::open(&dir, offline.passphrase()?.as_ref())?;
    let certificate = BlKey1Certificate::from_bytes(&read(&data.sdmp().join("bl_key1.cert"))?)?;
    let payload = read(&offline.program("portcullis-bootloader")?)?;
    let image = BootImage::bootloader(
        &signing_key(&party, "bl_key1")?,
        &certificate,
        FIRST_VERSION,
        &payload,
    )?;
    write(&flash.join(BOOTLOADER_FILE), &image)?;
    let certificate = PlatformKeyCertificate::from_bytes(&read(&dir.join("platform.cert"))?)?;
    let anchor = chain(&data.authority().join("root.pem"))?;
    let anchor = anchor.first().map(Vec::as_slice).unwrap_or_default();
    let executable = std::env::current_exe()
        .map_err(|e| Failure::new(format!("own executable cannot be found: {e}")))?;
    let key = signing_key(&party, "platform")?;
    let payload = read(&executable)?;
    let image = BootImage::platform(&key, &certificate, FIRST_VERSION, anchor, &payload)?;
    write(&flash.join(PLATFORM_FILE), &image)
}

/// Randomness of the system. Without any nothing may be sealed: nonces would repeat.
fn fill_random(octets: &mut [u8]) {
    if getrandom::fill(octets).is_err() {
        eprintln!("portcullis: box add: the system gives no randomness");
        std::process::exit(1);
    }
}

/// The device's own certificate; its private key leaves the bench only sealed by the chip, so
/// that a copied flash is nobody's identity.
// spec: D-X7
// defends: T-02
fn device_certificate(
    data: &DataDir,
    offline: &Offline,
    home: &Path,
    name: &str,
    chip_id: ChipId,
) -> Result<(), Failure> {
    let (otp, flash, authority) = (home.join("otp"), home.join("flash"), data.authority());
    let bench = Scratch::beside(&home.join("bench"))?;
    let (key, request) = (bench.path().join("device.key"), bench.path().join("device.csr"));
    let (out, subject) = (flash.join("device.pem"), format!("box {name} chip {:016x}", chip_id.0));
    offline.run(
        AUTHORITY,
        ["request", "--plain-key", text(&key)?, "--subject", &subject, "--out", text(&request)?],
    )?;
    offline.run(
        AUTHORITY,
        ["issue", "--dir", text(&authority)?, "--role", "device", "--subject", &subject, "--csr"]
            .into_iter()
            .chain([text(&request)?, "--out", text(&out)?]),
    )?;
    let plain = Zeroizing::new(read(&key)?);
    let sealed = fabric::seal_on_bench(&otp, Box::new(fill_random), DEVICE_KEY_LABEL, &plain)?;
    write(&flash.join("device.key.sealed"), &sealed)
}

fn list(data: &DataDir, json: bool) -> Outcome {
    let store = Operator::open(&data.operator_db())?;
    let systems = data.ca_systems()?;
    let mut lines = String::new();
    let mut boxes = Vec::new();
    for terminal in store.terminals()? {
        let ca_system_id = terminal.preferred_ca_system;
        let system = systems.iter().find(|s| s.description.ca_system_id == ca_system_id);
        let vendor = system.map_or("", |system| system.vendor.as_str());
        let state = if terminal.revoked { "revoked" } else { "good" };
        lines.push_str(&format!(
            "{} chip {:016x} {vendor} {state}\n",
            terminal.name, terminal.chip_id.0
        ));
        boxes.push(json!({
            "name": terminal.name,
            "chip_id": format!("{:016x}", terminal.chip_id.0),
            "vendor": vendor,
            "ca_system_id": ca_system_id.0,
            "revoked": terminal.revoked,
        }));
    }
    print(json, &json!({"boxes": boxes}), &lines);
    Ok(())
}

// spec: X-26
fn violations(data: &DataDir, name: &str, told: bool, json: bool) -> Outcome {
    let store = Operator::open(&data.operator_db())?;
    let terminal = store.terminal(name)?;
    let records: Vec<ViolationRecord> = if told {
        let told = store.violations(&terminal)?;
        // What cannot be read was kept for a newer version.
        told.iter().filter_map(|report| serde_json::from_str(&report.record).ok()).collect()
    } else {
        super::terminal::violations(data, name)?
    };
    let mut lines = String::new();
    for record in &records {
        let during = record.event.as_deref().unwrap_or("-");
        let call = record.call.map_or_else(|| "-".into(), |call| format!("0x{call:03x}"));
        let pc = record.pc.map_or_else(|| "-".into(), |pc| format!("0x{pc:08x}"));
        lines.push_str(&format!(
            "{} {} client {:08x}-{:08x} event {during} call {call} pc {pc}: {}: {}\n",
            record.number,
            record.time.0,
            record.super_scp_id,
            record.client_id,
            record.kind,
            record.what,
        ));
    }
    if records.is_empty() {
        lines = format!("{name}: no client was stopped");
    }
    print(json, &json!({"name": name, "violations": records}), &lines);
    Ok(())
}
