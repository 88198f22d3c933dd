//! Program `portcullis-sdmp`: chip secrets, off line.
//!
//! Trust domains: the SDMP, the chip vendor and the serialiser module, each as a step of its own
//! with its own directory and key. Links no network crate. Exit codes: 0 done, 1 refused or
//! failed with one line on stderr, 2 wrong usage.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use portcullis_keyladder::Profile;
use portcullis_sdmp::{
    ChipOrder, ChipOutputs, ChipVendor, Sdmp, SdmpError, Serialiser, read_public_key,
};
use portcullis_types::{ChipId, ModuleId, VendorSysId, parse_hex_array, parse_u32};
use portcullis_vault::{Passphrase, Recipient, VaultError};
use serde_json::{Value, json};

/// The secure data management platform of Portcullis, off line.
#[derive(Parser)]
#[command(name = "portcullis-sdmp", version, about, disable_help_subcommand = true)]
struct Cli {
    /// Print one JSON object instead of a line.
    #[arg(long, global = true)]
    json: bool,
    /// File with the passphrase of the directory's unlock key.
    #[arg(long, global = true, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// SDMP: make unlock key, delivery signing key and BL_KEY0 in a new directory.
    Init {
        /// The SDMP's directory.
        #[arg(long)]
        dir: PathBuf,
    },
    /// SDMP: give a CA vendor its Vendor_SysID.
    AllocateVendor {
        /// The SDMP's directory.
        #[arg(long)]
        dir: PathBuf,
        /// The vendor's name.
        #[arg(long)]
        name: String,
        /// The vendor's age recipient.
        #[arg(long)]
        recipient: String,
        /// A wished Vendor_SysID; the lowest free one otherwise.
        #[arg(long, value_name = "N")]
        vendor_sys_id: Option<String>,
    },
    /// SDMP: certify BL_KEY1's public key with BL_KEY0.
    CertifyBlKey1 {
        /// The SDMP's directory.
        #[arg(long)]
        dir: PathBuf,
        /// BL_KEY1's public key.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Version of the certificate; higher ones retire lower ones.
        #[arg(long, default_value_t = 1)]
        version: u32,
    },
    /// SDMP: make a chip; writes an SCKv file per CA vendor and the serialiser's batch file.
    MakeChip {
        /// The SDMP's directory.
        #[arg(long)]
        dir: PathBuf,
        /// Derivation profile of the silicon: 1, 1a, 2, 2a, 2b.
        #[arg(long, default_value = "2")]
        profile: String,
        /// ModuleID, for profiles 1a and 2a.
        #[arg(long, value_name = "N")]
        module_id: Option<String>,
        /// A wished ChipID (16 hexadecimal digits); random otherwise.
        #[arg(long)]
        chip_id: Option<String>,
        /// Directory for the batch file.
        #[arg(long)]
        batches: PathBuf,
        /// The serialiser's age recipient, or the file that holds it.
        #[arg(long)]
        serialiser: String,
        /// VENDOR=DIRECTORY for its SCKv file; once for each vendor.
        #[arg(long, value_name = "VENDOR=DIR")]
        sckv: Vec<String>,
    },
    /// Chip vendor: make MaskKey, model key, serialiser module, BL_KEY1 and platform key.
    ChipVendorInit {
        /// The chip vendor's directory.
        #[arg(long)]
        dir: PathBuf,
        /// The SDMP's age recipient.
        #[arg(long)]
        sdmp: String,
        /// Where the per-model key goes, sealed to the SDMP.
        #[arg(long, value_name = "FILE")]
        model_key_out: PathBuf,
    },
    /// Chip vendor: hand a CA vendor its Seedv.
    DeliverSeedv {
        /// The chip vendor's directory.
        #[arg(long)]
        dir: PathBuf,
        /// Derivation profile.
        #[arg(long, default_value = "2")]
        profile: String,
        /// The vendor's Vendor_SysID.
        #[arg(long, value_name = "N")]
        vendor_sys_id: String,
        /// The vendor's age recipient.
        #[arg(long)]
        recipient: String,
        /// Where the file goes.
        #[arg(long)]
        out: PathBuf,
    },
    /// Serialiser module: burn the chip of a batch file, once.
    Serialise {
        /// The chip vendor's directory, where the module's key stands.
        #[arg(long)]
        dir: PathBuf,
        /// The SDMP's public key, which signs batch files.
        #[arg(long, value_name = "FILE")]
        sdmp_key: PathBuf,
        /// The batch file.
        #[arg(long, value_name = "FILE")]
        batch: PathBuf,
        /// The chip's OTP directory.
        #[arg(long)]
        otp: PathBuf,
    },
}

enum Failure {
    Operation(String),
    Usage(String),
}

impl From<SdmpError> for Failure {
    fn from(error: SdmpError) -> Self {
        Self::Operation(error.to_string())
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        Self::Operation(error.to_string())
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok((line, object)) => {
            println!("{}", if cli.json { object.to_string() } else { line });
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let (line, code) = match failure {
                Failure::Operation(line) => (line, 1),
                Failure::Usage(line) => (line, 2),
            };
            eprintln!("portcullis-sdmp: {}", line.replace('\n', " "));
            ExitCode::from(code)
        }
    }
}

