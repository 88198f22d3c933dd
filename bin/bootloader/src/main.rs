//! Program `portcullis-bootloader`: verifies the platform image and becomes it.
//!
//! Trust domain: the bootloader owner (BL_KEY1). The chip's ROM starts it from verified memory
//! with the chip's socket as standard input; its arguments are the flash directory and what the
//! platform gets. Clauses: J.1032 6.2.3.1. It decides nothing else and reads nothing else.
//! What must never happen: a platform executed whose octets were not verified.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;

use portcullis_chipset::ChipHandle;
use portcullis_chipset::boot::{BootFailure, load_platform};

fn main() -> ExitCode {
    match boot() {
        Ok(never) => match never {},
        Err(failure) => {
            eprintln!("portcullis-bootloader: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn boot() -> Result<std::convert::Infallible, BootFailure> {
    let system = |what| move |source| BootFailure::System { what, source };
    // The platform keeps this: when the chip goes, the box goes.
    portcullis_chipset::harden::end_with_parent().map_err(system("tie to the chip"))?;
    let mut args = std::env::args_os().skip(1);
    let flash = args.next().map(PathBuf::from).ok_or_else(|| BootFailure::System {
        what: "arguments",
        source: std::io::Error::other("flash directory missing (the chip's ROM starts this)"),
    })?;
    let mut chip = ChipHandle::from_stdin()?;
    let stage = load_platform(&flash, &mut chip)?;
    drop(chip);
    let error = stage.command().arg0("portcullis").arg("terminal-platform").args(args).exec();
    Err(system("start of the platform")(error))
}
