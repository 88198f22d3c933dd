//! Running the chain: what the chip's ROM and the bootloader do.

use std::ffi::OsString;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;

use portcullis_crypto::Ed25519VerifyingKey;

use super::{BOOTLOADER_FILE, BootError, BootStage, ImageKind, PLATFORM_FILE, Verified};
use crate::handle::{ChipHandle, ChipHandleError};
use crate::otp::OtpError;
use crate::server::serve_while;
use crate::software::{BOOTLOADER_COUNTERS, RandomSource, SoftwareChip};
use crate::wire::{BootFloors, BootLink, ChipError, PlatformReport};

/// Environment variable with the directory of the programs, which an executable in a memfd
/// cannot find out by itself.
pub const BIN_DIR: &str = "PORTCULLIS_BIN_DIR";

/// Why a box does not boot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BootFailure {
    /// The chip itself.
    #[error("boot: chip: {0}")]
    Chip(#[from] OtpError),
    /// A link of the chain; nothing after it was started.
    #[error("boot: link {link} refused: {cause}")]
    Link {
        /// Its name.
        link: String,
        /// Why.
        cause: BootError,
    },
    /// A floor could not be read or raised.
    #[error("boot: floors: {0}")]
    Floors(ChipError),
    /// The bootloader cannot reach its chip.
    #[error("boot: {0}")]
    Handle(#[from] ChipHandleError),
    /// The system's fault.
    #[error("boot: {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Powers a box's chip up, boots from its flash and serves requests until the box goes off.
/// Returns the exit code of the platform.
///
/// # Errors
/// [`BootFailure`]; nothing after the bad link has run then.
// spec: D-X2
pub fn run_chip(
    box_dir: &Path,
    args: &[OsString],
    random: RandomSource,
    on_link: &mut dyn FnMut(&BootLink),
) -> Result<u8, BootFailure> {
    let flash = box_dir.join("flash");
    let mut chip = SoftwareChip::new(&box_dir.join("otp"), random)?;
    let mut links = Vec::new();
    let stage = BootStage::load(
        &flash.join(BOOTLOADER_FILE),
        ImageKind::Bootloader,
        chip.bl_key0(),
        chip.boot_floors(&BOOTLOADER_COUNTERS),
        &mut links,
    );
    links.iter().for_each(&mut *on_link);
    let stage = stage.map_err(|cause| bad_link(&links, cause))?;
    chip.begin_boot(stage.signer().to_bytes(), links, stage.floors())
        .map_err(BootFailure::Floors)?;

    let (ours, theirs) = crate::socket::pair().map_err(system("socket pair"))?;
    let mut command = stage.command();
    command.arg0("portcullis-bootloader").arg(&flash).args(args).stdin(theirs);
    if std::env::var_os(BIN_DIR).is_none()
        && let Some(dir) = std::env::current_exe().ok().as_deref().and_then(Path::parent)
    {
        command.env(BIN_DIR, dir);
    }
    let mut child = command.spawn().map_err(system("start of the bootloader"))?;
    // The command still holds the child's end of the socket; the chip must see it close.
    drop(command);
    drop(stage);
    let mut is_alive = || matches!(child.try_wait(), Ok(None));
    serve_while(&mut chip, &ours, on_link, &mut is_alive).map_err(system("socket"))?;
    let status = child.wait().map_err(system("wait for the platform"))?;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(u8::try_from(code).unwrap_or(1))
}

/// The bootloader's whole work: verifies the platform image of a flash and tells the chip. The
/// caller executes what comes back.
///
/// # Errors
/// [`BootFailure`]; the chip knows of it then too.
pub fn load_platform(
    flash: &Path,
    chip: &mut ChipHandle,
) -> Result<BootStage<Verified>, BootFailure> {
    let (bl_key1, floors) = chip.boot_keys()?;
    let bl_key1 = Ed25519VerifyingKey::from_bytes(&bl_key1).map_err(|_| BootFailure::Link {
        link: "bl-key1".to_owned(),
        cause: BootError::BadKey("bl-key1"),
    })?;
    let mut links = Vec::new();
    let path = flash.join(PLATFORM_FILE);
    match BootStage::load(&path, ImageKind::Platform, &bl_key1, floors, &mut links) {
        Ok(stage) => {
            chip.report_platform(PlatformReport {
                links,
                good: true,
                trust_anchor: stage.trust_anchor().to_vec(),
                floors: stage.floors(),
            })?;
            Ok(stage)
        }
        Err(cause) => {
            let failure = bad_link(&links, cause);
            chip.report_platform(PlatformReport {
                links,
                good: false,
                trust_anchor: Vec::new(),
                floors: BootFloors::default(),
            })?;
            Err(failure)
        }
    }
}

fn bad_link(links: &[BootLink], cause: BootError) -> BootFailure {
    let link = links.last().map_or_else(String::new, |link| link.name.clone());
    BootFailure::Link { link, cause }
}

fn system(what: &'static str) -> impl FnOnce(std::io::Error) -> BootFailure {
    move |source| BootFailure::System { what, source }
}