fn run(cli: &Cli) -> Result<(String, Value), Failure> {
    let passphrase = match &cli.passphrase_file {
        Some(path) => Some(Passphrase::from_file(path)?),
        None => None,
    };
    let passphrase = passphrase.as_ref();
    match &cli.command {
        Command::Init { dir } => {
            let recipient = Sdmp::create(dir, passphrase)?.recipient().to_string();
            Ok((format!("SDMP, recipient {recipient}"), json!({"recipient": recipient})))
        }
        Command::AllocateVendor { dir, name, recipient, vendor_sys_id } => {
            let wish = vendor_sys_id.as_deref().map(vendor_number).transpose()?;
            let recipient = recipient_of(recipient)?;
            let id = Sdmp::open(dir, passphrase)?.allocate_vendor(name, &recipient, wish)?;
            Ok((format!("{name} Vendor_SysID {id}"), json!({"name": name, "vendor_sys_id": id.0})))
        }
        Command::CertifyBlKey1 { dir, key, version } => {
            let key = read_public_key(key)?;
            Sdmp::open(dir, passphrase)?.certify_bl_key1(&key, *version)?;
            let out = dir.join("bl_key1.cert");
            Ok((format!("certificate {}", out.display()), json!({"certificate": out})))
        }
        Command::MakeChip { dir, profile, module_id, chip_id, batches, serialiser, sckv } => {
            let order = order(profile, module_id.as_deref(), chip_id.as_deref())?;
            let sckv = sckv.iter().map(|text| vendor_dir(text)).collect::<Result<Vec<_>, _>>()?;
            let serialiser = recipient_of(serialiser)?;
            let outputs = ChipOutputs { batches, serialiser: &serialiser, sckv: &sckv };
            let chip = Sdmp::open(dir, passphrase)?.make_chip(order, &outputs)?;
            let id = format!("{:016x}", chip.chip_id.0);
            let line = format!("chip {id}, batch {}", chip.batch.display());
            Ok((line, json!({"chip_id": id, "batch": chip.batch})))
        }
        Command::ChipVendorInit { dir, sdmp, model_key_out } => {
            let sdmp = recipient_of(sdmp)?;
            ChipVendor::create(dir, passphrase, &sdmp, model_key_out)?;
            Ok((format!("chip vendor in {}", dir.display()), json!({"dir": dir})))
        }
        Command::DeliverSeedv { dir, profile, vendor_sys_id, recipient, out } => {
            let (profile, vendor) = (parse_profile(profile)?, vendor_number(vendor_sys_id)?);
            let recipient = recipient_of(recipient)?;
            let chip_vendor = ChipVendor::open(dir, passphrase)?;
            chip_vendor.deliver_seedv(profile, vendor, &recipient, out)?;
            Ok((format!("Seedv of {vendor} in {}", out.display()), json!({"seedv": out})))
        }
        Command::Serialise { dir, sdmp_key, batch, otp } => {
            let fab = ChipVendor::open(dir, passphrase)?;
            let serialiser = Serialiser::open(dir, read_public_key(sdmp_key)?)?;
            let id = format!("{:016x}", serialiser.burn(batch, &fab, otp)?.0);
            Ok((format!("chip {id} burnt in {}", otp.display()), json!({"chip_id": id})))
        }
    }
}

fn order(
    profile: &str,
    module_id: Option<&str>,
    chip_id: Option<&str>,
) -> Result<ChipOrder, Failure> {
    let usage =
        |option: &str, why: &dyn std::fmt::Display| Failure::Usage(format!("{option}: {why}"));
    let module_id = match module_id.map(parse_u32) {
        None => None,
        Some(Ok(id)) => Some(ModuleId(u8::try_from(id).map_err(|e| usage("--module-id", &e))?)),
        Some(Err(e)) => return Err(usage("--module-id", &e)),
    };
    let chip_id = match chip_id.map(parse_hex_array) {
        None => None,
        Some(Ok(octets)) => Some(ChipId(u64::from_be_bytes(octets))),
        Some(Err(e)) => return Err(usage("--chip-id", &e)),
    };
    Ok(ChipOrder { profile: parse_profile(profile)?, module_id, chip_id })
}

fn parse_profile(text: &str) -> Result<Profile, Failure> {
    text.parse().map_err(|e| Failure::Usage(format!("--profile: {e}")))
}

fn vendor_number(text: &str) -> Result<VendorSysId, Failure> {
    let number = parse_u32(text).map_err(|e| Failure::Usage(format!("--vendor-sys-id: {e}")))?;
    u16::try_from(number)
        .map(VendorSysId)
        .map_err(|_| Failure::Usage("--vendor-sys-id: more than 16 bits".to_owned()))
}

fn vendor_dir(text: &str) -> Result<(String, PathBuf), Failure> {
    let (name, dir) = text
        .split_once('=')
        .ok_or_else(|| Failure::Usage("--sckv: VENDOR=DIRECTORY needed".to_owned()))?;
    Ok((name.to_owned(), PathBuf::from(dir)))
}

/// A recipient as text, or the file that holds it.
fn recipient_of(text: &str) -> Result<Recipient, Failure> {
    if text.starts_with("age1") {
        return Ok(text.parse()?);
    }
    let file = std::fs::read_to_string(text)
        .map_err(|e| Failure::Operation(format!("recipient {text}: {e}")))?;
    Ok(file.parse()?)
}
