//! Program `portcullis-chipd`: the security chip of a virtual set-top box, in a process of its own.
//!
//! Trust domain: the chip. Its ROM verifies and starts the bootloader, then it answers requests on
//! the socket that the box inherits, until the box goes off. Clauses: J.1032 6.1.2 c, 6.2.3.1.
//! What must never happen: this process dumping core, being traced, or running on when its box
//! is gone.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use portcullis_chipset::BootLink;
use portcullis_chipset::boot::{BootFailure, run_chip};

/// The security chip of a virtual set-top box.
#[derive(Parser)]
#[command(name = "portcullis-chipd", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Boot a box and serve its chip until the box goes off.
    Boot {
        /// Directory of the box (with `otp` and `flash`).
        #[arg(long = "box", value_name = "DIR")]
        box_dir: PathBuf,
        /// One JSON line per boot link on standard error.
        #[arg(long)]
        events: bool,
        /// End when the program that started this one ends.
        #[arg(long)]
        tied: bool,
        /// Arguments of the platform.
        #[arg(last = true)]
        args: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let Command::Boot { box_dir, events, tied, args } = Cli::parse().command;
    match boot(&box_dir, events, tied, &args) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("portcullis-chipd: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn boot(
    box_dir: &std::path::Path,
    events: bool,
    tied: bool,
    args: &[OsString],
) -> Result<u8, BootFailure> {
    if tied {
        portcullis_chipset::harden::end_with_parent()
            .map_err(|source| BootFailure::System { what: "tie to the launcher", source })?;
    }
    portcullis_chipset::harden::no_dumps()
        .map_err(|source| BootFailure::System { what: "protection of the chip process", source })?;
    if events {
        event(&serde_json::json!({ "event": "chip", "pid": std::process::id() }));
    }
    let mut on_link = |link: &BootLink| {
        if events {
            event(&serde_json::json!({
                "event": "boot_link",
                "name": link.name,
                "signer": link.signer,
                "sha256": link.sha256,
                "version": link.version,
                "verdict": link.verdict,
                "good": link.is_good(),
            }));
        }
    };
    run_chip(box_dir, args, Box::new(fill_random), &mut on_link)
}

fn event(value: &serde_json::Value) {
    eprintln!("{value}");
}

/// Randomness of the system. A chip without any must not go on: nonces would repeat.
fn fill_random(buffer: &mut [u8]) {
    if getrandom::fill(buffer).is_err() {
        eprintln!("portcullis-chipd: the system gives no randomness");
        std::process::exit(1);
    }
}
