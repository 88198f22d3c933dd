//! A box booted for real: chip, bootloader and platform as processes.
//!
//! The platform here is the system's shell: as `terminal-platform ARGS` is what the bootloader
//! gives it, it runs the script of that name in the working directory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use portcullis_chipset::fabric::{
    BlKey1Certificate, BootImage, ImageVersion, Otp, OtpContents, PlatformKeyCertificate,
    encrypt_sck,
};
use portcullis_crypto::{Ed25519SigningKey, Key128};
use portcullis_keyladder::{MaskKey, Profile, Sck};
use portcullis_types::ChipId;

fn key(octet: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&[octet; 32])
}

/// The bootloader stands beside the chip's program; a test run of this crate alone builds it.
fn bootloader() -> Vec<u8> {
    let chipd = Path::new(env!("CARGO_BIN_EXE_portcullis-chipd"));
    let path = chipd.with_file_name("portcullis-bootloader");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "portcullis-bootloader-bin"]);
    if chipd.parent().unwrap().ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success());
    std::fs::read(path).unwrap()
}

fn image_platform(version: u32) -> Vec<u8> {
    let certificate = PlatformKeyCertificate::sign(&key(1), &key(2).verifying_key(), 1);
    let version = ImageVersion { version, floor: version };
    let shell = std::fs::read("/bin/sh").unwrap();
    BootImage::platform(&key(2), &certificate, version, b"anchor", &shell).unwrap()
}

fn make_box() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let model_key = Key128::new([1; 16]);
    let contents = OtpContents {
        chip_id: ChipId(1),
        profile: Profile::P2,
        module_id: None,
        esck: encrypt_sck(&model_key, &Sck::new([2; 16])),
        bl_key0: key(0).verifying_key().to_bytes(),
        model_key: &model_key,
        mask_key: &MaskKey::new([3; 16]),
    };
    Otp::burn(&dir.path().join("otp"), &contents).unwrap();
    std::fs::create_dir(dir.path().join("flash")).unwrap();
    let certificate = BlKey1Certificate::sign(&key(0), &key(1).verifying_key(), 1);
    let version = ImageVersion { version: 1, floor: 1 };
    let image = BootImage::bootloader(&key(1), &certificate, version, &bootloader()).unwrap();
    std::fs::write(flash(&dir, "bootloader.img"), image).unwrap();
    std::fs::write(flash(&dir, "platform.img"), image_platform(2)).unwrap();
    let script = "echo ran > marker; echo args $1 $2; echo bin $PORTCULLIS_BIN_DIR; exit 7\n";
    std::fs::write(dir.path().join("terminal-platform"), script).unwrap();
    dir
}

fn flash(dir: &tempfile::TempDir, file: &str) -> PathBuf {
    dir.path().join("flash").join(file)
}

fn boot(dir: &tempfile::TempDir) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portcullis-chipd"))
        .args(["boot", "--box"])
        .arg(dir.path())
        .args(["--events", "--", "--service", "1"])
        .current_dir(dir.path())
        .env_remove("PORTCULLIS_BIN_DIR")
        .output()
        .unwrap()
}

fn ran(dir: &tempfile::TempDir) -> bool {
    let marker = dir.path().join("marker");
    let ran = marker.exists();
    let _ = std::fs::remove_file(marker);
    ran
}

// spec-test: D-X2
#[test]
fn a_good_box_runs_its_platform_and_ends_with_its_code() {
    let dir = make_box();
    let output = boot(&dir);
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(7), "{stderr}");
    assert!(ran(&dir));
    assert!(stdout.contains("args --service 1"), "{stdout}");
    let programs = Path::new(env!("CARGO_BIN_EXE_portcullis-chipd")).parent().unwrap();
    assert!(stdout.contains(&format!("bin {}", programs.display())), "{stdout}");
    let events: Vec<serde_json::Value> =
        stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events[0]["event"], "chip");
    let links: Vec<_> = events[1..].iter().map(|e| e["name"].as_str().unwrap()).collect();
    assert_eq!(links, ["bl-key1", "bootloader", "platform-key", "platform"]);
    assert!(events[1..].iter().all(|e| e["event"] == "boot_link" && e["verdict"] == "good"));
}

// spec-test: D-X2 D-X3 D-X4
// attack-test: T-37
#[test]
fn each_broken_link_stops_the_box_there() {
    let dir = make_box();
    for (file, name) in [("bootloader.img", "bootloader"), ("platform.img", "platform")] {
        let path = flash(&dir, file);
        let good = std::fs::read(&path).unwrap();
        for (at, link) in [(good.len() - 1, name), (200, name), (120, "key")] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&path, bad).unwrap();
            let output = boot(&dir);
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{file} {at}: {stderr}");
            assert!(!ran(&dir), "{file} {at}: the platform ran");
            let lines: Vec<_> = stderr.lines().filter(|line| !line.starts_with('{')).collect();
            assert_eq!(lines.len(), 1, "{file} {at}: {stderr}");
            assert!(lines[0].contains("boot: link ") && lines[0].contains(link), "{}", lines[0]);
        }
        std::fs::write(&path, good).unwrap();
    }
    std::fs::remove_file(flash(&dir, "platform.img")).unwrap();
    assert_eq!(boot(&dir).status.code(), Some(1));
    assert!(!ran(&dir));
}

// spec-test: D-X11
#[test]
fn an_older_platform_does_not_start_after_a_newer_one_ran() {
    let dir = make_box();
    let old = std::fs::read(flash(&dir, "platform.img")).unwrap();
    std::fs::write(flash(&dir, "platform.img"), image_platform(3)).unwrap();
    assert_eq!(boot(&dir).status.code(), Some(7));
    assert!(ran(&dir));
    std::fs::write(flash(&dir, "platform.img"), old).unwrap();
    let output = boot(&dir);
    assert_eq!(output.status.code(), Some(1));
    assert!(!ran(&dir));
    assert!(String::from_utf8(output.stderr).unwrap().contains("below the floor 3"));
}

// attack-test: T-39
#[test]
fn the_chip_leaves_no_core_dump() {
    let dir = make_box();
    // The platform's parent is the chip.
    std::fs::write(dir.path().join("terminal-platform"), "cat /proc/$PPID/limits\n").unwrap();
    let output = boot(&dir);
    let limits = String::from_utf8(output.stdout).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
}

#[test]
fn the_platform_ends_with_its_chip() {
    let dir = make_box();
    let script = "echo $$ > pid.new; mv pid.new pid; while :; do sleep 0.05; done\n";
    std::fs::write(dir.path().join("terminal-platform"), script).unwrap();
    let mut chip = Command::new(env!("CARGO_BIN_EXE_portcullis-chipd"))
        .args(["boot", "--box"])
        .arg(dir.path())
        .current_dir(dir.path())
        .spawn()
        .unwrap();
    let pid = wait_for(|| std::fs::read_to_string(dir.path().join("pid")).ok());
    let platform = PathBuf::from(format!("/proc/{}/exe", pid.trim()));
    assert!(platform.symlink_metadata().is_ok());
    chip.kill().unwrap();
    chip.wait().unwrap();
    // Gone, or waiting to be reaped by whoever inherited it (then it has no executable).
    wait_for(|| std::fs::read_link(&platform).is_err().then_some(()));
}

fn wait_for<T>(mut probe: impl FnMut() -> Option<T>) -> T {
    for _ in 0..200 {
        if let Some(found) = probe() {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("waited 5 s in vain");
}
