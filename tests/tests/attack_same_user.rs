//! Other programs of the same user, and other users, get at nothing of a box that plays.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portcullis_tests::{World, h264_aac, has_ffmpeg, program, skip};

const NAME: &str = "the_same_user_cannot_look_into_a_box_nor_others_into_its_files";
const NOBODY: u32 = 65534;
const SOMEBODY: u32 = 65533;
const PROGRAMS: [&str; 3] = ["portcullis", "portcullis-chipd", "portcullis-bootloader"];

/// All files and folders below one.
fn below(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![path.to_owned()];
    let mut at = 0;
    while let Some(path) = found.get(at).cloned() {
        let entries = std::fs::read_dir(path).into_iter().flatten();
        found.extend(entries.map(|entry| entry.unwrap().path()));
        at += 1;
    }
    found
}

/// What a user reads of a file: the error's text, or how many octets.
fn reads(user: u32, path: &str) -> Result<usize, String> {
    let mut cat = Command::new("head");
    let output = cat.args(["-c", "64", path]).uid(user).gid(user).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(output.stdout.len()) } else { Err(said) }
}

/// Processes of a user whose command line contains this.
fn process(user: u32, part: &str) -> Option<u32> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let mut ids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.find(|id| {
        let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let is_users = status.lines().any(|line| line.starts_with(&format!("Uid:\t{user}\t")));
        is_users && String::from_utf8_lossy(&line).contains(part)
    })
}

// spec-test: X-08 X-22 X-64
// attack-test: T-39
#[test]
fn the_same_user_cannot_look_into_a_box_nor_others_into_its_files() {
    if !has_ffmpeg(NAME) {
        return;
    }
    let (world, stream) = (World::with_entitled_box("b1"), h264_aac());
    let (scrambled, played) = (world.file("scrambled.ts"), world.file("played.ts"));
    let _ = world.headend(&stream, "cissa", &scrambled).ok();
    let folder = scrambled.parent().unwrap();
    if std::fs::metadata(folder).unwrap().uid() != 0 {
        skip(NAME, "only root can become other users");
        return;
    }
    // The box becomes nobody's, programs included: where they lie others may not be let in.
    let programs = folder.join("bin");
    std::fs::create_dir(&programs).unwrap();
    for name in PROGRAMS {
        std::fs::copy(program(name), programs.join(name)).unwrap();
    }
    // A pipe by name: one that root made could not be opened by the box.
    let pipe = folder.join("live");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in below(folder) {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let mut call = Command::new(programs.join("portcullis"));
    call.args(["terminal", "--box", "b1", "--input"]).arg(&pipe).uid(NOBODY).gid(NOBODY);
    call.arg("--data").arg(world.data()).arg("--output").arg(&played).current_dir(folder);
    let mut launcher =
        call.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
    let mut input = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let octets = std::fs::read(&scrambled).unwrap();
    std::io::Write::write_all(&mut input, &octets[..188 * 2000]).unwrap();

    let data = world.data().display().to_string();
    let end = Instant::now() + Duration::from_secs(20);
    let (chip, platform) = loop {
        assert!(Instant::now() < end, "the box did not come up");
        let of_box =
            |part: &str| process(NOBODY, part).filter(|_| process(NOBODY, &data).is_some());
        if let (Some(chip), Some(platform)) =
            (of_box("portcullis-chipd"), of_box("terminal-platform"))
        {
            break (chip, platform);
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    std::thread::sleep(Duration::from_millis(500));
    for secret in [chip, platform] {
        for what in ["mem", "maps", "environ"] {
            let read = reads(NOBODY, &format!("/proc/{secret}/{what}"));
            assert!(read.as_ref().is_err_and(|said| said.contains("denied")), "{what}: {read:?}");
        }
    }
    // The same look at a process that hides nothing: the test is not blind.
    assert!(reads(NOBODY, &format!("/proc/{}/maps", launcher.id())).is_ok_and(|octets| octets > 0));

    // Files of the box: its own user reads them, another does not.
    let mut files = below(&world.data().join("boxes/b1"));
    files.retain(|path| path.is_file());
    assert!(files.len() > 5, "{files:?}");
    for file in &files {
        let path = file.to_str().unwrap();
        // Some are written anew while the box runs.
        if file.exists() && reads(NOBODY, path).is_ok() {
            assert!(reads(SOMEBODY, path).is_err(), "{path}");
        }
    }
    let mode = std::fs::metadata(world.data()).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "the data directory is its owner's alone");

    std::io::Write::write_all(&mut input, &octets[188 * 2000..]).unwrap();
    drop(input);
    assert!(launcher.wait().unwrap().success());
    World::assert_same_picture(&stream, &played);
}
