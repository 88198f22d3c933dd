//! Program `portcullis-authority`: root ceremony, requests, certificates.
//!
//! Trust domain: the Trust Authority, and each party as issuer of its own roles or as subject of
//! a request; always off line. Links no network crate. Exit codes: 0 done, 1 refused or failed
//! with one line on stderr, 2 wrong usage.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand};
use portcullis_authority::{AuthorityError, Issuer, Subject, create_plain_request, create_request};
use portcullis_trust::{CertificateInfo, Role, UnknownRole, certificates_from_pem};
use portcullis_types::{UnixSeconds, VendorSysId, parse_u32};
use portcullis_vault::{Party, Passphrase, VaultError, write_public};
use serde_json::json;

/// The trust authority of Portcullis, off line.
#[derive(Parser)]
#[command(name = "portcullis-authority", version, about, disable_help_subcommand = true)]
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
    /// Root ceremony: make unlock key, root key and root certificate in a new directory.
    Init {
        /// The authority's directory.
        #[arg(long)]
        dir: PathBuf,
        /// Common name of the root.
        #[arg(long, default_value = "Portcullis root")]
        subject: String,
    },
    /// The subject's step: make a key pair (sealed here) and a request for its certificate.
    Request {
        /// The subject's directory; its unlock key is made when there is none.
        #[arg(long, requires = "name", required_unless_present = "plain_key")]
        dir: Option<PathBuf>,
        /// Name of the key: NAME.key.age.
        #[arg(long, requires = "dir")]
        name: Option<String>,
        /// Instead: write the key unencrypted (0600) into this file, for a device's own flash.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["dir", "name"])]
        plain_key: Option<PathBuf>,
        /// Common name.
        #[arg(long)]
        subject: String,
        /// Where the request goes (PEM).
        #[arg(long)]
        out: PathBuf,
    },
    /// Issue a certificate for a request.
    Issue {
        /// The issuer's directory.
        #[arg(long)]
        dir: PathBuf,
        /// Which key and certificate there issues: NAME.key.age, NAME.pem.
        #[arg(long, default_value = "root")]
        issuer: String,
        /// ca-vendor, client-series, operator, platform-operation, centre, device, emm-signer.
        #[arg(long)]
        role: String,
        /// Common name; the one in the request does not count.
        #[arg(long)]
        subject: String,
        /// The request (PEM).
        #[arg(long, value_name = "FILE")]
        csr: PathBuf,
        /// Vendor_SysID of a CA vendor.
        #[arg(long, value_name = "N")]
        vendor_sys_id: Option<String>,
        /// Entity id; for a CA vendor its Super SCP ID.
        #[arg(long, value_name = "N")]
        entity_id: Option<String>,
        /// Days of validity.
        #[arg(long)]
        days: Option<u32>,
        /// Where the chain goes (PEM).
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Debug)]
enum Failure {
    Operation(String),
    Usage(String),
}

impl From<AuthorityError> for Failure {
    fn from(error: AuthorityError) -> Self {
        Self::Operation(error.to_string())
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        Self::Operation(error.to_string())
    }
}

impl From<UnknownRole> for Failure {
    fn from(error: UnknownRole) -> Self {
        Self::Usage(error.to_string())
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
            eprintln!("portcullis-authority: {}", line.replace('\n', " "));
            ExitCode::from(code)
        }
    }
}

fn run(cli: &Cli) -> Result<(String, serde_json::Value), Failure> {
    let passphrase = match &cli.passphrase_file {
        Some(path) => Some(Passphrase::from_file(path)?),
        None => None,
    };
    let passphrase = passphrase.as_ref();
    match &cli.command {
        Command::Init { dir, subject } => {
            let party = Party::create(dir, passphrase)?;
            let root = Issuer::create_root(&party, subject, now())?;
            let line =
                format!("root {} in {}", root.info().subject, dir.join("root.pem").display());
            Ok((line, json!({"root": dir.join("root.pem"), "subject": root.info().subject})))
        }
        Command::Request { dir, name, plain_key, subject, out } => {
            let (request, key) = match (dir, name, plain_key) {
                (_, _, Some(path)) => (create_plain_request(path, subject)?, path.clone()),
                (Some(dir), Some(name), None) => {
                    let party = open_or_create(dir, passphrase)?;
                    let request = create_request(&party, name, subject)?;
                    (request, dir.join(format!("{name}.key.age")))
                }
                _ => return Err(Failure::Usage("--dir and --name, or --plain-key".to_owned())),
            };
            write_public(out, &request)?;
            let line = format!("key {}, request {}", key.display(), out.display());
            Ok((line, json!({"key": key, "request": out})))
        }
        Command::Issue { dir, issuer, role, subject, csr, vendor_sys_id, entity_id, days, out } => {
            let subject = Subject {
                role: role.parse::<Role>()?,
                name: subject.clone(),
                entity_id: number(entity_id.as_deref(), "--entity-id")?,
                vendor_sys_id: match number(vendor_sys_id.as_deref(), "--vendor-sys-id")? {
                    Some(id) => Some(VendorSysId(u16::try_from(id).map_err(|_| {
                        Failure::Usage("--vendor-sys-id: more than 16 bits".to_owned())
                    })?)),
                    None => None,
                },
                days: *days,
            };
            let party = Party::open(dir, passphrase)?;
            let request = std::fs::read(csr)
                .map_err(|e| Failure::Operation(format!("{}: {e}", csr.display())))?;
            let pem = Issuer::open(&party, issuer)?.issue(&request, &subject, now())?;
            write_public(out, &pem)?;
            Ok(describe(&pem, out))
        }
    }
}

fn describe(pem: &[u8], out: &Path) -> (String, serde_json::Value) {
    let info = certificates_from_pem(pem)
        .ok()
        .and_then(|chain| CertificateInfo::parse(chain.first()?).ok());
    let (subject, until) = info.map_or((String::new(), 0), |i| (i.subject, i.not_after.0));
    (
        format!("certificate {subject} in {}", out.display()),
        json!({"certificate": out, "subject": subject, "not_after": until}),
    )
}

fn open_or_create(dir: &Path, passphrase: Option<&Passphrase>) -> Result<Party, VaultError> {
    if dir.join(portcullis_vault::UNLOCK_KEY).exists() {
        Party::open(dir, passphrase)
    } else {
        Party::create(dir, passphrase)
    }
}

fn number(text: Option<&str>, option: &str) -> Result<Option<u32>, Failure> {
    match text.map(parse_u32) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(e)) => Err(Failure::Usage(format!("{option}: {e}"))),
    }
}

fn now() -> UnixSeconds {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixSeconds(now.map_or(0, |span| span.as_secs()))
}
