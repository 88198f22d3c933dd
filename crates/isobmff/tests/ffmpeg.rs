//! Files that ffmpeg has encrypted, and ffmpeg as the judge of what comes out.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs::File;
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use portcullis_crypto::Key128;
use portcullis_isobmff::{Mp4Error, Plan};
use portcullis_scramble::cenc::Scheme;

const KEY: [u8; 16] = [0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE, 1, 2, 3, 4, 5, 6, 7, 8];
const KEY_HEX: &str = "1032547698badcfe0102030405060708";
const KID_HEX: &str = "a7e61c373e219033c21091fa607bf3b8";

fn ffmpeg(arguments: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new("ffmpeg").args(["-v", "error", "-nostdin"]).args(arguments).output();
    let output = output.ok()?;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

/// Checksums of every packet, as ffmpeg reads them.
fn packets(path: &Path) -> Vec<u8> {
    let sums =
        ffmpeg(&["-i", path.to_str().unwrap(), "-map", "0", "-c", "copy", "-f", "framemd5", "-"]);
    sums.unwrap()
}

/// A file in clear and the same encrypted; `None` (and a loud line) without ffmpeg.
fn pair(folder: &Path, flags: &str) -> Option<(std::path::PathBuf, std::path::PathBuf)> {
    let (clear, hidden) = (folder.join("clear.mp4"), folder.join("hidden.mp4"));
    let made = ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x180:rate=25:duration=6",
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=440:duration=6",
        "-c:v",
        "libx264",
        "-c:a",
        "aac",
        "-g",
        "25",
        "-movflags",
        flags,
        clear.to_str().unwrap(),
    ]);
    if made.is_none() {
        eprintln!("SKIPPED: ffmpeg is needed for this comparison");
        return None;
    }
    ffmpeg(&[
        "-i",
        clear.to_str().unwrap(),
        "-map",
        "0",
        "-c",
        "copy",
        "-movflags",
        flags,
        "-encryption_scheme",
        "cenc-aes-ctr",
        "-encryption_key",
        KEY_HEX,
        "-encryption_kid",
        KID_HEX,
        hidden.to_str().unwrap(),
    ])?;
    Some((clear, hidden))
}

fn decrypt(hidden: &Path, decrypted: &Path) -> Plan {
    let plan = Plan::read(&mut File::open(hidden).unwrap()).unwrap();
    let mut output = File::create(decrypted).unwrap();
    let key = Key128::new(KEY);
    plan.decrypt(|_| Some(&key), &mut File::open(hidden).unwrap(), &mut output).unwrap();
    let left = Plan::read(&mut File::open(decrypted).unwrap()).unwrap();
    assert_eq!((left.samples(), left.protections().len()), (0, 0));
    plan
}

// ffmpeg writes no auxiliary information into fragments, so that it cannot play what it encrypts
// there itself: these files have one sample table.
// spec-test: E-R29
#[test]
fn what_ffmpeg_encrypted_is_decrypted() {
    for flags in ["+faststart", "+write_colr"] {
        let folder = tempfile::tempdir().unwrap();
        let Some((clear, hidden)) = pair(folder.path(), flags) else { return };
        let decrypted = folder.path().join("decrypted.mp4");
        let plan = decrypt(&hidden, &decrypted);
        assert_eq!(plan.protections().len(), 2, "{flags}");
        assert!(plan.protections().iter().all(|found| found.scheme == Scheme::Cenc));
        assert!(plan.samples() > 150 + 250);
        assert_ne!(std::fs::read(&hidden).unwrap(), std::fs::read(&decrypted).unwrap());
        assert_eq!(packets(&decrypted), packets(&clear), "{flags}");
    }
}

/// Runs shaka-packager, named by `SHAKA_PACKAGER` or found as `packager`; `None` (and a loud line)
/// without it.
fn packager(arguments: &[String]) -> Option<()> {
    let program = std::env::var_os("SHAKA_PACKAGER").unwrap_or_else(|| "packager".into());
    let Ok(output) = Command::new(program).args(arguments).output() else {
        eprintln!("SKIPPED (optional): shaka-packager is needed for this comparison");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

// spec-test: E-R29
#[test]
fn fragments_that_shaka_packager_encrypted_are_decrypted_in_all_schemes() {
    let folder = tempfile::tempdir().unwrap();
    let Some((clear, _)) = pair(folder.path(), "+faststart") else { return };
    let keys = format!("label=:key_id={KID_HEX}:key={KEY_HEX}");
    for scheme in Scheme::ALL {
        for stream in ["video", "audio"] {
            let file = |name: &str| folder.path().join(format!("{name}-{stream}-{scheme}.mp4"));
            let (plain, hidden, decrypted) = (file("plain"), file("hidden"), file("decrypted"));
            let packed = |output: &Path| {
                format!("in={},stream={stream},output={}", clear.display(), output.display())
            };
            if packager(&[packed(&plain)]).is_none() {
                return;
            }
            let options = [
                packed(&hidden),
                "--enable_raw_key_encryption".into(),
                "--clear_lead=0".into(),
                format!("--keys={keys}"),
                format!("--protection_scheme={scheme}"),
            ];
            packager(&options).unwrap();
            let plan = decrypt(&hidden, &decrypted);
            assert_eq!(plan.protections()[0].scheme, scheme);
            assert!(plan.samples() >= 150);
            assert_eq!(packets(&decrypted), packets(&plain), "{scheme}, {stream}");
        }
    }
}

#[test]
fn a_cut_or_changed_file_is_refused_or_read_and_never_worse() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_, hidden)) = pair(folder.path(), "+faststart") else { return };
    let (whole, key) = (std::fs::read(&hidden).unwrap(), Key128::new(KEY));
    for length in (0..1_000).chain((1_000..whole.len()).step_by(4_001)) {
        let cut = &whole[..length];
        if let Ok(plan) = Plan::read(&mut Cursor::new(cut)) {
            let _ = plan.decrypt(|_| Some(&key), &mut Cursor::new(cut), &mut Vec::new());
        }
    }
    for at in (0..3_000).step_by(5) {
        for value in [0, 0xFF] {
            let mut changed = whole.clone();
            changed[at] = value;
            if let Ok(plan) = Plan::read(&mut Cursor::new(&changed)) {
                let _ = plan.decrypt(|_| Some(&key), &mut Cursor::new(&changed), &mut Vec::new());
            }
        }
    }
}

#[test]
fn what_is_no_file_of_boxes_is_refused_with_its_place() {
    let error = Plan::read(&mut Cursor::new(b"\0\0\0\x20ftypisom")).err().unwrap();
    assert!(matches!(error, Mp4Error::Malformed { at: 0, .. }), "{error}");
    let error = Plan::read(&mut Cursor::new(b"\0\0\0\x0cftypisom\0\0\0\x02moof")).err().unwrap();
    assert!(matches!(error, Mp4Error::Malformed { at: 12, .. }), "{error}");
}
