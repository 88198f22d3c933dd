//! A new operator: `init`, boxes, and clients packed, signed and judged on the command line.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use portcullis_tests::{Finished, has_tool, program, run};

fn portcullis(dir: &Path, arguments: &str) -> Finished {
    let mut command = Command::new(program("portcullis"));
    run(command.current_dir(dir).args(arguments.split_whitespace()))
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Every private file is 0600; nobody else may enter a party's directory.
fn assert_private(dir: &Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            assert_private(&path);
        } else if name.ends_with(".age") || name.ends_with(".key") || name == "chip.otp" {
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
}

// spec-test: D-K8 D-S3 D-S4 D-08 E-R21
#[test]
fn init_makes_all_parties_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let made = portcullis(dir.path(), "init --data D --json").ok();
    let answer = made.json();
    assert_eq!(answer["ca_systems"][0]["super_cas_id"], 0x7A10_0001);
    assert_eq!(answer["ca_systems"][1]["vendor"], "vendor-b");
    assert_eq!(answer["products"][2]["services"], serde_json::json!([1, 2]));
    assert_eq!(answer["services"][0]["name"], "Gate One");
    assert_eq!(made.stderr.lines().filter(|line| line.contains("unlock key")).count(), 1);
    assert_eq!(names(dir.path()), ["D"]);
    assert_private(&dir.path().join("D"));
    let again = portcullis(dir.path(), "init --data D").refused();
    assert!(again.contains("exists"), "{again}");
    let nowhere = portcullis(dir.path(), "init --data E --passphrase-file missing").refused();
    assert!(nowhere.contains("missing"), "{nowhere}");
    assert_eq!(names(dir.path()), ["D"], "a failed init leaves nothing");
}

// spec-test: D-S4
#[test]
fn boxes_are_made_listed_and_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let _ = portcullis(dir.path(), "init --data D").ok();
    let first = portcullis(dir.path(), "box add living --data D --json").ok().json();
    let second = portcullis(dir.path(), "box add b-2 --data D --vendor vendor-b --json").ok();
    assert_ne!(first["chip_id"], second.json()["chip_id"]);
    assert_private(&dir.path().join("D"));
    for name in ["living", "../x", "a/b", "x.y", "-x", "123456789012345678901234567890123"] {
        let refused = run(Command::new(program("portcullis"))
            .current_dir(dir.path())
            .args(["box", "add", "--data", "D", "--", name]))
        .refused();
        assert!(refused.contains("box"), "{refused}");
    }
    let _ = portcullis(dir.path(), "box add y --data D --vendor vendor-c").refused();
    assert_eq!(names(&dir.path().join("D/boxes")), ["b-2", "living"]);
    let _ = portcullis(dir.path(), "entitle --data D --box living --product all").ok();
    let _ = portcullis(dir.path(), "box revoke living --data D").ok();
    let list = portcullis(dir.path(), "box list --data D --json").ok().json();
    assert_eq!(list["boxes"][0]["revoked"], false);
    assert_eq!(list["boxes"][1]["name"], "living");
    assert_eq!(list["boxes"][1]["revoked"], true);
    let _ = portcullis(dir.path(), "box revoke nobody --data D").refused();
}

// spec-test: D-K8
#[test]
fn a_passphrase_is_needed_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("pass"), "four random words here\n").unwrap();
    std::fs::write(dir.path().join("other"), "something else\n").unwrap();
    let made = portcullis(dir.path(), "init --data D --passphrase-file pass").ok();
    assert!(!made.stderr.contains("warning"), "{}", made.stderr);
    let without = portcullis(dir.path(), "box add x --data D").refused();
    assert!(without.contains("passphrase"), "{without}");
    let wrong = portcullis(dir.path(), "box add x --data D --passphrase-file other").refused();
    assert!(wrong.contains("passphrase"), "{wrong}");
    assert!(names(&dir.path().join("D/boxes")).is_empty());
    let _ = portcullis(dir.path(), "box add x --data D --passphrase-file pass").ok();
}

// spec-test: X-C01 X-C05 X-A10
// attack-test: T-15 T-16
#[test]
fn clients_are_inspected_verified_and_signed() {
    let dir = tempfile::tempdir().unwrap();
    let _ = portcullis(dir.path(), "init --data D").ok();
    let container = "D/operator/centre/vendor-a-1.odci";
    let _ = portcullis(dir.path(), &format!("client verify {container} --data D")).ok();
    let seen = portcullis(dir.path(), &format!("client inspect {container} --data D --json"));
    let seen = seen.ok().json();
    let fields = seen["package"]["header"].as_array().unwrap();
    let covered: u64 = fields.iter().map(|field| field["size"].as_u64().unwrap()).sum();
    assert_eq!(covered, 48);
    assert!(seen["checks"].as_array().unwrap().iter().all(|check| check["verdict"] == "good"));
    let floor = format!("client verify {container} --data D --floor 2");
    assert!(portcullis(dir.path(), &floor).refused().contains("rollback"));
    // Another authority's root verifies nothing of ours.
    let _ = portcullis(dir.path(), "init --data E").ok();
    let _ = portcullis(dir.path(), &format!("client verify {container} --data E")).refused();
    // The package alone, taken out of the container: signed again, verified with the certificate.
    let octets = std::fs::read(dir.path().join(container)).unwrap();
    let len = u32::from_be_bytes(octets[36..40].try_into().unwrap()) as usize;
    std::fs::write(dir.path().join("p.scp"), &octets[118..118 + len]).unwrap();
    let good = "client verify p.scp --key D/ca/vendor-a/series.pem";
    let _ = portcullis(dir.path(), good).ok();
    let _ = portcullis(dir.path(), "client verify p.scp --key D/ca/vendor-b/series.pem").refused();
    let _ = portcullis(dir.path(), "client sign p.scp --data D --vendor vendor-a --out again.odci")
        .ok();
    let _ = portcullis(dir.path(), "client verify again.odci --data D").ok();
    let _ =
        portcullis(dir.path(), "client sign p.scp --data D --vendor vendor-b --out b.odci").ok();
    let _ = portcullis(dir.path(), "client verify b.odci --data D").refused();
    let mut changed = octets;
    changed[4000] ^= 1;
    std::fs::write(dir.path().join("changed.odci"), &changed).unwrap();
    let _ = portcullis(dir.path(), "client verify changed.odci --data D").refused();
    let verdicts = portcullis(dir.path(), "client inspect changed.odci --data D --json").ok();
    assert!(verdicts.stdout.contains("refused"));
}

// spec-test: D-K8
#[test]
fn private_files_open_with_the_stock_age_tool() {
    if !has_tool("private_files_open_with_the_stock_age_tool", "age", "apt-get install age") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let _ = portcullis(dir.path(), "init --data D").ok();
    let age = |key: &str, file: &str| {
        run(Command::new("age").current_dir(dir.path()).args(["-d", "-i", key, file]))
    };
    let opened = age("D/operator/unlock.key", "D/operator/po.key.age").ok();
    assert!(opened.stdout.starts_with("-----BEGIN PRIVATE KEY-----"));
    let stranger = age("D/sdmp/unlock.key", "D/operator/po.key.age");
    assert_eq!((stranger.code, stranger.stdout.as_str()), (Some(1), ""));
}
