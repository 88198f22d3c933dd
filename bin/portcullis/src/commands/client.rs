//! `portcullis client`: begin, pack, sign, inspect and verify client packages and containers.
//!
//! Pack and sign are the CA vendor's and operator's steps; inspect and verify show what a
//! terminal would say, check by check, without running anything.

mod inspect;
mod keys;
mod new;

use std::path::{Path, PathBuf};

use portcullis_package::{
    ContainerBuilder, ContainerLimits, LegacySignatures, PackInput, PackageLimits, PackageType,
    ParsedContainer, ParsedPackage, SignatureType, pack,
};
use portcullis_types::{ScpClientId, SuperScpId, parse_u32};
use portcullis_vault::write_public;
use serde_json::json;

use super::init::read;
use super::offline::print;
use crate::cli::{Failure, Outcome};

/// Arguments of `portcullis client`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: ClientCommand,
}

#[derive(clap::Subcommand)]
enum ClientCommand {
    /// Make a folder with a client that reads a toy ECM, and the SDK to build it.
    New(new::NewArgs),
    /// Make an unsigned package from a program and a policy.
    Pack(PackArgs),
    /// Sign a package; with --data also put it into a container and countersign it.
    Sign(SignArgs),
    /// Show every field of a package or container, its policy and the verdict of each check.
    Inspect(CheckArgs),
    /// Verify a package or container; exit code 1 and the first reason when it is refused.
    Verify(CheckArgs),
}

#[derive(clap::Args)]
struct PackArgs {
    /// The program: ELF32 RISC-V, linked for packages.
    #[arg(value_name = "FILE", required_unless_present = "elf")]
    file: Option<PathBuf>,
    /// The same as an option.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    elf: Option<PathBuf>,
    /// The policy; TEXT_BYTES in it becomes the number of octets of instructions.
    #[arg(long, value_name = "XML")]
    policy: PathBuf,
    /// SCP client ID.
    #[arg(long, value_name = "N")]
    client_id: String,
    /// Super SCP ID.
    #[arg(long, value_name = "N")]
    super_scp_id: String,
    /// Version of the client.
    #[arg(long, value_name = "N")]
    version: u16,
    /// Leave code and policy uncompressed (type 0).
    #[arg(long)]
    plain: bool,
    /// Which signature the package will carry. Containers take Ed25519 only.
    #[arg(long, value_enum, default_value_t = SignatureKind::Ed25519)]
    signature_type: SignatureKind,
    /// Where the package goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Signature types that are made today.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum SignatureKind {
    Ed25519,
    EcdsaP256,
    RsaPss3072,
}

impl From<SignatureKind> for SignatureType {
    fn from(kind: SignatureKind) -> Self {
        match kind {
            SignatureKind::Ed25519 => Self::Ed25519,
            SignatureKind::EcdsaP256 => Self::EcdsaP256Sha256,
            SignatureKind::RsaPss3072 => Self::RsaPss3072Sha256,
        }
    }
}

