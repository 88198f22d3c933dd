//! `portcullis init`: all parties, their keys and certificates, and the first clients.
//!
//! Everything is made in a directory beside the target, which is renamed at the end. Each party
//! is made by its own program: the Trust Authority and the SDMP as child processes.

mod clients;
mod parties;

pub(in crate::commands) use clients::{chain, signing_key};
pub(in crate::commands) use parties::{field, read, text, write};

use std::path::PathBuf;

use portcullis_headend::layout::{CaSystem, DataDir};
use portcullis_headend::store::{Operator, OperatorData};
use serde_json::{Value, json};

use crate::cli::{Failure, Outcome};
use crate::commands::offline::{Offline, Scratch, print};

/// Arguments of `portcullis init`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data directory; it must not exist.
    #[arg(long, value_name = "DIR", default_value = "portcullis-data")]
    data: PathBuf,
    /// File with a passphrase that protects every unlock key.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Outcome {
    let target = &args.data;
    if target.symlink_metadata().is_ok() {
        return Err(Failure::new(format!("{}: exists", target.display())));
    }
    let clients = clients::embedded()?;
    let offline = Offline::new(args.passphrase_file.as_deref())?;
    let scratch = Scratch::beside(target)?;
    let data = DataDir::new(scratch.path());
    let systems = CaSystem::defaults();
    parties::create(&data, &offline, &systems)?;
    clients::publish(&data, &offline, &systems, &clients)?;
    let ca_systems = systems.iter().map(|s| s.description.ca_system_id).collect();
    let operator = OperatorData::defaults(ca_systems);
    Operator::create(&data.operator_db(), &operator)?;
    portcullis_vault::create_private_dir(&data.boxes())?;
    parties::remove_requests(&data)?;
    scratch.keep(target)?;
    if args.passphrase_file.is_none() {
        eprintln!(
            "portcullis: warning: without --passphrase-file the unlock keys in {} are protected by \
             file mode 0600 only",
            target.display()
        );
    }
    print(args.json, &description(&operator, &systems), &lines(&operator, &systems, target));
    Ok(())
}

fn description(operator: &OperatorData, systems: &[CaSystem]) -> Value {
    let services = operator.services.iter().map(|s| json!({"id": s.id.0, "name": s.name}));
    let products = operator.products.iter().map(|p| {
        let services: Vec<_> = p.services.iter().map(|s| s.0).collect();
        json!({"id": p.id.0, "name": p.name, "services": services})
    });
    let systems = systems.iter().map(|s| {
        json!({
            "vendor": s.vendor,
            "ca_system_id": s.description.ca_system_id.0,
            "super_cas_id": s.description.super_cas_id.0,
        })
    });
    json!({
        "services": services.collect::<Vec<_>>(),
        "products": products.collect::<Vec<_>>(),
        "ca_systems": systems.collect::<Vec<_>>(),
    })
}

fn lines(operator: &OperatorData, systems: &[CaSystem], target: &std::path::Path) -> String {
    use std::fmt::Write;
    let mut text = format!("{}: ready\n", target.display());
    for system in systems {
        let d = &system.description;
        let _ = writeln!(
            text,
            "CA system {}: CA_system_id {}, Super_CAS_id {}",
            system.vendor, d.ca_system_id, d.super_cas_id
        );
    }
    for product in &operator.products {
        let services: Vec<_> = product.services.iter().map(|s| s.0.to_string()).collect();
        let _ = writeln!(text, "product {}: services {}", product.name, services.join(", "));
    }
    text
}
