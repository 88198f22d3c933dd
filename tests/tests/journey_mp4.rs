//! MP4 files that ffmpeg encrypted are descrambled by the command, and ffmpeg judges what comes out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

use portcullis_tests::{Finished, has_ffmpeg, program, run};

const KEY: &str = "1032547698badcfe0102030405060708";
const KID: &str = "a7e61c373e219033c21091fa607bf3b8";
const SOURCES: [&str; 2] =
    ["testsrc2=size=320x180:rate=25:duration=4", "sine=frequency=440:duration=4"];

fn ffmpeg(input: &[&str], output: &[&str]) -> Vec<u8> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin"]).args(input).args(output);
    let output = ffmpeg.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Checksums of every packet, as ffmpeg reads them.
fn packets(path: &Path) -> Vec<u8> {
    let copied = ["-map", "0", "-c", "copy", "-f", "framemd5", "-"];
    ffmpeg(&["-i", path.to_str().unwrap()], &copied)
}

/// A file in clear, and the same encrypted.
fn pair(folder: &Path) -> [std::path::PathBuf; 2] {
    let [clear, hidden] = ["clear.mp4", "hidden.mp4"].map(|name| folder.join(name));
    let [video, audio] = SOURCES;
    let coded = ["-c:v", "libx264", "-c:a", "aac", clear.to_str().unwrap()];
    ffmpeg(&["-f", "lavfi", "-i", video, "-f", "lavfi", "-i", audio], &coded);
    let scheme = ["-map", "0", "-c", "copy", "-encryption_scheme", "cenc-aes-ctr"];
    let key = ["-encryption_key", KEY, "-encryption_kid", KID, hidden.to_str().unwrap()];
    ffmpeg(&["-i", clear.to_str().unwrap()], &[&scheme[..], &key].concat());
    [clear, hidden]
}

fn descramble(mode: &str, keys: &str, input: &Path, output: &Path) -> Finished {
    let mut command = Command::new(program("portcullis"));
    command.args(["descramble", "--json", "--mode", mode, "--cw", keys]);
    run(command.arg("--input").arg(input).arg("--output").arg(output))
}

// spec-test: E-R29
#[test]
fn an_mp4_file_is_descrambled_with_its_key() {
    if !has_ffmpeg("an_mp4_file_is_descrambled_with_its_key") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [clear, hidden] = pair(folder.path());
    assert_ne!(std::fs::read(&clear).unwrap(), std::fs::read(&hidden).unwrap());
    let other = "00112233445566778899aabbccddeeff";
    for keys in [KEY, &format!("{KID}:{KEY}"), &format!("{other}:{other},{KID}:{KEY}")] {
        let output = folder.path().join("out.mp4");
        let said = descramble("cenc", keys, &hidden, &output).ok().json();
        assert!(said["samples"].as_u64().unwrap() > 100 + 150, "{said}");
        assert_eq!(said["tracks"][1]["key_id"], KID);
        assert_eq!(said["tracks"][1]["scheme"], "cenc");
        assert!(packets(&output) == packets(&clear), "{keys}");
    }
    // Another key is another picture, and no error: nothing in such a file tells.
    let output = folder.path().join("wrong.mp4");
    let _ = descramble("cenc", other, &hidden, &output).ok();
    assert!(packets(&output) != packets(&clear));
}

#[test]
fn what_cannot_be_descrambled_is_refused_with_its_place_and_leaves_no_file() {
    if !has_ffmpeg("what_cannot_be_descrambled_is_refused_with_its_place_and_leaves_no_file") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [_, hidden] = pair(folder.path());
    let output = folder.path().join("out.mp4");
    let other = format!("00112233445566778899aabbccddeeff:{KEY}");
    let cut = folder.path().join("cut.mp4");
    let whole = std::fs::read(&hidden).unwrap();
    std::fs::write(&cut, &whole[..whole.len() - 1_000]).unwrap();
    for (mode, keys, input, part) in [
        ("cbcs", KEY, &hidden, "is cenc, and --mode says cbcs"),
        ("cenc", &other, &hidden, "no key for the track whose protection is at offset"),
        ("cenc", KEY, &cut, "at offset"),
    ] {
        let line = descramble(mode, keys, input, &output).refused();
        assert!(line.contains(part) && line.contains(input.to_str().unwrap()), "{line}");
        assert!(!output.exists(), "{line}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "no half of a file is left");
}