#[derive(clap::Args)]
struct SignArgs {
    /// The package, unsigned or signed before.
    file: PathBuf,
    /// Private key of the client series (PKCS#8 PEM, Ed25519).
    #[arg(long, value_name = "PEM", required_unless_present_any = ["data", "signature"])]
    key: Option<PathBuf>,
    /// A signature over the unsigned package made elsewhere, as in a hardware module.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "data"])]
    signature: Option<PathBuf>,
    /// Data directory: sign with the client series of --vendor, make a container and countersign.
    #[arg(long, value_name = "DIR", conflicts_with = "key", requires = "vendor")]
    data: Option<PathBuf>,
    /// CA vendor of the data directory.
    #[arg(long)]
    vendor: Option<String>,
    /// File with the passphrase of the unlock keys.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Encrypt the package in the container, under a new image key that the centre gives to
    /// authenticated boxes.
    #[arg(long, requires = "data")]
    encrypt: bool,
    /// Also publish the container to the download centre.
    #[arg(long, requires = "data")]
    publish: bool,
    /// Where the result goes; the file itself otherwise.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `inspect` and `verify` judge by.
#[derive(clap::Args)]
pub(super) struct CheckArgs {
    /// The package or container.
    pub(super) file: PathBuf,
    /// Root certificate (PEM) for containers.
    #[arg(long, value_name = "PEM")]
    pub(super) anchor: Option<PathBuf>,
    /// Data directory whose authority is the anchor.
    #[arg(long, value_name = "DIR", conflicts_with = "anchor")]
    pub(super) data: Option<PathBuf>,
    /// File with the passphrase of the unlock keys, for encrypted images of --data.
    #[arg(long, value_name = "FILE")]
    pub(super) passphrase_file: Option<PathBuf>,
    /// Certificate or public key (PEM) that a bare package is verified with.
    #[arg(long, value_name = "PEM")]
    pub(super) key: Option<PathBuf>,
    /// Lowest client version still accepted.
    #[arg(long, default_value_t = 0)]
    pub(super) floor: u32,
    /// Let RSA-1024/SHA-1 signatures (type 0x00) pass the first check.
    #[arg(long)]
    pub(super) unsafe_legacy_signatures: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

impl CheckArgs {
    pub(super) fn limits(&self) -> ContainerLimits {
        let legacy = if self.unsafe_legacy_signatures {
            LegacySignatures::UnsafeAccept
        } else {
            LegacySignatures::Refuse
        };
        let default = ContainerLimits::default();
        ContainerLimits { package: PackageLimits { legacy, ..default.package }, ..default }
    }
}

pub(crate) fn run(args: Args) -> Outcome {
    match args.command {
        ClientCommand::New(args) => new::run(&args),
        ClientCommand::Pack(args) => run_pack(&args),
        ClientCommand::Sign(args) => run_sign(&args),
        ClientCommand::Inspect(args) => inspect::inspect(&args),
        ClientCommand::Verify(args) => inspect::verify(&args),
    }
}

fn run_pack(args: &PackArgs) -> Outcome {
    let file = args.elf.as_ref().or(args.file.as_ref());
    let file = file.ok_or_else(|| Failure::usage("client pack: no program"))?;
    let image = portcullis_svm::elf::flat_image(&read(file)?)
        .map_err(|e| Failure::new(format!("{}: {e}", file.display())))?;
    let policy = String::from_utf8(read(&args.policy)?)
        .map_err(|_| Failure::new(format!("{}: not UTF-8", args.policy.display())))?;
    let policy = policy.replace("TEXT_BYTES", &image.text_bytes.to_string());
    let number = |option: &str, text: &str| {
        parse_u32(text).map_err(|e| Failure::usage(format!("{option}: {e}")))
    };
    let package = pack(&PackInput {
        version: args.version,
        client_id: ScpClientId(number("--client-id", &args.client_id)?),
        super_scp_id: SuperScpId(number("--super-scp-id", &args.super_scp_id)?),
        policy: policy.as_bytes(),
        image: &image,
        package_type: if args.plain { PackageType::Plain } else { PackageType::Compressed },
        signature_type: args.signature_type.into(),
    })?;
    write_public(&args.out, package.signed_bytes())?;
    let octets = package.signed_bytes().len();
    let line = format!("{}: {octets} octets, unsigned", args.out.display());
    print(args.json, &json!({"file": args.out, "octets": octets, "signed": false}), &line);
    Ok(())
}

fn run_sign(args: &SignArgs) -> Outcome {
    let octets = read(&args.file)?;
    let unsigned = portcullis_package::UnsignedPackage::from_bytes(octets)?;
    let out = args.out.as_ref().unwrap_or(&args.file);
    let (octets, what) = match (&args.key, &args.signature, &args.data, &args.vendor) {
        (Some(key), ..) => (unsigned.sign(&keys::signing_key(key)?)?, "package"),
        (None, Some(signature), ..) => (unsigned.with_signature(&read(signature)?)?, "package"),
        (None, None, Some(data), Some(vendor)) => {
            let parties = keys::Parties::open(data, vendor, args.passphrase_file.as_deref())?;
            let package = unsigned.sign(&parties.series)?;
            (container(&package, &parties, args.encrypt)?, "container")
        }
        _ => {
            return Err(Failure::usage("client sign: --key, --signature, or --data and --vendor"));
        }
    };
    write_public(out, &octets)?;
    if let (true, Some(data)) = (args.publish, &args.data) {
        publish(&octets, data, args.vendor.as_deref().unwrap_or_default())?;
    }
    let line = format!("{}: {what} of {} octets, signed", out.display(), octets.len());
    print(args.json, &json!({"file": out, "kind": what, "octets": octets.len()}), &line);
    Ok(())
}

fn container(package: &[u8], parties: &keys::Parties, encrypt: bool) -> Result<Vec<u8>, Failure> {
    let image_key = if encrypt { Some(parties.new_image_key()?) } else { None };
    // One image for each key: any nonce is new.
    let encryption = image_key.as_ref().map(|key| (key, [0; 12]));
    Ok(ContainerBuilder {
        package,
        platform_operation_id: parties.platform_operation_id,
        client_chain: &parties.client_chain,
        platform_operation_chain: &parties.platform_operation_chain,
        emm_signer_chain: &parties.emm_signer_chain,
        encryption,
    }
    .build()?
    .countersign(&parties.platform_operation))
}

/// Offers a container to boxes; the centre picks the newest version of a client.
fn publish(octets: &[u8], data: &Path, vendor: &str) -> Outcome {
    let version = ParsedContainer::parse(octets, &ContainerLimits::default())?.header().version;
    let data = portcullis_headend::layout::DataDir::new(data);
    Ok(write_public(&data.centre().join(format!("{vendor}-{version}.odci")), octets)?)
}

/// Whether a file is a container, by its magic.
pub(super) fn is_container(octets: &[u8]) -> bool {
    octets.starts_with(&portcullis_package::CONTAINER_MAGIC)
}

/// A parsed package and its place in the file.
pub(super) fn parse_package<'a>(
    octets: &'a [u8],
    limits: &ContainerLimits,
) -> Result<ParsedPackage<'a>, Failure> {
    Ok(ParsedPackage::parse(octets, &limits.package)?)
}
